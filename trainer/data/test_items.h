// Made-up renditions for tests: random notes, and a "spectrogram" that shows each note as a bright
// cell run at its pitch's band.
#ifndef ANTIPHON_TRAINER_DATA_TEST_ITEMS_H_
#define ANTIPHON_TRAINER_DATA_TEST_ITEMS_H_

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "trainer/data/feature_store.h"

namespace antiphon::trainer::data {

inline features::FeatureSettings SmallSettings() {
  features::FeatureSettings settings;
  settings.bands_per_octave = 12;
  settings.bands = 88;
  return settings;
}

inline StoreItem RandomItem(const std::string& piece, uint64_t seed, int notes,
                            double tempo_ratio = 1.0) {
  std::mt19937_64 random(seed);
  StoreItem item;
  item.piece = piece;
  item.fingerprint = piece + std::to_string(seed);
  item.time = music::TimeMap(1 / tempo_ratio);
  item.settings = SmallSettings();
  double time_s = 0;
  for (int i = 0; i < notes; ++i) {
    music::Note note;
    time_s += 0.1 + 0.3 * static_cast<double>(random() % 1000) / 1000;
    note.onset_s = time_s;
    note.offset_s = note.sounding_offset_s = time_s + 0.3;
    note.pitch = 40 + static_cast<int>(random() % 48);
    item.notes.push_back(note);
  }
  item.spectrogram.bands = item.settings.bands;
  item.spectrogram.frame_rate = item.settings.frame_rate();
  const double frame_rate =
      item.settings.frame_rate() / tempo_ratio;  // frames per second of the score
  item.spectrogram.cells.assign(
      static_cast<size_t>((time_s + 1) * frame_rate) * item.settings.bands, 40);
  for (const music::Note& note : item.notes) {
    const auto first = std::lround(note.onset_s * frame_rate),
               last = std::lround(note.offset_s * frame_rate);
    for (auto frame = first; frame <= last && frame < item.spectrogram.frames(); ++frame) {
      item.spectrogram
          .cells[frame * item.settings.bands + note.pitch - item.settings.lowest_pitch] = 160;
    }
  }
  return item;
}

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_TEST_ITEMS_H_
