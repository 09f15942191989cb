#include "server/snapshots/directory_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/bundle/bundle.h"
#include "core/testing/temporary_folder.h"
#include "server/snapshots/snapshot_testing.h"
#include "server/snapshots/staging.h"

namespace antiphon::server {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class DirectoryStorageTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }

  void Keep(const std::string& name, const std::string& created = "") {
    const auto kept = storage_.Keep(name, WriterOf("12345"), GoOn);
    ASSERT_TRUE(kept.ok()) << kept.status();
    if (!created.empty()) Redate(Path(name), created);
  }

  std::vector<StoredSnapshot> List() {
    auto listed = storage_.List(GoOn);
    EXPECT_TRUE(listed.ok()) << listed.status();
    return listed.ok() ? *std::move(listed) : std::vector<StoredSnapshot>();
  }

  const antiphon::testing::TemporaryFolder folder_;
  DirectoryStorage storage_{folder_.path()};
};

TEST_F(DirectoryStorageTest, WhatIsKeptIsListedTheNewestFirst) {
  Keep("b", "2026-01-02T00:00:00Z");
  Keep("c", "2026-01-01T00:00:00Z");
  Keep("a", "2026-01-03T00:00:00Z");
  const std::vector<StoredSnapshot> snapshots = List();
  EXPECT_THAT(NamesOf(snapshots), ElementsAre("a", "b", "c"));
  EXPECT_EQ(snapshots[0].bytes, 5);
  EXPECT_EQ(snapshots[0].problem, "");
  EXPECT_EQ(snapshots[0].manifest.model_id, "model");
}

TEST_F(DirectoryStorageTest, WhatIsUnfinishedOrSomebodyElsesIsNotListed) {
  Keep("mine");
  fs::create_directories(Path(".snapshot-aaaaaa/gen-000001"));
  fs::create_directories(Path("photographs/2026"));
  fs::create_directory(Path("empty"));
  fs::create_directories(Path("no plain name/gen-000001"));
  std::ofstream(Path("file")) << "x";
  EXPECT_THAT(NamesOf(List()), ElementsAre("mine"));
  EXPECT_TRUE(absl::IsNotFound(storage_.Remove("photographs", GoOn).status()));
  EXPECT_TRUE(absl::IsNotFound(storage_.Remove("file", GoOn).status()));
  EXPECT_TRUE(fs::exists(Path("photographs/2026")));
}

TEST_F(DirectoryStorageTest, WhatIsDamagedIsListedWithTheReason) {
  for (const char* name : {"current", "cut", "gone", "manifest", "newer"}) Keep(name);
  std::ofstream(Path("current/CURRENT")) << "nonsense";
  fs::resize_file(Path("cut/gen-000001/contents"), 2);
  fs::remove(Path("gone/gen-000001/contents"));
  std::ofstream(Path("manifest/gen-000001/MANIFEST")) << "{";
  std::ofstream(Path("newer/gen-000001/MANIFEST")) << R"({"format_version": 99})";
  std::map<std::string, std::string> problems;
  for (const StoredSnapshot& snapshot : List()) problems[snapshot.name] = snapshot.problem;
  EXPECT_EQ(problems.size(), 5u);
  EXPECT_THAT(problems["current"], HasSubstr("CURRENT"));
  EXPECT_EQ(problems["cut"], "contents: has 2 bytes where MANIFEST says 5");
  EXPECT_EQ(problems["gone"], "contents: is missing");
  EXPECT_THAT(problems["manifest"], HasSubstr("MANIFEST"));
  EXPECT_THAT(problems["newer"], HasSubstr("format_version is 99"));
  for (const auto& [name, problem] : problems) EXPECT_THAT(problem, Not(HasSubstr(folder_.path())));
}

TEST_F(DirectoryStorageTest, ADamagedSnapshotCanBeRemoved) {
  Keep("monday");
  fs::remove(Path("monday/gen-000001/MANIFEST"));
  const auto removed = storage_.Remove("monday", GoOn);
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_GE(*removed, 5) << "what lies there counts";
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(DirectoryStorageTest, RemovingLeavesTheOthers) {
  Keep("monday");
  Keep("tuesday");
  const auto removed = storage_.Remove("monday", GoOn);
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(*removed, 5);
  EXPECT_THAT(NamesOf(List()), ElementsAre("tuesday"));
  EXPECT_TRUE(absl::IsNotFound(storage_.Remove("monday", GoOn).status()));
}

TEST_F(DirectoryStorageTest, ALinkIsRemovedAndWhatItLeadsToIsNot) {
  const antiphon::testing::TemporaryFolder elsewhere;
  DirectoryStorage other(elsewhere.path());
  ASSERT_TRUE(other.Keep("real", WriterOf("12345"), GoOn).ok());
  fs::create_directory_symlink(elsewhere.path() + "/real", Path("link"));
  EXPECT_THAT(NamesOf(List()), ElementsAre("link"));
  ASSERT_TRUE(storage_.Remove("link", GoOn).ok());
  EXPECT_TRUE(fs::is_empty(folder_.path()));
  EXPECT_TRUE(fs::exists(elsewhere.path() + "/real/gen-000001/contents"));
}

TEST_F(DirectoryStorageTest, WhatTheDeadLeftIsRemovedAndWhatTheLivingUseIsNot) {
  Keep("monday");
  fs::create_directories(Path(".removed-aaaaaa/sunday/gen-000001"));
  fs::create_directories(Path(".staging-bbbbbb/sunday"));
  std::ofstream(Path(".staging-bbbbbb/LOCK")) << "";
  const auto living = StagingFolder::Create(folder_.path());
  ASSERT_TRUE(living.ok()) << living.status();
  std::ofstream((*living)->path() + "/file") << "x";
  ASSERT_TRUE(storage_.Remove("monday", GoOn).ok());
  EXPECT_TRUE(fs::exists((*living)->path() + "/file"));
  EXPECT_FALSE(fs::exists(Path(".removed-aaaaaa")));
  EXPECT_FALSE(fs::exists(Path(".staging-bbbbbb")));
}

TEST_F(DirectoryStorageTest, AStagingFolderGoesWithItsOwner) {
  std::string path;
  {
    const auto folder = StagingFolder::Create(folder_.path());
    ASSERT_TRUE(folder.ok()) << folder.status();
    path = (*folder)->path();
    std::ofstream(path + "/file") << "x";
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(DirectoryStorageTest, LoadsWhatIsThere) {
  Keep("monday");
  std::string loaded;
  const auto load = [&](const std::string& directory) {
    loaded = directory;
    return absl::StatusOr<bundle::Manifest>(bundle::Manifest());
  };
  EXPECT_TRUE(storage_.Fetch("monday", load, GoOn).ok());
  EXPECT_EQ(loaded, Path("monday"));
  EXPECT_TRUE(absl::IsNotFound(storage_.Fetch("tuesday", load, GoOn).status()));
}

TEST_F(DirectoryStorageTest, NothingBeginsForACallerWhoHasGone) {
  Keep("monday");
  const auto gone = [] { return absl::CancelledError("gone"); };
  EXPECT_TRUE(absl::IsCancelled(storage_.Remove("monday", gone).status()));
  EXPECT_TRUE(absl::IsCancelled(storage_.Keep("tuesday", WriterOf("1"), gone).status()));
  EXPECT_THAT(NamesOf(List()), ElementsAre("monday"));
}

TEST_F(DirectoryStorageTest, WithoutTheDirectoryEveryCallSaysSo) {
  fs::remove_all(folder_.path());
  for (const absl::Status& status :
       {storage_.List(GoOn).status(), storage_.Remove("a", GoOn).status(),
        storage_.Keep("a", WriterOf("1"), GoOn).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr(folder_.path())));
  }
}

TEST(CheckRoom, RefusesWhatTheDiskCannotHold) {
  const antiphon::testing::TemporaryFolder folder;
  EXPECT_TRUE(CheckRoom(folder.path(), 1).ok());
  const absl::Status status = CheckRoom(folder.path(), int64_t{1} << 60);
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("not enough room"));
}

TEST(SnapshotName, IsAPlainFileName) {
  for (const char* name : {"a", "A-1_b.c", "auto-20260101-000000"})
    EXPECT_TRUE(IsSnapshotName(name)) << name;
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".a"), std::string("-a"), std::string("a/b"),
        std::string("a b"), std::string(101, 'a')}) {
    EXPECT_FALSE(IsSnapshotName(name)) << name;
  }
}

}  // namespace
}  // namespace antiphon::server
