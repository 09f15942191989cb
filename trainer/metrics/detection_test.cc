#include "trainer/metrics/detection.h"

#include <gtest/gtest.h>

namespace antiphon::trainer::metrics {
namespace {

std::vector<Detection> Make(const std::vector<double>& known, const std::vector<double>& unknown) {
  std::vector<Detection> detections;
  for (const double value : known) detections.push_back({value, true, true});
  for (const double value : unknown) detections.push_back({value, false, false});
  return detections;
}

TEST(AurocTest, ByHand) {
  EXPECT_DOUBLE_EQ(Auroc(Make({0.9, 0.8}, {0.1, 0.2})), 1);
  EXPECT_DOUBLE_EQ(Auroc(Make({0.1, 0.2}, {0.9, 0.8})), 0);
  // Pairs: 0.9 beats all three, 0.5 beats 0.1, ties with 0.5, loses to 0.7.
  EXPECT_DOUBLE_EQ(Auroc(Make({0.9, 0.5}, {0.1, 0.5, 0.7})), 4.5 / 6);
  EXPECT_DOUBLE_EQ(Auroc(Make({0.5, 0.5}, {0.5})), 0.5) << "ties tell nothing apart";
  EXPECT_DOUBLE_EQ(Auroc(Make({0.9}, {})), 0.5);
}

TEST(ThresholdTest, LetsNoMoreThroughThanAllowed) {
  std::vector<double> unknown;
  for (int i = 0; i < 200; ++i) unknown.push_back(i / 200.0);
  const auto detections = Make({0.99, 0.985, 0.5}, unknown);
  const double threshold = ThresholdFor(detections, 0.01);
  EXPECT_DOUBLE_EQ(FalseAccepts(detections, threshold), 0.01);
  EXPECT_DOUBLE_EQ(threshold, 197 / 200.0);
  EXPECT_DOUBLE_EQ(TrueAccepts(detections, threshold), 1.0 / 3) << "0.985 is not above 0.985";
}

TEST(ThresholdTest, TiesAtTheThresholdAreNotAccepted) {
  const auto detections = Make({0.9, 0.8}, {0.8, 0.8, 0.8, 0.1});
  const double threshold = ThresholdFor(detections, 0.5);
  EXPECT_DOUBLE_EQ(threshold, 0.8);
  EXPECT_DOUBLE_EQ(FalseAccepts(detections, threshold), 0);
  EXPECT_DOUBLE_EQ(TrueAccepts(detections, threshold), 0.5);
}

TEST(ThresholdTest, AWrongAnswerIsNoTrueAccept) {
  std::vector<Detection> detections = {{0.9, true, false}, {0.9, true, true}, {0.1, false, false}};
  EXPECT_DOUBLE_EQ(TrueAccepts(detections, ThresholdFor(detections, 0.01)), 0.5);
}

TEST(ReliabilityTest, BinsByTenthsAndCountsUnknownAnswersAsWrong) {
  const std::vector<Detection> detections = {
      {0.95, true, true}, {1.0, true, true}, {0.91, false, false}, {0.05, true, false}};
  const auto bins = Reliability(detections);
  EXPECT_EQ(bins[9].answers, 3);
  EXPECT_EQ(bins[9].right, 2);
  EXPECT_NEAR(bins[9].mean_confidence, (0.95 + 1.0 + 0.91) / 3, 1e-12);
  EXPECT_EQ(bins[0].answers, 1);
  EXPECT_NEAR(CalibrationError(detections), (0.86 + 0.05) / 4, 1e-12);
}

}  // namespace
}  // namespace antiphon::trainer::metrics
