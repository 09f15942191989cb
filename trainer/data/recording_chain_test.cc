#include "trainer/data/recording_chain.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "core/testing/audio_signals.h"
#include "gtest/gtest.h"

namespace antiphon::trainer::data {
namespace {

using audio::Waveform;

constexpr int kRate = 22050;

Waveform Silence(double seconds) {
  Waveform waveform;
  waveform.sample_rate = kRate;
  waveform.samples.resize(static_cast<size_t>(seconds * kRate));
  return waveform;
}

Waveform WhiteNoise(double seconds) {
  Waveform waveform = Silence(seconds);
  std::mt19937_64 random(9);
  std::normal_distribution<float> normal(0, 0.1f);
  for (float& sample : waveform.samples) sample = normal(random);
  return waveform;
}

// Decaying bursts, one each half second.
Waveform Bursts(double seconds) {
  Waveform waveform = Silence(seconds);
  for (size_t i = 0; i < waveform.samples.size(); ++i) {
    const double t = std::fmod(static_cast<double>(i) / kRate, 0.5);
    if (t < 0.1)
      waveform.samples[i] =
          static_cast<float>(0.5 * std::exp(-t * 60) * std::sin(2 * 3.14159265 * 880 * t));
  }
  return waveform;
}

Waveform Difference(const Waveform& a, const Waveform& b) {
  Waveform difference = a;
  for (size_t i = 0; i < a.samples.size(); ++i) difference.samples[i] -= b.samples[i];
  return difference;
}

bool AllFinite(const Waveform& waveform) {
  return std::all_of(waveform.samples.begin(), waveform.samples.end(),
                     [](float x) { return std::isfinite(x); });
}

// The mean power of partials over a band, dB.
double DensityDb(const Waveform& waveform, double from_hz, double to_hz) {
  double sum = 0;
  int count = 0;
  for (double hz = from_hz; hz < to_hz; hz *= 1.005, ++count) {
    sum += std::norm(audio::Partial(waveform.samples, waveform.sample_rate, hz));
  }
  return 10 * std::log10(sum / count);
}

// Seconds for 60 dB, from the line through -5 and -35 dB of the backward integral (Schroeder,
// 1965); the direct sound, at 0, is left out.
double ReverberationTime(const Waveform& response) {
  std::vector<double> left(response.samples.size() + 1);
  for (size_t i = response.samples.size(); i-- > 0;)
    left[i] = left[i + 1] + response.samples[i] * response.samples[i];
  const size_t start = kRate / 20;
  const auto reached = [&](double db) {
    size_t i = start;
    while (10 * std::log10(left[i] / left[start]) > db) ++i;
    return static_cast<double>(i) / kRate;
  };
  return 2 * (reached(-35) - reached(-5));
}

TEST(RecordingChain, ByDefaultChangesNothing) {
  const Waveform audio = Bursts(1);
  EXPECT_LT(audio::LargestDifference(ApplyRecordingChain(audio, {}).samples, audio.samples), 1e-6);
}

TEST(RecordingChain, HasTheReverberationTimeAskedFor) {
  Waveform impulse = Silence(5);
  impulse.samples[0] = 1;
  for (const double rt60 : {0.3, 1.0, 2.5}) {
    RecordingChain chain;
    chain.rt60_s = rt60;
    chain.seed = 3;
    EXPECT_NEAR(ReverberationTime(ApplyRecordingChain(impulse, chain)), rt60, 0.2 * rt60);
  }
}

TEST(RecordingChain, LetsTrebleDieFasterThanBass) {
  Waveform impulse = Silence(4);
  impulse.samples[0] = 1;
  RecordingChain chain;
  chain.rt60_s = 1.5;
  chain.bass_decay = 1.3;
  chain.treble_decay = 0.4;
  chain.low_cut_hz = 4000;
  chain.low_cut_order = 8;
  const double treble = ReverberationTime(ApplyRecordingChain(impulse, chain));
  chain.low_cut_hz = 0;
  chain.high_cut_hz = 200;
  chain.high_cut_order = 8;
  const double bass = ReverberationTime(ApplyRecordingChain(impulse, chain));
  EXPECT_LT(treble, 0.75 * bass);
}

TEST(RecordingChain, HasTheDirectToReverberantRatioAskedFor) {
  Waveform impulse = Silence(3);
  impulse.samples[0] = 1;
  for (const double ratio : {-3.0, 6.0, 15.0}) {
    RecordingChain chain;
    chain.rt60_s = 0.8;
    chain.direct_to_reverb_db = ratio;
    const Waveform response = ApplyRecordingChain(impulse, chain);
    double reverberant = 0;
    for (size_t i = 1; i < response.samples.size(); ++i)
      reverberant += response.samples[i] * response.samples[i];
    EXPECT_NEAR(10 * std::log10(response.samples[0] * response.samples[0] / reverberant), ratio,
                0.5);
  }
}

// An onset is where a tenth of the largest burst within the next half second is first exceeded.
TEST(RecordingChain, LeavesOnsetsInTheirPlaces) {
  Waveform impulses = Silence(4.2);
  for (int i = 1; i < 8; ++i) impulses.samples[i * kRate / 2] = 1;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    RecordingChain chain = DrawRecordingChain(seed);
    chain.snr_db = 60;
    chain.hum_db = -60;
    const Waveform recorded = ApplyRecordingChain(impulses, chain);
    ASSERT_EQ(recorded.samples.size(), impulses.samples.size());
    for (int i = 1; i < 8; ++i) {
      const auto begin = recorded.samples.begin() + i * kRate / 2 - kRate / 20;
      const auto end = begin + kRate / 8;
      const auto louder = [](float a, float b) { return std::abs(a) < std::abs(b); };
      const float peak = std::abs(*std::max_element(begin, end, louder));
      const auto onset =
          std::find_if(begin, end, [&](float x) { return std::abs(x) > 0.5 * peak; });
      EXPECT_NEAR(static_cast<double>(onset - begin) / kRate, 0.05, 0.005)
          << "seed " << seed << ", impulse " << i;
    }
  }
}

TEST(RecordingChain, AddsNoiseAtTheRatioAndOfTheColourAskedFor) {
  const Waveform audio = Bursts(8);
  for (const double slope : {0.0, -3.0, -6.0}) {
    RecordingChain chain;
    chain.rt60_s = 0.5;
    const Waveform clean = ApplyRecordingChain(audio, chain);
    chain.snr_db = 12;
    chain.noise_slope_db = slope;
    const Waveform noise = Difference(ApplyRecordingChain(audio, chain), clean);
    EXPECT_NEAR(20 * std::log10(audio::Rms(clean, 0, 8) / audio::Rms(noise, 0, 8)), 12, 1);
    EXPECT_NEAR(DensityDb(noise, 2000, 4000) - DensityDb(noise, 500, 1000), 2 * slope, 1.5);
  }
}

TEST(RecordingChain, HumsAtTheLevelAndPitchAskedFor) {
  const Waveform audio = Bursts(4);
  RecordingChain chain;
  chain.hum_db = -20;
  chain.hum_hz = 60;
  const Waveform hum = Difference(ApplyRecordingChain(audio, chain), audio);
  EXPECT_NEAR(20 * std::log10(audio::Rms(hum, 0, 4) / audio::Rms(audio, 0, 4)), -20, 1);
  EXPECT_NEAR(audio::StrongestFrequency(hum.samples, kRate, 30, 90, 1), 60, 1);
}

TEST(RecordingChain, CutsBands) {
  const Waveform audio = WhiteNoise(4);
  RecordingChain chain;
  chain.low_cut_hz = 150;
  chain.high_cut_hz = 3500;
  const Waveform recorded = ApplyRecordingChain(audio, chain);
  const double pass = DensityDb(recorded, 500, 2000);
  EXPECT_LT(DensityDb(recorded, 30, 50), pass - 15);
  EXPECT_LT(DensityDb(recorded, 7000, 10000), pass - 20);
}

TEST(RecordingChain, KeepsTheLevelUpToItsGainAndClipsAtItsLevel) {
  const Waveform audio = Bursts(3);
  RecordingChain chain = DrawRecordingChain(5);
  chain.snr_db = 60;
  chain.hum_db = -60;
  chain.gain_db = -6;
  chain.clip_level = 1;
  const Waveform loud = ApplyRecordingChain(audio, chain);
  EXPECT_NEAR(20 * std::log10(audio::Rms(loud, 0, 3) / audio::Rms(audio, 0, 3)), -6, 0.1);
  chain.clip_level = 0.4;
  const Waveform clipped = ApplyRecordingChain(audio, chain);
  const auto peak = [](const Waveform& w) {
    return std::abs(*std::max_element(w.samples.begin(), w.samples.end(),
                                      [](float a, float b) { return std::abs(a) < std::abs(b); }));
  };
  EXPECT_NEAR(peak(clipped), 0.4 * peak(loud), 1e-4);
}

TEST(RecordingChain, WobblesThePitchWithinItsDepth) {
  const Waveform audio = audio::Sine(1000, 4, kRate);
  RecordingChain chain;
  chain.wow_cents = 30;
  chain.wow_hz = 0.5;
  const Waveform recorded = ApplyRecordingChain(audio, chain);
  double lowest = 2000;
  double highest = 0;
  for (int i = 0; i + kRate / 5 < 4 * kRate; i += kRate / 10) {
    const std::span<const float> part(recorded.samples.data() + i, kRate / 5);
    const double hz = audio::StrongestFrequency(part, kRate, 960, 1040, 1);
    lowest = std::min(lowest, hz);
    highest = std::max(highest, hz);
  }
  EXPECT_NEAR(highest, 1000 * std::exp2(30.0 / 1200), 3);
  EXPECT_NEAR(lowest, 1000 * std::exp2(-30.0 / 1200), 3);
}

TEST(RecordingChain, RepeatsItselfForASeedAndOnlyForIt) {
  const Waveform audio = Bursts(2);
  EXPECT_EQ(ApplyRecordingChain(audio, DrawRecordingChain(1)).samples,
            ApplyRecordingChain(audio, DrawRecordingChain(1)).samples);
  EXPECT_NE(ApplyRecordingChain(audio, DrawRecordingChain(1)).samples,
            ApplyRecordingChain(audio, DrawRecordingChain(2)).samples);
}

TEST(RecordingChain, LeavesSilenceSilentAndIsFiniteForAnything) {
  Waveform quiet = Silence(0.5);
  quiet.samples[100] = 1e-20f;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const RecordingChain chain = DrawRecordingChain(seed);
    EXPECT_EQ(ApplyRecordingChain(Silence(0.5), chain).samples, Silence(0.5).samples);
    EXPECT_TRUE(AllFinite(ApplyRecordingChain(quiet, chain)));
    EXPECT_TRUE(AllFinite(ApplyRecordingChain(WhiteNoise(0.01), chain)));
    EXPECT_TRUE(ApplyRecordingChain(Silence(0), chain).samples.empty());
  }
}

TEST(DrawRecordingChain, SpreadsOverRoomsAndMicrophones) {
  constexpr int kChains = 2000;
  int hums = 0;
  int clips = 0;
  int wows = 0;
  int bright = 0;
  int halls = 0;
  for (int seed = 0; seed < kChains; ++seed) {
    const RecordingChain chain = DrawRecordingChain(seed);
    EXPECT_GE(chain.rt60_s, 0.15);
    EXPECT_LE(chain.rt60_s, 2.5);
    EXPECT_GE(chain.snr_db, 15);
    EXPECT_LE((std::exp2(chain.wow_cents / 1200) - 1) / (2 * 3.14159 * chain.wow_hz), 0.003);
    hums += std::isfinite(chain.hum_db);
    clips += chain.clip_level < 1;
    wows += chain.wow_cents != 0;
    bright += chain.high_cut_hz > 6000;
    halls += chain.rt60_s > 1;
  }
  EXPECT_NEAR(hums, 0.2 * kChains, 0.04 * kChains);
  EXPECT_NEAR(clips, 0.1 * kChains, 0.03 * kChains);
  EXPECT_NEAR(wows, 0.1 * kChains, 0.03 * kChains);
  EXPECT_GT(bright, 0.7 * kChains);
  EXPECT_GT(halls, 0.2 * kChains);
}

}  // namespace
}  // namespace antiphon::trainer::data
