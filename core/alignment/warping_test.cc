#include "core/alignment/warping.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "core/alignment/alignment_test_util.h"

namespace antiphon::alignment {
namespace {

// Each frame twice, from the middle on once.
std::vector<int64_t> SlowThenFast(int64_t frames) {
  std::vector<int64_t> order;
  for (int64_t i = 0; i < frames; ++i) order.insert(order.end(), i < frames / 2 ? 2 : 1, i);
  return order;
}

void ExpectStepsByOne(const std::vector<WarpStep>& path) {
  for (size_t i = 1; i < path.size(); ++i) {
    const int64_t a = path[i].a - path[i - 1].a;
    const int64_t b = path[i].b - path[i - 1].b;
    EXPECT_TRUE(a >= 0 && a <= 1 && b >= 0 && b <= 1 && a + b > 0);
  }
}

TEST(CheapestPathTest, OfASequenceWithItselfIsTheDiagonal) {
  const FrameFeatures features = RandomFeatures(50, 1);
  for (const int64_t band : {-1, 5}) {
    const std::vector<WarpStep> path = CheapestPath(features, features, {.band = band});
    ASSERT_EQ(path.size(), 50u);
    for (size_t i = 0; i < path.size(); ++i) EXPECT_EQ(path[i].a, path[i].b);
  }
}

TEST(CheapestPathTest, FindsAChangeOfTempoInEitherSequence) {
  const FrameFeatures features = RandomFeatures(80, 2);
  const std::vector<int64_t> order = SlowThenFast(80);
  const FrameFeatures slowed = Reordered(features, order);
  for (const int64_t band : {-1, 30}) {
    for (const WarpStep& step : CheapestPath(slowed, features, {.band = band}))
      EXPECT_EQ(order[step.a], step.b);
    const std::vector<WarpStep> path = CheapestPath(features, slowed, {.band = band});
    for (const WarpStep& step : path) EXPECT_EQ(order[step.b], step.a);
    ExpectStepsByOne(path);
    EXPECT_EQ(path.front().a, 0);
    EXPECT_EQ(path.front().b, 0);
    EXPECT_EQ(path.back().a, 79);
    EXPECT_EQ(path.back().b, slowed.frames() - 1);
  }
}

TEST(CheapestPathTest, StaysInItsBand) {
  const FrameFeatures a = RandomFeatures(60, 3);
  const FrameFeatures b = RandomFeatures(90, 4);
  for (const WarpStep& step : CheapestPath(a, b, {.band = 8})) {
    EXPECT_LE(std::abs(step.b - step.a * 90 / 60), 17);  // at the ends the band is pushed inwards
  }
}

TEST(CheapestPathTest, FindsAPartWhereTheEndsAreOpen) {
  const FrameFeatures whole = RandomFeatures(100, 5);
  std::vector<int64_t> order;
  for (int64_t i = 20; i < 70; ++i) order.push_back(i);
  const WarpOptions options = {.hold_cost = 0.5, .open_start = 40, .open_end = 40};
  const std::vector<WarpStep> path = CheapestPath(Reordered(whole, order), whole, options);
  ASSERT_EQ(path.size(), order.size());
  for (const WarpStep& step : path) EXPECT_EQ(order[step.a], step.b);
}

TEST(CheapestPathTest, OfSingleFramesIsOneStep) {
  const FrameFeatures one = RandomFeatures(1, 6);
  EXPECT_EQ(CheapestPath(one, one, {}).size(), 1u);
  EXPECT_EQ(CheapestPath(one, RandomFeatures(4, 7), {}).size(), 4u);
  EXPECT_EQ(CheapestPath(RandomFeatures(4, 7), one, {.band = 0}).size(), 4u);
}

}  // namespace
}  // namespace antiphon::alignment
