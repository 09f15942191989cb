#include "core/transcription/nearest_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace antiphon::transcription {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr double kHop_s = 0.5;

NearWindow Window(int place, int source, double reference_s, double similarity) {
  return {.source = source,
          .middle = {1 + kHop_s * place, reference_s},
          .slope = 1,
          .similarity = similarity};
}

// `count` windows along one score.
std::vector<NearWindows> Along(int count, int source, double reference_s, double similarity) {
  std::vector<NearWindows> windows;
  windows.reserve(count);
  for (int i = 0; i < count; ++i)
    windows.push_back({Window(i, source, reference_s + kHop_s * i, similarity)});
  return windows;
}

TEST(BestRunsTest, WindowsThatCarryOnAreOneRun) {
  const auto runs = BestRuns(Along(10, 3, 20, 0.7), {.min_similarity = 0.5});
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_THAT(runs[0], SizeIs(10));
  EXPECT_EQ(runs[0].front().middle.query_s, 1);
  EXPECT_EQ(runs[0].back().middle.reference_s, 24.5);
}

TEST(BestRunsTest, WithoutWindowsThereIsNone) {
  EXPECT_THAT(BestRuns({}, {}), IsEmpty());
  EXPECT_THAT(BestRuns(std::vector<NearWindows>(5), {}), IsEmpty());
}

TEST(BestRunsTest, WhatIsNotSimilarEnoughIsLeftOut) {
  EXPECT_THAT(BestRuns(Along(10, 3, 20, 0.45), {.min_similarity = 0.5}), IsEmpty());
}

TEST(BestRunsTest, OneBetterWindowElsewhereDoesNotInterruptARun) {
  auto windows = Along(10, 3, 20, 0.7);
  windows[5].push_back(Window(5, 4, 90, 0.75));
  EXPECT_THAT(BestRuns(windows, {.min_similarity = 0.5, .change_cost = 0.1}), SizeIs(1));
  EXPECT_THAT(BestRuns(windows, {.min_similarity = 0.5, .change_cost = 0}), SizeIs(3));
}

TEST(BestRunsTest, AWindowThatIsMissingDoesNotEndARun) {
  auto windows = Along(10, 3, 20, 0.7);
  windows[5].clear();
  const auto runs = BestRuns(windows, {.min_similarity = 0.5});
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_THAT(runs[0], SizeIs(9));
}

TEST(BestRunsTest, AJumpWithinAScoreBeginsAnotherRun) {
  auto windows = Along(10, 3, 20, 0.7);
  const auto later = Along(10, 3, 60, 0.7);
  for (int i = 5; i < 10; ++i) windows[i] = later[i];
  const auto runs = BestRuns(windows, {.min_similarity = 0.5});
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_EQ(runs[0].back().middle.reference_s, 22);
  EXPECT_EQ(runs[1].front().middle.reference_s, 62.5);
}

TEST(BestRunsTest, ALongRunWinsOverBetterWindowsThatDoNotFit) {
  auto windows = Along(20, 3, 20, 0.65);
  for (int i = 0; i < 20; ++i) windows[i].push_back(Window(i, 10 + i, 5, 0.7));
  const auto runs = BestRuns(windows, {.min_similarity = 0.5, .change_cost = 0.1});
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs[0][0].source, 3);
}

}  // namespace
}  // namespace antiphon::transcription
