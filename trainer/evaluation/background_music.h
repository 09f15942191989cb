// Makes the background of a model (core/collection/background.h): passages of music that no
// collection holds.
//
// They are real music read backwards. Every chord, texture and pace is one that composers write, so
// that a query goes along with them as well as with any music that it is not; but nobody's piece is
// among them, so that they are no rivals to the piece that is played.
#ifndef ANTIPHON_TRAINER_EVALUATION_BACKGROUND_MUSIC_H_
#define ANTIPHON_TRAINER_EVALUATION_BACKGROUND_MUSIC_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/collection/background.h"
#include "core/encoder/window_encoder.h"
#include "core/music/score.h"
#include "trainer/base/progress.h"
#include "trainer/data/split.h"

namespace antiphon::trainer::evaluation {

// A folder of scores, of which the train part is taken.
struct BackgroundCorpus {
  std::string midi_dir;  // searched recursively
  data::Split split = data::Split::ByHash();
};

struct BackgroundOptions {
  std::string model;  // folder
  encoder::EncoderOptions encoder;
  std::vector<BackgroundCorpus> corpora;
  std::vector<std::string> soundfonts;  // to render the passages with; never the evaluation one
  int passages = 160;                   // in all, as many from each corpus as from any other
  double passage_s = 60;                // of a passage, seconds as written
  std::vector<double> tempo_ratios = {0.7071, 1.0, 1.4142};  // that the scores are read at
  double score_hop_s = 0.5;                                  // between windows, seconds as played
  double recording_hop_s = 0.5;                              // likewise
  bool backwards = true;
  uint64_t seed = 1;
};

// InvalidArgument without a corpus or a soundfont, or with an evaluation soundfont; NotFound where
// the corpora hold too few pieces.
[[nodiscard]] absl::StatusOr<std::shared_ptr<const collection::Background>> MakeBackground(
    const BackgroundOptions& options, Progress& progress);

// Whether a piece of the train part is kept for the background. What is fitted against a background
// must not meet its music: calibration fills its collection with the other half.
bool IsBackgroundPiece(std::string_view name);

// The notes from the last to the first: each begins where it ended and ends where it began. Pedals
// are dropped.
music::Score Backwards(const music::Score& score);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_BACKGROUND_MUSIC_H_
