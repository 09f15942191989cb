// Signals and settings that the tests of core/features share. Header only; for tests.
#ifndef ANTIPHON_CORE_TESTING_FEATURE_SIGNALS_H_
#define ANTIPHON_CORE_TESTING_FEATURE_SIGNALS_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numbers>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "core/features/audio_front_end.h"

namespace antiphon::features {

// Frequency of a MIDI note number, Hz.
inline double PitchFrequency(double pitch) { return 440.0 * std::exp2((pitch - 69.0) / 12.0); }

// Sample number n is amplitude · sin(2π · frequency · n / sample_rate + phase).
inline std::vector<float> Sine(double frequency, int samples, int sample_rate,
                               double amplitude = 1.0, double phase = 0.0) {
  std::vector<float> audio(samples);
  for (int n = 0; n < samples; ++n) {
    audio[n] = static_cast<float>(
        amplitude * std::sin(2 * std::numbers::pi * frequency * n / sample_rate + phase));
  }
  return audio;
}

// Uniform in [-1, 1].
inline std::vector<float> WhiteNoise(int samples, uint32_t seed) {
  std::mt19937 rng(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> audio(samples);
  for (float& sample : audio) sample = uniform(rng);
  return audio;
}

// Two to eight notes of random piano pitches, each with six partials that fall in strength, at
// random phases.
inline std::vector<float> Chord(int samples, int sample_rate, uint32_t seed) {
  std::mt19937 rng(seed);
  std::vector<float> audio(samples, 0.0f);
  std::uniform_real_distribution<double> phase(0, 2 * std::numbers::pi);
  for (int notes = std::uniform_int_distribution(2, 8)(rng); notes > 0; --notes) {
    const double fundamental = PitchFrequency(std::uniform_int_distribution(21, 96)(rng));
    const double strength = std::uniform_real_distribution(0.02, 0.2)(rng);
    for (int partial = 1; partial <= 6 && partial * fundamental < sample_rate / 2.0; ++partial) {
      const std::vector<float> tone = Sine(partial * fundamental, samples, sample_rate,
                                           strength / (partial * partial), phase(rng));
      for (int n = 0; n < samples; ++n) audio[n] += tone[n];
    }
  }
  return audio;
}

inline std::unique_ptr<const AudioFrontEnd> MakeFrontEnd(const FeatureSettings& settings) {
  return AudioFrontEnd::Create(settings).value();
}

// Magnitudes of the frame made of exactly these samples, [frame_length].
inline std::vector<float> Magnitudes(const AudioFrontEnd& front_end,
                                     std::span<const float> samples) {
  std::vector<float> magnitudes(front_end.settings().bands);
  const auto scratch = front_end.NewScratch();
  front_end.Transform(samples, magnitudes, *scratch);
  return magnitudes;
}

inline int StrongestBand(std::span<const float> magnitudes) {
  return static_cast<int>(std::max_element(magnitudes.begin(), magnitudes.end()) -
                          magnitudes.begin());
}

// For tests that hold for both front ends.
struct NamedSettings {
  std::string name;
  FeatureSettings settings;
};

inline std::vector<NamedSettings> BothFrontEnds() {
  return {{"ConstantQ", FeatureSettings()}, {"LogFilterbank", DorferSettings()}};
}

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_TESTING_FEATURE_SIGNALS_H_
