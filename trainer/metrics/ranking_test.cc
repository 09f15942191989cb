#include "trainer/metrics/ranking.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace antiphon::trainer::metrics {
namespace {

std::vector<float> RandomRows(int rows, int dimension, int seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(rows * dimension);
  for (float& value : values) value = normal(random);
  return values;
}

TEST(RankingTest, RanksByHand) {
  // Query 0 is nearest its own; query 1's own is beaten by candidates 0 and 2; query 2's by none.
  const std::vector<float> queries = {1, 0, 0, 1, 1, 1};
  const std::vector<float> candidates = {1, 0.5f, 0, 0.2f, 0.9f, 0.9f};
  EXPECT_EQ(RanksOfCounterparts(queries, candidates, 2), (std::vector<int64_t>{1, 3, 1}));
}

TEST(RankingTest, TiesCountAgainst) {
  const std::vector<float> same(5 * 3, 1.0f);
  EXPECT_EQ(RanksOfCounterparts(same, same, 3), std::vector<int64_t>(5, 5));
  EXPECT_EQ(Summarise(RanksOfCounterparts(same, same, 3)).recall_at_1, 0);
}

TEST(RankingTest, EqualsADirectComputation) {
  constexpr int kRows = 150, kDimension = 37;
  const auto a = RandomRows(kRows, kDimension, 1), b = RandomRows(kRows, kDimension, 2);
  const auto ranks = RanksOfCounterparts(a, b, kDimension);
  const auto similarity = [&](int query, int candidate) {
    double sum = 0;
    for (int i = 0; i < kDimension; ++i)
      sum += static_cast<double>(a[query * kDimension + i]) * b[candidate * kDimension + i];
    return sum;
  };
  for (int query = 0; query < kRows; ++query) {
    int64_t rank = 1;
    for (int other = 0; other < kRows; ++other)
      rank += other != query && similarity(query, other) >= similarity(query, query);
    EXPECT_EQ(ranks[query], rank) << query;
  }
}

TEST(RankingTest, SummaryByHand) {
  const RankingFigures figures = Summarise({1, 2, 4, 30});
  EXPECT_DOUBLE_EQ(figures.recall_at_1, 0.25);
  EXPECT_DOUBLE_EQ(figures.recall_at_5, 0.75);
  EXPECT_DOUBLE_EQ(figures.recall_at_25, 0.75);
  EXPECT_DOUBLE_EQ(figures.mean_reciprocal_rank, (1 + 0.5 + 0.25 + 1.0 / 30) / 4);
  EXPECT_DOUBLE_EQ(figures.median_rank, 3);
}

TEST(RankingTest, RandomFiguresAreWhatRandomVectorsGive) {
  constexpr int kRows = 1000;
  const RankingFigures expected = RandomFigures(kRows);
  const RankingFigures measured =
      Summarise(RanksOfCounterparts(RandomRows(kRows, 16, 3), RandomRows(kRows, 16, 4), 16));
  EXPECT_NEAR(measured.recall_at_25, expected.recall_at_25, 0.02);
  EXPECT_NEAR(measured.mean_reciprocal_rank, expected.mean_reciprocal_rank, 0.005);
  EXPECT_NEAR(measured.median_rank, expected.median_rank, 60);
}

TEST(RankingTest, WhatIsAlikeIsNoRival) {
  const std::vector<float> same(5 * 3, 0.5f);
  const std::vector<uint64_t> alike = {7, 7, 8, 8, 9};
  EXPECT_EQ(RanksOfCounterparts(same, same, 3, alike), (std::vector<int64_t>{4, 4, 4, 4, 5}));
}

}  // namespace
}  // namespace antiphon::trainer::metrics
