#include "core/features/levels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace antiphon::features {
namespace {

TEST(LevelFromMagnitudeTest, StepsAreHalfDecibels) {
  EXPECT_EQ(LevelFromMagnitude(1.0f), 200);  // a full-scale sine
  for (int level = 1; level <= 255; ++level) {
    const double decibels = level / 2.0 - 100;
    for (const double within : {-0.24, 0.0, 0.24}) {
      EXPECT_EQ(LevelFromMagnitude(static_cast<float>(std::pow(10, (decibels + within) / 20))),
                level)
          << decibels;
    }
  }
}

TEST(LevelFromMagnitudeTest, RisesWithTheMagnitude) {
  int last = 0;
  for (float magnitude = 1e-7f; magnitude < 1e3f; magnitude *= 1.0007f) {
    const int level = LevelFromMagnitude(magnitude);
    ASSERT_GE(level, last) << magnitude;
    ASSERT_LE(level, last + 1) << magnitude;
    last = level;
  }
  EXPECT_EQ(last, 255);
}

TEST(LevelFromMagnitudeTest, IsTheRoundedLogarithm) {
  std::mt19937 rng(1);
  std::uniform_real_distribution<double> steps(0.6, 254.4);
  for (int i = 0; i < 1'000'000; ++i) {
    const double step = steps(rng);
    // Single precision may round either way in the middle between two levels.
    if (std::abs(step - std::floor(step) - 0.5) < 1e-4) continue;
    const auto magnitude = static_cast<float>(std::pow(10, (step / 2 - 100) / 20));
    ASSERT_EQ(LevelFromMagnitude(magnitude), std::lround(step)) << step;
  }
}

TEST(LevelFromMagnitudeTest, HasALevelForEveryFloat) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float lowest :
       {0.0f, -0.0f, -1.0f, -kInfinity, 1e-5f, std::numeric_limits<float>::denorm_min(),
        std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_EQ(LevelFromMagnitude(lowest), 0) << lowest;
  }
  for (const float highest : {24.0f, 1e10f, std::numeric_limits<float>::max(), kInfinity}) {
    EXPECT_EQ(LevelFromMagnitude(highest), 255) << highest;
  }
}

TEST(LevelsFromMagnitudesTest, ManyAreAsOneByOne) {
  std::mt19937 rng(2);
  std::uniform_real_distribution<double> decibels(-110, 40);
  for (const size_t size : {0, 1, 3, 16, 176, 1001}) {
    std::vector<float> magnitudes(size);
    for (float& magnitude : magnitudes)
      magnitude = static_cast<float>(std::pow(10, decibels(rng) / 20));
    std::vector<uint8_t> levels(size, 77);
    LevelsFromMagnitudes(magnitudes, levels);
    for (size_t i = 0; i < size; ++i) EXPECT_EQ(levels[i], LevelFromMagnitude(magnitudes[i])) << i;
  }
}

}  // namespace
}  // namespace antiphon::features
