#include "core/features/real_fft.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <thread>
#include <vector>

#include "core/testing/feature_signals.h"

namespace antiphon::features {
namespace {

std::vector<std::complex<float>> Spectrum(const RealFft& fft, const std::vector<float>& samples) {
  RealFft::Buffers buffers(fft.length());
  std::copy(samples.begin(), samples.end(), buffers.samples().begin());
  fft.Transform(buffers);
  return {buffers.spectrum().begin(), buffers.spectrum().end()};
}

TEST(RealFftTest, EqualsTheDefiningSum) {
  for (const int length : {2, 8, 256, 1024}) {
    const RealFft fft(length);
    const std::vector<float> samples = WhiteNoise(length, 1);
    const auto spectrum = Spectrum(fft, samples);
    ASSERT_EQ(spectrum.size(), static_cast<size_t>(length / 2 + 1));
    for (int j = 0; j <= length / 2; ++j) {
      std::complex<double> sum = 0;
      for (int n = 0; n < length; ++n) {
        // j·n is reduced by whole turns, so that the angle is exact.
        const double turn = static_cast<double>(static_cast<int64_t>(j) * n % length) / length;
        sum += static_cast<double>(samples[n]) * std::polar(1.0, -2 * std::numbers::pi * turn);
      }
      EXPECT_NEAR(std::abs(std::complex<double>(spectrum[j]) - sum), 0, 2e-6 * std::sqrt(length))
          << length << ' ' << j;
    }
  }
}

TEST(RealFftTest, ThreadsWithTheirOwnBuffersGetTheSameBits) {
  constexpr int kLength = 4096;
  const RealFft fft(kLength);
  const std::vector<float> samples = WhiteNoise(kLength, 2);
  const auto expected = Spectrum(fft, samples);
  std::vector<int> different(4, -1);
  std::vector<std::thread> threads;
  for (int& mine : different) {
    threads.emplace_back([&] {
      int count = 0;
      for (int round = 0; round < 20; ++round) {
        // A plan of one's own, made while others transform, must not disturb them either.
        const RealFft own(kLength);
        for (const RealFft* plan : {&fft, &own}) {
          const auto spectrum = Spectrum(*plan, samples);
          count += std::memcmp(spectrum.data(), expected.data(),
                               expected.size() * sizeof(expected[0])) != 0;
        }
      }
      mine = count;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(different, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace antiphon::features
