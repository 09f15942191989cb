#include "server/runtime/file_watcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/time/clock.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::server {
namespace {

constexpr absl::Duration kPeriod = absl::Milliseconds(2);

class FileWatcherTest : public ::testing::Test {
 protected:
  FileWatcherTest() { Write("one"); }

  // At once: a file that is written to in place may be looked at half way.
  void Write(const std::string& text) {
    const std::string other = file_ + ".new";
    std::ofstream(other) << text;
    std::filesystem::rename(other, file_);
  }

  // Waits until it has been told so often.
  void Await(int told) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (told_ < told && absl::Now() < deadline) absl::SleepFor(kPeriod);
    EXPECT_EQ(told_, told);
  }
  void StaysAt(int told) {
    absl::SleepFor(20 * kPeriod);
    EXPECT_EQ(told_, told);
  }

  const testing::TemporaryFolder folder_;
  const std::string file_ = folder_.path() + "/watched";
  std::atomic<int> told_ = 0;
};

TEST_F(FileWatcherTest, TellsAtTheFirstLookAndThenOfEveryChange) {
  FileWatcher watcher(kPeriod);
  watcher.Watch({file_}, [this] { ++told_; });
  watcher.Start();
  Await(1);
  StaysAt(1);
  Write("other text");
  Await(2);
  StaysAt(2);
}

TEST_F(FileWatcherTest, AReplacedFileHasChangedThoughItsSizeHasNot) {
  FileWatcher watcher(kPeriod);
  watcher.Watch({file_}, [this] { ++told_; });
  watcher.Start();
  Await(1);
  const std::string other = file_ + ".new";
  std::ofstream(other) << "two";
  std::filesystem::last_write_time(other, std::filesystem::last_write_time(file_));
  std::filesystem::rename(other, file_);
  Await(2);
}

TEST_F(FileWatcherTest, GoingAndComingAreChanges) {
  FileWatcher watcher(kPeriod);
  watcher.Watch({file_}, [this] { ++told_; });
  watcher.Start();
  Await(1);
  std::remove(file_.c_str());
  Await(2);
  StaysAt(2);
  Write("back");
  Await(3);
}

TEST_F(FileWatcherTest, FilesOfOneGroupAreToldTogetherAndOthersNot) {
  FileWatcher watcher(kPeriod);
  std::atomic<int> others = 0;
  watcher.Watch({file_, file_ + ".missing"}, [this] { ++told_; });
  watcher.Watch({"/"}, [&] { ++others; });
  watcher.Start();
  Await(1);
  Write("changed");
  Await(2);
  StaysAt(2);
  EXPECT_EQ(others, 1);
}

TEST_F(FileWatcherTest, NothingIsToldOnceStopped) {
  FileWatcher watcher(kPeriod);
  watcher.Watch({file_}, [this] { ++told_; });
  watcher.Start();
  Await(1);
  watcher.Stop();
  Write("changed");
  StaysAt(1);
}

}  // namespace
}  // namespace antiphon::server
