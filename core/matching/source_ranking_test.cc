#include "core/matching/source_ranking.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace antiphon::matching {
namespace {

constexpr auto kEachItsOwnPiece = [](int a, int b) { return a == b; };

Identification VoteAndJudge(const std::vector<Neighbour>& neighbours, int windows,
                            const IdentifyOptions& options,
                            const std::function<bool(int, int)>& same_music) {
  return Judge(RankSources(neighbours, windows, catalog::Side::kScores, options.method), windows,
               ConfidenceModel(), options, {same_music});
}

std::vector<Neighbour> Line(int source, int windows, double reference_s, float similarity,
                            double slope = 1.0) {
  std::vector<Neighbour> neighbours;
  for (int w = 0; w < windows; ++w) {
    const double query_s = 0.25 * w;
    const double start_s = reference_s + slope * query_s;
    neighbours.push_back(
        {w, source, {{query_s, query_s + 2}, {start_s, start_s + 2 * slope}, slope}, similarity});
  }
  return neighbours;
}

void Append(std::vector<Neighbour>& to, const std::vector<Neighbour>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

TEST(Judge, AClearLineIsAMatchWithItsPlaceAndTempo) {
  std::vector<Neighbour> neighbours = Line(5, 33, 40, 0.8f, 1.189);
  Append(neighbours, Line(6, 2, 10, 0.7f));
  const Identification result = VoteAndJudge(neighbours, 33, {}, kEachItsOwnPiece);
  EXPECT_EQ(result.verdict, Verdict::kMatch);
  ASSERT_EQ(result.candidates.size(), 2u);
  const Candidate& best = result.candidates[0];
  EXPECT_EQ(best.source, 5);
  EXPECT_EQ(best.votes, 33);
  EXPECT_NEAR(best.match.slope, 1.189, 0.01);
  // Middles of windows are compared, so the line does not depend on the hypothesis being right.
  EXPECT_NEAR(best.place.reference_s, 40 + 1.189 * best.place.query_s, 0.1);
  EXPECT_GT(best.confidence, 0.9);
  // From the first window's start to the last one's end, and the same along the line.
  EXPECT_DOUBLE_EQ(best.match.query.start_s, 0);
  EXPECT_DOUBLE_EQ(best.match.query.end_s, 32 * 0.25 + 2);
  EXPECT_NEAR(best.match.reference.start_s, 40, 0.01);
  EXPECT_NEAR(best.match.reference.end_s, 40 + 1.189 * 10, 0.01);
  EXPECT_NEAR(best.similarity, 0.8, 1e-6);
  EXPECT_LT(result.candidates[1].confidence, 0.5);
}

TEST(Judge, ScatteredNeighboursAreNoMatch) {
  std::mt19937 rng(3);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<Neighbour> neighbours;
  for (int w = 0; w < 33; ++w) {
    for (int i = 0; i < 25; ++i) {
      const double start_s = 200 * uniform(rng);
      neighbours.push_back({w,
                            static_cast<int>(100 * uniform(rng)),
                            {{0.25 * w, 0.25 * w + 2}, {start_s, start_s + 2}, 1.0},
                            static_cast<float>(0.4 + 0.3 * uniform(rng))});
    }
  }
  for (const VoteMethod method : {VoteMethod::kInTime, VoteMethod::kPlain}) {
    const Identification result =
        VoteAndJudge(neighbours, 33, {.method = method}, kEachItsOwnPiece);
    EXPECT_EQ(result.verdict, Verdict::kNoMatch);
    EXPECT_EQ(result.candidates.size(), 5u);
  }
}

TEST(Judge, NoNeighboursAreNoMatch) {
  const Identification result = VoteAndJudge({}, 33, {}, kEachItsOwnPiece);
  EXPECT_EQ(result.verdict, Verdict::kNoMatch);
  EXPECT_TRUE(result.candidates.empty());
}

TEST(Judge, TwoRecordingsOfOnePieceAreNoRivals) {
  std::vector<Neighbour> neighbours = Line(0, 33, 40, 0.8f);
  Append(neighbours, Line(1, 33, 20, 0.79f));
  const Identification rivals = VoteAndJudge(neighbours, 33, {}, kEachItsOwnPiece);
  const Identification same = VoteAndJudge(neighbours, 33, {}, [](int, int) { return true; });
  EXPECT_GT(same.candidates[0].confidence, rivals.candidates[0].confidence);
  EXPECT_GT(same.candidates[1].confidence, 0.9);
}

TEST(Judge, AnAnswerAtAnotherPitchHadManyChances) {
  const std::vector<Neighbour> neighbours = Line(0, 33, 40, 0.6f);
  const std::vector<SourceScore> scores =
      RankSources(neighbours, 33, catalog::Side::kScores, VoteMethod::kInTime);
  const auto odds_at = [&](int transposition) {
    const Candidate best =
        Judge(scores, 33, {}, {}, {kEachItsOwnPiece}, transposition).candidates.at(0);
    EXPECT_EQ(best.transposition, transposition);
    return best.confidence / (1 - best.confidence);
  };
  EXPECT_NEAR(odds_at(1), odds_at(0) / 3, 1e-6);
  EXPECT_NEAR(odds_at(-2), odds_at(0) / 5, 1e-6);
}

TEST(Judge, ThePlainVoteIsAChoice) {
  std::vector<Neighbour> neighbours = Line(1, 20, 40, 0.7f);
  for (int i = 0; i < 3; ++i) {
    for (Neighbour n : Line(2, 20, 0, 0.6f)) {
      Span& reference = n.match.reference;
      reference.start_s =
          std::fmod(n.match.query.start_s * 37.7 + i * 61, 200);  // all over the place
      reference.end_s = reference.start_s + 2;
      neighbours.push_back(n);
    }
  }
  const Identification plain =
      VoteAndJudge(neighbours, 20, {.method = VoteMethod::kPlain}, kEachItsOwnPiece);
  EXPECT_EQ(plain.candidates[0].source, 2);
  // It knows no line: the place is the most similar neighbour's window.
  EXPECT_DOUBLE_EQ(plain.candidates[0].match.query.length_s(), 2);
  EXPECT_DOUBLE_EQ(plain.candidates[0].match.reference.length_s(), 2);
  EXPECT_FLOAT_EQ(plain.candidates[0].similarity, 0.6f);
  EXPECT_EQ(VoteAndJudge(neighbours, 20, {.method = VoteMethod::kInTime}, kEachItsOwnPiece)
                .candidates[0]
                .source,
            1);
}

TEST(Judge, GivesNoMoreCandidatesThanAskedForAndKeepsToTheLeastConfidence) {
  std::vector<Neighbour> neighbours;
  for (int source = 0; source < 30; ++source)
    Append(neighbours, Line(source, 33, 10, 0.5f + 0.01f * source));
  const Identification result =
      VoteAndJudge(neighbours, 33, {.top_k = 3, .min_confidence = 1.0}, kEachItsOwnPiece);
  ASSERT_EQ(result.candidates.size(), 3u);
  EXPECT_EQ(result.candidates[0].source, 29);
  EXPECT_EQ(result.verdict, Verdict::kNoMatch);
}

}  // namespace
}  // namespace antiphon::matching
