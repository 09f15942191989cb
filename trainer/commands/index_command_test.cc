#include "trainer/commands/index_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "core/audio/encoder.h"
#include "core/collection/collection_view.h"
#include "core/collection/embedding_log.h"
#include "core/music/midi_file.h"
#include "core/retrieval/bundle_collection.h"
#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"
#include "tests/support/test_model.h"

namespace antiphon::trainer::commands {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(PieceOfRecording, IsTheLongestThatTheNameStartsWith) {
  const std::vector<std::string> ids = {"chp_op18", "chp_op1", "mz"};
  std::vector<std::string> sorted = ids;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(PieceOfRecording("chp_op18_live", sorted), "chp_op18");
  EXPECT_EQ(PieceOfRecording("chp_op18", sorted), "chp_op18");
  EXPECT_EQ(PieceOfRecording("chp_op10", sorted), "");
  EXPECT_EQ(PieceOfRecording("chp_op1-live", sorted), "chp_op1");
  EXPECT_EQ(PieceOfRecording("bach", sorted), "");
  EXPECT_EQ(PieceOfRecording("", sorted), "");
}

class RunIndexTest : public ::testing::Test {
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
  static std::string Audio(int seed) {
    return audio::EncodeAudio(testing::Play(testing::RandomPiece(seed, 8)),
                              audio::AudioFormat::kFlac)
        .value();
  }

  const testing::TemporaryFolder folder_;
  IndexCommandOptions options_;
  Progress progress_;
};

TEST_F(RunIndexTest, IndexesBothFoldersWithWhatIsKnownOfThem) {
  Write("midi/metadata.tsv",
        "file\ttitle\tcomposer\tcollection\twork_id\n"
        "b/two.MID\tSecond\tBach\tShelf\tBWV 2\n");
  Write("midi/b/two.MID", Midi(2, "not this"));
  Write("midi/a_song.midi", Midi(1));
  Write("midi/Chopin/waltz.mid", Midi(3, "Valse"));
  Write("midi/notes.txt", "no music");
  Write("sound/metadata.tsv", "file\ttitle\tpiece_id\tcollection\nx.wav\tLive\tb__two\tTapes\n");
  Write("sound/x.wav", Audio(2));
  Write("sound/a_song_slow.flac", Audio(1));
  Write("sound/unknown.ogg", Audio(9));
  options_.recordings_dir = Path("sound");
  options_.collection = "Attic";
  const auto summary = RunIndex(options_, progress_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_THAT(summary->scores.skipped, IsEmpty());
  EXPECT_THAT(summary->recordings.skipped, IsEmpty());
  EXPECT_EQ(summary->manifest.pieces, 3);
  EXPECT_EQ(summary->manifest.recordings, 3);
  EXPECT_THAT(SummaryText(*summary), HasSubstr("3 pieces"));

  const auto collection = retrieval::BundleCollection::Open(options_.bundle_root);
  ASSERT_TRUE(collection.ok()) << collection.status();
  std::vector<std::string> pieces, recordings;
  for (const auto& p : (*collection)->view().pieces()) {
    pieces.push_back(p.id + "|" + p.title + "|" + p.composer + "|" + p.collection + "|" +
                     p.work_id);
  }
  for (const auto& r : (*collection)->view().recordings()) {
    recordings.push_back(r.id + "|" + r.title + "|" + r.composer + "|" + r.piece_id + "|" +
                         r.collection);
  }
  EXPECT_THAT(pieces, ElementsAre("Chopin__waltz|Valse|Chopin|Attic|", "a_song|a song||Attic|",
                                  "b__two|Second|Bach|Shelf|BWV 2"));
  EXPECT_THAT(recordings, ElementsAre("a_song_slow|a song||a_song|Attic", "unknown|unknown|||Attic",
                                      "x|Live|Bach|b__two|Tapes"));
}

TEST_F(RunIndexTest, IndexesPartsAndRemembersItForWhatIsAddedLater) {
  Write("midi/duo.mid", Midi(1));  // of two tracks
  options_.builder.with_parts = true;
  ASSERT_TRUE(RunIndex(options_, progress_).ok());
  const auto collection = retrieval::BundleCollection::Open(options_.bundle_root);
  ASSERT_TRUE(collection.ok()) << collection.status();
  EXPECT_TRUE((*collection)->manifest().with_parts);
  const auto& view = (*collection)->view();
  EXPECT_TRUE(view.pieces().at(0).with_parts);
  EXPECT_FALSE(view.ReadRuns(catalog::Side::kScores, 0, {.part = 1})->empty());
}

TEST_F(RunIndexTest, GoesOnWhereItWasInterrupted) {
  Write("midi/good.mid", Midi(1));
  const std::string log = options_.bundle_root + "/" + collection::kEmbeddingLogFile;
  options_.recordings_dir = Path("missing");
  EXPECT_FALSE(RunIndex(options_, progress_).ok());
  EXPECT_TRUE(fs::exists(log));
  options_.recordings_dir.clear();
  const auto summary = RunIndex(options_, progress_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->manifest.pieces, 1);
  EXPECT_FALSE(fs::exists(log));
}

TEST_F(RunIndexTest, PassesOverWhatCannotBeReadAndSaysWhy) {
  Write("midi/broken.mid", "MThd and no more");
  Write("midi/empty.mid", "");
  Write("midi/good.mid", Midi(1));
  Write("sound/broken.wav", "RIFF");
  Write("sound/metadata.tsv", "file\tpiece_id\ngood.flac\tnobody\n");
  Write("sound/good.flac", Audio(1));
  options_.recordings_dir = Path("sound");
  options_.max_file_bytes = 90'000 + static_cast<int64_t>(Audio(1).size());
  Write("midi/large.mid", std::string(options_.max_file_bytes + 1, 'x'));
  const auto summary = RunIndex(options_, progress_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->manifest.pieces, 1);
  EXPECT_THAT(summary->scores.skipped, ElementsAre(StartsWith("broken.mid: "),
                                                   StartsWith("empty.mid: "), HasSubstr("limit")));
  EXPECT_THAT(summary->recordings.skipped,
              ElementsAre(StartsWith("broken.wav: "), HasSubstr("nobody")));
  EXPECT_THAT(SummaryText(*summary), HasSubstr("3 scores left out"));
}

TEST_F(RunIndexTest, SaysWhatWasNotAsItShouldBe) {
  const std::string whole = Midi(1);
  Write("midi/cut.mid", whole.substr(0, whole.size() - 1));
  Write("midi/Fu\xcc\x88r.kar", Midi(2));
  Write("midi/a.doc", "no music");
  Write("midi/b.doc", "no music");
  Write("midi/metadata.tsv",
        "file\ttitle\tupbeat\nFür.kar\tElise\t0.5\ngone.mid\tGone\t\n"
        "cut.mid\tCut\t9\n");
  const auto summary = RunIndex(options_, progress_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  const std::string text = SummaryText(*summary);
  EXPECT_THAT(text, HasSubstr("1 score read with warnings:\n  cut.mid: track "));
  EXPECT_THAT(text,
              HasSubstr("  cut.mid: the upbeat in metadata.tsv was passed over: an upbeat of 9 "
                        "quarter notes is not within a bar"));
  EXPECT_THAT(text, HasSubstr("by their names: 2 .doc\n"));
  EXPECT_THAT(text, HasSubstr("1 row of "));
  EXPECT_THAT(text, HasSubstr("metadata.tsv names a file that is not there:\n  gone.mid\n"));
  const auto collection = retrieval::BundleCollection::Open(options_.bundle_root);
  ASSERT_TRUE(collection.ok()) << collection.status();
  const auto& view = (*collection)->view();
  ASSERT_EQ(view.pieces().size(), 2u);
  EXPECT_EQ(view.pieces()[0].id, "Für");
  EXPECT_EQ(view.pieces()[0].title, "Elise");
  const auto score = music::ReadMidi(view.ReadMidi(0).value());
  ASSERT_TRUE(score.ok());
  EXPECT_NEAR(score->tempo_map.upbeat(), 0.5, 0.01);
}

TEST_F(RunIndexTest, AFolderOfMixedFormatsIsIndexedWhole) {
  const auto tune = [](int number, const std::string& title) {
    return absl::StrCat("X:", number, "\nT:", title, "\nC:Anna Bon\nM:4/4\nL:1/4\nK:C\n",
                        "CDEF|GABc|cBAG|FEDC|CDEF|GABc|]\n\n");
  };
  Write("midi/air.mid", Midi(1));
  Write("midi/air.abc", tune(1, "Air"));
  Write("midi/book.abc", tune(1, "One") + tune(2, "Two") + "X:3\nT:Broken\nK:C\n\n");
  std::string kern = "!!!COM: Bon, Anna\n!!!OTL: Sonata\n**kern\n*M4/4\n";
  for (int bar = 1; bar <= 6; ++bar) absl::StrAppend(&kern, "=", bar, "\n4c\n4d\n4e\n4f\n");
  Write("midi/sonata.krn", kern + "==\n*-\n");
  const auto summary = RunIndex(options_, progress_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  const auto collection = retrieval::BundleCollection::Open(options_.bundle_root);
  ASSERT_TRUE(collection.ok()) << collection.status();
  std::vector<std::string> pieces;
  for (const auto& p : (*collection)->pieces())
    pieces.push_back(absl::StrCat(p.id, "|", p.title, "|", p.composer, "|", p.work_id));
  EXPECT_THAT(pieces,
              ElementsAre("air.abc|Air|Anna Bon|air", HasSubstr("air|"), "book.1|One|Anna Bon|",
                          "book.2|Two|Anna Bon|", HasSubstr("sonata|Sonata|")));
  EXPECT_THAT(SummaryText(*summary), HasSubstr("book.abc: tune 3: "));
  const auto& view = (*collection)->view();
  EXPECT_EQ(view.ReadMidi(0).value(), tune(1, "Air")) << "kept as it was given";
  EXPECT_EQ(view.pieces()[0].bars, 6);
}

TEST_F(RunIndexTest, TakesIdsFromMetadata) {
  Write("midi/a.mid", Midi(1));
  Write("midi/b.mid", Midi(2));
  Write("midi/c.mid", Midi(3));
  Write("midi/metadata.tsv", "file\tid\na.mid\tBWV 1/a\nc.mid\tb\n");
  const auto summary = RunIndex(options_, progress_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_THAT(summary->scores.skipped, ElementsAre(StartsWith("c.mid: ")));  // there is a b
  const auto collection = retrieval::BundleCollection::Open(options_.bundle_root);
  ASSERT_TRUE(collection.ok()) << collection.status();
  ASSERT_EQ((*collection)->pieces().size(), 2u);
  EXPECT_EQ((*collection)->pieces()[0].id, "BWV 1/a");
  EXPECT_EQ((*collection)->pieces()[1].id, "b");
}

TEST_F(RunIndexTest, OneFolderMayHoldBothSides) {
  Write("midi/a.mid", Midi(1));
  Write("midi/a_live.flac", Audio(1));
  Write("midi/notes.txt", "no music");
  Write("midi/metadata.tsv", "file\ttitle\na.mid\tA\na_live.flac\tLive\nb.mid\tB\n");
  options_.recordings_dir = Path("midi");
  const auto summary = RunIndex(options_, progress_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_THAT(summary->scores.unused_rows, ElementsAre("b.mid"));
  EXPECT_THAT(summary->recordings.unused_rows, IsEmpty());
  EXPECT_EQ(data::ToText(summary->scores.passed_over), "1 .txt");
  EXPECT_EQ(data::ToText(summary->recordings.passed_over), "");
}

TEST_F(RunIndexTest, NothingToReadIsAnErrorAndPublishesNothing) {
  EXPECT_EQ(RunIndex(options_, progress_).status().code(), absl::StatusCode::kNotFound);
  Write("midi/broken.mid", "MThd and no more");
  const absl::Status broken = RunIndex(options_, progress_).status();
  EXPECT_EQ(broken.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(broken.message(), HasSubstr("broken.mid: "));
  options_.midi_dir = Path("nowhere");
  EXPECT_EQ(RunIndex(options_, progress_).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(retrieval::BundleCollection::Open(options_.bundle_root).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace antiphon::trainer::commands
