#include "core/matching/hits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace antiphon::matching {
namespace {

// A window of 2 s at query_s that matches the source's 2·slope s from reference_s.
Neighbour At(int source, double query_s, double reference_s, float similarity, double slope = 1.0) {
  return {static_cast<int>(query_s / 0.5),
          source,
          {{query_s, query_s + 2}, {reference_s, reference_s + 2 * slope}, slope},
          similarity};
}

TEST(MergeIntoHits, NothingGivesNothing) { EXPECT_TRUE(MergeIntoHits({}, 10).empty()); }

TEST(MergeIntoHits, NeighboursAlongOneLineBecomeOneStretch) {
  std::vector<Neighbour> neighbours;
  for (int i = 0; i < 20; ++i)
    neighbours.push_back(At(3, i * 0.5, 30 + i * 0.595, i == 7 ? 0.9f : 0.7f, 1.19));
  const auto hits = MergeIntoHits(neighbours, 10);
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].source, 3);
  EXPECT_DOUBLE_EQ(hits[0].match.query.start_s, 0);
  EXPECT_DOUBLE_EQ(hits[0].match.query.end_s, 11.5);
  EXPECT_DOUBLE_EQ(hits[0].match.reference.start_s, 30);
  EXPECT_NEAR(hits[0].match.reference.end_s, 30 + 19 * 0.595 + 2.38, 1e-9);
  EXPECT_FLOAT_EQ(hits[0].similarity, 0.9f);
  EXPECT_DOUBLE_EQ(hits[0].match.slope, 1.19);
}

TEST(MergeIntoHits, EvidenceIsWhatLiesOnTheLineByTime) {
  std::vector<Neighbour> neighbours = {At(3, 0.5, 90, 0.6f)};  // elsewhere in the piece
  for (int i = 19; i >= 0; --i)
    neighbours.push_back(At(3, i * 0.5, 30 + i * 0.595, i == 7 ? 0.9f : 0.7f, 1.19));
  neighbours.push_back(At(3, 2, 31, 0.5f, 2.0));  // another tempo of the same place
  EXPECT_TRUE(MergeIntoHits(neighbours, 10)[0].evidence.empty());
  const auto hits = MergeIntoHits(neighbours, 10, true);
  ASSERT_EQ(hits[0].evidence.size(), 20u);
  for (int i = 0; i < 20; ++i) {
    const Evidence& evidence = hits[0].evidence[i];
    EXPECT_DOUBLE_EQ(evidence.match.query.start_s, i * 0.5);
    EXPECT_DOUBLE_EQ(evidence.match.query.end_s, i * 0.5 + 2);
    EXPECT_DOUBLE_EQ(evidence.match.reference.start_s, 30 + i * 0.595);
    EXPECT_DOUBLE_EQ(evidence.match.reference.end_s, 30 + i * 0.595 + 2.38);
    EXPECT_DOUBLE_EQ(evidence.match.slope, 1.19);
    EXPECT_FLOAT_EQ(evidence.similarity, i == 7 ? 0.9f : 0.7f);
  }
}

TEST(MergeIntoHits, OverlappingTemposOfOnePlaceGoIntoTheBest) {
  const std::vector<Neighbour> neighbours = {At(1, 0, 10, 0.9f), At(1, 0, 9.5, 0.8f, 2.0),
                                             At(1, 0.5, 10, 0.7f, 0.5)};
  const auto hits = MergeIntoHits(neighbours, 10);
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_DOUBLE_EQ(hits[0].match.slope, 1.0);
  EXPECT_DOUBLE_EQ(hits[0].match.query.end_s, 2);  // another tempo does not carry the line on
}

TEST(MergeIntoHits, RepeatsInThePieceAndInTheQueryStayApart) {
  const std::vector<Neighbour> neighbours = {At(1, 0, 10, 0.9f), At(1, 0, 50, 0.8f),
                                             At(1, 30, 10, 0.7f)};
  EXPECT_EQ(MergeIntoHits(neighbours, 10).size(), 3u);
}

TEST(MergeIntoHits, FarLessSimilarNeighboursDoNotStretchAHit) {
  const std::vector<Neighbour> neighbours = {At(1, 0, 10, 0.9f), At(1, 0.5, 10.5, 0.4f),
                                             At(1, 1, 11, 0.85f)};
  const auto hits = MergeIntoHits(neighbours, 10);
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_DOUBLE_EQ(hits[0].match.query.end_s, 3);
}

TEST(MergeIntoHits, GivesTheBestFirstAndNoMoreThanAskedFor) {
  std::vector<Neighbour> neighbours;
  for (int source = 0; source < 30; ++source)
    neighbours.push_back(At(source, 0, 5, 0.5f + 0.01f * source));
  const auto hits = MergeIntoHits(neighbours, 7);
  ASSERT_EQ(hits.size(), 7u);
  for (size_t i = 0; i < hits.size(); ++i) EXPECT_EQ(hits[i].source, 29 - static_cast<int>(i));
}

TEST(MergeIntoHits, HitsOfOneSourceNeverOverlapInBothAndTheOrderDoesNotMatter) {
  std::mt19937 rng(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int round = 0; round < 20; ++round) {
    std::vector<Neighbour> neighbours;
    for (int i = 0; i < 300; ++i) {
      neighbours.push_back(At(static_cast<int>(3 * uniform(rng)),
                              0.5 * static_cast<int>(60 * uniform(rng)), 100 * uniform(rng),
                              static_cast<float>(0.3 + 0.7 * uniform(rng)),
                              uniform(rng) < 0.5 ? 1.0 : 1.19));
    }
    const auto hits = MergeIntoHits(neighbours, 1000);
    for (size_t a = 0; a < hits.size(); ++a) {
      EXPECT_LT(hits[a].match.query.start_s, hits[a].match.query.end_s);
      EXPECT_LT(hits[a].match.reference.start_s, hits[a].match.reference.end_s);
      EXPECT_LE(hits[a].similarity, hits[a > 0 ? a - 1 : 0].similarity);
    }
    std::shuffle(neighbours.begin(), neighbours.end(), rng);
    const auto shuffled = MergeIntoHits(neighbours, 1000);
    ASSERT_EQ(shuffled.size(), hits.size());
    for (size_t a = 0; a < hits.size(); ++a) {
      EXPECT_EQ(shuffled[a].source, hits[a].source);
      EXPECT_DOUBLE_EQ(shuffled[a].match.query.start_s, hits[a].match.query.start_s);
      EXPECT_DOUBLE_EQ(shuffled[a].match.reference.end_s, hits[a].match.reference.end_s);
    }
  }
}

TEST(MergeIntoHits, APartIsAFindingOfItsOwnUnlessTheWholeIsMoreAlike) {
  std::vector<Neighbour> neighbours;
  for (int i = 0; i < 8; ++i) {
    neighbours.push_back(At(3, i * 0.5, 30 + i * 0.5, 0.7f));
    neighbours.push_back(At(3, i * 0.5, 30 + i * 0.5, 0.9f));
    neighbours.back().part = 1;
    neighbours.push_back(At(3, i * 0.5, 80 + i * 0.5, 0.6f));
    neighbours.back().part = 0;
  }
  const auto hits = MergeIntoHits(neighbours, 10);
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0].part, 1);
  EXPECT_EQ(hits[0].match.reference.start_s, 30);
  EXPECT_EQ(hits[1].part, 0);
  EXPECT_EQ(hits[1].match.reference.start_s, 80);
}

}  // namespace
}  // namespace antiphon::matching
