#include "core/editing/bundle_migration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "core/bundle/bundle.h"
#include "core/bundle/files.h"
#include "core/catalog/change_journal.h"
#include "core/editing/collection_store.h"
#include "core/editing/journal_mark.h"
#include "core/retrieval/bundle_collection.h"
#include "core/testing/live_test_bundle.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::editing {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MigrationTest : public ::testing::Test {
 protected:
  std::unique_ptr<CollectionStore> Open() const {
    StoreOptions options;
    options.merge_fraction = 0;
    auto store = CollectionStore::Open(bundle_.root(), options);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  absl::Status OpenStatus() const {
    StoreOptions options;
    options.merge_fraction = 0;
    return CollectionStore::Open(bundle_.root(), options).status();
  }
  static void Add(CollectionStore& store, int seed) {
    const auto added = store.Apply(AddPiece{
        {.id = absl::StrCat("new-", seed), .title = "New", .work_id = "w"}, testing::MidiOf(seed)});
    ASSERT_TRUE(added.ok()) << added.status();
  }
  // Says of the current generation that it is of the former format.
  void MakeFormer() const {
    auto opened = bundle::OpenBundle(bundle_.root()).value();
    opened.manifest.format_version = 2;
    std::ofstream(opened.directory + "/MANIFEST") << bundle::ManifestToJson(opened.manifest);
  }
  std::string path(const std::string& name) const { return bundle_.root() + "/" + name; }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(bundle_.root()))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  const testing::TemporaryFolder folder_;
  const testing::LiveTestBundle bundle_{folder_.path()};
};

TEST_F(MigrationTest, WhatIsOfThePresentFormatStaysAsItIs) {
  bundle_.Index(2, 1);
  Add(*Open(), 7);
  const auto names = Names();
  const auto migration = MigrateBundle(bundle_.root());
  ASSERT_TRUE(migration.ok()) << migration.status();
  EXPECT_EQ(migration->before, PresentVersions());
  EXPECT_EQ(migration->generation, migration->former_generation);
  EXPECT_EQ(Names(), names);
  EXPECT_EQ(Open()->edit_status().unmerged, 1);
}

TEST_F(MigrationTest, AFormerFormatBecomesThePresentOneWithAllEdits) {
  const bundle::Manifest indexed = bundle_.Index(3, 2);
  std::vector<std::string> listing;
  {
    auto store = Open();
    Add(*store, 7);
    ASSERT_TRUE(store->Apply(UpdatePiece{.id = "p0", .title = "Renamed"}).ok());
    ASSERT_TRUE(store->Apply(DeletePiece{.id = "p1", .with_recordings = true}).ok());
    listing = testing::Listing(store->Current()->view());
  }
  MakeFormer();
  const auto migration = MigrateBundle(bundle_.root());
  ASSERT_TRUE(migration.ok()) << migration.status();
  EXPECT_EQ(migration->before.bundle, 2);
  EXPECT_EQ(migration->generation, 2);
  EXPECT_EQ(migration->changes, 4);
  EXPECT_THAT(migration->left_out, IsEmpty());
  const auto now = bundle::OpenBundle(bundle_.root()).value();
  EXPECT_EQ(now.manifest.format_version, bundle::kBundleFormatVersion);
  EXPECT_EQ(now.manifest.origin, indexed.origin);
  EXPECT_EQ(now.manifest.last_change, 4);
  EXPECT_TRUE(fs::exists(path("gen-000001/MANIFEST")));
  {
    auto store = Open();
    EXPECT_EQ(testing::Listing(store->Current()->view()), listing);
    EXPECT_EQ(testing::DifferenceFromFresh(bundle_, *store->Current(), {0, 2, 7}), "");
    Add(*store, 8);
    EXPECT_EQ(store->edit_status().last_change, 5);
  }
  EXPECT_EQ(MigrateBundle(bundle_.root())->generation, 2);  // nothing to do
  // The former generation and the journal hold it all too.
  fs::remove(path("gen-000002/MANIFEST"));
  EXPECT_EQ(Open()->Current()->view().pieces().size(), listing.size());
}

TEST_F(MigrationTest, WithoutEditsTooAndTwice) {
  bundle_.Index(2, 0);
  MakeFormer();
  EXPECT_EQ(MigrateBundle(bundle_.root())->changes, 0);
  MakeFormer();  // of generation 2
  EXPECT_EQ(MigrateBundle(bundle_.root())->generation, 3);
  EXPECT_EQ(Open()->Current()->view().pieces().size(), 2u);
}

TEST_F(MigrationTest, AServerThatHasItOpenIsToldAbout) {
  bundle_.Index(1, 0);
  const auto store = Open();
  const absl::Status status = MigrateBundle(bundle_.root()).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("another process"), HasSubstr("stop the server")));
  EXPECT_EQ(GiveUpLostChanges(bundle_.root()).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(MigrationTest, AFullDiskLeavesWhatWasThere) {
  bundle_.Index(2, 1);
  Add(*Open(), 7);
  MakeFormer();
  const auto names = Names();
  signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = before;
  full.rlim_cur = 1000;
  setrlimit(RLIMIT_FSIZE, &full);
  const absl::Status status = MigrateBundle(bundle_.root()).status();
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(Names(), names);
  EXPECT_EQ(bundle::OpenBundle(bundle_.root())->manifest.format_version, 2);
  EXPECT_EQ(Open()->edit_status().unmerged, 1);
  EXPECT_EQ(MigrateBundle(bundle_.root())->changes, 1);
}

TEST_F(MigrationTest, ALostJournalIsRefusedUntilItIsGivenUp) {
  bundle_.Index(2, 0);
  {
    auto store = Open();
    Add(*store, 7);
    ASSERT_TRUE(store->Merge().ok());
    Add(*store, 8);
    Add(*store, 9);
  }
  EXPECT_EQ(*GiveUpLostChanges(bundle_.root()), std::nullopt);  // it is there
  fs::rename(path(kJournalFile), path("put-away"));
  for (int i = 0; i < 2; ++i) {  // also the second time
    const absl::Status refused = OpenStatus();
    EXPECT_EQ(refused.code(), StatusCode::kDataLoss);
    EXPECT_THAT(std::string(refused.message()),
                AllOf(HasSubstr("up to 3"), HasSubstr("up to 1"), HasSubstr("is missing")));
    EXPECT_FALSE(fs::exists(path(kJournalFile)));
    EXPECT_EQ(MigrateBundle(bundle_.root()).status().code(), StatusCode::kDataLoss);
  }
  std::ofstream(path(kJournalFile)).close();  // empty
  EXPECT_THAT(std::string(OpenStatus().message()), HasSubstr("is empty"));
  EXPECT_THAT(std::string(OpenStatus().message()), HasSubstr("is empty"));
  fs::remove(path(kJournalFile));
  fs::copy(path("put-away"), path(kJournalFile));
  EXPECT_EQ(Open()->edit_status().unmerged, 2);  // it is put back
  fs::remove(path(kJournalFile));

  const auto given_up = GiveUpLostChanges(bundle_.root());
  ASSERT_TRUE(given_up.ok()) << given_up.status();
  ASSERT_TRUE(given_up->has_value());
  EXPECT_EQ((*given_up)->after, 1);
  EXPECT_EQ((*given_up)->through, 3);
  EXPECT_EQ((*given_up)->kept_as, "");
  EXPECT_EQ(*GiveUpLostChanges(bundle_.root()), std::nullopt);
  auto store = Open();
  EXPECT_EQ(store->Current()->view().pieces().size(), 3u);
  Add(*store, 8);
  EXPECT_EQ(store->edit_status().last_change, 4);  // no number is given out twice
}

TEST_F(MigrationTest, AnOlderCopyKeepsWhatItHolds) {
  bundle_.Index(1, 0);
  Add(*Open(), 7);
  fs::copy(path(kJournalFile), path("older"));
  Add(*Open(), 8);
  Add(*Open(), 9);
  fs::copy(path("older"), path(kJournalFile), fs::copy_options::overwrite_existing);
  EXPECT_THAT(std::string(OpenStatus().message()),
              AllOf(HasSubstr("up to 3"), HasSubstr("ends at change 1")));
  const auto given_up = GiveUpLostChanges(bundle_.root());
  ASSERT_TRUE(given_up.ok() && given_up->has_value()) << given_up.status();
  EXPECT_EQ((*given_up)->after, 1);
  EXPECT_EQ((*given_up)->through, 3);
  auto store = Open();
  EXPECT_EQ(store->Current()->view().pieces().size(), 2u);
  Add(*store, 8);
  EXPECT_EQ(store->edit_status().last_change, 4);
}

TEST_F(MigrationTest, AnothersJournalIsRefusedAndPutAside) {
  const testing::TemporaryFolder elsewhere;
  const testing::LiveTestBundle other(elsewhere.path());
  other.Index(1, 0);
  {
    StoreOptions options;
    options.merge_fraction = 0;
    auto store = CollectionStore::Open(other.root(), options).value();
    for (const int seed : {1, 2, 3}) Add(*store, seed);
  }
  bundle_.Index(1, 0);
  Add(*Open(), 7);
  fs::copy(other.root() + "/" + kJournalFile, path(kJournalFile),
           fs::copy_options::overwrite_existing);
  EXPECT_THAT(std::string(OpenStatus().message()), HasSubstr("is another's"));
  for (const char* name : {"journal.sqlite.lost-1", "journal.sqlite.lost-2"}) {
    const auto given_up = GiveUpLostChanges(bundle_.root());
    ASSERT_TRUE(given_up.ok() && given_up->has_value()) << given_up.status();
    EXPECT_EQ((*given_up)->kept_as, name);
    EXPECT_EQ(catalog::ChangeJournal::Open(path(name)).value()->changes(), 3);
    EXPECT_EQ(Open()->Current()->view().pieces().size(), 1u);
    Add(*Open(), 7);
    fs::copy(other.root() + "/" + kJournalFile, path(kJournalFile),
             fs::copy_options::overwrite_existing);
  }
}

TEST_F(MigrationTest, AJournalThatCannotBeReadIsPutAside) {
  bundle_.Index(1, 0);
  Add(*Open(), 7);
  std::ofstream(path(kJournalFile)) << "not a journal, whatever it is";
  EXPECT_EQ(OpenStatus().code(), StatusCode::kDataLoss);
  const auto given_up = GiveUpLostChanges(bundle_.root());
  ASSERT_TRUE(given_up.ok() && given_up->has_value()) << given_up.status();
  EXPECT_EQ((*given_up)->through, 1);
  EXPECT_EQ((*given_up)->kept_as, "journal.sqlite.lost-1");
  EXPECT_EQ(Open()->Current()->view().pieces().size(), 1u);
}

TEST_F(MigrationTest, AMarkIsMadeForABundleWithoutOneAndMendedWhereItIsDamaged) {
  bundle_.Index(1, 0);
  Add(*Open(), 7);
  fs::remove(path(kJournalMarkFile));  // as the former program left it
  EXPECT_EQ(Open()->edit_status().unmerged, 1);
  EXPECT_EQ(JournalMark::Read(bundle_.root())->last_sequence(), 1);
  std::ofstream(path(kJournalMarkFile)) << "antiphon journal mark 1\n";
  EXPECT_EQ(Open()->edit_status().unmerged, 1);
  EXPECT_EQ(JournalMark::Read(bundle_.root())->last_sequence(), 1);
  // Both at once: then it can't be said that nothing is lost.
  std::ofstream(path(kJournalMarkFile)) << "antiphon journal mark 1\n";
  fs::remove(path(kJournalFile));
  EXPECT_THAT(std::string(OpenStatus().message()),
              AllOf(HasSubstr("JOURNAL: is damaged"), HasSubstr("--accept-lost-journal")));
  const auto given_up = GiveUpLostChanges(bundle_.root());
  ASSERT_TRUE(given_up.ok() && given_up->has_value()) << given_up.status();
  EXPECT_EQ((*given_up)->through, 0);
  EXPECT_TRUE(OpenStatus().ok());
}

TEST_F(MigrationTest, AnotherCollectionAndARestoredOneNeedNoJournalOfTheFormer) {
  bundle_.Index(1, 0);
  {
    auto store = Open();
    Add(*store, 7);
    ASSERT_TRUE(store->Snapshot(bundle_.Path("snapshot")).ok());
    Add(*store, 8);
  }
  bundle_.Index(2, 0);
  fs::remove(path(kJournalFile));
  {
    auto store = Open();
    EXPECT_EQ(store->Current()->view().pieces().size(), 2u);
    Add(*store, 9);
    EXPECT_EQ(store->edit_status().last_change, 3);  // two were given out before
    ASSERT_TRUE(store->Restore(bundle_.Path("snapshot")).ok());
    Add(*store, 10);
  }
  EXPECT_EQ(Open()->Current()->view().pieces().size(), 3u);
  fs::remove(path(kJournalFile));
  EXPECT_EQ(OpenStatus().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace antiphon::editing
