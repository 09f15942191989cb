// The pieces that a suite measures on, rendered with the evaluation soundfont and kept on disk.
// Plain values; loading uses several threads itself.
#ifndef ANTIPHON_TRAINER_DATASETS_TEST_SET_H_
#define ANTIPHON_TRAINER_DATASETS_TEST_SET_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/music/score.h"
#include "trainer/base/progress.h"
#include "trainer/data/split.h"

namespace antiphon::trainer::datasets {

// A piece of one part of a corpus.
struct PartPiece {
  std::string name;  // of the MIDI file, without its extension
  std::string midi;  // its bytes
  music::Score score;
};

enum class Unusable { kFails, kPassedOver };

// In order of their names. A file that is no score or has no notes fails the whole, where leaving
// it out would change figures, or is passed over. NotFound when `midi_dir` is no folder; the part
// may be empty.
[[nodiscard]] absl::StatusOr<std::vector<PartPiece>> ReadPart(const std::string& midi_dir,
                                                              const data::Split& split,
                                                              data::Part part, Unusable unusable);

struct TestPiece : PartPiece {
  std::string audio_path;  // FLAC, mono: the score as written, tempo ratio 1
};

struct TestSetOptions {
  std::string midi_dir;  // searched recursively
  data::Split split = data::Split::ByHash();
  data::Part part = data::Part::kTest;
  std::string soundfont;         // the evaluation soundfont
  int sample_rate = 22050;       // Hz
  std::string cache;             // folder for the renditions
  bool own_instruments = false;  // as RenditionOptions has it
};

// In order of their names; renders what the cache does not hold yet. NotFound when the part has no
// piece; a piece that cannot be read is an error, since leaving it out would change the figures.
[[nodiscard]] absl::StatusOr<std::vector<TestPiece>> LoadTestSet(const TestSetOptions& options,
                                                                 Progress& progress);

}  // namespace antiphon::trainer::datasets

#endif  // ANTIPHON_TRAINER_DATASETS_TEST_SET_H_
