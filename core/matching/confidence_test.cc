#include "core/matching/confidence.h"

#include <gtest/gtest.h>

#include <cmath>

namespace antiphon::matching {
namespace {

TEST(ConfidenceTest, IsFiniteWithinZeroAndOneAndGrowsWithScoreAndMargin) {
  const ConfidenceModel model;
  double before = -1;
  for (double score = 0; score <= 1.0; score += 0.05) {
    const double confidence = Confidence(model, score, 0.1, 20);
    EXPECT_TRUE(confidence >= 0 && confidence <= 1);
    EXPECT_GT(confidence, before);
    before = confidence;
    EXPECT_LE(Confidence(model, score, 0.5, 20), Confidence(model, score, 0.2, 20));
  }
  EXPECT_TRUE(std::isfinite(Confidence(model, 0, 0, 0)));
}

TEST(ConfidenceTest, MoreChancesDivideTheOdds) {
  const ConfidenceModel model;
  const double one = Confidence(model, 0.5, 0.2, 20), three = Confidence(model, 0.5, 0.2, 20, 3);
  EXPECT_EQ(Confidence(model, 0.5, 0.2, 20, 1), one);
  EXPECT_NEAR(three / (1 - three), one / (1 - one) / 3, 1e-9);
}

TEST(ConfidenceTest, LengthCountsAsFarAsTheModelSays) {
  ConfidenceModel model;
  EXPECT_EQ(Confidence(model, 0.4, 0.2, 3), Confidence(model, 0.4, 0.2, 300));
  model.length_weight = 0.5;
  EXPECT_LT(Confidence(model, 0.4, 0.2, 3), Confidence(model, 0.4, 0.2, 300));
}

TEST(ConfidenceTest, ReadsBackWhatItWrites) {
  ConfidenceModel model;
  model.bias = -7.25;
  model.length_weight = 1.0 / 3;
  model.threshold = 0.61;
  model.false_accept_rate = 0.01;
  model.queries = 1234;
  const auto read = ParseConfidence(ConfidenceToJson(model));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(ConfidenceToJson(*read), ConfidenceToJson(model));
  EXPECT_EQ(read->length_weight, model.length_weight);
  EXPECT_EQ(read->queries, 1234);
}

TEST(ConfidenceTest, RefusesWhatIsNoModelAndNamesTheField) {
  EXPECT_EQ(ParseConfidence("").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ParseConfidence("[1]").status().code(), absl::StatusCode::kDataLoss);
  std::string json = ConfidenceToJson(ConfidenceModel());
  const auto with = [&json](const std::string& from, const std::string& to) {
    std::string changed = json;
    changed.replace(changed.find(from), from.size(), to);
    return ParseConfidence(changed).status();
  };
  EXPECT_NE(with("\"threshold\": 0.5", "\"threshold\": 1.5").message().find("threshold"),
            std::string::npos);
  EXPECT_NE(with("\"bias\"", "\"bios\"").message().find("bias"), std::string::npos);
  EXPECT_NE(with("\"bias\": -4.0", "\"bias\": 1e999").message().find("confidence model"),
            std::string::npos);
  EXPECT_NE(with("\"queries\": 0", "\"queries\": -1").message().find("queries"), std::string::npos);
}

}  // namespace
}  // namespace antiphon::matching
