// From a folder of MIDI files to a feature store: performs, renders and analyses every piece
// several times, in parallel, and resumes where it was interrupted.
#ifndef ANTIPHON_TRAINER_DATA_PREPARE_H_
#define ANTIPHON_TRAINER_DATA_PREPARE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/features/settings.h"
#include "trainer/base/progress.h"
#include "trainer/data/performance.h"
#include "trainer/data/split.h"

namespace antiphon::trainer::data {

struct PrepareOptions {
  std::string midi_dir;  // searched recursively for .mid and .midi
  Split split = Split::ByHash();
  std::vector<Part> parts = {Part::kTrain, Part::kValid};
  std::vector<std::string> soundfonts;  // at least one, none of them the evaluation soundfont
  int variations = 2;                   // performances of each piece, 1 to 100
  double max_excerpt_s = 90;  // a longer performance is cut to a random excerpt of this many
                              // seconds, at most a day; 0 is never
  VariationOptions variation;
  features::FeatureSettings settings;
  uint64_t seed = 1;
  int threads = 0;    // 0 is the number of cores
  std::string store;  // the folder to fill
};

struct PrepareSummary {
  int made = 0;
  int kept = 0;        // were there already
  int skipped = 0;     // pieces that could not be read, were in another part or had no notes
  double audio_s = 0;  // seconds rendered by this run
};

// Writes STORE/items/* and STORE/store.json (options, seed, soundfonts, fingerprints of the
// inputs). An item is kept when its fingerprint (SHA-256 of MIDI bytes, variation, settings) still
// holds. Unreadable MIDI files are logged and skipped; finding no piece at all is NotFound.
[[nodiscard]] absl::StatusOr<PrepareSummary> Prepare(const PrepareOptions& options,
                                                     Progress& progress);

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_PREPARE_H_
