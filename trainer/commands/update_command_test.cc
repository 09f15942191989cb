#include "trainer/commands/update_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "core/collection/collection_view.h"
#include "core/editing/offline_bundle.h"
#include "core/music/midi_file.h"
#include "core/retrieval/bundle_collection.h"
#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"
#include "tests/support/test_model.h"
#include "trainer/commands/folder_record.h"

namespace antiphon::trainer::commands {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class RunUpdateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(Path("model"));
    encoder::EncoderInfo info;
    info.model_id = "test-1";
    info.settings = testing::FakeSettings();
    testing::WriteTestModel(Path("model"), info);
    fs::create_directories(Path("midi"));
    options_.midi_dir = Path("midi");
    options_.bundle_root = Path("bundle");
    options_.builder.model_directory = Path("model");
    options_.builder.tempo_ratios = {1.0};
  }
  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  void Write(const std::string& name, const std::string& bytes) const {
    fs::create_directories(fs::path(Path(name)).parent_path());
    std::ofstream(Path(name), std::ios::binary) << bytes;
  }
  static std::string Midi(int seed, const std::string& title = "") {
    music::Score score = testing::RandomPiece(seed, 8);
    score.title = title;
    return music::WriteMidi(score).value();
  }
  UpdateSummary Update() {
    auto summary = RunUpdate(options_, progress_);
    EXPECT_TRUE(summary.ok()) << summary.status();
    return summary.ok() ? *std::move(summary) : UpdateSummary();
  }
  editing::OfflineBundle Open() const {
    auto opened = editing::OpenOffline(options_.bundle_root, editing::OfflineUse::kChange);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  // "ID|TITLE" of each piece.
  std::vector<std::string> Pieces() const {
    const editing::OfflineBundle opened = Open();
    std::vector<std::string> pieces;
    for (const catalog::Piece& piece : opened.store->Current()->pieces())
      pieces.push_back(piece.id + "|" + piece.title);
    return pieces;
  }
  void Apply(const editing::EditRequest& edit) const {
    const auto done = Open().store->Apply(edit);
    ASSERT_TRUE(done.ok()) << done.status();
  }

  const testing::TemporaryFolder folder_;
  IndexCommandOptions options_;
  Progress progress_;
};

TEST_F(RunUpdateTest, MakesABundleAndThenLooksAtNothing) {
  Write("midi/a.mid", Midi(1, "First"));
  Write("midi/b.mid", Midi(2, "Second"));
  Write("midi/notes.txt", "no music");
  UpdateSummary summary = Update();
  EXPECT_TRUE(summary.is_new_bundle);
  EXPECT_EQ(summary.added, 2);
  EXPECT_THAT(SummaryText(summary), HasSubstr("2 scores, 0 as before; 2 added, 0 replaced\n"));
  EXPECT_THAT(Pieces(), ElementsAre("a|First", "b|Second"));

  const editing::OfflineBundle server = Open();  // what is not opened can be in use
  summary = Update();
  EXPECT_EQ(summary.unchanged, 2);
  EXPECT_EQ(summary.added + summary.replaced + summary.as_they_were, 0);
  Write("midi/c.mid", Midi(3));
  EXPECT_EQ(RunUpdate(options_, progress_).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RunUpdateTest, AnEmptyFolderGivesABundleToWhichPiecesCanBeAdded) {
  EXPECT_EQ(Update().added, 0);
  EXPECT_THAT(Pieces(), IsEmpty());
  Apply(editing::AddPiece{.piece = {.id = "mine", .title = "Mine"}, .midi = Midi(9)});
  Write("midi/a.mid", Midi(1, "First"));
  EXPECT_EQ(Update().added, 1);
  EXPECT_THAT(Pieces(), UnorderedElementsAre("mine|Mine", "a|First"));
}

TEST_F(RunUpdateTest, AddsWhatIsNewAndReplacesWhatHasChanged) {
  Write("midi/a.mid", Midi(1, "First"));
  Write("midi/b.mid", Midi(2, "Second"));
  Write("midi/c.mid", Midi(3, "Third"));
  Update();
  Write("midi/b.mid", Midi(4, "Second, corrected"));
  Write("midi/d.mid", Midi(5, "Fourth"));
  Write("midi/metadata.tsv", "file\ttitle\nc.mid\tTrio\n");
  UpdateSummary summary = Update();
  EXPECT_EQ(summary.unchanged, 1);
  EXPECT_EQ(summary.added, 1);
  EXPECT_EQ(summary.replaced, 2);
  EXPECT_THAT(Pieces(),
              UnorderedElementsAre("a|First", "b|Second, corrected", "c|Trio", "d|Fourth"));
  // What was replaced once is the folder's still.
  Write("midi/b.mid", Midi(6, "Second, again"));
  summary = Update();
  EXPECT_EQ(summary.unchanged, 3);
  EXPECT_EQ(summary.replaced, 1);
  EXPECT_EQ(Update().unchanged, 4);
}

TEST_F(RunUpdateTest, NothingThatWasDoneOverTheApiIsLost) {
  for (const int seed : {1, 2, 3, 4})
    Write(absl::StrCat("midi/", seed, ".mid"), Midi(seed, absl::StrCat("No. ", seed)));
  Update();
  Apply(editing::AddPiece{.piece = {.id = "mine", .title = "Mine"}, .midi = Midi(9)});
  Apply(editing::AddPiece{.piece = {.id = "later", .title = "Mine too"}, .midi = Midi(10)});
  Apply(editing::UpdatePiece{.id = "1", .title = "One"});
  Apply(editing::UpdatePiece{.id = "2", .title = "Two"});
  Apply(editing::DeletePiece{.id = "3"});
  Apply(editing::DeletePiece{.id = "4"});

  EXPECT_EQ(Update().unchanged, 4);
  const std::vector<std::string> all = {"1|One", "2|Two", "mine|Mine", "later|Mine too"};
  EXPECT_THAT(Pieces(), ::testing::UnorderedElementsAreArray(all));

  Write("midi/2.mid", Midi(12, "No. 2, corrected"));
  Write("midi/4.mid", Midi(14, "No. 4, corrected"));
  Write("midi/later.mid", Midi(15, "Later"));
  const UpdateSummary summary = Update();
  EXPECT_EQ(summary.unchanged, 2);
  EXPECT_EQ(summary.added + summary.replaced, 0);
  EXPECT_THAT(summary.kept, ElementsAre("2", "later"));
  EXPECT_THAT(summary.deleted, ElementsAre("4"));
  EXPECT_THAT(SummaryText(summary), HasSubstr("1 piece changed in the folder and deleted from"));
  EXPECT_THAT(Pieces(), ::testing::UnorderedElementsAreArray(all));
  EXPECT_EQ(Update().unchanged, 5) << "it is told once";
}

TEST_F(RunUpdateTest, ABundleThatWasIndexedBeforeIsTakenAsItIs) {
  Write("midi/a.mid", Midi(1, "First"));
  Write("midi/b.mid", Midi(2, "Second"));
  ASSERT_TRUE(RunIndex(options_, progress_).ok());
  Write("midi/b.mid", Midi(3, "Another"));
  Write("midi/c.mid", Midi(4, "Third"));
  UpdateSummary summary = Update();
  EXPECT_EQ(summary.as_they_were, 1);
  EXPECT_THAT(summary.kept, ElementsAre("b"));
  EXPECT_EQ(summary.added, 1);
  EXPECT_THAT(Pieces(), UnorderedElementsAre("a|First", "b|Second", "c|Third"));
  // Indexed anew it is another collection, about which nothing is known.
  ASSERT_TRUE(RunIndex(options_, progress_).ok());
  EXPECT_EQ(Update().as_they_were, 3);
  EXPECT_THAT(Pieces(), UnorderedElementsAre("a|First", "b|Another", "c|Third"));
}

TEST_F(RunUpdateTest, AFileThatCannotBeReadIsToldOfAndKeepsNothingFromTheOthers) {
  Write("midi/a.mid", "MThd and no more");
  Write("midi/b.mid", Midi(2, "Second"));
  UpdateSummary summary = Update();
  EXPECT_EQ(summary.added, 1);
  EXPECT_THAT(summary.scores.skipped, ElementsAre(StartsWith("a.mid: ")));
  summary = Update();
  EXPECT_EQ(summary.unchanged, 1);
  EXPECT_THAT(summary.scores.skipped, ElementsAre(StartsWith("a.mid: ")));
  Write("midi/a.mid", Midi(1, "First"));
  EXPECT_EQ(Update().added, 1);
  EXPECT_EQ(Update().unchanged, 2);
}

TEST_F(RunUpdateTest, PiecesOfFilesThatAreGoneStay) {
  Write("midi/a.mid", Midi(1, "First"));
  Write("midi/b.mid", Midi(2, "Second"));
  Update();
  fs::remove(Path("midi/a.mid"));
  const UpdateSummary summary = Update();
  EXPECT_THAT(summary.gone, ElementsAre("a.mid"));
  EXPECT_THAT(Pieces(), ElementsAre("a|First", "b|Second"));
}

TEST_F(RunUpdateTest, EachTuneOfABookIsAPiece) {
  const auto tune = [](int number, const std::string& title) {
    return absl::StrCat("X:", number, "\nT:", title, "\nM:4/4\nL:1/4\nK:C\n",
                        "CDEF|GABc|cBAG|FEDC|CDEF|GABc|]\n\n");
  };
  Write("midi/book.abc", tune(1, "One") + tune(2, "Two") + tune(3, "Three"));
  EXPECT_EQ(Update().added, 3);
  EXPECT_EQ(Update().unchanged, 1);
  Write("midi/book.abc", tune(1, "One") + tune(2, "Second") + tune(4, "Four"));
  const UpdateSummary summary = Update();
  EXPECT_EQ(summary.added, 1);
  EXPECT_EQ(summary.replaced, 1);
  EXPECT_EQ(summary.as_they_were, 1);
  EXPECT_THAT(Pieces(),
              UnorderedElementsAre("book.1|One", "book.2|Second", "book.3|Three", "book.4|Four"));
  EXPECT_EQ(Update().unchanged, 1);
}

TEST_F(RunUpdateTest, WithoutItsRecordABundleIsLookedAtAnew) {
  Write("midi/a.mid", Midi(1, "First"));
  Update();
  fs::remove(Path("bundle/FOLDER"));
  EXPECT_EQ(Update().as_they_were, 1);
  std::ofstream(Path("bundle/FOLDER"), std::ios::app) << "x";
  EXPECT_EQ(RunUpdate(options_, progress_).status().code(), absl::StatusCode::kDataLoss);
}

TEST(FolderRecordTest, IsReadAsItWasWritten) {
  const testing::TemporaryFolder folder;
  const auto none = FolderRecord::Read(folder.path());
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_THAT(none->pieces, IsEmpty());
  FolderRecord record{.origin = "abc", .pieces = {}};
  record.pieces["BWV 1/a"] = {"bach/für elise.mid", std::string(64, 'a'), 7};
  record.pieces["b.1"] = {"b.abc", std::string(64, 'b'), 0};
  record.pieces["b.2"] = {"b.abc", std::string(64, 'c'), kNotOfTheFolder};
  ASSERT_TRUE(record.Write(folder.path()).ok());
  ASSERT_TRUE(record.Write(folder.path()).ok()) << "in the place of the one before";
  const auto read = FolderRecord::Read(folder.path());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->origin, "abc");
  ASSERT_EQ(read->pieces.size(), 3u);
  EXPECT_EQ(read->pieces.at("BWV 1/a").file, "bach/für elise.mid");
  EXPECT_EQ(read->pieces.at("b.2").version, kNotOfTheFolder);
  EXPECT_EQ(read->Fingerprints().at("bach/für elise.mid"), std::string(64, 'a'));
  EXPECT_EQ(read->Fingerprints().at("b.abc"), "") << "they differ";
}

TEST(FolderRecordTest, ABitThatIsNotAsItWasIsNoticed) {
  const testing::TemporaryFolder folder;
  FolderRecord record{.origin = "abc", .pieces = {}};
  record.pieces["a"] = {"a.mid", std::string(64, 'a'), 7};
  ASSERT_TRUE(record.Write(folder.path()).ok());
  const std::string path = folder.path() + "/" + kFolderRecordFile;
  std::string whole;
  std::getline(std::ifstream(path, std::ios::binary), whole, '\0');
  for (size_t i = 0; i < whole.size(); i += 5) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    std::ofstream(path, std::ios::binary) << changed;
    EXPECT_EQ(FolderRecord::Read(folder.path()).status().code(), absl::StatusCode::kDataLoss) << i;
    std::ofstream(path, std::ios::binary) << whole.substr(0, i);
    EXPECT_EQ(FolderRecord::Read(folder.path()).status().code(), absl::StatusCode::kDataLoss) << i;
  }
}

}  // namespace
}  // namespace antiphon::trainer::commands
