#include "trainer/evaluation/beat_errors.h"

#include <gtest/gtest.h>

namespace antiphon::trainer::evaluation {
namespace {

// Ten beats, performed a second apart and written two seconds apart.
datasets::BeatMap Beats() {
  std::vector<datasets::Beat> performance, score;
  for (int i = 0; i < 10; ++i) {
    performance.push_back({1.0 + i});
    score.push_back({2.0 * i});
  }
  return *datasets::BeatMap::Create(performance, score);
}

TEST(MeasureBeatsTest, TheAnnotationsThemselvesAreWithoutError) {
  const datasets::BeatMap beats = Beats();
  const BeatErrors errors = MeasureBeats(beats, *music::TimeMap::Create(beats.points()));
  ASSERT_EQ(errors.in_score_s.size(), 10u);
  ASSERT_EQ(errors.in_performance_s.size(), 10u);
  for (const double error_s : errors.in_score_s) EXPECT_NEAR(error_s, 0, 1e-9);
  for (const double error_s : errors.in_performance_s) EXPECT_NEAR(error_s, 0, 1e-9);
}

TEST(MeasureBeatsTest, BothDirectionsAreInSecondsOfThePerformance) {
  // A tenth of a second late throughout: 0.2 s of the score.
  const auto late = music::TimeMap::Create({{1.1, 0}, {10.1, 18}});
  const BeatErrors errors = MeasureBeats(Beats(), *late);
  for (const double error_s : errors.in_score_s) EXPECT_NEAR(error_s, 0.1, 1e-9);
  for (const double error_s : errors.in_performance_s) EXPECT_NEAR(error_s, 0.1, 1e-9);
}

TEST(SharesOfTest, CountsWhatLiesWithin) {
  const ErrorShares shares = SharesOf({0.3, 0.04, 0.05, 0.2, 1.0});
  EXPECT_DOUBLE_EQ(shares.within_50_ms, 0.4);
  EXPECT_DOUBLE_EQ(shares.within_100_ms, 0.4);
  EXPECT_DOUBLE_EQ(shares.within_250_ms, 0.6);
  EXPECT_DOUBLE_EQ(shares.within_500_ms, 0.8);
  EXPECT_DOUBLE_EQ(shares.median_s, 0.2);
  EXPECT_EQ(shares.count, 5u);
}

TEST(SharesOfTest, OfNothingAreZero) {
  const ErrorShares shares = SharesOf({});
  EXPECT_EQ(shares.count, 0u);
  EXPECT_EQ(shares.within_500_ms, 0);
}

}  // namespace
}  // namespace antiphon::trainer::evaluation
