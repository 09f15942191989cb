#include "core/alignment/jump_path.h"

#include <gtest/gtest.h>

#include <numeric>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/alignment/alignment_test_util.h"

namespace antiphon::alignment {
namespace {

// Stretches of frames, one after the other.
std::vector<int64_t> Order(const std::vector<std::pair<int64_t, int64_t>>& stretches) {
  std::vector<int64_t> order;
  for (const auto& [first, end] : stretches) {
    for (int64_t i = first; i < end; ++i) order.push_back(i);
  }
  return order;
}

// A bar line every ten frames, a beat between.
std::vector<Line> Lines(int64_t frames) {
  std::vector<Line> lines;
  for (int64_t i = 0; i < frames; i += 5) lines.push_back({i, i % 10 == 0});
  return lines;
}

void ExpectFollows(const std::vector<int64_t>& order, const JumpPathOptions& options = {}) {
  const FrameFeatures score = RandomFeatures(300, 1);
  const auto path = CheapestJumpPath(Reordered(score, order), score, Lines(300), options);
  ASSERT_TRUE(path.ok()) << path.status();
  ASSERT_EQ(path->steps.size(), order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    EXPECT_EQ(path->steps[i].sound, static_cast<int64_t>(i));
    EXPECT_EQ(path->steps[i].score, order[i]) << i;
  }
  EXPECT_LT(path->cost, 0.2);
}

TEST(CheapestJumpPathTest, GoesStraightThroughWhatIsPlayedAsWritten) {
  ExpectFollows(Order({{0, 300}}));
  ExpectFollows(Order({{0, 300}}), {.jumps = false});
}

TEST(CheapestJumpPathTest, JumpsAheadAndBack) {
  ExpectFollows(Order({{0, 100}, {160, 300}}));
  ExpectFollows(Order({{0, 100}, {40, 300}}));
  ExpectFollows(Order({{0, 100}, {40, 200}, {0, 100}, {250, 300}}));
}

TEST(CheapestJumpPathTest, SaysFromWhichLineToWhich) {
  const FrameFeatures score = RandomFeatures(300, 1);
  const std::vector<Line> lines = Lines(300);
  const auto path =
      CheapestJumpPath(Reordered(score, Order({{0, 100}, {160, 300}})), score, lines, {});
  ASSERT_TRUE(path.ok());
  for (const JumpStep& step : path->steps) {
    if (step.sound == 100) {
      ASSERT_GE(step.landed, 0);
      EXPECT_EQ(lines[step.left].frame, 100);
      EXPECT_EQ(lines[step.landed].frame, 160);
    } else {
      EXPECT_EQ(step.landed, -1);
    }
  }
}

TEST(CheapestJumpPathTest, BeginsAndEndsAnywhere) { ExpectFollows(Order({{123, 222}})); }

TEST(CheapestJumpPathTest, WithoutJumpsStaysInOneStretch) {
  const FrameFeatures score = RandomFeatures(300, 1);
  const auto path = CheapestJumpPath(Reordered(score, Order({{0, 100}, {160, 300}})), score,
                                     Lines(300), {.jumps = false});
  ASSERT_TRUE(path.ok());
  for (size_t i = 1; i < path->steps.size(); ++i) {
    const int64_t step = path->steps[i].score - path->steps[i - 1].score;
    EXPECT_TRUE(step >= 0 && step <= 3) << step;
    EXPECT_EQ(path->steps[i].landed, -1);
  }
}

TEST(CheapestJumpPathTest, EndsWhenItIsToldTo) {
  const FrameFeatures features = RandomFeatures(20, 2);
  JumpPathOptions options;
  options.check = [] { return absl::CancelledError("enough"); };
  EXPECT_EQ(CheapestJumpPath(features, features, {}, options).status().code(),
            absl::StatusCode::kCancelled);
}

TEST(CheapestJumpPathTest, SingleFramesAreNoHarm) {
  const FrameFeatures one = RandomFeatures(1, 3), four = RandomFeatures(4, 4);
  EXPECT_EQ(CheapestJumpPath(one, four, Lines(4), {})->steps.size(), 1u);
  EXPECT_EQ(CheapestJumpPath(four, one, Lines(1), {})->steps.size(), 4u);
}

}  // namespace
}  // namespace antiphon::alignment
