#include "core/alignment/evidence.h"

#include <gtest/gtest.h>

namespace antiphon::alignment {
namespace {

LaidOnsets Laid(int count, double likeness, double unevenness) {
  LaidOnsets laid;
  double at_s = 0;
  for (int i = 0; i < count; ++i) {
    laid.played_s.push_back(0.25 * i);
    laid.heard_s.push_back(at_s);
    laid.likeness.push_back(likeness);
    laid.chance.push_back(0.4);
    at_s += 0.25 * (i / 5 % 2 ? 1 + unevenness : 1 / (1 + unevenness));
  }
  return laid;
}

TEST(WeighEvidenceTest, LikenessAndAnEvenTempoSpeakForIt) {
  EXPECT_GT(WeighEvidence(Laid(200, 0.7, 0.1)).agreement, 0.9);
  EXPECT_LT(WeighEvidence(Laid(200, 0.4, 0.1)).agreement, 0.5);
  EXPECT_LT(WeighEvidence(Laid(200, 0.5, 2)).agreement, 0.1);
}

TEST(WeighEvidenceTest, AFewOnsetsSayLittle) {
  EXPECT_LT(WeighEvidence(Laid(3, 0.53, 0)).agreement, 0.5);
  EXPECT_GT(WeighEvidence(Laid(60, 0.53, 0)).agreement, WeighEvidence(Laid(3, 0.53, 0)).agreement);
  EXPECT_EQ(WeighEvidence(Laid(1, 0.7, 0)).doubts.size(), 1u);
}

TEST(WeighEvidenceTest, WhatIsAsLikeElsewhereSaysNothing) {
  LaidOnsets laid = Laid(200, 0.7, 0.1);
  laid.chance.assign(200, 0.68);
  EXPECT_LT(WeighEvidence(laid).agreement, 0.5);
}

TEST(WeighEvidenceTest, DoubtIsWhereLittleIsLike) {
  LaidOnsets laid = Laid(100, 0.7, 0);
  for (int i = 40; i < 60; ++i) laid.likeness[i] = 0.4;
  const Evidence evidence = WeighEvidence(laid);
  EXPECT_LT(evidence.doubts[20], 0.2);
  EXPECT_GT(evidence.doubts[50], 0.4);
}

}  // namespace
}  // namespace antiphon::alignment
