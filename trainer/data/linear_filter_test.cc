#include "trainer/data/linear_filter.h"

#include <cmath>
#include <complex>
#include <numbers>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace antiphon::trainer::data {
namespace {

constexpr int kRate = 22050;

std::vector<float> RandomSamples(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> samples(size);
  for (float& sample : samples) sample = normal(random);
  return samples;
}

double GainDb(const std::vector<float>& response, double hz) {
  std::complex<double> sum = 0;
  for (size_t n = 0; n < response.size(); ++n) {
    sum +=
        static_cast<double>(response[n]) * std::polar(1.0, -2 * std::numbers::pi * hz * n / kRate);
  }
  return 20 * std::log10(std::abs(sum));
}

TEST(Convolve, EqualsTheSumAsDefined) {
  for (const auto& [size, taps] :
       {std::pair{1, 1}, {10, 300}, {5000, 7}, {9000, 2500}, {20000, 3000}}) {
    const std::vector<float> samples = RandomSamples(size, 1);
    const std::vector<float> response = RandomSamples(taps, 2);
    const std::vector<float> result = Convolve(samples, response);
    ASSERT_EQ(result.size(), samples.size());
    for (int n = 0; n < size; n += 1 + size / 50) {
      double sum = 0;
      for (int k = 0; k <= std::min(n, taps - 1); ++k)
        sum += static_cast<double>(response[k]) * samples[n - k];
      EXPECT_NEAR(result[n], sum, 2e-4 * std::sqrt(taps))
          << size << " samples, " << taps << " taps, at " << n;
    }
  }
}

TEST(Convolve, GivesSilenceForNoResponseAndNothingForNothing) {
  EXPECT_EQ(Convolve(RandomSamples(3, 1), {}), std::vector<float>(3));
  EXPECT_TRUE(Convolve({}, RandomSamples(3, 1)).empty());
}

TEST(MinimumPhaseResponse, HasTheGainsAskedFor) {
  const auto gain_db = [](double hz) {
    return 6 * std::sin(std::log2(hz)) - (hz > 4000 ? 12 * std::log2(hz / 4000) : 0);
  };
  const std::vector<float> response = MinimumPhaseResponse(gain_db, kRate, 4096);
  for (const double hz : {100.0, 440.0, 1000.0, 3000.0, 8000.0})
    EXPECT_NEAR(GainDb(response, hz), gain_db(hz), 0.3);
}

TEST(MinimumPhaseResponse, StartsAtOnce) {
  const auto gain_db = [](double hz) { return hz < 3000 ? 0.0 : -12 * std::log2(hz / 3000); };
  const std::vector<float> response = MinimumPhaseResponse(gain_db, kRate, 1024);
  double early = 0;
  double all = 0;
  for (size_t n = 0; n < response.size(); ++n) {
    all += response[n] * response[n];
    if (n < kRate / 1000) early += response[n] * response[n];
  }
  EXPECT_GT(early, 0.99 * all);  // within a millisecond
}

TEST(MinimumPhaseResponse, OfAFlatCurveIsOneTap) {
  const std::vector<float> response = MinimumPhaseResponse([](double) { return 0.0; }, kRate, 256);
  EXPECT_NEAR(response[0], 1, 1e-5);
  for (size_t n = 1; n < response.size(); ++n) EXPECT_NEAR(response[n], 0, 1e-5);
}

}  // namespace
}  // namespace antiphon::trainer::data
