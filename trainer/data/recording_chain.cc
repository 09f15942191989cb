#include "trainer/data/recording_chain.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "trainer/data/linear_filter.h"

namespace antiphon::trainer::data {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr int kMicrophoneTaps = 8192;
constexpr int kNoiseTaps = 4096;
constexpr double kLongestRoom_s = 4;
constexpr double kBassEdge = 250;     // Hz
constexpr double kTrebleEdge = 2000;  // Hz
constexpr int kEarlyReflections = 12;
constexpr double kEarlySpan_s = 0.06;  // the early reflections come in so long after the first
constexpr double kLowestNoise = 30;    // Hz: coloured noise is flat below

// What is drawn from a chain's seed; one generator each, so that changing one setting leaves the
// rest as it was.
enum class Stream : uint32_t { kRoom = 1, kCurve, kNoise, kHum, kWow, kChain };

std::mt19937_64 Generator(uint64_t seed, Stream stream) {
  std::seed_seq sequence{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32),
                         static_cast<uint32_t>(stream)};
  return std::mt19937_64(sequence);
}

double Uniform(double low, double high, std::mt19937_64& random) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

double LogUniform(double low, double high, std::mt19937_64& random) {
  return std::exp(Uniform(std::log(low), std::log(high), random));
}

double FromDb(double db) { return std::pow(10.0, db / 20); }

double Rms(std::span<const float> samples) {
  double sum = 0;
  for (const float x : samples) sum += static_cast<double>(x) * x;
  return samples.empty() ? 0 : std::sqrt(sum / static_cast<double>(samples.size()));
}

// Gaussian noise in three bands that sum to white noise at time 0, each with its own exponential
// decay. One-pole splits: the bands overlap widely, as the decay of real rooms changes over
// frequency.
std::vector<float> ReverberantTail(const RecordingChain& chain, int rate, std::mt19937_64& random) {
  const double longest = chain.rt60_s * std::max({1.0, chain.bass_decay, chain.treble_decay});
  std::vector<float> tail(static_cast<size_t>(std::min(longest * 1.1, kLongestRoom_s) * rate) + 1);
  const auto decay = [&](double ratio) {
    return std::pow(10.0, -3 / (chain.rt60_s * std::max(ratio, 0.01) * rate));
  };
  const double bass_pole = std::exp(-2 * kPi * kBassEdge / rate);
  const double treble_pole = std::exp(-2 * kPi * std::min(kTrebleEdge / rate, 0.45));
  const std::array<double, 3> steps{decay(chain.bass_decay), decay(1), decay(chain.treble_decay)};
  std::array<double, 3> envelope{1, 1, 1};
  std::normal_distribution<float> normal;
  double low = 0;
  double middle = 0;
  for (float& sample : tail) {
    const double white = normal(random);
    low += (1 - bass_pole) * (white - low);
    middle += (1 - treble_pole) * (white - middle);
    sample = static_cast<float>(low * envelope[0] + (middle - low) * envelope[1] +
                                (white - middle) * envelope[2]);
    for (size_t band = 0; band < 3; ++band) envelope[band] *= steps[band];
  }
  return tail;
}

// Starts with the direct sound: one at time 0.
std::vector<float> RoomResponse(const RecordingChain& chain, int rate) {
  if (!(chain.rt60_s > 0)) return {1.0f};
  std::mt19937_64 random = Generator(chain.seed, Stream::kRoom);
  const size_t first = static_cast<size_t>(std::max(1.0, chain.pre_delay_s * rate));
  const std::vector<float> tail = ReverberantTail(chain, rate, random);
  std::vector<float> response(first + tail.size());
  std::copy(tail.begin(), tail.end(), response.begin() + first);
  // Early reflections stand out of the diffuse tail, less and less.
  const double span = std::min(kEarlySpan_s, chain.rt60_s / 4);
  for (int i = 0; i < kEarlyReflections; ++i) {
    const double after = i == 0 ? 0 : Uniform(0, span, random);
    const double strength = Uniform(4, 16, random) * std::pow(10.0, -3 * after / chain.rt60_s);
    const size_t at = std::min(first + static_cast<size_t>(after * rate), response.size() - 1);
    response[at] += static_cast<float>(random() % 2 == 0 ? strength : -strength);
  }
  const double energy = Rms(response) * std::sqrt(static_cast<double>(response.size()));
  const float scale = static_cast<float>(FromDb(-chain.direct_to_reverb_db) / energy);
  for (float& sample : response) sample *= scale;
  response[0] = 1;
  return response;
}

// Sums of slow cosines over log frequency, of the standard deviation asked for, and the two cuts.
std::vector<float> MicrophoneResponse(const RecordingChain& chain, int rate) {
  if (chain.equalisation_db == 0 && chain.low_cut_hz <= 0 && chain.high_cut_hz <= 0) return {1.0f};
  constexpr int kCosines = 6;
  constexpr double kOctaves = 9;  // from 20 Hz up
  std::mt19937_64 random = Generator(chain.seed, Stream::kCurve);
  std::array<double, kCosines> phase;
  for (double& value : phase) value = Uniform(0, 2 * kPi, random);
  const double amplitude = chain.equalisation_db * std::sqrt(2.0 / kCosines);
  const auto gain_db = [&](double hz) {
    const double position = std::log2(std::max(hz, 20.0) / 20) / kOctaves;
    double gain = 0;
    for (int i = 0; i < kCosines; ++i)
      gain += amplitude * std::cos(kPi * (i + 1) * position + phase[i]);
    if (chain.low_cut_hz > 0) {
      gain -= 10 * std::log10(1 + std::pow(chain.low_cut_hz / hz, 2 * chain.low_cut_order));
    }
    if (chain.high_cut_hz > 0) {
      gain -= 10 * std::log10(1 + std::pow(hz / chain.high_cut_hz, 2 * chain.high_cut_order));
    }
    return gain;
  };
  return MinimumPhaseResponse(gain_db, rate, kMicrophoneTaps);
}

// Band-limited interpolation of `samples` at times that swing about the true ones.
std::vector<float> Wobble(const std::vector<float>& samples, int rate,
                          const RecordingChain& chain) {
  constexpr int kHalf = 8;      // taps on either side
  constexpr int kPhases = 512;  // tabulated fractions of a sample
  std::vector<std::array<float, 2 * kHalf>> table(kPhases + 1);
  for (int phase = 0; phase <= kPhases; ++phase) {
    for (int tap = 0; tap < 2 * kHalf; ++tap) {
      const double x = tap - (kHalf - 1) - static_cast<double>(phase) / kPhases;
      const double sinc = x == 0 ? 1 : std::sin(kPi * x) / (kPi * x);
      table[phase][tap] = static_cast<float>(sinc * (0.5 + 0.5 * std::cos(kPi * x / kHalf)));
    }
  }
  std::mt19937_64 random = Generator(chain.seed, Stream::kWow);
  const double start = Uniform(0, 2 * kPi, random);
  const double depth = (std::exp2(chain.wow_cents / 1200) - 1) / (2 * kPi * chain.wow_hz) * rate;
  const double step = 2 * kPi * chain.wow_hz / rate;
  const auto size = static_cast<ptrdiff_t>(samples.size());
  std::vector<float> result(samples.size());
  for (ptrdiff_t i = 0; i < size; ++i) {
    const double at =
        static_cast<double>(i) + depth * std::sin(start + step * static_cast<double>(i));
    const auto whole = static_cast<ptrdiff_t>(std::floor(at));
    const auto& taps =
        table[static_cast<size_t>(std::lround((at - static_cast<double>(whole)) * kPhases))];
    const ptrdiff_t first = whole - (kHalf - 1);
    const ptrdiff_t from = std::max<ptrdiff_t>(0, -first);
    const ptrdiff_t to = std::min<ptrdiff_t>(2 * kHalf, size - first);
    float sum = 0;
    for (ptrdiff_t tap = from; tap < to; ++tap) sum += taps[tap] * samples[first + tap];
    result[i] = sum;
  }
  return result;
}

// Adds `addition`, scaled to the given root mean square.
void AddAtLevel(std::span<const float> addition, double rms, std::span<float> samples) {
  const double own = Rms(addition);
  if (!(own > 0)) return;
  const float scale = static_cast<float>(rms / own);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] += scale * addition[i];
}

std::vector<float> Noise(const RecordingChain& chain, size_t size, int rate) {
  std::mt19937_64 random = Generator(chain.seed, Stream::kNoise);
  std::normal_distribution<float> normal;
  std::vector<float> noise(size);
  for (float& sample : noise) sample = normal(random);
  if (chain.noise_slope_db == 0) return noise;
  const auto gain_db = [&](double hz) {
    return chain.noise_slope_db * std::log2(std::max(hz, kLowestNoise) / kLowestNoise);
  };
  return Convolve(noise, MinimumPhaseResponse(gain_db, rate, kNoiseTaps));
}

std::vector<float> Hum(const RecordingChain& chain, size_t size, int rate) {
  constexpr int kHarmonics = 8;
  std::mt19937_64 random = Generator(chain.seed, Stream::kHum);
  // One period's worth of harmonics is written for a second, which both mains frequencies divide,
  // and repeated.
  std::vector<float> second(std::min(size, static_cast<size_t>(rate)));
  for (int harmonic = 1; harmonic <= kHarmonics && harmonic * chain.hum_hz < rate / 2.0;
       ++harmonic) {
    const double amplitude = Uniform(0.2, 1, random) / harmonic;
    const double phase = Uniform(0, 2 * kPi, random);
    const double step = 2 * kPi * harmonic * chain.hum_hz / rate;
    for (size_t i = 0; i < second.size(); ++i)
      second[i] += static_cast<float>(amplitude * std::sin(phase + step * i));
  }
  std::vector<float> hum(size);
  for (size_t i = 0; i < size; ++i) hum[i] = second[i % second.size()];
  return hum;
}

void Clip(double level, std::span<float> samples) {
  float peak = 0;
  for (const float x : samples) peak = std::max(peak, std::abs(x));
  const float limit = static_cast<float>(level * peak);
  for (float& sample : samples) sample = std::clamp(sample, -limit, limit);
}

}  // namespace

RecordingChain DrawRecordingChain(uint64_t seed) {
  std::mt19937_64 random = Generator(seed, Stream::kChain);
  const auto happens = [&](double probability) { return Uniform(0, 1, random) < probability; };
  RecordingChain chain;
  chain.seed = random();
  chain.rt60_s = LogUniform(0.15, 2.5, random);
  chain.direct_to_reverb_db = Uniform(-3, 15, random);
  chain.pre_delay_s = LogUniform(0.002, 0.02, random) * std::sqrt(std::max(1.0, chain.rt60_s));
  chain.bass_decay = Uniform(0.9, 1.4, random);
  chain.treble_decay = Uniform(0.35, 0.9, random);
  chain.equalisation_db = Uniform(1.5, 4, random);
  chain.low_cut_hz = LogUniform(20, 150, random);
  // The larger of two: four fifths above 6 kHz.
  chain.high_cut_hz = std::max(LogUniform(3500, 11000, random), LogUniform(3500, 11000, random));
  chain.snr_db = Uniform(15, 60, random);
  chain.noise_slope_db = Uniform(-6, 0, random);
  if (happens(0.2)) chain.hum_db = Uniform(-50, -20, random);
  chain.hum_hz = happens(0.5) ? 50 : 60;
  chain.gain_db = Uniform(-15, 3, random);
  if (happens(0.1)) chain.clip_level = Uniform(0.4, 0.9, random);
  if (happens(0.1)) {
    chain.wow_hz = LogUniform(0.4, 4, random);
    chain.wow_cents = Uniform(2, 12, random);
  }
  return chain;
}

audio::Waveform ApplyRecordingChain(const audio::Waveform& audio, const RecordingChain& chain) {
  audio::Waveform result = audio;
  std::vector<float>& samples = result.samples;
  const int rate = audio.sample_rate;
  const double rms = Rms(samples);
  if (!(rms > 0)) return result;
  if (chain.wow_cents != 0 && chain.wow_hz > 0) samples = Wobble(samples, rate, chain);
  std::vector<float> response = RoomResponse(chain, rate);
  if (std::vector<float> microphone = MicrophoneResponse(chain, rate); microphone.size() > 1) {
    response.resize(response.size() + microphone.size() - 1);
    response = Convolve(response, microphone);
  }
  if (response.size() > 1) samples = Convolve(samples, response);
  // A band without any of the sound leaves rounding errors at most, which are not to be blown up.
  const double filtered = Rms(samples);
  const double scale = filtered > rms * 1e-4 ? rms / filtered : 1;
  for (float& sample : samples) sample *= static_cast<float>(scale);
  const double level = filtered * scale;
  if (std::isfinite(chain.snr_db))
    AddAtLevel(Noise(chain, samples.size(), rate), level * FromDb(-chain.snr_db), samples);
  if (std::isfinite(chain.hum_db))
    AddAtLevel(Hum(chain, samples.size(), rate), level * FromDb(chain.hum_db), samples);
  for (float& sample : samples) sample *= static_cast<float>(FromDb(chain.gain_db));
  if (chain.clip_level < 1) Clip(chain.clip_level, samples);
  return result;
}

}  // namespace antiphon::trainer::data
