#include "trainer/data/augmentation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

namespace antiphon::trainer::data {
namespace {

constexpr double kStepsPerDecibel = 2.0;

double Uniform(std::mt19937_64& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

uint8_t ToLevel(int steps) { return static_cast<uint8_t>(std::clamp(steps, 0, 255)); }

}  // namespace

void Equalise(std::span<uint8_t> window, int bands, double deviation_db, std::mt19937_64& random) {
  constexpr int kCosines = 4;
  std::normal_distribution<double> amplitude(0, deviation_db * kStepsPerDecibel / std::sqrt(2.0));
  std::vector<double> curve(bands, 0);
  for (int i = 0; i < kCosines; ++i) {
    const double height = amplitude(random), phase = Uniform(random, 0, 2 * std::numbers::pi);
    for (int band = 0; band < bands; ++band) {
      curve[band] += height * std::cos(std::numbers::pi * (0.5 + i) * band / bands + phase);
    }
  }
  std::vector<int> steps(bands);
  std::transform(curve.begin(), curve.end(), steps.begin(),
                 [](double value) { return std::lround(value); });
  for (size_t cell = 0; cell < window.size(); ++cell) {
    if (window[cell] != 0) window[cell] = ToLevel(window[cell] + steps[cell % bands]);
  }
}

void AddNoiseFloor(std::span<uint8_t> window, int bands, std::mt19937_64& random) {
  const double loudest = *std::max_element(window.begin(), window.end());
  const double floor = loudest - kStepsPerDecibel * Uniform(random, 20, 60);
  const double tilt = kStepsPerDecibel * Uniform(random, -20, 10) / bands;
  // The level of a noise band has a long lower tail; a short table of its quantiles (Rayleigh
  // magnitude, dB) is as good as drawing it anew.
  static const std::array<int, 64> kSpread = [] {
    std::array<int, 64> spread{};
    for (size_t i = 0; i < spread.size(); ++i) {
      const double quantile = (i + 0.5) / spread.size();
      spread[i] = static_cast<int>(
          std::lround(kStepsPerDecibel * 10 * std::log10(-std::log(1 - quantile))));
    }
    return spread;
  }();
  std::vector<int> level(bands);
  for (int band = 0; band < bands; ++band) level[band] = static_cast<int>(floor + tilt * band);
  uint64_t bits = 0;
  for (size_t cell = 0; cell < window.size(); ++cell) {
    if (cell % 10 == 0) bits = random();
    const int noise = level[cell % bands] + kSpread[bits & 63];
    bits >>= 6;
    window[cell] = std::max(window[cell], ToLevel(noise));
  }
}

void Mask(std::span<uint8_t> window, int bands, std::mt19937_64& random) {
  const int frames = static_cast<int>(window.size()) / bands;
  const bool mask_bands = random() & 1;
  const int extent = mask_bands ? bands : frames;
  const int width = 1 + static_cast<int>(random() % std::max(1, extent / 8));
  const int first = static_cast<int>(random() % (extent - width + 1));
  for (size_t cell = 0; cell < window.size(); ++cell) {
    const int position = static_cast<int>(mask_bands ? cell % bands : cell / bands);
    if (position >= first && position < first + width) window[cell] = 0;
  }
}

void Cut(std::span<uint8_t> window, int bands, std::mt19937_64& random) {
  const size_t frames = window.size() / bands;
  const size_t cut = (1 + random() % std::max<size_t>(1, frames / 2)) * bands;
  const auto silent = random() & 1 ? window.first(cut) : window.last(cut);
  std::fill(silent.begin(), silent.end(), uint8_t{0});
}

}  // namespace antiphon::trainer::data
