#include "core/retrieval/path_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <vector>

namespace antiphon::retrieval {
namespace {

std::vector<float> Uniform(std::mt19937& random, int count, float low, float high) {
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(random);
  return values;
}

TEST(CellsTest, LieBetweenTheWindowsFromTheFirstToTheLast) {
  const Cells cells(5, 0.5);
  ASSERT_EQ(cells.count(), 9);
  const float similarities[] = {0, 1, 0.5f, -1, 0.25f};
  EXPECT_FLOAT_EQ(cells.SimilarityAt(similarities, 0), 0);
  EXPECT_FLOAT_EQ(cells.SimilarityAt(similarities, 1), 0.5f);
  EXPECT_FLOAT_EQ(cells.SimilarityAt(similarities, 3), 0.75f);
  EXPECT_FLOAT_EQ(cells.SimilarityAt(similarities, 8), 0.25f);
  EXPECT_DOUBLE_EQ(cells.ColumnOf(8), 4);
  EXPECT_EQ(Cells(1, 0.5).count(), 1);
  EXPECT_EQ(Cells(5, 7).count(), 1);
}

// Every processor must find the same paths, so that every kind of kernels is compared with the
// formula, bit for bit.
class RowKernelsTest : public testing::TestWithParam<const RowKernels*> {
 protected:
  void SetUp() override {
    if (GetParam() == nullptr) GTEST_SKIP() << "this processor lacks the instructions";
  }
};

TEST_P(RowKernelsTest, WeighsEveryCell) {
  std::mt19937 random(1);
  for (const int columns : {1, 2, 15, 16, 17, 33, 300}) {
    for (const double spacing : {0.01, 0.3, 5.0 / 11, 0.5, 1.0, 1.9, 2.1, 2.6, 17.0}) {
      // Of its size exactly, so that a sanitizer sees what is read beyond.
      const std::vector<float> similarities = Uniform(random, columns, -1, 1);
      const Cells cells(columns, spacing);
      std::vector<float> weights(cells.count() + ScoreRows::kLanes);
      GetParam()->weigh(cells, similarities.data(), weights.data());
      for (int cell = 0; cell < cells.count(); ++cell) {
        ASSERT_EQ(weights[cell], WeightOf(cells.SimilarityAt(similarities.data(), cell)))
            << columns << " columns, spacing " << spacing << ", cell " << cell;
      }
    }
  }
}

// Rows of so many cells after a row of random scores, with weights as `weigh` leaves them.
struct Rows {
  Rows(std::mt19937& random, int count) : cells(count, 1) {
    scores.Set(2, count);
    const std::vector<float> before = Uniform(random, count, 0, 3);
    std::copy(before.begin(), before.end(), scores.row(0));
    const std::vector<float> similarities = Uniform(random, count, -1, 1);
    weights.resize(count + ScoreRows::kLanes);
    RowKernels::Portable().weigh(cells, similarities.data(), weights.data());
  }
  float Before(int cell) const { return cell < 0 ? 0 : scores.row(0)[cell]; }

  Cells cells;
  ScoreRows scores;
  std::vector<float> weights;
};

TEST_P(RowKernelsTest, FollowsThePathsOfTheRowBefore) {
  std::mt19937 random(2);
  for (const int count : {1, 2, 15, 16, 17, 100}) {
    Rows rows(random, count);
    const float best = GetParam()->follow(rows.scores.row(0), rows.weights.data(), count, 0.1f,
                                          rows.scores.row(1));
    float expected_best = 0;
    for (int cell = 0; cell < count; ++cell) {
      const float expected = std::max({0.0f, rows.Before(cell - 1), rows.Before(cell) - 0.1f,
                                       rows.Before(cell - 2) - 0.1f}) +
                             rows.weights[cell];
      ASSERT_EQ(rows.scores.row(1)[cell], expected) << cell << " of " << count;
      expected_best = std::max(expected_best, expected);
    }
    EXPECT_EQ(best, expected_best);
    EXPECT_EQ(rows.scores.row(1)[CellWith(rows.scores.row(1), count, best)], best);
  }
}

TEST_P(RowKernelsTest, AdvancesByPricesAndJumps) {
  std::mt19937 random(3);
  for (const int count : {1, 7, 16, 33, 100}) {
    for (const int least : {0, 1, 12}) {
      for (const float jump : {-1.0f, 1.5f}) {
        Rows rows(random, count);
        const std::vector<float> prices = Uniform(random, 1 + least, 0, 0.3f);
        const float best = GetParam()->advance(rows.scores.row(0), rows.weights.data(), count,
                                               least, prices, jump, 0.2f, rows.scores.row(1));
        float expected_best = 0;
        for (int cell = 0; cell < count; ++cell) {
          float expected = std::max(0.0f, jump);
          for (int i = 0; i < std::ssize(prices); ++i)
            expected = std::max(expected, rows.Before(cell - least - i) - prices[i]);
          expected = std::max(0.0f, expected + rows.weights[cell] - 0.2f);
          ASSERT_EQ(rows.scores.row(1)[cell], expected) << cell << " of " << count;
          expected_best = std::max(expected_best, expected);
        }
        EXPECT_EQ(best, expected_best);
      }
    }
  }
}

constexpr const char* kKernelNames[] = {"Portable", "Avx2", "Best"};
INSTANTIATE_TEST_SUITE_P(Kernels, RowKernelsTest,
                         testing::Values(&RowKernels::Portable(), RowKernels::Avx2(),
                                         &RowKernels::Best()),
                         [](const auto& info) { return kKernelNames[info.index]; });

}  // namespace
}  // namespace antiphon::retrieval
