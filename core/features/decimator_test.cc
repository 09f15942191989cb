#include "core/features/decimator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/testing/feature_signals.h"

namespace antiphon::features {
namespace {

// `count` outputs of a signal that reaches far enough to either side of input[0], which is
// signal[decimator.reach()].
std::vector<float> Apply(const Decimator& decimator, const std::vector<float>& signal,
                         int64_t count) {
  Decimator::Scratch scratch;
  std::vector<float> outputs;
  decimator.Apply(signal.data() + decimator.reach(), count, outputs, scratch);
  outputs.resize(count);
  return outputs;
}

std::vector<float> Tone(const Decimator& decimator, double frequency, int64_t count) {
  const int64_t length = (count - 1) * decimator.ratio() + 2 * decimator.reach() + 1;
  // Its maximum lies on input[0].
  std::vector<float> samples(length);
  for (int64_t n = 0; n < length; ++n) {
    samples[n] = static_cast<float>(
        std::cos(2 * std::numbers::pi * frequency * static_cast<double>(n - decimator.reach())));
  }
  return samples;
}

// The errors at the two edges of the filter's band may add up; single precision adds its own.
constexpr double kTolerance = 2.5 * Decimator::kAttenuation;

class DecimatorTest : public ::testing::TestWithParam<int> {
 protected:
  int ratio() const { return GetParam(); }
};

TEST_P(DecimatorTest, WhatLiesInThePassbandKeepsItsAmplitudeAndItsPlace) {
  const Decimator decimator(ratio(), 0.35);
  for (const double frequency : {0.0, 0.01, 0.1, 0.2, 0.35}) {  // cycles per output sample
    const auto outputs = Apply(decimator, Tone(decimator, frequency / ratio(), 200), 200);
    for (int n = 0; n < 200; ++n) {
      ASSERT_NEAR(outputs[n], std::cos(2 * std::numbers::pi * frequency * n), kTolerance)
          << frequency << ' ' << n;
    }
  }
}

TEST_P(DecimatorTest, WhatWouldBeFoldedOntoThePassbandIsLeftOut) {
  const Decimator decimator(ratio(), 0.35);
  for (double frequency = 0.65; frequency <= 0.5 * ratio(); frequency += 0.0173) {
    for (const float output : Apply(decimator, Tone(decimator, frequency / ratio(), 200), 200))
      ASSERT_LT(std::abs(output), kTolerance) << frequency;
  }
}

TEST_P(DecimatorTest, TheResponseIsThatOfATone) {
  const Decimator decimator(ratio(), 0.3);
  for (const double frequency : {0.0, 0.2, 0.4, 0.45, 0.5, 0.6}) {
    const auto outputs = Apply(decimator, Tone(decimator, frequency / ratio(), 1), 1);
    EXPECT_NEAR(outputs[0], decimator.Response(frequency / ratio()), 2e-6) << frequency;
  }
}

TEST_P(DecimatorTest, AnOutputHasTheSameBitsHoweverManyThereAre) {
  const Decimator decimator(ratio(), 0.4);
  constexpr int kCount = 2100;
  const std::vector<float> signal =
      WhiteNoise((kCount - 1) * ratio() + 2 * static_cast<int>(decimator.reach()) + 1, 1);
  const std::vector<float> whole = Apply(decimator, signal, kCount);
  for (const int from : {0, 1, 63, 64, 700, 1023, 1024, 1025, 2099}) {
    for (const int count : {1, 2, 64, 65, 1000, 1100}) {
      if (from + count > kCount) continue;
      const std::vector<float> part(signal.begin() + from * ratio(), signal.end());
      const std::vector<float> outputs = Apply(decimator, part, count);
      EXPECT_EQ(std::memcmp(outputs.data(), &whole[from], count * sizeof(float)), 0)
          << from << ' ' << count;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ratios, DecimatorTest, ::testing::Values(2, 3, 4, 5, 7, 16, 35),
                         ::testing::PrintToStringParamName());

TEST(DecimatorTest, ReadsNoMoreThanItSays) {
  for (const int ratio : {2, 3, 5}) {
    const Decimator decimator(ratio, 0.3);
    std::vector<float> signal(100 * ratio + 2 * decimator.reach() + 1, 0.0f);
    // Whatever lies beyond must not matter, not even as 0 · NaN.
    std::vector<float> wider(signal.size() + 2, std::nanf(""));
    std::copy(signal.begin(), signal.end(), wider.begin() + 1);
    Decimator::Scratch scratch;
    std::vector<float> outputs;
    decimator.Apply(wider.data() + 1 + decimator.reach(), 101, outputs, scratch);
    for (int n = 0; n < 101; ++n) EXPECT_EQ(outputs[n], 0) << ratio << ' ' << n;
  }
}

}  // namespace
}  // namespace antiphon::features
