#include "core/notation/loudness.h"

#include <gtest/gtest.h>

namespace antiphon::notation {
namespace {

constexpr Ticks kQ = kTicksPerQuarter;

TEST(LoudnessTest, MarksHoldUntilTheNext) {
  EXPECT_EQ(Loudness().VelocityAt(kQ), 0);
  const Loudness loudness({{4 * kQ, 96}, {kQ, 49}, {4 * kQ, 112}}, {});
  EXPECT_EQ(loudness.VelocityAt(0), 0) << "nothing is said yet";
  EXPECT_EQ(loudness.VelocityAt(kQ), 49);
  EXPECT_EQ(loudness.VelocityAt(4 * kQ - 1), 49);
  EXPECT_EQ(loudness.VelocityAt(9 * kQ), 112) << "of two the last one";
}

TEST(LoudnessTest, AHairpinLeadsToTheNextMark) {
  const Loudness loudness({{0, 49}, {5 * kQ, 89}, {12 * kQ, 49}},
                          {{kQ, 4 * kQ + kQ / 2, true}, {8 * kQ, 12 * kQ, false}});
  EXPECT_EQ(loudness.VelocityAt(kQ), 49);
  EXPECT_EQ(loudness.VelocityAt(3 * kQ), 69);
  EXPECT_EQ(loudness.VelocityAt(5 * kQ), 89);
  EXPECT_EQ(loudness.VelocityAt(8 * kQ), 89);
  EXPECT_EQ(loudness.VelocityAt(10 * kQ), 69);
  EXPECT_EQ(loudness.VelocityAt(20 * kQ), 49);
}

TEST(LoudnessTest, WithoutAMarkAHairpinIsOneStep) {
  const Loudness loudness({{0, 49}, {9 * kQ, 33}}, {{0, 4 * kQ, true}});
  EXPECT_EQ(loudness.VelocityAt(2 * kQ), 49 + Loudness::kStep / 2);
  EXPECT_EQ(loudness.VelocityAt(6 * kQ), 49 + Loudness::kStep) << "it stays so";
  EXPECT_EQ(loudness.VelocityAt(9 * kQ), 33);
  const Loudness unmarked({}, {{kQ, 2 * kQ, false}});
  EXPECT_EQ(unmarked.VelocityAt(0), 0);
  EXPECT_EQ(unmarked.VelocityAt(kQ), Loudness::kUnmarked);
  EXPECT_EQ(unmarked.VelocityAt(2 * kQ), Loudness::kUnmarked - Loudness::kStep);
  EXPECT_EQ(Loudness({{0, 3}}, {{0, kQ, false}}).VelocityAt(kQ), 1);
}

TEST(LoudnessTest, AMarkOfTheOtherWayEndsAHairpin) {
  const Loudness loudness({{0, 80}, {2 * kQ, 49}}, {{0, 4 * kQ, true}});
  EXPECT_EQ(loudness.VelocityAt(kQ), 88);
  EXPECT_EQ(loudness.VelocityAt(2 * kQ), 49) << "subito";
  EXPECT_EQ(loudness.VelocityAt(3 * kQ), 49);
}

TEST(LoudnessTest, HairpinsOfTwoStavesAreOne) {
  const Loudness loudness({{0, 49}}, {{0, 4 * kQ, true}, {0, 4 * kQ, true}, {kQ, 5 * kQ, true}});
  EXPECT_EQ(loudness.VelocityAt(8 * kQ), 49 + Loudness::kStep);
  // What isn't one.
  EXPECT_EQ(Loudness({{0, 49}}, {{kQ, kQ, true}, {3 * kQ, 2 * kQ, true}}).VelocityAt(9 * kQ), 49);
}

}  // namespace
}  // namespace antiphon::notation
