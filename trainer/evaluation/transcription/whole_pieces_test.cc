#include "trainer/evaluation/transcription/whole_pieces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "core/retrieval/bundle_collection.h"
#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"

namespace antiphon::trainer::evaluation {
namespace {

using ::testing::SizeIs;

WholePiece Played(int piece) {
  const music::Score score = testing::RandomPiece(piece);
  return {"played", absl::StrCat("piece-", piece), metrics::HeardNotes(score.notes, false),
          [score](int) { return testing::Play(score); }};
}

class WholePiecesTest : public ::testing::Test {
 protected:
  double OnsetF1(Known known) {
    const std::vector<WholePiece> pieces = {Played(2)};
    const auto figures = TranscribeAll(collection_, pieces, known, {}, progress_);
    EXPECT_TRUE(figures.ok()) << figures.status();
    EXPECT_THAT(*figures, SizeIs(1));
    return figures->front().onsets.f1();
  }

  Progress progress_;
  const testing::TemporaryFolder folder_;
  const retrieval::BundleCollection collection_{std::shared_ptr<const collection::LoadedCollection>(
      testing::MakeTestCollection(folder_.path(), {.pieces = 8}))};
};

TEST_F(WholePiecesTest, APieceOfTheCollectionIsTranscribedFarBetterThanWithoutIt) {
  const double known = OnsetF1(Known::kAll), unknown = OnsetF1(Known::kOthers);
  EXPECT_GT(known, 0.9);
  EXPECT_GT(OnsetF1(Known::kOwn), 0.9);
  EXPECT_LT(unknown, 0.6);
}

TEST_F(WholePiecesTest, ChanceIsAFloorAboveNothing) {
  const std::vector<WholePiece> pieces = {Played(2), Played(5)};
  const auto lots = TranscribeByChance(collection_, pieces, 1, progress_);
  ASSERT_TRUE(lots.ok()) << lots.status();
  const metrics::ReportRow row = FigureRow("random", *lots);
  ASSERT_EQ(row.figures.size(), FigureNames().size());
  EXPECT_GT(row.figures[1], 0);
  EXPECT_LT(row.figures[1], 0.4);
  EXPECT_EQ(row.figures.back(), 2);
}

TEST_F(WholePiecesTest, APieceThatTheCollectionLacksCannotBeLeftOut) {
  std::vector<WholePiece> pieces = {Played(2)};
  pieces[0].id = "nowhere";
  EXPECT_EQ(TranscribeAll(collection_, pieces, Known::kOthers, {}, progress_).status().code(),
            absl::StatusCode::kInternal);
}

TEST(JudgeTest, CountsOnsetsEndsAndFrames) {
  const std::vector<metrics::HeardNote> truth = {{0, 1, 60}, {1, 2, 62}};
  const std::vector<metrics::HeardNote> found = {{0, 1, 60}, {1, 3, 62}, {5, 6, 60}};
  const PieceFigures figures = Judge(truth, found);
  EXPECT_EQ(figures.onsets.hits, 2);
  EXPECT_EQ(figures.offsets.hits, 1);
  EXPECT_EQ(figures.frames.hits, 200);
  EXPECT_EQ(figures.frames.extra, 200);
}

TEST(FigureRowTest, FramesAreSummedAndNotesAveraged) {
  std::vector<PieceFigures> pieces(2);
  pieces[0].onsets = {.hits = 10};
  pieces[1].onsets = {.hits = 0, .extra = 10, .missed = 10};
  pieces[0].frames = {.hits = 30, .extra = 10, .missed = 10};
  pieces[0].sound_s = 10, pieces[1].sound_s = 30, pieces[1].gaps_s = 20;
  const metrics::ReportRow row = FigureRow("all", pieces);
  EXPECT_EQ(row.figures[0], 1.5);
  EXPECT_EQ(row.figures[1], 0.5);
  EXPECT_EQ(row.figures[4], 0.5);
}

}  // namespace
}  // namespace antiphon::trainer::evaluation
