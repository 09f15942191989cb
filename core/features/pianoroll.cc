#include "core/features/pianoroll.h"

#include <algorithm>
#include <cmath>

namespace antiphon::features {

FeatureSequence ComputePianoroll(std::span<const music::Note> notes, const FeatureSettings& settings,
                                 double tempo_ratio) {
  FeatureSequence roll;
  roll.channels = 2;
  roll.bands = settings.pitches;
  roll.frame_rate = settings.frame_rate();
  const auto frame_at = [&](double seconds) {
    return static_cast<int64_t>(std::floor(seconds / tempo_ratio * roll.frame_rate + 0.5));
  };
  int64_t frames = 0;
  for (const music::Note& note : notes) {
    frames = std::max({frames, frame_at(note.onset_s) + 1, frame_at(note.offset_s) + 1});
  }
  roll.cells.assign(frames * roll.cells_per_frame(), 0);
  for (const music::Note& note : notes) {
    const int row = note.pitch - settings.lowest_pitch;
    if (row < 0 || row >= settings.pitches) continue;
    const int64_t begin = std::max<int64_t>(0, frame_at(note.onset_s));
    const int64_t end = std::max(begin + 1, frame_at(note.offset_s));
    roll.cells[begin * roll.cells_per_frame() + row] = 1;
    for (int64_t frame = begin; frame < end; ++frame) {
      roll.cells[frame * roll.cells_per_frame() + settings.pitches + row] = 1;
    }
  }
  return roll;
}

}  // namespace antiphon::features
