#include "server/snapshots/snapshot_schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/testing/temporary_folder.h"
#include "server/serving/fake_store.h"
#include "server/snapshots/directory_storage.h"
#include "server/snapshots/snapshot_testing.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// A directory that can be made to fail while the schedule is at work.
class FaultyStorage final : public SnapshotStorage {
 public:
  FaultyStorage(std::string directory, const std::atomic<bool>& fails)
      : directory_(std::move(directory)), fails_(fails) {}

  absl::StatusOr<std::vector<StoredSnapshot>> List(const KeepGoing& keep_going) override {
    return directory_.List(keep_going);
  }
  absl::StatusOr<bundle::Manifest> Keep(const std::string& name, const Write& write,
                                        const KeepGoing& keep_going) override {
    if (fails_) return absl::UnavailableError("the storage has gone");
    return directory_.Keep(name, write, keep_going);
  }
  absl::StatusOr<bundle::Manifest> Fetch(const std::string& name, const Load& load,
                                         const KeepGoing& keep_going) override {
    return directory_.Fetch(name, load, keep_going);
  }
  absl::StatusOr<int64_t> Remove(const std::string& name, const KeepGoing& keep_going) override {
    return directory_.Remove(name, keep_going);
  }

 private:
  DirectoryStorage directory_;
  const std::atomic<bool>& fails_;
};

class SnapshotScheduleTest : public ::testing::Test {
 protected:
  SnapshotScheduleTest() { spdlog::set_level(spdlog::level::off); }

  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }

  void Start(absl::Duration every, int keep = 7) {
    schedule_ = std::make_unique<SnapshotSchedule>(
        SnapshotScheduleOptions{.every = every, .keep = keep, .first_pause = absl::Milliseconds(5)},
        snapshots_, metrics_);
  }

  // A snapshot of the collection as it is, taken so long ago.
  std::string Put(absl::Duration ago, const std::string& given = "") {
    const absl::Time at = absl::Now() - ago;
    std::string name = given.empty() ? ScheduledName(at) : given;
    EXPECT_TRUE(snapshots_.Take(name, GoOn).ok());
    Redate(Path(name), absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", at, absl::UTCTimeZone()));
    return name;
  }

  void Change() {
    matching::RequestContext context;
    context.keep_going = GoOn;
    ASSERT_TRUE(store_.Apply(editing::UpdatePiece{.id = "p0", .title = "x"}, context).ok());
  }

  std::vector<std::string> Names() { return NamesOf(snapshots_.List(GoOn).value()); }

  int64_t Count(const std::string& result) const {
    const std::string text = metrics_.Text();
    const std::string name = absl::StrCat("antiphon_snapshots_total{result=\"", result, "\"} ");
    return std::stol(text.substr(text.find(name) + name.size()));
  }

  static bool Within(absl::Duration patience, const std::function<bool()>& what) {
    for (const absl::Time until = absl::Now() + patience; absl::Now() < until;) {
      if (what()) return true;
      absl::SleepFor(absl::Milliseconds(5));
    }
    return what();
  }
  static bool Soon(const std::function<bool()>& what) { return Within(absl::Seconds(30), what); }

  const antiphon::testing::TemporaryFolder folder_;
  Metrics metrics_;
  FakeStore store_{std::make_shared<FakeCollection>()};
  OneAtATime turns_;
  std::atomic<bool> fails_ = false;
  SnapshotKeeper snapshots_{std::make_unique<FaultyStorage>(folder_.path(), fails_), folder_.path(),
                            store_, turns_, metrics_};
  std::unique_ptr<SnapshotSchedule> schedule_;
};

TEST_F(SnapshotScheduleTest, TakesOneAtOnceWhereThereIsNone) {
  Put(absl::Hours(1), "by-hand");
  Change();
  Start(absl::Hours(24));
  ASSERT_TRUE(Soon([&] { return Names().size() == 2; }));
  EXPECT_EQ(Names()[1], "by-hand");
  EXPECT_TRUE(IsScheduledName(Names()[0])) << Names()[0];
}

TEST_F(SnapshotScheduleTest, TakesOneAtOnceWhenTheNewestIsOld) {
  Put(absl::Hours(25));
  Change();
  Start(absl::Hours(24));
  EXPECT_TRUE(Soon([&] { return Names().size() == 2; }));
}

TEST_F(SnapshotScheduleTest, WaitsWhileTheNewestIsFresh) {
  Put(absl::Hours(23));
  Change();
  Start(absl::Hours(24));
  EXPECT_TRUE(Soon([&] { return absl::StrContains(metrics_.Text(), "success_seconds 1"); }));
  EXPECT_FALSE(Within(absl::Milliseconds(300), [&] { return Names().size() > 1; }));
}

TEST_F(SnapshotScheduleTest, ADateInTheFutureMakesItWaitOneIntervalAtMost) {
  Put(-absl::Hours(1000));
  Change();
  Start(absl::Milliseconds(1200));
  EXPECT_TRUE(Soon([&] { return Names().size() == 2; }));
}

TEST_F(SnapshotScheduleTest, TakesNoneWhileNothingChangesAndCountsItAsFresh) {
  Put(absl::Hours(25));
  Start(absl::Hours(24));
  ASSERT_TRUE(Soon([&] { return Count("unchanged") == 1; }));
  EXPECT_EQ(Names().size(), 1u);
  EXPECT_EQ(Count("ok"), 1) << "the one that the test has put there";
  const std::string now = absl::StrCat("antiphon_snapshot_last_success_seconds ",
                                       absl::ToUnixSeconds(absl::Now()) / 1000);
  EXPECT_TRUE(Soon([&] { return absl::StrContains(metrics_.Text(), now); }));
  EXPECT_FALSE(Within(absl::Milliseconds(200), [&] { return Count("unchanged") > 1; }));
}

TEST_F(SnapshotScheduleTest, ADamagedSnapshotIsNoReasonToTakeNone) {
  const std::string name = Put(absl::Minutes(1));
  fs::resize_file(Path(name) + "/gen-000001/contents", 2);
  Start(absl::Hours(24));
  EXPECT_TRUE(Soon([&] { return Names().size() == 2; }));
}

TEST_F(SnapshotScheduleTest, KeepsSoManyOfItsOwnAndAllOthers) {
  for (const int hours : {100, 90, 80, 70}) Put(absl::Hours(hours));
  Put(absl::Hours(200), "by-hand");
  Put(absl::Hours(200), "auto-by-hand");
  Change();
  Start(absl::Hours(24), /*keep=*/2);
  ASSERT_TRUE(Soon([&] { return Names().size() == 4; })) << Names().size();
  std::vector<std::string> others;
  for (const std::string& name : Names()) {
    if (!IsScheduledName(name)) others.push_back(name);
  }
  EXPECT_THAT(others, UnorderedElementsAre("by-hand", "auto-by-hand"));
  EXPECT_EQ(Names()[1], ScheduledName(DateOf(snapshots_.List(GoOn)->at(1).manifest)));
}

TEST_F(SnapshotScheduleTest, GoesOnTakingThem) {
  Start(absl::Milliseconds(1), /*keep=*/2);
  EXPECT_TRUE(Soon([&] {
    Change();
    return Count("ok") >= 4;
  }));
  schedule_.reset();
  EXPECT_LE(Names().size(), 3u);
}

TEST_F(SnapshotScheduleTest, TriesAgainAfterAFailure) {
  fails_ = true;
  Start(absl::Hours(24));
  ASSERT_TRUE(Soon([&] { return Count("failed") >= 3; }));
  EXPECT_THAT(Names(), IsEmpty());
  fails_ = false;
  EXPECT_TRUE(Soon([&] { return Names().size() == 1; }));
}

TEST_F(SnapshotScheduleTest, WaitsItsTurn) {
  {
    const auto turn = turns_.Enter();
    ASSERT_TRUE(turn.ok());
    Start(absl::Hours(24));
    EXPECT_FALSE(Within(absl::Milliseconds(300), [&] { return !Names().empty(); }));
    EXPECT_EQ(Count("failed"), 0);
  }
  EXPECT_TRUE(Soon([&] { return Names().size() == 1; }));
}

TEST_F(SnapshotScheduleTest, ADirectoryThatComesLaterIsUsed) {
  fs::remove_all(folder_.path());
  Start(absl::Hours(24));
  absl::SleepFor(absl::Milliseconds(100));
  fs::create_directory(folder_.path());
  EXPECT_TRUE(Soon([&] { return Names().size() == 1; }));
}

TEST_F(SnapshotScheduleTest, WithoutAnIntervalItOnlySaysWhatThereIs) {
  Put(absl::Hours(25));
  Change();
  metrics_.SetNewestSnapshot(std::nullopt);
  Start(absl::ZeroDuration());
  EXPECT_TRUE(Soon([&] { return absl::StrContains(metrics_.Text(), "success_seconds 1"); }));
  EXPECT_FALSE(Within(absl::Milliseconds(200), [&] { return Names().size() > 1; }));
}

TEST_F(SnapshotScheduleTest, StopsAtOnceThoughThereIsLongToWait) {
  Put(absl::Minutes(1));
  Start(absl::Hours(1000));
  const absl::Time before = absl::Now();
  schedule_.reset();
  EXPECT_LT(absl::Now() - before, absl::Seconds(5));
}

TEST(ScheduledName, IsRecognised) {
  EXPECT_EQ(ScheduledName(absl::FromUnixSeconds(1'767'225'600)), "auto-20260101-000000");
  EXPECT_TRUE(IsScheduledName("auto-20260101-000000"));
  for (const char* name :
       {"", "auto", "auto-", "auto-2026010-000000", "auto-20260101-0000000", "auto-20260101_000000",
        "Auto-20260101-000000", "auto-2026010x-000000", "xauto-20260101-000000"}) {
    EXPECT_FALSE(IsScheduledName(name)) << name;
  }
}

TEST(OutOfDate, CountsWhatCanBeRestored) {
  const auto snapshot = [](const std::string& name, const std::string& problem = "") {
    StoredSnapshot made;
    made.name = name;
    made.problem = problem;
    return made;
  };
  const std::vector<StoredSnapshot> snapshots = {snapshot("auto-20260106-000000", "damaged"),
                                                 snapshot("auto-20260105-000000"),
                                                 snapshot("by-hand"),
                                                 snapshot("auto-20260104-000000", "damaged"),
                                                 snapshot("auto-20260103-000000"),
                                                 snapshot("auto-20260102-000000", "damaged"),
                                                 snapshot("auto-20260101-000000")};
  EXPECT_THAT(OutOfDate(snapshots, 2), ElementsAre("auto-20260102-000000", "auto-20260101-000000"));
  EXPECT_THAT(OutOfDate(snapshots, 3), IsEmpty());
}

}  // namespace
}  // namespace antiphon::server
