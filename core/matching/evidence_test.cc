#include "core/matching/evidence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace antiphon::matching {
namespace {

TEST(EvidenceOf, SaysWhereTheWindowsLieAndHowFastTheSourceWasRead) {
  const Evidence evidence = EvidenceOf({.window = 3,
                                        .source = 9,
                                        .query_start_s = 1,
                                        .query_end_s = 3,
                                        .reference_start_s = 10,
                                        .reference_end_s = 13,
                                        .query_tempo_ratio = 0.5,
                                        .reference_tempo_ratio = 0.75,
                                        .similarity = 0.6f});
  EXPECT_EQ(evidence.query_start_s, 1);
  EXPECT_EQ(evidence.query_end_s, 3);
  EXPECT_EQ(evidence.reference_start_s, 10);
  EXPECT_EQ(evidence.reference_end_s, 13);
  EXPECT_EQ(evidence.tempo_ratio, 1.5);
  EXPECT_EQ(evidence.similarity, 0.6f);
}

TEST(TidyEvidence, KeepsTheMostSimilarByTimeWhateverTheOrder) {
  std::mt19937 random(1);
  std::vector<Evidence> evidence;
  for (int i = 0; i < 2500; ++i) {
    const double start_s = 0.25 * (i % 200);
    evidence.push_back({start_s, start_s + 2, 1.0 * i, i + 2.0, 1.0, static_cast<float>(i) / 2500});
  }
  std::shuffle(evidence.begin(), evidence.end(), random);
  std::vector<Evidence> other = evidence;
  std::shuffle(other.begin(), other.end(), random);
  TidyEvidence(evidence);
  TidyEvidence(other);
  ASSERT_EQ(evidence.size(), kMostEvidence);
  for (size_t i = 0; i < evidence.size(); ++i) {
    EXPECT_GE(evidence[i].similarity, 1500.0f / 2500);
    EXPECT_EQ(evidence[i].reference_start_s, other[i].reference_start_s);
    if (i == 0) continue;
    EXPECT_LE(evidence[i - 1].query_start_s, evidence[i].query_start_s);
    if (evidence[i - 1].query_start_s == evidence[i].query_start_s) {
      EXPECT_GT(evidence[i - 1].similarity, evidence[i].similarity);
    }
  }
}

}  // namespace
}  // namespace antiphon::matching
