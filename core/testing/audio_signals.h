// Signals and measurements that the tests of core/audio share. Header only; for tests.
#ifndef ANTIPHON_CORE_TESTING_AUDIO_SIGNALS_H_
#define ANTIPHON_CORE_TESTING_AUDIO_SIGNALS_H_

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <iterator>
#include <numbers>
#include <span>
#include <vector>

#include "core/audio/waveform.h"

namespace antiphon::audio {

// A sine of `frequency` Hz and the given amplitude, phase 0 at time 0.
inline Waveform Sine(double frequency, double seconds, int sample_rate, double amplitude = 0.5) {
  Waveform waveform;
  waveform.sample_rate = sample_rate;
  waveform.samples.resize(std::llround(seconds * sample_rate));
  for (size_t i = 0; i < waveform.samples.size(); ++i) {
    waveform.samples[i] = static_cast<float>(
        amplitude * std::sin(2 * std::numbers::pi * frequency * i / sample_rate));
  }
  return waveform;
}

// The discrete-time Fourier transform at one frequency, Hann-windowed, scaled so that a sine gives
// its amplitude.
inline std::complex<double> Partial(std::span<const float> samples, int sample_rate,
                                    double frequency) {
  // Phasors are stepped by multiplication: far faster than a sine each, and exact enough in double.
  const std::complex<double> step =
      std::polar(1.0, -2 * std::numbers::pi * frequency / sample_rate);
  const std::complex<double> hann_step = std::polar(1.0, 2 * std::numbers::pi / samples.size());
  std::complex<double> phasor = 1;
  std::complex<double> hann_phasor = std::polar(1.0, std::numbers::pi / samples.size());
  std::complex<double> sum = 0;
  double weight = 0;
  for (const float sample : samples) {
    const double hann = 0.5 - 0.5 * hann_phasor.real();
    sum += hann * sample * phasor;
    weight += hann;
    phasor *= step;
    hann_phasor *= hann_step;
  }
  return 2.0 * sum / weight;
}

// The frequency in [low, high] Hz, on a grid of `step` Hz, with the largest partial.
inline double StrongestFrequency(std::span<const float> samples, int sample_rate, double low,
                                 double high, double step) {
  double best = low;
  double best_amplitude = -1;
  for (double frequency = low; frequency <= high; frequency += step) {
    const double amplitude = std::abs(Partial(samples, sample_rate, frequency));
    if (amplitude > best_amplitude) {
      best_amplitude = amplitude;
      best = frequency;
    }
  }
  return best;
}

// Root mean square over [from_s, to_s), cut to the waveform.
inline double Rms(const Waveform& waveform, double from_s, double to_s) {
  const auto at = [&](double s) {
    return std::min(waveform.samples.size(),
                    static_cast<size_t>(std::llround(s * waveform.sample_rate)));
  };
  double sum = 0;
  for (size_t i = at(from_s); i < at(to_s); ++i) sum += waveform.samples[i] * waveform.samples[i];
  return at(to_s) > at(from_s) ? std::sqrt(sum / (at(to_s) - at(from_s))) : 0;
}

// Plucked notes that follow each other twice a second, each at another pitch: sound that fits onto
// itself at one place only.
inline Waveform Arpeggio(double seconds, int sample_rate) {
  constexpr int kSteps[] = {0, 7, 4, 12, 2, 9, 5, 11, 16, 14, 3, 10};
  Waveform waveform;
  waveform.sample_rate = sample_rate;
  waveform.samples.resize(std::llround(seconds * sample_rate));
  const auto note_length = static_cast<size_t>(sample_rate / 2);
  for (size_t i = 0; i < waveform.samples.size(); ++i) {
    const size_t note = i / note_length;
    const double t = static_cast<double>(i % note_length) / sample_rate;
    const double frequency = 220 * std::exp2(kSteps[note * 7 % 12] / 12.0);
    waveform.samples[i] =
        static_cast<float>(0.6 * std::exp(-3 * t) * std::sin(2 * std::numbers::pi * frequency * t));
  }
  return waveform;
}

// Of what both have when `b` is moved `lag` samples to the left: 1 where one is a multiple of the
// other.
inline double Correlation(std::span<const float> a, std::span<const float> b, int64_t lag) {
  double ab = 0, aa = 0, bb = 0;
  for (int64_t i = std::max<int64_t>(0, -lag); i < std::ssize(a) && i + lag < std::ssize(b); ++i) {
    ab += static_cast<double>(a[i]) * b[i + lag];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i + lag]) * b[i + lag];
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

inline double LargestDifference(std::span<const float> a, std::span<const float> b) {
  double largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return largest;
}

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_TESTING_AUDIO_SIGNALS_H_
