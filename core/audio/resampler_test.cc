#include "core/audio/resampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <random>
#include <tuple>

#include "core/testing/audio_signals.h"

namespace antiphon::audio {
namespace {

// Pushes `input` in pieces of the sizes given, cyclically.
std::vector<float> ResampleInPieces(std::span<const float> input, int from, int to,
                                    std::vector<size_t> pieces) {
  auto resampler = Resampler::Create(from, to);
  EXPECT_TRUE(resampler.ok()) << resampler.status();
  std::vector<float> output;
  for (size_t i = 0; !input.empty(); ++i) {
    const size_t piece = std::min(input.size(), pieces[i % pieces.size()]);
    EXPECT_TRUE((*resampler)->Push(input.first(piece), output).ok());
    input = input.subspan(piece);
  }
  EXPECT_TRUE((*resampler)->Finish(output).ok());
  return output;
}

std::vector<float> ResampleWhole(std::span<const float> input, int from, int to) {
  return ResampleInPieces(input, from, to, {std::max<size_t>(1, input.size())});
}

std::vector<float> Noise(size_t count) {
  std::mt19937 generator(7);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> noise(count);
  for (float& x : noise) x = uniform(generator);
  return noise;
}

class ResamplerRates : public ::testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(ResamplerRates, OutputLengthIsTheRatioWithinOneSample) {
  const auto [from, to] = GetParam();
  for (size_t count : {1, 2, 3, 10, 100, 999, 4096, 16384, 16385, 50001}) {
    const std::vector<float> output = ResampleWhole(Noise(count), from, to);
    EXPECT_NEAR(static_cast<double>(output.size()),
                std::round(static_cast<double>(count) * to / from), 1)
        << count;
  }
}

TEST_P(ResamplerRates, PieceSizesDoNotChangeTheResult) {
  const auto [from, to] = GetParam();
  const std::vector<float> noise = Noise(40011);
  const std::vector<float> whole = ResampleWhole(noise, from, to);
  for (const std::vector<size_t>& pieces :
       {std::vector<size_t>{1}, {7, 1, 331}, {64}, {1000, 3}, {16383}, {16384}, {16385, 1}}) {
    const std::vector<float> output = ResampleInPieces(noise, from, to, pieces);
    ASSERT_EQ(output.size(), whole.size()) << pieces[0];
    EXPECT_LE(LargestDifference(output, whole), 1e-6) << pieces[0];
  }
}

TEST_P(ResamplerRates, SineKeepsFrequencyAmplitudeAndPhase) {
  const auto [from, to] = GetParam();
  const double top = 0.4 * std::min(from, to);
  for (double frequency : {0.1 * top, 0.5 * top, top}) {
    const std::vector<float> output = ResampleWhole(Sine(frequency, 1.0, from).samples, from, to);
    const Waveform expected = Sine(frequency, 1.0, to);
    const std::span<const float> middle = std::span(output).subspan(to / 4, to / 2);
    EXPECT_NEAR(StrongestFrequency(middle, to, frequency - 5, frequency + 5, 0.25), frequency,
                0.25);
    // Sample by sample: a delay of a tenth of a sample would show.
    EXPECT_LE(LargestDifference(middle, std::span(expected.samples).subspan(to / 4, to / 2)), 1e-4)
        << frequency;
  }
}

TEST_P(ResamplerRates, ImpulseStaysAtItsTime) {
  const auto [from, to] = GetParam();
  std::vector<float> input(from, 0.0f);
  input[from / 2] = 1;
  const std::vector<float> output = ResampleWhole(input, from, to);
  const auto peak = std::max_element(output.begin(), output.end()) - output.begin();
  EXPECT_NEAR(static_cast<double>(peak), static_cast<double>(from / 2) * to / from, 0.51);
}

INSTANTIATE_TEST_SUITE_P(Rates, ResamplerRates,
                         ::testing::Values(std::tuple(44100, 22050), std::tuple(48000, 22050),
                                           std::tuple(8000, 22050), std::tuple(96000, 22050),
                                           std::tuple(22050, 44100), std::tuple(44101, 22050),
                                           std::tuple(1000, 16000), std::tuple(192000, 8000)));

TEST(ResamplerTest, ToneAboveTheNewNyquistFrequencyIsSuppressed) {
  const std::vector<float> output = ResampleWhole(Sine(15000, 1.0, 44100).samples, 44100, 22050);
  double largest = 0;
  for (size_t i = 2000; i + 2000 < output.size(); ++i)
    largest = std::max(largest, std::abs((double)output[i]));
  EXPECT_LT(largest, 0.5e-4);  // 80 dB below the tone
}

TEST(ResamplerTest, EqualRatesPassThroughBitForBit) {
  const std::vector<float> noise = Noise(10000);
  EXPECT_EQ(ResampleInPieces(noise, 22050, 22050, {17, 4000}), noise);
}

TEST(ResamplerTest, NothingInGivesNothingOut) {
  EXPECT_TRUE(ResampleWhole({}, 44100, 22050).empty());
  EXPECT_TRUE(ResampleWhole({}, 22050, 22050).empty());
}

TEST(ResamplerTest, RatesThatAreNotPositiveAreRefused) {
  EXPECT_EQ(Resampler::Create(0, 22050).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Resampler::Create(22050, -1).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace antiphon::audio
