#include "trainer/datasets/degradation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "core/testing/audio_signals.h"

namespace antiphon::trainer::datasets {
namespace {

using audio::Waveform;

constexpr int kRate = 22050;

// Notes of a few partials, one each half second: something that a codec takes for music.
Waveform Notes(double seconds) {
  Waveform audio = audio::Sine(0, seconds, kRate);
  for (int note = 0; note * 0.5 < seconds - 0.5; ++note) {
    const size_t start = static_cast<size_t>((note * 0.5 + 0.25) * kRate);
    const double hz = 220 * std::exp2((note * 7 % 24) / 12.0);
    for (size_t i = start; i < audio.samples.size() && i < start + kRate; ++i) {
      const double t = static_cast<double>(i - start) / kRate;
      for (int partial = 1; partial < 6; ++partial) {
        audio.samples[i] += static_cast<float>(0.2 / partial * std::exp(-5 * t) *
                                               std::sin(2 * std::numbers::pi * hz * partial * t));
      }
    }
  }
  return audio;
}

Waveform WhiteNoise(double seconds) {
  Waveform audio = audio::Sine(0, seconds, kRate);
  std::mt19937_64 random(4);
  std::normal_distribution<float> normal(0, 0.1f);
  for (float& sample : audio.samples) sample = normal(random);
  return audio;
}

// The mean power of partials over a band, dB.
double DensityDb(const Waveform& audio, double from_hz, double to_hz) {
  double sum = 0;
  int count = 0;
  for (double hz = from_hz; hz < to_hz; hz *= 1.01, ++count)
    sum += std::norm(audio::Partial(audio.samples, kRate, hz));
  return 10 * std::log10(sum / count);
}

Waveform MustDegrade(const Waveform& audio, std::string_view name, uint64_t seed = 1) {
  absl::StatusOr<Waveform> degraded = Degrade(audio, name, seed);
  EXPECT_TRUE(degraded.ok()) << degraded.status();
  return degraded.ok() ? *std::move(degraded) : Waveform{};
}

TEST(DegradationTest, EachChangesTheSoundStaysFiniteAndHasItsLength) {
  const Waveform audio = Notes(4);
  for (const std::string& name : DegradationNames()) {
    const Waveform degraded = MustDegrade(audio, name);
    EXPECT_EQ(degraded.sample_rate, kRate);
    EXPECT_NEAR(degraded.samples.size(), audio.samples.size() / DegradationSpeed(name), 3) << name;
    EXPECT_TRUE(std::all_of(degraded.samples.begin(), degraded.samples.end(), [](float x) {
      return std::isfinite(x);
    })) << name;
    EXPECT_GT(audio::LargestDifference(degraded.samples, audio.samples), 0.003) << name;
    EXPECT_GT(audio::Rms(degraded, 0, 4), 0.1 * audio::Rms(audio, 0, 4)) << name;
  }
}

TEST(DegradationTest, RepeatsItselfForASeed) {
  const Waveform audio = Notes(2);
  for (const std::string& name : DegradationNames()) {
    EXPECT_EQ(MustDegrade(audio, name, 3).samples, MustDegrade(audio, name, 3).samples) << name;
  }
  EXPECT_NE(MustDegrade(audio, "noise-0db", 3).samples, MustDegrade(audio, "noise-0db", 4).samples);
  EXPECT_NE(MustDegrade(audio, "large-hall", 3).samples,
            MustDegrade(audio, "large-hall", 4).samples);
}

TEST(DegradationTest, SilenceStaysSilent) {
  Waveform silence = audio::Sine(0, 1, kRate);
  for (const std::string& name : DegradationNames()) {
    EXPECT_LT(audio::Rms(MustDegrade(silence, name), 0, 1), 1e-4) << name;
  }
}

// A click is loudest within 5 ms of where it was.
TEST(DegradationTest, NothingIsDelayed) {
  Waveform clicks = audio::Sine(0, 2, kRate);
  for (size_t i = kRate; i < kRate + 40; ++i) clicks.samples[i] = i % 20 < 10 ? 0.5f : -0.5f;
  for (const std::string& name : DegradationNames()) {
    if (name == "noise-0db") continue;  // louder than the click
    const Waveform degraded = MustDegrade(clicks, name);
    double best = 0;
    double best_energy = -1;
    for (double at = 0.2; at < 1.7; at += 0.001) {
      const double energy = audio::Rms(degraded, at, at + 0.002);
      if (energy > best_energy) {
        best = at;
        best_energy = energy;
      }
    }
    EXPECT_NEAR(best * DegradationSpeed(name), 1, 0.005) << name;
  }
}

TEST(DegradationTest, TelephoneAndLoudspeakerHaveTheirBands) {
  const Waveform noise = WhiteNoise(4);
  const Waveform telephone = MustDegrade(noise, "telephone");
  EXPECT_LT(DensityDb(telephone, 50, 150), DensityDb(telephone, 500, 3000) - 20);
  EXPECT_LT(DensityDb(telephone, 4500, 10000), DensityDb(telephone, 500, 3000) - 30);
  const Waveform loudspeaker = MustDegrade(noise, "small-loudspeaker");
  EXPECT_LT(DensityDb(loudspeaker, 30, 80), DensityDb(loudspeaker, 500, 3000) - 15);
}

TEST(DegradationTest, NoiseIsAtItsRatio) {
  const Waveform audio = Notes(4);
  for (const auto& [name, snr_db] : {std::pair{"noise-10db", 10.0}, {"noise-0db", 0.0}}) {
    Waveform noise = MustDegrade(audio, name);
    for (size_t i = 0; i < noise.samples.size(); ++i) noise.samples[i] -= audio.samples[i];
    EXPECT_NEAR(20 * std::log10(audio::Rms(audio, 0, 4) / audio::Rms(noise, 0, 4)), snr_db, 1);
  }
}

TEST(DegradationTest, LargeHallRingsOn) {
  Waveform audio = Notes(2);
  audio.samples.resize(4 * kRate);
  EXPECT_LT(audio::Rms(audio, 3, 3.5), 1e-6);
  EXPECT_GT(audio::Rms(MustDegrade(audio, "large-hall"), 3, 3.5), 0.01 * audio::Rms(audio, 0, 2));
}

TEST(DegradationTest, SpeedMovesThePitch) {
  const Waveform tone = audio::Sine(1000, 2, kRate);
  for (const auto& [name, cents] : {std::pair{"sharp-30-cents", 30.0},
                                    {"flat-30-cents", -30.0},
                                    {"faster-5-percent", 84.467}}) {
    const Waveform degraded = MustDegrade(tone, name);
    const double hz = audio::StrongestFrequency(degraded.samples, kRate, 970, 1060, 0.25);
    EXPECT_NEAR(1200 * std::log2(hz / 1000), cents, 1) << name;
  }
}

TEST(DegradationTest, LossyCodingIsCloseButNotTheSame) {
  const Waveform audio = Notes(4);
  Waveform difference = MustDegrade(audio, "lossy-64k");
  for (size_t i = 0; i < difference.samples.size(); ++i) difference.samples[i] -= audio.samples[i];
  EXPECT_LT(audio::Rms(difference, 0, 4), 0.2 * audio::Rms(audio, 0, 4));
  EXPECT_GT(audio::Rms(difference, 0, 4), 1e-4 * audio::Rms(audio, 0, 4));
}

TEST(DegradationTest, UnknownNameListsTheNames) {
  const absl::Status status = Degrade(Notes(1), "rain", 1).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  for (const std::string& name : DegradationNames()) {
    EXPECT_NE(status.message().find(name), absl::string_view::npos) << name;
  }
}

TEST(DegradationTest, EmptyOrInfiniteSoundIsRefused) {
  EXPECT_EQ(Degrade({}, "clipping", 1).status().code(), absl::StatusCode::kInvalidArgument);
  Waveform audio = Notes(1);
  audio.samples[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(Degrade(audio, "clipping", 1).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace antiphon::trainer::datasets
