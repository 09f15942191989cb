#include "core/matching/tempo.h"

#include <gtest/gtest.h>

namespace antiphon::matching {
namespace {

using catalog::Side;

TEST(TempoRatio, IsOfTheAudioOverTheScoreOnWhicheverSideTheScoreIs) {
  // Two seconds of a score pass in one second of the audio asked about …
  EXPECT_EQ(TempoRatio(Side::kScores, 2.0), 2.0);
  // … and two seconds of the score asked about in one second of a recording.
  EXPECT_EQ(TempoRatio(Side::kRecordings, 0.5), 2.0);
}

TEST(IsPlausibleTempo, LiesWithinHalfAsMuchAgainOfTheNominalOne) {
  EXPECT_TRUE(IsPlausibleTempo(1.2, 1.2));
  EXPECT_TRUE(IsPlausibleTempo(1.79, 1.2));
  EXPECT_TRUE(IsPlausibleTempo(0.81, 1.2));
  EXPECT_FALSE(IsPlausibleTempo(1.81, 1.2));
  EXPECT_FALSE(IsPlausibleTempo(0.79, 1.2));
  EXPECT_FALSE(IsPlausibleTempo(0.0, 1.2));
}

TEST(AreNeighbours, TheSameAndTheNextTempoOfAScore) {
  EXPECT_TRUE(AreNeighbours(0.7, 0.7));
  EXPECT_TRUE(AreNeighbours(1.0, 1.41421));
  EXPECT_TRUE(AreNeighbours(1.0, 0.70711));
  EXPECT_FALSE(AreNeighbours(1.0, 2.0));
  EXPECT_FALSE(AreNeighbours(1.41421, 0.70711));
}

}  // namespace
}  // namespace antiphon::matching
