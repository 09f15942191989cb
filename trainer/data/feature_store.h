// Renditions of pieces as features on disk: one file each, made by `prepare`, read by `train`.
//
// An item file is a line of JSON, then score notes and spectrogram as they lie in memory; a cache
// of one machine, not a format for exchange. Items are written under a temporary name and renamed,
// so that an interrupted run leaves only whole ones. Functions are safe from any thread.
#ifndef ANTIPHON_TRAINER_DATA_FEATURE_STORE_H_
#define ANTIPHON_TRAINER_DATA_FEATURE_STORE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/features/feature_sequence.h"
#include "core/features/settings.h"
#include "core/music/score.h"
#include "core/music/time_map.h"
#include "trainer/data/split.h"

namespace antiphon::trainer::data {

// One rendition of one piece.
struct StoreItem {
  std::string piece;  // name of the MIDI file, without its extension
  Part part = Part::kTrain;
  std::string fingerprint;  // SHA-256 of what it was made from and how
  music::TimeMap
      time;  // from seconds of the score to seconds of the performance; a line at a strict tempo
  features::FeatureSettings settings;
  std::vector<music::Note> notes;         // of the score, times as written
  features::FeatureSequence spectrogram;  // of the performance

  bool keeps_strict_tempo() const { return time.points().size() <= 2; }
};

// Where an item lies: STORE/items/PIECE.VARIATION.item, unsafe characters of the piece's name
// replaced.
std::string ItemPath(const std::string& store, const std::string& piece, int variation);

[[nodiscard]] absl::Status WriteItem(const std::string& path, const StoreItem& item);

// DataLoss when the file is no whole item.
[[nodiscard]] absl::StatusOr<StoreItem> ReadItem(const std::string& path);

// The fingerprint alone; cheap. NotFound when there is no item.
[[nodiscard]] absl::StatusOr<std::string> ReadFingerprint(const std::string& path);

// Paths of all items of a store, sorted.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> ListItems(const std::string& store);

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_FEATURE_STORE_H_
