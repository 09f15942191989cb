// Magnitudes as bytes.
#ifndef ANTIPHON_CORE_FEATURES_LEVELS_H_
#define ANTIPHON_CORE_FEATURES_LEVELS_H_

#include <cstdint>
#include <span>

namespace antiphon::features {

// Magnitude as a byte: half decibels above -100 dB re. a full-scale sine, 0 to 255 (-100 dB to 27.5
// dB). NaN is 0, infinity 255.
uint8_t LevelFromMagnitude(float magnitude);

// The same for each of many; spans of equal length.
void LevelsFromMagnitudes(std::span<const float> magnitudes, std::span<uint8_t> levels);

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_LEVELS_H_
