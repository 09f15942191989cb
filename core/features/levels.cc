#include "core/features/levels.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <limits>
#include <numbers>

namespace antiphon::features {
namespace {

// 256 levels of half a decibel reach from -100 dB to 27.5 dB re. a full-scale sine; decoded sound
// may exceed full scale. Models are trained on these very bytes
// (docs/decisions/001-bytes-as-features.md), so neither number can change without a new model.
constexpr float kLowestDecibels = -100.0f;
constexpr float kStepsPerDecibel = 2.0f;

// Written without branches and calls, so that it becomes vector instructions. The logarithm is the
// exponent plus that of what remains, between √½ and √2, by the series of the inverse hyperbolic
// tangent: log2 m = 2 / ln 2 · (t + t³ / 3 + t⁵ / 5 + …), t = (m - 1) / (m + 1). What is left out
// is less than 1e-6 of a level.
inline uint8_t Level(float magnitude) {
  constexpr uint32_t kRootOfHalf = std::bit_cast<uint32_t>(std::numbers::sqrt2_v<float> / 2);
  constexpr int32_t kLowest = std::bit_cast<int32_t>(1e-5f);  // -100 dB
  constexpr int32_t kInfinity = std::bit_cast<int32_t>(std::numeric_limits<float>::infinity());
  constexpr float kStepsPerOctave =
      kStepsPerDecibel * 20 * std::numbers::ln2_v<float> / std::numbers::ln10_v<float>;
  const uint32_t bits = std::bit_cast<uint32_t>(magnitude);
  const uint32_t above = bits - kRootOfHalf;
  const int32_t exponent = static_cast<int32_t>(above) >> 23;
  const float rest = std::bit_cast<float>((above & 0x7fffff) + kRootOfHalf);
  const float t = (rest - 1) / (rest + 1), square = t * t;
  const float series = t * (1 + square * (1.0f / 3 + square * (1.0f / 5 + square / 7)));
  const float logarithm = static_cast<float>(exponent) + 2 / std::numbers::ln2_v<float> * series;
  // Half a step more, so that what is cut off rounds; below zero there is no level.
  const float above_half = kStepsPerOctave * logarithm - kLowestDecibels * kStepsPerDecibel + 0.5f;
  const auto level = static_cast<int32_t>(above_half);
  // As numbers, the bits of positive floats are in their order; negative ones and NaN lie outside.
  const int32_t order = static_cast<int32_t>(bits);
  const int32_t heard = order > kLowest && order <= kInfinity ? level : 0;
  return static_cast<uint8_t>(std::clamp(heard, 0, 255));
}

}  // namespace

uint8_t LevelFromMagnitude(float magnitude) { return Level(magnitude); }

void LevelsFromMagnitudes(std::span<const float> magnitudes, std::span<uint8_t> levels) {
  for (size_t i = 0; i < magnitudes.size(); ++i) levels[i] = Level(magnitudes[i]);
}

}  // namespace antiphon::features
