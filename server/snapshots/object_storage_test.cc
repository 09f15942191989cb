#include "server/snapshots/object_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "core/bundle/bundle.h"
#include "core/testing/temporary_folder.h"
#include "server/snapshots/fake_object_store.h"
#include "server/snapshots/snapshot_testing.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kManifest[] = "p/monday/gen-000001/MANIFEST";
constexpr char kContents[] = "p/monday/gen-000001/contents";

class ObjectStorageTest : public ::testing::Test {
 protected:
  ObjectStorageTest() {
    spdlog::set_level(spdlog::level::off);
    auto store = std::make_unique<FakeObjectStore>();
    store_ = store.get();
    storage_ = std::make_unique<ObjectStorage>(std::move(store), "p/", folder_.path());
  }

  absl::Status Keep(const std::string& name) {
    return storage_->Keep(name, WriterOf("12345"), GoOn).status();
  }
  std::vector<StoredSnapshot> List() {
    auto listed = storage_->List(GoOn);
    EXPECT_TRUE(listed.ok()) << listed.status();
    return listed.ok() ? *std::move(listed) : std::vector<StoredSnapshot>();
  }
  // Opens what has been fetched, as a restoration does.
  absl::Status Fetch(const std::string& name) {
    return storage_
        ->Fetch(
            name,
            [](const std::string& directory) -> absl::StatusOr<bundle::Manifest> {
              ASSIGN_OR_RETURN(const bundle::OpenedBundle opened, bundle::OpenBundle(directory));
              return opened.manifest;
            },
            GoOn)
        .status();
  }

  const antiphon::testing::TemporaryFolder folder_;
  FakeObjectStore* store_ = nullptr;  // the storage's
  std::unique_ptr<ObjectStorage> storage_;
};

TEST_F(ObjectStorageTest, WhatIsKeptLiesAsInADirectoryAndNothingIsLeftThere) {
  ASSERT_TRUE(Keep("monday").ok());
  std::vector<std::string> keys;
  for (const auto& [key, object] : store_->objects) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("p/monday/CURRENT", kManifest, kContents));
  EXPECT_EQ(store_->objects["p/monday/CURRENT"].contents, "gen-000001\n");
  EXPECT_EQ(store_->asked.back(), absl::StrCat("PUT ", kManifest)) << "the last, so it is whole";
  EXPECT_TRUE(fs::is_empty(folder_.path()));
  ASSERT_TRUE(Fetch("monday").ok());
  EXPECT_TRUE(fs::is_empty(folder_.path()));
  EXPECT_TRUE(absl::IsAlreadyExists(Keep("monday")));
}

TEST_F(ObjectStorageTest, ListsWhatIsWholeWithItsManifest) {
  ASSERT_TRUE(Keep("monday").ok());
  store_->objects["p/half/gen-000001/contents"] = {"12345", absl::Now()};
  store_->objects["p/photographs/1.jpg"] = {"x", absl::Now()};
  store_->objects["p/readme"] = {"x", absl::Now()};
  store_->objects["p/.hidden/gen-000001/MANIFEST"] = {"x", absl::Now()};
  const std::vector<StoredSnapshot> snapshots = List();
  ASSERT_THAT(NamesOf(snapshots), ElementsAre("monday"));
  EXPECT_EQ(snapshots[0].bytes, 5);
  EXPECT_EQ(snapshots[0].manifest.model_id, "model");
  EXPECT_EQ(snapshots[0].problem, "");
}

TEST_F(ObjectStorageTest, AManifestIsReadOnceUntilItChanges) {
  ASSERT_TRUE(Keep("monday").ok());
  List();
  store_->asked.clear();
  List();
  EXPECT_THAT(store_->asked, ElementsAre("LIST p/"));
  store_->objects[kManifest].contents = "{}";
  EXPECT_NE(List()[0].problem, "");
}

TEST_F(ObjectStorageTest, WhatIsDamagedIsListedRefusedAndCanBeRemoved) {
  ASSERT_TRUE(Keep("monday").ok());
  const std::string manifest = store_->objects[kManifest].contents;
  const auto expect_problem = [&](const std::string& problem) {
    ASSERT_THAT(NamesOf(List()), ElementsAre("monday"));
    EXPECT_THAT(List()[0].problem, HasSubstr(problem));
    const absl::Status fetched = Fetch("monday");
    EXPECT_TRUE(absl::IsDataLoss(fetched)) << fetched;
    EXPECT_THAT(std::string(fetched.message()), HasSubstr(problem));
    EXPECT_TRUE(fs::is_empty(folder_.path()));
  };
  store_->objects[kContents].contents = "123";
  expect_problem("contents: has 3 bytes where MANIFEST says 5");
  store_->objects.erase(kContents);
  expect_problem("contents: is missing");
  store_->objects[kManifest].contents = "{";
  expect_problem("MANIFEST");
  ASSERT_TRUE(storage_->Remove("monday", GoOn).ok());
  EXPECT_THAT(store_->objects, IsEmpty());
}

TEST_F(ObjectStorageTest, BytesThatHaveChangedAreFoundOnTheirWay) {
  ASSERT_TRUE(Keep("monday").ok());
  store_->objects[kContents].contents = "1234x";
  EXPECT_EQ(List()[0].problem, "") << "a list looks at sizes only";
  const absl::Status fetched = Fetch("monday");
  EXPECT_TRUE(absl::IsDataLoss(fetched)) << fetched;
  EXPECT_THAT(std::string(fetched.message()), HasSubstr("contents: "));
}

TEST_F(ObjectStorageTest, AnUploadThatFailsLeavesNothing) {
  int puts = 0;
  for (int failing = 1; failing <= 3; ++failing) {
    puts = 0;
    store_->fault = [&](const std::string& asked) {
      return absl::StartsWith(asked, "PUT") && ++puts == failing
                 ? absl::UnavailableError("the storage has gone")
                 : absl::OkStatus();
    };
    EXPECT_TRUE(absl::IsUnavailable(Keep("monday")));
    EXPECT_THAT(store_->objects, IsEmpty());
    EXPECT_TRUE(fs::is_empty(folder_.path()));
  }
  store_->fault = nullptr;
  EXPECT_TRUE(Keep("monday").ok());
}

TEST_F(ObjectStorageTest, AnUploadIsNoSnapshotWhileTheStorageSeesItOtherwise) {
  store_->fault = [&](const std::string& asked) {
    // Something else writes there, or the service lost the end of it.
    if (asked == "PUT p/monday/CURRENT") store_->objects[kContents].contents = "1";
    return absl::OkStatus();
  };
  EXPECT_TRUE(absl::IsUnavailable(Keep("monday")));
  EXPECT_THAT(store_->objects, IsEmpty());
}

TEST_F(ObjectStorageTest, WhatAnInterruptedUploadLeftIsReplaced) {
  store_->objects["p/monday/gen-000001/contents"] = {"old", absl::Now()};
  store_->objects["p/monday/gen-000001/other"] = {"old", absl::Now()};
  ASSERT_TRUE(Keep("monday").ok());
  EXPECT_EQ(store_->objects[kContents].contents, "12345");
  EXPECT_FALSE(store_->objects.contains("p/monday/gen-000001/other"));
}

TEST_F(ObjectStorageTest, WhatWasInterruptedLongAgoIsRemoved) {
  const absl::Time long_ago = absl::Now() - absl::Hours(25);
  store_->objects["p/dead/gen-000001/contents"] = {"x", long_ago};
  store_->objects["p/living/gen-000001/contents"] = {"x", absl::Now()};
  store_->objects["p/photographs/1.jpg"] = {"x", long_ago};
  ASSERT_TRUE(Keep("monday").ok());
  EXPECT_FALSE(store_->objects.contains("p/dead/gen-000001/contents"));
  EXPECT_TRUE(store_->objects.contains("p/living/gen-000001/contents"));
  EXPECT_TRUE(store_->objects.contains("p/photographs/1.jpg"));
}

TEST_F(ObjectStorageTest, NothingIsWrittenWhenTheStorageCannotBeReached) {
  store_->fault = [](const std::string&) { return absl::UnavailableError("gone"); };
  bool written = false;
  const auto write = [&](const std::string&) {
    written = true;
    return absl::StatusOr<bundle::Manifest>(absl::InternalError("not reached"));
  };
  EXPECT_TRUE(absl::IsUnavailable(storage_->Keep("monday", write, GoOn).status()));
  EXPECT_FALSE(written);
}

TEST_F(ObjectStorageTest, AFailureToWriteIsPassedOnAndLeavesNothing) {
  const auto write = [](const std::string& directory) -> absl::StatusOr<bundle::Manifest> {
    fs::create_directory(directory);
    std::ofstream(directory + "/part") << "x";
    return absl::ResourceExhaustedError("the disk is full");
  };
  EXPECT_TRUE(absl::IsResourceExhausted(storage_->Keep("monday", write, GoOn).status()));
  EXPECT_TRUE(fs::is_empty(folder_.path()));
  EXPECT_THAT(store_->objects, IsEmpty());
}

TEST_F(ObjectStorageTest, AFileThatIsTooLargeIsRefusedBeforeAnythingIsSent) {
  const auto write = [](const std::string& directory) -> absl::StatusOr<bundle::Manifest> {
    ASSIGN_OR_RETURN(bundle::Manifest manifest, WriterOf("12345")(directory));
    manifest.files[0].size = kMaxObjectBytes + 1;
    return manifest;
  };
  const absl::Status status = storage_->Keep("monday", write, GoOn).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("up to 5120"));
  EXPECT_THAT(store_->objects, IsEmpty());
}

TEST_F(ObjectStorageTest, RemovesTheManifestFirst) {
  ASSERT_TRUE(Keep("monday").ok());
  store_->asked.clear();
  const auto removed = storage_->Remove("monday", GoOn);
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(*removed, 5);
  std::vector<std::string> deletions;
  for (const std::string& asked : store_->asked) {
    if (absl::StartsWith(asked, "DELETE")) deletions.push_back(asked);
  }
  ASSERT_EQ(deletions.size(), 3u);
  EXPECT_EQ(deletions[0], absl::StrCat("DELETE ", kManifest));
  EXPECT_THAT(store_->objects, IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(storage_->Remove("monday", GoOn).status()));
  EXPECT_TRUE(absl::IsNotFound(Fetch("monday")));
}

TEST_F(ObjectStorageTest, OneNameIsNotTakenForTheBeginningOfAnother) {
  ASSERT_TRUE(Keep("monday").ok());
  ASSERT_TRUE(Keep("mon").ok());
  ASSERT_TRUE(storage_->Remove("mon", GoOn).ok());
  EXPECT_THAT(NamesOf(List()), ElementsAre("monday"));
  EXPECT_TRUE(absl::IsNotFound(Fetch("mon")));
}

TEST_F(ObjectStorageTest, StopsWhenNobodyWaits) {
  int asked = 0;
  const auto leaves = [&] { return ++asked > 2 ? absl::CancelledError("gone") : absl::OkStatus(); };
  EXPECT_TRUE(absl::IsCancelled(storage_->Keep("monday", WriterOf("12345"), leaves).status()));
  EXPECT_THAT(store_->objects, IsEmpty()) << "what was sent is cleared away nevertheless";
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

}  // namespace
}  // namespace antiphon::server
