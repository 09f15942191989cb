#include "trainer/evaluation/alignment/placement_errors.h"

#include <gtest/gtest.h>

#include <cmath>

namespace antiphon::trainer::evaluation {
namespace {

using music::TimeMap;
using music::TimePoint;

// Ten beats, played a second apart and written two seconds apart.
std::vector<TimePoint> Beats() {
  std::vector<TimePoint> beats;
  for (int i = 0; i < 10; ++i) beats.push_back({1.0 + i, 2.0 * i});
  return beats;
}

TEST(MeasurePlacesTest, TheTruthItselfIsWithoutError) {
  const PlacementErrors errors =
      MeasurePlaces(Beats(), PerformanceAlong(*TimeMap::Create(Beats())));
  ASSERT_EQ(errors.in_score_s.size(), 10u);
  ASSERT_EQ(errors.in_recording_s.size(), 10u);
  for (const double error_s : errors.in_score_s) EXPECT_NEAR(error_s, 0, 1e-9);
  for (const double error_s : errors.in_recording_s) EXPECT_NEAR(error_s, 0, 1e-9);
}

TEST(MeasurePlacesTest, BothDirectionsAreInSecondsOfTheRecording) {
  // A tenth of a second late throughout: 0.2 s of the score.
  const PlacementErrors errors =
      MeasurePlaces(Beats(), PerformanceAlong(*TimeMap::Create({{1.1, 0}, {10.1, 18}})));
  for (const double error_s : errors.in_score_s) EXPECT_NEAR(error_s, 0.1, 1e-9);
  for (const double error_s : errors.in_recording_s) EXPECT_NEAR(error_s, 0.1, 1e-9);
}

// The first five beats are played twice: ten seconds, whose second half is the first again.
TEST(MeasurePlacesTest, WhatIsPlayedTwiceIsMeasuredWhereItIsPlayed) {
  std::vector<TimePoint> truth;
  for (int i = 0; i < 10; ++i) truth.push_back({1.0 + i, 2.0 * (i % 5)});
  alignment::Performance twice = PerformanceAlong(*TimeMap::Create({{1, 0}, {6, 10}}));
  twice.passages.push_back(PerformanceAlong(*TimeMap::Create({{6, 0}, {11, 10}})).passages[0]);
  const PlacementErrors errors = MeasurePlaces(truth, twice);
  for (const double error_s : errors.in_recording_s) EXPECT_NEAR(error_s, 0, 1e-9);
  for (const double error_s : errors.in_score_s) EXPECT_NEAR(error_s, 0, 1e-9);
  // As if it were played once.
  twice.passages.pop_back();
  EXPECT_NEAR(MeasurePlaces(truth, twice).in_recording_s[7], 5, 1e-9);
}

TEST(MeasurePlacesTest, WhatNoPassageHasIsInfinitelyFarAway) {
  alignment::Performance cut = PerformanceAlong(*TimeMap::Create({{1, 0}, {3, 4}}));
  cut.passages.push_back(PerformanceAlong(*TimeMap::Create({{3, 10}, {7, 18}})).passages[0]);
  EXPECT_TRUE(std::isinf(MeasurePlaces(Beats(), cut).in_recording_s[4]));
  EXPECT_TRUE(std::isinf(MeasurePlaces(Beats(), {}).in_recording_s[0]));
  EXPECT_TRUE(std::isinf(MeasurePlaces(Beats(), {}).in_score_s[0]));
}

TEST(MeasurePlacesTest, TheDoubtIsThatOfTheBeatBefore) {
  alignment::Performance performance = PerformanceAlong(*TimeMap::Create(Beats()));
  performance.beats = {{0, 0, 1, 60, 0.25}, {8, 0, 5, 60, 0.75}};
  const PlacementErrors errors = MeasurePlaces(Beats(), performance);
  EXPECT_EQ(errors.doubts[3], 0.25);
  EXPECT_EQ(errors.doubts[4], 0.75);
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
