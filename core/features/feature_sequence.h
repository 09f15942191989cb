// What an encoder reads, for a whole recording or score: a byte per cell, frame after frame, and
// windows cut from it.
//
// Frame i is centred at i / frame_rate seconds. A plain value; nothing here is synchronised.
#ifndef ANTIPHON_CORE_FEATURES_FEATURE_SEQUENCE_H_
#define ANTIPHON_CORE_FEATURES_FEATURE_SEQUENCE_H_

#include <cstdint>
#include <vector>

namespace antiphon::features {

struct FeatureSequence {
  int channels = 1;            // 1 for a spectrogram; 2 for a pianoroll: onsets, sounding notes
  int bands = 0;               // frequency bands or pitches, lowest first
  double frame_rate = 0;       // frames/s
  std::vector<uint8_t> cells;  // [frames, channels, bands]

  int cells_per_frame() const { return channels * bands; }
  int64_t frames() const {
    return cells_per_frame() ? static_cast<int64_t>(cells.size()) / cells_per_frame() : 0;
  }

  // Copies `count` frames from `first` on into `out`, [count, channels, bands]; frames before the
  // first or after the last are 0.
  void CopyWindow(int64_t first, int count, uint8_t* out) const;

  // True when no cell of those frames is set.
  bool IsEmptyWindow(int64_t first, int count) const;
};

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_FEATURE_SEQUENCE_H_
