#include "server/hot_reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "core/testing/temporary_folder.h"
#include "server/serving/fake_store.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

constexpr absl::Duration kPeriod = absl::Milliseconds(2);
constexpr char kKey[] = "a-key-for-everything";

class HotReloadTest : public ::testing::Test {
 protected:
  HotReloadTest() {
    spdlog::set_level(spdlog::level::off);
    SetCurrent("gen-000007");
    WriteKeys(kKey);
    keys_ = *Authenticator::Open({.keys_file = keys_file_, .quota = {}}, metrics_);
    store_.on_administer = [this] { ++reloads_; };
  }

  // At once: a file that is written to in place may be looked at half way.
  void Replace(const std::string& file, const std::string& text) {
    std::ofstream(file + ".new") << text;
    std::filesystem::rename(file + ".new", file);
  }
  void SetCurrent(const std::string& name) { Replace(folder_ + "/CURRENT", name + "\n"); }
  void WriteKeys(const std::string& key) {
    Replace(keys_file_, absl::StrCat("somebody admin ", *HashForFile(key), "\n"));
  }
  void Start() {
    hot_reload_ =
        std::make_unique<HotReload>(options_, folder_, store_, keys_.get(), nullptr, metrics_);
  }

  bool Becomes(const std::function<bool()>& condition) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (!condition() && absl::Now() < deadline) absl::SleepFor(kPeriod);
    return condition();
  }
  bool Opens(const std::string& key) { return keys_->Recognise(key).ok(); }

  const testing::TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path();
  const std::string keys_file_ = folder_ + "/keys";
  HotReloadOptions options_ = {.period = kPeriod};
  Metrics metrics_;
  FakeStore store_{std::make_shared<FakeCollection>()};  // generation 7; 8 was refused
  std::unique_ptr<Authenticator> keys_;
  std::atomic<int> reloads_ = 0;
  std::unique_ptr<HotReload> hot_reload_;
};

TEST_F(HotReloadTest, ReloadsWhenCurrentNamesAnotherGeneration) {
  Start();
  absl::SleepFor(20 * kPeriod);
  EXPECT_EQ(reloads_, 0) << "it serves what CURRENT names";
  SetCurrent("gen-000009");
  EXPECT_TRUE(Becomes([&] { return reloads_ == 1; }));
  absl::SleepFor(20 * kPeriod);
  EXPECT_EQ(reloads_, 1) << "once";
}

TEST_F(HotReloadTest, TakesOverWhatChangedBeforeItBegan) {
  SetCurrent("gen-000009");
  WriteKeys("another-key-altogether");
  Start();
  EXPECT_TRUE(Becomes([&] { return reloads_ == 1; }));
  EXPECT_TRUE(Becomes([&] { return Opens("another-key-altogether"); }));
  EXPECT_FALSE(Opens(kKey));
}

TEST_F(HotReloadTest, DoesNotReloadForWhatItServesOrHasRefusedOrCannotRead) {
  Start();
  for (const char* name : {"gen-000007", "gen-000008", "garbage", "", "../../gen-000009"}) {
    SetCurrent(name);
    absl::SleepFor(20 * kPeriod);
    EXPECT_EQ(reloads_, 0) << name;
  }
  std::filesystem::remove(folder_ + "/CURRENT");
  absl::SleepFor(20 * kPeriod);
  EXPECT_EQ(reloads_, 0);
}

TEST_F(HotReloadTest, WatchingCanBeTurnedOff) {
  options_.watch_current = false;
  Start();
  SetCurrent("gen-000009");
  absl::SleepFor(20 * kPeriod);
  EXPECT_EQ(reloads_, 0);
  hot_reload_->ReloadAll("test");
  EXPECT_TRUE(Becomes([&] { return reloads_ == 1; }));
}

TEST_F(HotReloadTest, AFailureKeepsWhatServes) {
  store_.failure = absl::DataLossError("gen-000009: damaged");
  const auto before = store_.Current();
  Start();
  SetCurrent("gen-000009");
  EXPECT_TRUE(Becomes([&] { return reloads_ == 1; }));
  EXPECT_EQ(store_.Current(), before);
  store_.failure = absl::OkStatus();
  hot_reload_->ReloadAll("test");
  EXPECT_TRUE(Becomes([&] { return store_.Current() != before; }));
}

TEST_F(HotReloadTest, DamagedKeysKeepThoseBeforeAndAreCounted) {
  Start();
  EXPECT_TRUE(Becomes([&] {
    return metrics_.Text().find(R"(antiphon_reloads_total{result="ok",what="api_keys"} 1)") !=
           std::string::npos;
  }));
  Replace(keys_file_, "garbage");
  EXPECT_TRUE(Becomes([&] {
    return metrics_.Text().find(R"(antiphon_reloads_total{result="failed",what="api_keys"} 1)") !=
           std::string::npos;
  }));
  EXPECT_TRUE(Opens(kKey));
}

TEST_F(HotReloadTest, StoppingDoesNotWaitForAReload) {
  absl::Notification started, release;
  store_.on_administer = [&] {
    started.Notify();
    release.WaitForNotification();
  };
  Start();
  hot_reload_->ReloadAll("test");
  started.WaitForNotification();
  hot_reload_->Stop();
  release.Notify();
  hot_reload_.reset();
}

}  // namespace
}  // namespace antiphon::server
