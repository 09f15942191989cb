#include "core/retrieval/path_match.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <random>
#include <utility>
#include <vector>

#include "core/collection/bundle_builder.h"
#include "core/retrieval/path_test_util.h"

namespace antiphon::retrieval {
namespace {

// Similarities of noise below the floor, and of `high` where row r meets the column that
// `column_of` names.
template <typename ColumnOf>
std::vector<float> Similarities(int rows, int columns, float high, ColumnOf column_of) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> noise(-0.2f, 0.25f);
  std::vector<float> similarities(static_cast<size_t>(rows) * columns);
  for (float& value : similarities) value = noise(random);
  for (int row = 0; row < rows; ++row) {
    const int column = column_of(row);
    if (column >= 0 && column < columns)
      similarities[static_cast<size_t>(row) * columns + column] = high;
  }
  return similarities;
}

// The ends of the path, as its steps say.
struct Ends {
  double score = 0;
  int first_row = 0, last_row = 0;
  double first_column = 0, last_column = 0;
};

Ends BestPath(const std::vector<float>& similarities, int rows, int columns, double step,
              int cells = 1) {
  Ends ends{.score = PathScore(similarities, rows, columns, step, cells)};
  const std::vector<PathStep> steps = TracePath(similarities, rows, columns, step, cells);
  if (steps.empty()) return ends;
  return {ends.score, steps.front().row, steps.back().row, steps.front().column,
          steps.back().column};
}

TEST(BestPathTest, FindsTheDiagonalAndItsWeight) {
  const auto similarities = Similarities(12, 80, 0.65f, [](int row) { return 30 + row; });
  const Ends path = BestPath(similarities, 12, 80, 1.0);
  EXPECT_NEAR(path.score, 12 * 0.5, 1e-3);
  EXPECT_EQ(path.first_row, 0);
  EXPECT_EQ(path.last_row, 11);
  EXPECT_DOUBLE_EQ(path.first_column, 30);
  EXPECT_DOUBLE_EQ(path.last_column, 41);
}

TEST(BestPathTest, GoesAsFastAsTheStepSays) {
  // Windows of the query lie twice as dense as those of the run: every second one meets a window.
  const auto similarities =
      Similarities(21, 80, 1.0f, [](int row) { return row % 2 == 0 ? 10 + row / 2 : -1; });
  const Ends path = BestPath(similarities, 21, 80, 0.5);
  EXPECT_EQ(path.last_row - path.first_row, 20);
  EXPECT_NEAR(path.last_column - path.first_column, 10, 1.01);
  EXPECT_GT(path.score, 10.9);
}

TEST(BestPathTest, WaitsAndHurriesAtAPrice) {
  // The player lingers for two windows, and later skips one.
  const int columns[] = {5, 6, 7, 7, 7, 8, 9, 11, 12, 13};
  const auto similarities = Similarities(10, 40, 1.0f, [&](int row) { return columns[row]; });
  const Ends path = BestPath(similarities, 10, 40, 1.0);
  EXPECT_NEAR(path.score, 10 - 3 * 0.1, 1e-3);
  EXPECT_DOUBLE_EQ(path.first_column, 5);
  EXPECT_DOUBLE_EQ(path.last_column, 13);
}

TEST(BestPathTest, KeepsToATempoBetweenWindowsThatLieFarApart) {
  // Four windows of the run for each of the query; the player is a little slower, then faster.
  const int columns[] = {10, 14, 17, 21, 26, 30};
  const auto similarities = Similarities(6, 60, 1.0f, [&](int row) { return columns[row]; });
  const Ends path = BestPath(similarities, 6, 60, 4.0, 4);
  EXPECT_LT(path.score, 6);
  EXPECT_GT(path.score, 6 - 0.1);  // less than for a window that is waited for
  EXPECT_DOUBLE_EQ(path.first_column, 10);
  EXPECT_DOUBLE_EQ(path.last_column, 30);
}

TEST(BestPathTest, NeitherStandsNorRunsBetweenWindowsThatLieFarApart) {
  const int columns[] = {10, 10, 10, 30, 30, 30};
  const auto similarities = Similarities(6, 60, 1.0f, [&](int row) { return columns[row]; });
  EXPECT_LE(BestPath(similarities, 6, 60, 4.0, 4).score, 2);  // one of either place
}

TEST(BestPathTest, ADiagonalWeighsMoreThanTheSameSimilaritiesScattered) {
  std::vector<int> scattered(20);
  std::mt19937 random(9);
  for (int& column : scattered) column = static_cast<int>(random() % 200);
  const auto line = Similarities(20, 200, 0.8f, [](int row) { return 50 + row; });
  const auto dust = Similarities(20, 200, 0.8f, [&](int row) { return scattered[row]; });
  EXPECT_GT(BestPath(line, 20, 200, 1.0).score, 2 * BestPath(dust, 20, 200, 1.0).score);
}

TEST(BestPathTest, NothingAboveTheFloorIsNoPath) {
  const std::vector<float> similarities(50, 0.3f);
  EXPECT_EQ(BestPath(similarities, 5, 10, 1.0).score, 0);
  EXPECT_EQ(BestPath(std::vector<float>(4, -1.0f), 4, 1, 0.5).score, 0);
}

TEST(BestPathTest, ARunShorterThanTheQueryCountsAsFarAsItGoes) {
  const auto similarities = Similarities(30, 5, 1.0f, [](int row) { return row - 10; });
  const Ends path = BestPath(similarities, 30, 5, 1.0);
  EXPECT_NEAR(path.score, 5, 0.3);
  EXPECT_EQ(path.first_row, 10);
}

// Whatever the shape, the same path as cell by cell, bit for bit: many windows of the query to one
// of the run and the reverse, few cells and many, ties.
TEST(BestPathTest, IsThatOfThePlainRecursion) {
  std::mt19937 random(11);
  std::uniform_real_distribution<float> uniform(-1, 1);
  int paths = 0;
  for (int trial = 0; trial < 600; ++trial) {
    const int rows = 1 + static_cast<int>(random() % 40);
    const int columns = 1 + static_cast<int>(random() % (trial % 3 == 0 ? 8 : 300));
    const double steps[] = {
        0.01, 0.2, 5.0 / 11, 0.5, 1, 1.0 / 3, 1.5, 2.7, 4, 40, 0.25 * std::exp2(0.25)};
    const double step = steps[random() % std::size(steps)];
    const int cells = trial % 2 == 0 ? 1 : 1 + static_cast<int>(random() % 12);
    std::vector<float> similarities(static_cast<size_t>(rows) * columns);
    for (float& value : similarities) {
      value = uniform(random);
      if (trial % 4 < 2) value = std::round(value * 4) / 4;
    }
    const ReferencePath expected = ReferencePathOf(similarities, rows, columns, step, cells);
    const Ends found = BestPath(similarities, rows, columns, step, cells);
    ASSERT_EQ(found.score, expected.score)
        << rows << " x " << columns << ", " << step << ", " << cells;
    ASSERT_EQ(found.first_row, expected.first_row)
        << rows << " x " << columns << ", " << step << ", " << cells;
    ASSERT_EQ(found.last_row, expected.last_row)
        << rows << " x " << columns << ", " << step << ", " << cells;
    ASSERT_EQ(found.first_column, expected.first_column)
        << rows << " x " << columns << ", " << step << ", " << cells;
    ASSERT_EQ(found.last_column, expected.last_column)
        << rows << " x " << columns << ", " << step << ", " << cells;
    paths += found.score > 0;
  }
  EXPECT_GT(paths, 500);
}

TEST(TracePathTest, GoesThroughEveryRowOfTheBestPath) {
  const int columns[] = {5, 6, 7, 7, 7, 8, 9, 11, 12, 13};
  const auto similarities = Similarities(10, 40, 1.0f, [&](int row) { return columns[row]; });
  const std::vector<PathStep> steps = TracePath(similarities, 10, 40, 1.0);
  ASSERT_EQ(steps.size(), 10u);
  for (int row = 0; row < 10; ++row) {
    EXPECT_EQ(steps[row].row, row);
    EXPECT_DOUBLE_EQ(steps[row].column, columns[row]);
    EXPECT_NEAR(steps[row].weight, 1, 1e-6);
    EXPECT_NEAR(steps[row].similarity, 1, 1e-6);
  }
  EXPECT_TRUE(TracePath(std::vector<float>(50, 0.0f), 5, 10, 1.0).empty());
}

TEST(TracePathTest, BeginsWhereThePathBeginsAndTellsWhatIsBelowTheFloor) {
  // Nothing in common at first, and once in between.
  auto similarities = Similarities(12, 40, 0.9f, [](int row) { return row >= 4 ? 6 + row : -1; });
  similarities[7 * 40 + 13] = 0.1f;
  const std::vector<PathStep> steps = TracePath(similarities, 12, 40, 1.0);
  ASSERT_EQ(steps.size(), 8u);
  EXPECT_EQ(steps.front().row, 4);
  EXPECT_DOUBLE_EQ(steps.front().column, 10);
  EXPECT_EQ(steps[3].weight, 0);
  EXPECT_NEAR(steps[3].similarity, 0.1, 1e-6);
}

constexpr int kDimension = 16;
constexpr double kHop_s = 0.5;

// A made source: at every moment a vector between those of the seconds around it.
class MadeSource {
 public:
  explicit MadeSource(int seconds) : seconds_(seconds), vectors_((seconds + 1) * kDimension) {
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    for (float& value : vectors_) value = normal(random);
  }

  std::vector<float> At(double time_s) const {
    const int before = std::min(static_cast<int>(time_s), seconds_ - 1);
    const auto part = static_cast<float>(time_s - before);
    std::vector<float> vector(kDimension);
    float square = 0;
    for (int i = 0; i < kDimension; ++i) {
      vector[i] = vectors_[before * kDimension + i] * (1 - part) +
                  vectors_[(before + 1) * kDimension + i] * part;
      square += vector[i] * vector[i];
    }
    for (float& value : vector) value /= std::sqrt(square);
    return vector;
  }

  // The windows that begin from one moment to another.
  SearchSpace::Run RunAt(double tempo_ratio, double from_s, double to_s) const {
    SearchSpace::Run run;
    run.run.tempo_ratio = tempo_ratio;
    run.run.start_s = from_s;
    run.run.hop_s = kHop_s * tempo_ratio;
    run.run.window_s = 2 * tempo_ratio;
    for (double at = from_s; at < to_s; at += run.run.hop_s, ++run.run.count) {
      const std::vector<float> vector = At(at);
      run.vectors.insert(run.vectors.end(), vector.begin(), vector.end());
    }
    return run;
  }

 private:
  const int seconds_;
  std::vector<float> vectors_;
};

// A search space of that source alone, with a pause in it, which counts the runs that were read.
struct MadeSpace {
  explicit MadeSpace(const MadeSource& source) {
    for (const double tempo_ratio : collection::DefaultTempoRatios()) {
      runs.push_back(source.RunAt(tempo_ratio, 0, 40));
      runs.push_back(source.RunAt(tempo_ratio, 45, 120));
    }
    space.read_runs = [this](int, const collection::RunFilter& filter) {
      std::vector<SearchSpace::Run> wanted = RunsThatPass(runs, filter);
      read = wanted.size();
      return wanted;
    };
  }

  std::vector<SearchSpace::Run> runs;
  SearchSpace space;
  size_t read = 0;  // runs, of the last reading
};

TEST(MatchPathsTest, AKnownTempoLeadsToTheSamePath) {
  const MadeSource source(120);
  MadeSpace made(source);
  // At 1.25 the best run is the one at 1.41; by the tempo that is known it is not the nearest.
  for (const auto& [slope, known_slope] :
       {std::pair(0.6, 0.63), std::pair(0.95, 1.0), std::pair(1.25, 1.15), std::pair(1.7, 1.6)}) {
    matching::EmbeddingSequence windows{.dimension = kDimension, .window_s = 2, .hop_s = 0.25};
    for (int i = 0; i < 33; ++i) {
      windows.start_s.push_back(i * windows.hop_s);
      const std::vector<float> vector = source.At(70 + slope * windows.start_s.back());
      windows.embeddings.insert(windows.embeddings.end(), vector.begin(), vector.end());
    }
    const EmbeddedQuery query = QueryOf(windows, 10);
    const Reading anyhow, known{.slope = known_slope};
    const auto all = MatchPaths(made.space, query, {&anyhow, 1});
    EXPECT_EQ(made.read, made.runs.size());
    const auto few = MatchPaths(made.space, query, {&known, 1});
    EXPECT_LE(made.read, 4u);
    ASSERT_TRUE(all.ok() && few.ok());
    EXPECT_GT(all->at(0).score, 0.85) << slope;
    EXPECT_NEAR(few->at(0).score, all->at(0).score, 0.02) << slope;
    EXPECT_EQ(few->at(0).windows, 33) << slope;
    const matching::Place& place = few->at(0).place;
    EXPECT_NEAR(place.reference_s, 70 + slope * place.query_s, 0.4) << slope;
    EXPECT_NEAR(few->at(0).match.slope, slope, 0.05 * slope);
  }
}

}  // namespace
}  // namespace antiphon::retrieval
