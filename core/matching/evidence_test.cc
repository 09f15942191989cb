#include "core/matching/evidence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace antiphon::matching {
namespace {

TEST(EvidenceOf, SaysWhereTheWindowsLieAndHowFastTheSourceWasRead) {
  const Evidence evidence =
      EvidenceOf({.window = 3,
                  .source = 9,
                  .match = {.query = {1, 3}, .reference = {10, 13}, .slope = 1.5},
                  .similarity = 0.6f});
  EXPECT_EQ(evidence.match.query.start_s, 1);
  EXPECT_EQ(evidence.match.query.end_s, 3);
  EXPECT_EQ(evidence.match.reference.start_s, 10);
  EXPECT_EQ(evidence.match.reference.end_s, 13);
  EXPECT_EQ(evidence.match.slope, 1.5);
  EXPECT_EQ(evidence.similarity, 0.6f);
}

TEST(TidyEvidence, KeepsTheMostSimilarByTimeWhateverTheOrder) {
  std::mt19937 random(1);
  std::vector<Evidence> evidence;
  for (int i = 0; i < 2500; ++i) {
    const double start_s = 0.25 * (i % 200);
    evidence.push_back(
        {{{start_s, start_s + 2}, {1.0 * i, i + 2.0}, 1.0}, static_cast<float>(i) / 2500});
  }
  std::shuffle(evidence.begin(), evidence.end(), random);
  std::vector<Evidence> other = evidence;
  std::shuffle(other.begin(), other.end(), random);
  TidyEvidence(evidence);
  TidyEvidence(other);
  ASSERT_EQ(evidence.size(), kMostEvidence);
  for (size_t i = 0; i < evidence.size(); ++i) {
    EXPECT_GE(evidence[i].similarity, 1500.0f / 2500);
    EXPECT_EQ(evidence[i].match.reference.start_s, other[i].match.reference.start_s);
    if (i == 0) continue;
    EXPECT_LE(evidence[i - 1].match.query.start_s, evidence[i].match.query.start_s);
    if (evidence[i - 1].match.query.start_s == evidence[i].match.query.start_s) {
      EXPECT_GT(evidence[i - 1].similarity, evidence[i].similarity);
    }
  }
}

}  // namespace
}  // namespace antiphon::matching
