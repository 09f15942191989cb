#include "trainer/evaluation/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace antiphon::trainer {
namespace {

TEST(CalibrationTest, FindsTheLogisticFunctionThatPointsWereDrawnFrom) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  Calibration calibration;
  for (int i = 0; i < 20000; ++i) {
    CalibrationPoint point{uniform(random), uniform(random), false, true};
    point.right = uniform(random) < 1 / (1 + std::exp(-(-3 + 5 * point.score + 2 * point.margin)));
    calibration.points.push_back(point);
  }
  FitLogistic(calibration);
  EXPECT_NEAR(calibration.bias, -3, 0.2);
  EXPECT_NEAR(calibration.score_weight, 5, 0.3);
  EXPECT_NEAR(calibration.margin_weight, 2, 0.3);
}

TEST(CalibrationTest, SeparablePointsHaveAFiniteAnswer) {
  Calibration calibration;
  for (int i = 0; i < 50; ++i) {
    calibration.points.push_back({0.8, 0.9, true, true});
    calibration.points.push_back({0.1, 0.1, false, false});
  }
  FitLogistic(calibration);
  EXPECT_TRUE(std::isfinite(calibration.bias));
  EXPECT_GT(calibration.bias + 0.8 * calibration.score_weight + 0.9 * calibration.margin_weight, 2);
  EXPECT_LT(calibration.bias + 0.1 * calibration.score_weight + 0.1 * calibration.margin_weight, -2);
}

}  // namespace
}  // namespace antiphon::trainer
