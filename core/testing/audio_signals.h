// Signals and measurements that the tests of core/audio share. Header only; for tests.
#ifndef ANTIPHON_CORE_TESTING_AUDIO_SIGNALS_H_
#define ANTIPHON_CORE_TESTING_AUDIO_SIGNALS_H_

#include <algorithm>
#include <cmath>
#include <complex>
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

inline double LargestDifference(std::span<const float> a, std::span<const float> b) {
  double largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return largest;
}

}  // namespace antiphon::audio

#endif  // ANTIPHON_CORE_TESTING_AUDIO_SIGNALS_H_
