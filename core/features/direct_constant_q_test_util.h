// The constant-Q transform as constant_q.h defines it, term by term in double precision: what the
// product's is held against. Header only; for tests. Immutable; safe from any thread.
#ifndef ANTIPHON_CORE_FEATURES_DIRECT_CONSTANT_Q_TEST_UTIL_H_
#define ANTIPHON_CORE_FEATURES_DIRECT_CONSTANT_Q_TEST_UTIL_H_

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

#include "core/features/settings.h"

namespace antiphon::features {

class DirectConstantQ {
 public:
  explicit DirectConstantQ(const FeatureSettings& settings) {
    for (int band = 0; band < settings.bands; ++band) {
      const double quality = 1 / (std::exp2(1.0 / settings.bands_per_octave) - 1);
      const double frequency =
          settings.min_frequency * std::exp2(static_cast<double>(band) / settings.bands_per_octave);
      const int64_t length = std::lround(quality * settings.sample_rate / frequency);
      Kernel& kernel = kernels_.emplace_back();
      double sum = 0;
      for (int64_t m = 0; m < length; ++m) {
        const double n = static_cast<double>(m);
        const double window =
            0.5 - 0.5 * std::cos(2 * std::numbers::pi * (n + 0.5) / static_cast<double>(length));
        const auto value =
            std::polar(window, -2 * std::numbers::pi * frequency / settings.sample_rate * n);
        kernel.real.push_back(value.real());
        kernel.imaginary.push_back(value.imag());
        sum += window;
      }
      for (double& value : kernel.real) value *= 2 / sum;
      for (double& value : kernel.imaginary) value *= 2 / sum;
    }
  }

  // Of one band in the frame that is centred on samples[centre]; silence before and after.
  double Magnitude(std::span<const float> samples, int64_t centre, int band) const {
    const Kernel& kernel = kernels_[band];
    const int64_t length = static_cast<int64_t>(kernel.real.size());
    const int64_t first = centre - length / 2;
    const int64_t end = std::min(length, static_cast<int64_t>(samples.size()) - first);
    double real = 0, imaginary = 0;
    for (int64_t m = std::max<int64_t>(0, -first); m < end; ++m) {
      real += kernel.real[m] * samples[first + m];
      imaginary += kernel.imaginary[m] * samples[first + m];
    }
    return std::hypot(real, imaginary);
  }

  // The same as a level (levels.h).
  int Level(std::span<const float> samples, int64_t centre, int band) const {
    const double decibels = 20 * std::log10(std::max(1e-9, Magnitude(samples, centre, band)));
    return static_cast<int>(std::lround(std::clamp(2 * (decibels + 100), 0.0, 255.0)));
  }

 private:
  struct Kernel {
    std::vector<double> real, imaginary;
  };
  std::vector<Kernel> kernels_;  // [bands]
};

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_DIRECT_CONSTANT_Q_TEST_UTIL_H_
