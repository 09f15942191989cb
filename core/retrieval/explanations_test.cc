// The same music twice in a collection: it counts as one explanation of a query.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/retrieval/bundle_collection.h"
#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"

namespace antiphon::retrieval {
namespace {

using catalog::Side;
using matching::Verdict;

// The score, and its first `end_s` seconds once more before it.
music::Score WithRepeat(const music::Score& score, double end_s) {
  music::Score result = music::Excerpt(score, 0, end_s);
  for (music::Note note : score.notes) {
    note.onset_s += end_s;
    note.offset_s += end_s;
    note.sounding_offset_s += end_s;
    result.notes.push_back(note);
  }
  result.duration_s = end_s + score.duration_s;
  return result;
}

music::Score InOctaves(music::Score score) {
  const std::vector<music::Note> notes = score.notes;
  for (music::Note note : notes) {
    note.pitch += note.pitch < 60 ? -12 : 12;
    score.notes.push_back(note);
  }
  std::sort(score.notes.begin(), score.notes.end(), [](const auto& a, const auto& b) {
    return std::pair(a.onset_s, a.pitch) < std::pair(b.onset_s, b.pitch);
  });
  return score;
}

class EditionsTest : public ::testing::Test {
 protected:
  BundleCollection Make(std::vector<music::Score> more) {
    auto loaded =
        testing::MakeTestCollection(folder_.Make(), {.pieces = 4, .more = std::move(more)});
    return BundleCollection(std::move(loaded));
  }
  static matching::Identification Ask(const BundleCollection& collection,
                                      const music::Score& played,
                                      const matching::IdentifyOptions& options = {}) {
    return collection.IdentifyAudio(testing::Play(played), options, {}).value();
  }

  struct Folders {
    std::string Make() {
      all.push_back(std::make_unique<testing::TemporaryFolder>());
      return all.back()->path();
    }
    std::vector<std::unique_ptr<testing::TemporaryFolder>> all;
  } folder_;
  const music::Score piece_ = testing::RandomPiece(1);
  const music::Score query_ = music::Excerpt(testing::RandomPiece(1), 12, 24);
};

TEST_F(EditionsTest, ASecondEditionTakesNothingFromTheConfidence) {
  const matching::Identification once = Ask(Make({}), query_);
  ASSERT_EQ(once.verdict, Verdict::kMatch);
  for (const music::Score& edition :
       {piece_, music::AtTempoRatio(piece_, 0.8), WithRepeat(piece_, 15)}) {
    const BundleCollection collection = Make({edition});
    const matching::Identification twice = Ask(collection, query_);
    ASSERT_EQ(twice.verdict, Verdict::kMatch);
    EXPECT_GE(twice.candidates[0].confidence, once.candidates[0].confidence - 0.05);
    ASSERT_GE(twice.candidates.size(), 2u);
    EXPECT_NEAR(twice.candidates[1].confidence, twice.candidates[0].confidence, 1e-9);
    ASSERT_EQ(twice.candidates[0].same_music.size(), 1u);
    EXPECT_EQ(twice.candidates[0].same_music[0].source, twice.candidates[1].source);
  }
}

TEST_F(EditionsTest, ACopyIsATie) {
  const BundleCollection collection = Make({piece_});
  const matching::Identification answer = Ask(collection, query_);
  ASSERT_FALSE(answer.candidates.empty());
  ASSERT_EQ(answer.candidates[0].same_music.size(), 1u);
  EXPECT_TRUE(answer.candidates[0].same_music[0].tied);
}

TEST_F(EditionsTest, TheEditionThatExplainsMostComesFirst) {
  // The repeat is played: who has it written out needs no jump.
  const BundleCollection collection = Make({WithRepeat(piece_, 15)});
  const matching::Identification answer = Ask(collection, WithRepeat(piece_, 15));
  ASSERT_GE(answer.candidates.size(), 2u);
  EXPECT_EQ(collection.pieces()[answer.candidates[0].source].id, "more-0");
  EXPECT_EQ(answer.candidates[0].passages.size(), 1u);
  EXPECT_EQ(collection.pieces()[answer.candidates[1].source].id, "piece-1");
  EXPECT_EQ(answer.candidates[1].passages.size(), 2u);
  ASSERT_EQ(answer.candidates[0].same_music.size(), 1u);
  EXPECT_FALSE(answer.candidates[0].same_music[0].tied);
}

TEST_F(EditionsTest, OtherMusicIsStillARival) {
  // Half of the query is in the one piece, half in the other: neither is sure.
  music::Score medley = music::Excerpt(piece_, 0, 8);
  for (music::Note note : music::Excerpt(testing::RandomPiece(2), 0, 8).notes) {
    note.onset_s += 8;
    note.offset_s += 8;
    note.sounding_offset_s += 8;
    medley.notes.push_back(note);
  }
  medley.duration_s = 16;
  const matching::Identification answer = Ask(Make({}), medley);
  ASSERT_GE(answer.candidates.size(), 2u);
  EXPECT_TRUE(answer.candidates[0].same_music.empty());
  EXPECT_GT(answer.rival, 0.2);
}

TEST_F(EditionsTest, AWholeRecordingIsLocatedByAllOfIt) {
  // Longer than the windows that are compared reach.
  const music::Score longer = testing::RandomPiece(50, 150);
  const BundleCollection collection = Make({longer});
  for (const double tempo : {0.7, 1.3}) {
    const auto answer =
        collection.IdentifyAudio(testing::Play(longer, tempo), {.max_windows = 96}, {});
    ASSERT_TRUE(answer.ok()) << answer.status();
    ASSERT_FALSE(answer->candidates.empty());
    const matching::Candidate& best = answer->candidates[0];
    EXPECT_EQ(collection.pieces()[best.source].id, "more-0");
    EXPECT_NEAR(best.match.slope / tempo, 1, 0.03);
    EXPECT_NEAR(best.place.reference_s, tempo * best.place.query_s, 1.0);
    EXPECT_GT(best.match.query.length_s(), 0.95 * longer.duration_s / tempo);
  }
}

TEST_F(EditionsTest, TwoRecordingsOfAPieceAreNoRivalsHoweverTheyAreRanked) {
  // Recordings 1 and 5 are of piece 1.
  const BundleCollection collection(
      testing::MakeTestCollection(folder_.Make(), {.pieces = 4, .recordings = 8}));
  for (const matching::VoteMethod method :
       {matching::VoteMethod::kInTime, matching::VoteMethod::kPlain}) {
    const auto answer = collection.IdentifyScore(
        query_, {.against = Side::kRecordings, .top_k = 8, .method = method}, {});
    ASSERT_TRUE(answer.ok()) << answer.status();
    ASSERT_GE(answer->candidates.size(), 2u);
    for (int i = 0; i < 2; ++i)
      EXPECT_EQ(collection.recordings()[answer->candidates[i].source].piece_id, "piece-1");
    EXPECT_LT(answer->rival, answer->candidates[1].score);
    EXPECT_EQ(answer->candidates[1].confidence, answer->candidates[0].confidence);
  }
}

TEST_F(EditionsTest, FindsWhereTwoPiecesShareTheirMusic) {
  // A piece that holds the middle of another, and one in octaves.
  music::Score potpourri = testing::RandomPiece(60, 20);
  for (music::Note note : music::Excerpt(piece_, 10, 30).notes) {
    note.onset_s += 20;
    note.offset_s += 20;
    note.sounding_offset_s += 20;
    potpourri.notes.push_back(note);
  }
  potpourri.duration_s = 40;
  const BundleCollection collection = Make({potpourri, InOctaves(testing::RandomPiece(2))});
  const auto shared = collection.FindSameMusic(*collection.FindPiece("piece-1"), {});
  ASSERT_TRUE(shared.ok()) << shared.status();
  ASSERT_EQ(shared->size(), 1u);
  EXPECT_EQ(collection.pieces()[shared->front().other].id, "more-0");
  EXPECT_NEAR(shared->front().in_piece.start_s, 10, 4);
  EXPECT_NEAR(shared->front().in_piece.end_s, 30, 4);
  EXPECT_NEAR(shared->front().in_other.start_s, 20, 4);
  EXPECT_NEAR(shared->front().in_other.end_s, 40, 4);
  EXPECT_TRUE(collection.FindSameMusic(*collection.FindPiece("piece-3"), {})->empty());
}

}  // namespace
}  // namespace antiphon::retrieval
