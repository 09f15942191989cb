#include "core/features/audible.h"

#include <algorithm>
#include <cmath>

namespace antiphon::features {
namespace {

// Whether nothing begins or decays, as in mains hum: no piano holds a note like that. The ends are
// left out, where the sound is cut off. Levels are half decibels.
bool IsSteady(const FeatureSequence& sequence, uint8_t loudest) {
  constexpr int kSteadySteps = 4;  // 2 dB
  constexpr int kLoudSteps = 60;   // bands that come within 30 dB of the loudest cell count
  const int64_t edge = std::llround(0.5 * sequence.frame_rate), last = sequence.frames() - edge;
  if (last - edge < sequence.frame_rate / 2) return false;
  for (int band = 0; band < sequence.bands; ++band) {
    int low = 255, high = 0;
    for (int64_t frame = edge; frame < last; ++frame) {
      const int level = sequence.cells[frame * sequence.bands + band];
      low = std::min(low, level);
      high = std::max(high, level);
    }
    if (high + kLoudSteps >= loudest && high - low > kSteadySteps) return false;
  }
  return true;
}

}  // namespace

float PeakOf(std::span<const float> samples) {
  float peak = 0;
  for (const float sample : samples) peak = std::max(peak, std::abs(sample));
  return peak;
}

float GainFor(float peak) {
  constexpr float kQuietPeak = 0.01f, kRaisedPeak = 0.1f;
  return peak >= kSilentPeak && peak < kQuietPeak ? kRaisedPeak / peak : 1;
}

bool IsAudible(const FeatureSequence& audio) {
  const auto loudest = std::max_element(audio.cells.begin(), audio.cells.end());
  return loudest != audio.cells.end() && *loudest >= kSilenceLevel && !IsSteady(audio, *loudest);
}

}  // namespace antiphon::features
