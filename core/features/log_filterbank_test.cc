#include "core/features/log_filterbank.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "core/testing/feature_signals.h"

namespace antiphon::features {
namespace {

class LogFilterbankTest : public ::testing::Test {
 protected:
  const FeatureSettings settings_ = DorferSettings();
  const std::unique_ptr<const AudioFrontEnd> front_end_ = MakeFrontEnd(settings_);
};

TEST_F(LogFilterbankTest, NinetyTwoBandsReachFromThirtyHertzToSixKilohertz) {
  EXPECT_EQ(front_end_->frame_length(), 2048);
  EXPECT_EQ(front_end_->settings().bands, 92);
  const double bin = 22050.0 / 2048;
  // The lowest filter begins one bin below its peak.
  EXPECT_NEAR(front_end_->BandFrequency(0) - bin, 30, bin);
  const double highest = front_end_->BandFrequency(91);
  EXPECT_GT(highest, 5500);
  EXPECT_LT(highest * std::exp2(1.0 / 16), 6000 + bin);  // where the highest filter ends
}

TEST_F(LogFilterbankTest, BandsLieSixteenToTheOctaveWhereTheSpectrumResolvesThem) {
  const double bin = 22050.0 / 2048;
  for (int band = 1; band < settings_.bands; ++band) {
    const double low = front_end_->BandFrequency(band - 1), high = front_end_->BandFrequency(band);
    EXPECT_GE(high - low, bin - 1e-9) << band;
    // Each peak is rounded to a bin, half a bin at most.
    if (low < 16 * bin / std::numbers::ln2 * 1.5) continue;
    EXPECT_NEAR(high, low * std::exp2(1.0 / 16), 1.1 * bin) << band;
  }
}

// For a flat spectrum every band gives the sum of its filter, and an impulse has one.
TEST_F(LogFilterbankTest, EveryFilterSumsToOne) {
  std::vector<float> samples(2048, 0.0f);
  samples[1024] = 1024.0f;  // the window is 2 / 2048 · 2 at its peak
  const std::vector<float> magnitudes = Magnitudes(*front_end_, samples);
  for (int band = 0; band < settings_.bands; ++band)
    EXPECT_NEAR(magnitudes[band], 2.0f, 1e-4f) << band;
}

TEST_F(LogFilterbankTest, ATonePeaksInTheBandThatLiesThere) {
  for (int band = 0; band < settings_.bands; ++band) {
    const auto tone =
        Sine(front_end_->BandFrequency(band), 2048, settings_.sample_rate, 1.0, 0.3 * band);
    EXPECT_EQ(StrongestBand(Magnitudes(*front_end_, tone)), band)
        << front_end_->BandFrequency(band) << " Hz";
  }
}

TEST_F(LogFilterbankTest, EveryPianoPitchLandsInTheNearestBand) {
  int last = -1;
  for (int pitch = 21; pitch <= 108; ++pitch) {
    const double frequency = PitchFrequency(pitch);
    const int strongest =
        StrongestBand(Magnitudes(*front_end_, Sine(frequency, 2048, settings_.sample_rate)));
    // Between the peaks of the two neighbours. Below 43 Hz there is no lower neighbour.
    const double low = strongest == 0 ? 0 : front_end_->BandFrequency(strongest - 1);
    EXPECT_GT(frequency, low) << pitch;
    EXPECT_LT(frequency, front_end_->BandFrequency(std::min(91, strongest + 1))) << pitch;
    EXPECT_GE(strongest, last) << pitch;
    last = strongest;
  }
}

// The definition, evaluated in double precision: a Hann window, the discrete Fourier transform, and
// triangles built here from the frequencies of the bands alone.
TEST_F(LogFilterbankTest, EqualsTheDefinition) {
  constexpr int kLength = 2048;
  const std::vector<float> samples = WhiteNoise(kLength, 11);
  const std::vector<float> measured = Magnitudes(*front_end_, samples);
  std::vector<double> spectrum(kLength / 2 + 1);
  for (int j = 0; j <= kLength / 2; ++j) {
    std::complex<double> sum = 0;
    for (int n = 0; n < kLength; ++n) {
      const double hann = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * (n + 0.5) / kLength);
      sum +=
          hann * samples[n] * std::polar(1.0, -2 * std::numbers::pi * (j * n % kLength) / kLength);
    }
    spectrum[j] = std::abs(sum) * 2 / (kLength / 2.0);
  }
  const auto bin_of = [&](int band) {
    return front_end_->BandFrequency(band) * kLength / settings_.sample_rate;
  };
  for (int band = 1; band + 1 < settings_.bands; ++band) {
    const double low = bin_of(band - 1), centre = bin_of(band), high = bin_of(band + 1);
    double sum = 0, weights = 0;
    for (int j = 0; j <= kLength / 2; ++j) {
      const double weight =
          std::max(0.0, std::min((j - low) / (centre - low), (high - j) / (high - centre)));
      sum += weight * spectrum[j];
      weights += weight;
    }
    EXPECT_NEAR(measured[band] / (sum / weights), 1, 2e-5) << band;
  }
}

TEST_F(LogFilterbankTest, BandsBeyondHalfTheSampleRateAreRefused) {
  FeatureSettings settings = DorferSettings();
  settings.bands = 106;
  EXPECT_TRUE(AudioFrontEnd::Create(settings).ok());
  settings.bands = 107;  // 105 frequencies from 30 Hz on would be far below; those that fall
                         // together make the difference
  const auto created = AudioFrontEnd::Create(settings);
  EXPECT_EQ(created.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(created.status().message()), ::testing::HasSubstr("bands"));
}

TEST_F(LogFilterbankTest, EveryValidSettingGivesAFilterbankOrAStatus) {
  for (const int fft_length : {0, 256, 1024, 8192}) {
    for (const double lowest : {10.0, 27.5, 440.0, 1000.0}) {
      for (const int per_octave : {6, 24, 96}) {
        for (const int bands : {12, 50, 200}) {
          FeatureSettings settings = DorferSettings();
          settings.fft_length = fft_length;
          settings.min_frequency = lowest;
          settings.bands_per_octave = per_octave;
          settings.bands = bands;
          const auto front_end = AudioFrontEnd::Create(settings);
          if (!front_end.ok()) {
            EXPECT_EQ(front_end.status().code(), absl::StatusCode::kInvalidArgument);
            continue;
          }
          const auto magnitudes =
              Magnitudes(**front_end, WhiteNoise((*front_end)->frame_length(), 12));
          for (const float magnitude : magnitudes) EXPECT_GT(magnitude, 0);
          EXPECT_LT((*front_end)->BandFrequency(bands - 1), settings.sample_rate / 2.0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace antiphon::features
