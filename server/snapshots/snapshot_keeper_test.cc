#include "server/snapshots/snapshot_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "absl/synchronization/notification.h"
#include "core/testing/temporary_folder.h"
#include "server/serving/fake_store.h"
#include "server/snapshots/directory_storage.h"
#include "server/snapshots/snapshot_testing.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SnapshotKeeperTest : public ::testing::Test {
 protected:
  SnapshotKeeperTest() { spdlog::set_level(spdlog::level::off); }

  absl::Status Take(const std::string& name) { return snapshots_.Take(name, GoOn).status(); }
  absl::Status Restore(const std::string& name) { return snapshots_.Restore(name, GoOn).status(); }
  absl::Status Remove(const std::string& name) { return snapshots_.Remove(name, GoOn).status(); }
  StoredSnapshot Newest() { return snapshots_.List(GoOn).value().at(0); }
  std::string MetricLine(const std::string& name) const {
    const std::string text = "\n" + metrics_.Text();
    const size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? "" : text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  }

  const antiphon::testing::TemporaryFolder folder_;
  Metrics metrics_;
  FakeStore store_{std::make_shared<FakeCollection>()};
  OneAtATime turns_;
  SnapshotKeeper snapshots_{std::make_unique<DirectoryStorage>(folder_.path()), folder_.path(),
                            store_, turns_, metrics_};
};

TEST_F(SnapshotKeeperTest, OneIsTakenOrRestoredAtATimeAndNotRemovedMeanwhile) {
  ASSERT_TRUE(Take("there").ok());
  absl::Notification started, release;
  store_.on_administer = [&] {
    started.Notify();
    release.WaitForNotification();
  };
  std::thread first([&] { EXPECT_TRUE(Take("monday").ok()); });
  started.WaitForNotification();
  for (const absl::Status& status : {Take("tuesday"), Restore("there"), Remove("monday")}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  }
  EXPECT_FALSE(turns_.Enter().ok()) << "nor is the collection reloaded or merged";
  EXPECT_TRUE(Remove("there").ok()) << "another one may be removed";
  release.Notify();
  first.join();
  store_.on_administer = nullptr;
  EXPECT_TRUE(turns_.Enter().ok());
  EXPECT_TRUE(Remove("monday").ok());
}

TEST_F(SnapshotKeeperTest, TheOneThatIsRestoredIsNotRemoved) {
  ASSERT_TRUE(Take("monday").ok());
  absl::Notification started, release;
  store_.on_administer = [&] {
    started.Notify();
    release.WaitForNotification();
  };
  std::thread first([&] { EXPECT_TRUE(Restore("monday").ok()); });
  started.WaitForNotification();
  EXPECT_EQ(Remove("monday").code(), absl::StatusCode::kAborted);
  EXPECT_EQ(snapshots_.List(GoOn)->size(), 1u) << "lists are answered";
  release.Notify();
  first.join();
}

TEST_F(SnapshotKeeperTest, NoneIsTakenWhileTheCollectionIsReloaded) {
  {
    const auto turn = turns_.Enter();
    ASSERT_TRUE(turn.ok());
    EXPECT_EQ(Take("monday").code(), absl::StatusCode::kAborted);
  }
  EXPECT_TRUE(Take("monday").ok());
}

TEST_F(SnapshotKeeperTest, TellsWhetherTheCollectionHasChanged) {
  ASSERT_TRUE(Take("monday").ok());
  EXPECT_TRUE(snapshots_.IsUnchangedSince(Newest()));
  StoredSnapshot other = Newest();
  other.problem = "damaged";
  EXPECT_FALSE(snapshots_.IsUnchangedSince(other));
  other = Newest();
  other.manifest.origin[0] = 'b';
  EXPECT_FALSE(snapshots_.IsUnchangedSince(other)) << "another collection";
  ASSERT_TRUE(store_.Apply(editing::DeletePiece{.id = "p0", .with_recordings = true}, {}).ok());
  EXPECT_FALSE(snapshots_.IsUnchangedSince(Newest()));
  ASSERT_TRUE(Take("tuesday").ok());
  const std::vector<StoredSnapshot> both = snapshots_.List(GoOn).value();
  for (const StoredSnapshot& snapshot : both)
    EXPECT_EQ(snapshots_.IsUnchangedSince(snapshot), snapshot.name == "tuesday");
}

TEST_F(SnapshotKeeperTest, TheMetricsTellOfTheNewest) {
  EXPECT_EQ(MetricLine("antiphon_snapshot_last_success_seconds"),
            "antiphon_snapshot_last_success_seconds 0");
  ASSERT_TRUE(Take("old").ok());
  Redate(folder_.path() + "/old", "2026-01-01T00:00:00Z");
  snapshots_.Measure(*snapshots_.List(GoOn));
  EXPECT_EQ(MetricLine("antiphon_snapshot_last_success_seconds"),
            "antiphon_snapshot_last_success_seconds 1767225600");
  EXPECT_EQ(MetricLine("antiphon_snapshot_bytes"), "antiphon_snapshot_bytes 8");
  ASSERT_TRUE(Take("new").ok());
  EXPECT_NE(MetricLine("antiphon_snapshot_last_success_seconds"),
            "antiphon_snapshot_last_success_seconds 1767225600");
  ASSERT_TRUE(Remove("new").ok());
  EXPECT_EQ(MetricLine("antiphon_snapshot_last_success_seconds"),
            "antiphon_snapshot_last_success_seconds 1767225600")
      << "the newest that is left";
  store_.failure = absl::InternalError("x");
  EXPECT_FALSE(Take("more").ok());
  EXPECT_EQ(MetricLine("antiphon_snapshot_last_success_seconds"),
            "antiphon_snapshot_last_success_seconds 1767225600");
  EXPECT_THAT(metrics_.Text(), HasSubstr(R"(antiphon_snapshots_total{result="failed"} 1)"));
  ASSERT_TRUE(Remove("old").ok());
  EXPECT_EQ(MetricLine("antiphon_snapshot_last_success_seconds"),
            "antiphon_snapshot_last_success_seconds 0");
}

TEST_F(SnapshotKeeperTest, MessagesHoldNoPaths) {
  store_.failure = absl::ResourceExhaustedError(folder_.path() + "/monday: no space");
  const absl::Status status = Take("monday");
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr(folder_.path())));
}

TEST_F(SnapshotKeeperTest, WhatIsTakenCanBeRestored) {
  ASSERT_TRUE(Take("monday").ok());
  ASSERT_TRUE(store_.Apply(editing::DeletePiece{.id = "p0", .with_recordings = true}, {}).ok());
  EXPECT_EQ(store_.Current()->pieces().size(), 1u);
  ASSERT_TRUE(Restore("monday").ok());
  EXPECT_EQ(store_.Current()->pieces().size(), 2u);
  EXPECT_TRUE(absl::IsNotFound(Restore("tuesday")));
}

}  // namespace
}  // namespace antiphon::server
