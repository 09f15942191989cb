// A collection written out as files and read in again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "core/editing/collection_store.h"
#include "core/exchange/collection_export.h"
#include "core/exchange/collection_import.h"
#include "core/retrieval/bundle_collection.h"
#include "core/testing/live_test_bundle.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::exchange {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using editing::CollectionStore;
using ::testing::AllOf;
using ::testing::HasSubstr;

class ExchangeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    bundle_.Index(3, 2);
    auto store = Open(bundle_.root());
    ASSERT_TRUE(store
                    ->Apply(editing::AddPiece{{.id = "a/../b", .title = "Tab\tand line\n"},
                                              testing::MidiOf(7)})
                    .ok());
    ASSERT_TRUE(store->Merge().ok());
    ASSERT_TRUE(
        store->Apply(editing::UpdatePiece{.id = "p0", .title = "Renamed", .work_id = "w ♫"}).ok());
    ASSERT_TRUE(store->Apply(editing::DeletePiece{.id = "p1", .with_recordings = true}).ok());
    ASSERT_TRUE(
        store->Apply(editing::AddRecording{{.id = "P0", .piece_id = "a/../b"}, testing::AudioOf(7)})
            .ok());
    ASSERT_TRUE(
        store->Apply(editing::AddPiece{{.id = "P0", .collection = "c"}, testing::MidiOf(8)}).ok());
    listing_ = testing::Listing(store->Current()->view());
    import_.model_directory = bundle_.Path("model");
  }
  static std::unique_ptr<CollectionStore> Open(const std::string& root) {
    editing::StoreOptions options;
    options.merge_fraction = 0;
    auto store = CollectionStore::Open(root, options);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  absl::StatusOr<Exported> Export() const {
    return ExportCollection(bundle_.root(), bundle_.Path("folder"));
  }
  absl::StatusOr<Imported> Import(const std::string& root) const {
    return ImportCollection(root, bundle_.Path("folder"), import_);
  }
  std::vector<std::string> Names(const std::string& below) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(bundle_.Path(below)))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  const testing::TemporaryFolder folder_;
  const testing::LiveTestBundle bundle_{folder_.path()};
  std::vector<std::string> listing_;
  ImportOptions import_;
};

TEST_F(ExchangeTest, ANewBundleIsTheSameCollectionWithTheSameAnswers) {
  const auto exported = Export();
  ASSERT_TRUE(exported.ok()) << exported.status();
  EXPECT_EQ(exported->pieces, 4);
  EXPECT_EQ(exported->recordings, 2);
  EXPECT_THAT(Names("folder"), ::testing::ElementsAre("export.json", "recordings", "scores"));
  EXPECT_EQ(Names("folder/scores").size(), 5u);
  EXPECT_THAT(Names("folder/recordings"), ::testing::Contains("r0.flac"));
  const auto imported = Import(bundle_.Path("new"));
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_TRUE(imported->is_new_bundle);
  EXPECT_EQ(imported->added, 6);
  auto store = Open(bundle_.Path("new"));
  EXPECT_EQ(testing::Listing(store->Current()->view()), listing_);
  {
    const auto original = Open(bundle_.root());
    EXPECT_EQ(testing::Difference(*store->Current(), *original->Current(), {0, 2, 7, 8}), "");
  }
  const auto updated = store->Apply(editing::UpdatePiece{.id = "p2", .title = "On it goes"});
  EXPECT_EQ(updated->version, 7);  // after the six changes of the first bundle
}

TEST_F(ExchangeTest, NothingIsOverwrittenAndNothingIsHalf) {
  ASSERT_TRUE(Export().ok());
  EXPECT_EQ(Export().status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(ExportCollection(bundle_.root(), bundle_.Path("no/where")).status().code(),
            StatusCode::kNotFound);
  const auto before = Names("");
  ExportOptions options;
  int asked = 0;
  options.keep_going = [&] {
    return ++asked < 3 ? absl::OkStatus() : absl::CancelledError("interrupted");
  };
  EXPECT_EQ(ExportCollection(bundle_.root(), bundle_.Path("other"), options).status().code(),
            StatusCode::kCancelled);
  signal(SIGXFSZ, SIG_IGN);
  rlimit limit = {};
  getrlimit(RLIMIT_FSIZE, &limit);
  rlimit full = limit;
  full.rlim_cur = 200;
  setrlimit(RLIMIT_FSIZE, &full);
  const absl::Status status = ExportCollection(bundle_.root(), bundle_.Path("other")).status();
  setrlimit(RLIMIT_FSIZE, &limit);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(Names(""), before);
}

TEST_F(ExchangeTest, AChangedFileIsNamedAndNothingIsImported) {
  ASSERT_TRUE(Export().ok());
  const std::string score = bundle_.Path("folder/scores/p0.mid");
  const std::string good = testing::MidiOf(0);
  const auto refused = [&](const std::string& what) {
    const absl::Status status = Import(bundle_.Path("new")).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(what));
    EXPECT_FALSE(fs::exists(bundle_.Path("new")));
  };
  std::ofstream(score, std::ios::binary) << testing::MidiOf(0).replace(20, 1, "x");
  refused("scores/p0.mid: its SHA-256");
  std::ofstream(score, std::ios::binary) << good.substr(1);
  refused("scores/p0.mid: has ");
  fs::remove(score);
  refused("scores/p0.mid: is missing");
  fs::create_symlink("/etc/hostname", score);
  refused("scores/p0.mid: is a link");
  fs::remove(score);
  std::ofstream(score, std::ios::binary) << good;
  std::ofstream(bundle_.Path("folder/scores/metadata.tsv"), std::ios::app) << "\n";
  refused("scores/metadata.tsv: has ");
  fs::remove(bundle_.Path("folder/export.json"));
  EXPECT_THAT(std::string(Import(bundle_.Path("new")).status().message()),
              HasSubstr("it is no exported collection"));
}

TEST_F(ExchangeTest, AnImportIntoABundleRefusesIdsThatItHasOrReplacesThem) {
  ASSERT_TRUE(Export().ok());
  EXPECT_EQ(Import(bundle_.root()).status().code(), StatusCode::kInvalidArgument);  // a model
  import_.model_directory.clear();
  EXPECT_EQ(Import(bundle_.Path("new")).status().code(), StatusCode::kInvalidArgument);  // none
  const absl::Status refused = Import(bundle_.root()).status();
  EXPECT_EQ(refused.code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr("6 sources are in the bundle already"), HasSubstr("piece a/../b"),
                    HasSubstr("recording P0")));
  EXPECT_EQ(testing::Listing(Open(bundle_.root())->Current()->view()), listing_);
  import_.replace = true;
  auto imported = Import(bundle_.root());
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_EQ(imported->unchanged, 6);
  {
    auto store = Open(bundle_.root());
    ASSERT_TRUE(store
                    ->Apply(editing::UpdatePiece{
                        .id = "p2", .title = "Another", .midi = testing::MidiOf(9)})
                    .ok());
    ASSERT_TRUE(store->Apply(editing::UpdateRecording{.id = "P0", .piece_id = ""}).ok());
    ASSERT_TRUE(store->Apply(editing::DeleteRecording{.id = "r0"}).ok());
    ASSERT_TRUE(store->Apply(editing::AddPiece{{.id = "own"}, testing::MidiOf(10)}).ok());
    ASSERT_TRUE(
        store->Apply(editing::UpdateRecording{.id = "P0", .audio = testing::AudioOf(9)}).ok());
  }
  imported = Import(bundle_.root());
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_EQ(imported->added, 1);
  EXPECT_EQ(imported->replaced, 2);
  EXPECT_EQ(imported->unchanged, 3);
  auto store = Open(bundle_.root());
  EXPECT_EQ(store->edit_status().unmerged, 0);
  ASSERT_TRUE(store->Apply(editing::DeletePiece{.id = "own"}).ok());
  // The same but for the versions, which only grow.
  import_.replace = false;
  import_.model_directory = bundle_.Path("model");
  ASSERT_TRUE(Import(bundle_.Path("fresh-import")).ok());
  EXPECT_EQ(testing::Listing(store->Current()->view(), false),
            testing::Listing(Open(bundle_.Path("fresh-import"))->Current()->view(), false));
}

TEST_F(ExchangeTest, AnExportIsRefusedWhileAServerHasTheBundleButNotOfASnapshot) {
  const auto store = Open(bundle_.root());
  EXPECT_THAT(std::string(Export().status().message()), HasSubstr("snapshot"));
  ASSERT_TRUE(store->Snapshot(bundle_.Path("snapshot")).ok());
  ASSERT_TRUE(ExportCollection(bundle_.Path("snapshot"), bundle_.Path("folder")).ok());
  EXPECT_FALSE(fs::exists(bundle_.Path("snapshot/journal.sqlite")));
  ASSERT_TRUE(Import(bundle_.Path("new")).ok());
  EXPECT_EQ(testing::Listing(Open(bundle_.Path("new"))->Current()->view()), listing_);
}

}  // namespace
}  // namespace antiphon::exchange
