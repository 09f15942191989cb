// What alignment.h compares: for sound and for a score alike, the energies of the semitones in
// every frame, and where they rise. Pure functions; safe from any thread. Internal to
// core/alignment.
#ifndef ANTIPHON_CORE_ALIGNMENT_ALIGNMENT_FEATURES_H_
#define ANTIPHON_CORE_ALIGNMENT_ALIGNMENT_FEATURES_H_

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/features/feature_sequence.h"
#include "core/features/settings.h"

namespace antiphon::alignment {

// [rows, width], a row for each frame.
struct FrameMatrix {
  int width = 0;
  std::vector<float> cells;

  FrameMatrix() = default;
  FrameMatrix(int64_t rows, int width_of_row) : width(width_of_row), cells(rows * width_of_row) {}

  int64_t rows() const { return width ? static_cast<int64_t>(cells.size()) / width : 0; }
  float* row(int64_t i) { return cells.data() + i * width; }
  const float* row(int64_t i) const { return cells.data() + i * width; }
};

struct FrameFeatures {
  FrameMatrix energies;  // of semitones or chroma, compressed, >= 0
  FrameMatrix onsets;    // of the same width: by how much energies rise

  int64_t frames() const { return energies.rows(); }
};

// A note in seconds of the recording.
struct TimedNote {
  double onset_s = 0;
  double offset_s = 0;
  int pitch = 60;
};

// Frames of a spectrogram, of all of it by default.
struct FrameRange {
  int64_t first = 0;
  int64_t end = std::numeric_limits<int64_t>::max();  // at most as many as there are
};

// The level that few cells of a recording exceed: what others are relative to.
int LoudestLevel(const features::FeatureSequence& spectrogram);

// Requires a spectrogram of these settings, constant-Q with at least 12 bands an octave. Width:
// settings.pitches. `loudest` is LoudestLevel of the whole, whichever frames are looked at.
FrameFeatures FeaturesOfAudio(const features::FeatureSequence& spectrogram,
                              const features::FeatureSettings& settings, int loudest,
                              FrameRange range = {});

// What `frames` frames of the notes would be expected to look like: each note and its partials,
// dying away. Notes may lie before, beyond and across.
FrameFeatures FeaturesOfNotes(std::span<const TimedNote> notes, int64_t frames,
                              const features::FeatureSettings& settings);

// Octaves folded (width 12) and every `factor` frames summed.
FrameFeatures CoarseFeatures(const FrameFeatures& features, int factor);

// Makes them comparable: energies to unit length, onsets relative to the strongest within a second,
// then decaying over `decay_frames` frames (1: not at all).
void NormaliseFeatures(double frame_rate, int decay_frames, FrameFeatures& features);

}  // namespace antiphon::alignment

#endif  // ANTIPHON_CORE_ALIGNMENT_ALIGNMENT_FEATURES_H_
