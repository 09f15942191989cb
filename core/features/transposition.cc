#include "core/features/transposition.h"

#include <algorithm>

namespace antiphon::features {

int BandsPerSemitone(const FeatureSettings& settings) {
  return settings.bands_per_octave % 12 == 0 ? settings.bands_per_octave / 12 : 0;
}

void ShiftBands(std::span<uint8_t> cells, int bands, int shift) {
  if (shift == 0) return;
  shift = std::clamp(shift, -bands, bands);
  for (auto frame = cells.begin(); frame != cells.end(); frame += bands) {
    if (shift > 0) {
      std::copy_backward(frame, frame + bands - shift, frame + bands);
      std::fill_n(frame, shift, uint8_t{0});
    } else {
      std::copy(frame - shift, frame + bands, frame);
      std::fill_n(frame + bands + shift, -shift, uint8_t{0});
    }
  }
}

FeatureSequence Transposed(FeatureSequence spectrogram, const FeatureSettings& settings,
                           int semitones) {
  ShiftBands(spectrogram.cells, spectrogram.bands, semitones * BandsPerSemitone(settings));
  return spectrogram;
}

}  // namespace antiphon::features
