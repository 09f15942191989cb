#include "trainer/evaluation/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace antiphon::trainer::evaluation {
namespace {

// An answer to a query of 30 windows that lasts 10 s.
CalibrationPoint PointOf(double score, double second, bool right, bool known) {
  return {.score = score,
          .second = second,
          .windows = 30,
          .right = right,
          .known = known,
          .length_s = 10};
}

TEST(CalibrationTest, FindsTheLogisticFunctionThatPointsWereDrawnFrom) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  const matching::ConfidenceModel truth{
      .bias = -3, .score_weight = 5, .margin_weight = 2, .length_weight = -0.3};
  Calibration calibration;
  for (int i = 0; i < 40000; ++i) {
    const double score = uniform(random);
    CalibrationPoint point = PointOf(score, score * uniform(random), false, true);
    point.windows = static_cast<int>(random() % 120);
    point.right =
        uniform(random) < matching::Confidence(truth, point.score, point.rival(), point.windows);
    calibration.points.push_back(point);
  }
  FitLogistic(calibration);
  EXPECT_NEAR(calibration.model.bias, -3, 0.3);
  EXPECT_NEAR(calibration.model.score_weight, 5, 0.4);
  EXPECT_NEAR(calibration.model.margin_weight, 2, 0.3);
  EXPECT_NEAR(calibration.model.length_weight, -0.3, 0.1);
  EXPECT_EQ(calibration.model.queries, 40000);
}

TEST(CalibrationTest, SeparablePointsHaveAFiniteAnswer) {
  Calibration calibration;
  for (int i = 0; i < 50; ++i) {
    calibration.points.push_back(PointOf(0.8, 0.1, true, true));
    calibration.points.push_back(PointOf(0.1, 0.1, false, false));
  }
  FitLogistic(calibration);
  EXPECT_TRUE(std::isfinite(calibration.model.bias));
  EXPECT_GT(matching::Confidence(calibration.model, 0.8, 0.1, 30), 0.9);
  EXPECT_LT(matching::Confidence(calibration.model, 0.1, 0.1, 30), 0.1);
}

TEST(CalibrationTest, TheThresholdLetsThroughAsManyUnknownPiecesAsAllowed) {
  Calibration calibration;
  for (int i = 0; i < 200; ++i) calibration.points.push_back(PointOf(0.001 * i, 0, false, false));
  for (int i = 0; i < 50; ++i) calibration.points.push_back(PointOf(0.1 + 0.01 * i, 0, true, true));
  FitLogistic(calibration);
  ChooseThreshold(calibration, 0.02);
  EXPECT_DOUBLE_EQ(calibration.model.false_accept_rate, 0.02);
  EXPECT_GE(matching::Confidence(calibration.model, 0.199, 0, 30), calibration.model.threshold);
  EXPECT_LT(matching::Confidence(calibration.model, 0.195, 0, 30), calibration.model.threshold);
  calibration.noises.push_back(PointOf(0.25, 0, false, false));
  ChooseThreshold(calibration, 0.02);
  EXPECT_DOUBLE_EQ(calibration.model.false_accept_rate, 0);
  EXPECT_LT(matching::Confidence(calibration.model, 0.25, 0, 30), calibration.model.threshold);
  EXPECT_GE(matching::Confidence(calibration.model, 0.26, 0, 30), calibration.model.threshold);
  calibration.noises.clear();
  ChooseThreshold(calibration, 1);
  EXPECT_DOUBLE_EQ(calibration.model.false_accept_rate, 1);
}

}  // namespace
}  // namespace antiphon::trainer::evaluation
