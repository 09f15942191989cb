// `antiphon-trainer picture`: draws the features of a score and of its sound over one time axis, so
// that a person can see whether they lie where they should.
#ifndef ANTIPHON_TRAINER_PICTURES_SCORE_PICTURE_H_
#define ANTIPHON_TRAINER_PICTURES_SCORE_PICTURE_H_

#include <string>

#include "absl/status/status.h"
#include "core/features/settings.h"

namespace antiphon::trainer::pictures {

struct PictureOptions {
  std::string score;  // path of a MIDI file
  std::string
      audio;  // path of a recording that begins with the score; empty: the score is rendered
  std::string soundfont;  // path, needed when there is no recording
  double tempo_ratio =
      1.0;               // the sound is this many times as fast as the score is written, 0.1 to 10
  double start_s = 0;    // seconds of the sound, >= 0
  double length_s = 12;  // seconds, 0.5 to 120
  std::string output;    // path of the PNG, replaced when it exists
  features::FeatureSettings settings;
};

// Draws two panels over the same seconds, both with pitch upwards on one scale:
//   above, the spectrogram's levels, with the outline of every note over its fundamental and a mark
//          at its onset;
//   below, the pianoroll's cells, onsets set off from what sounds on.
// What is drawn are the very bytes that an encoder would read, frame by frame; outlines are at the
// notes' exact times.
//
// InvalidArgument when an option is out of range or neither recording nor soundfont is given,
// Unavailable when the PNG cannot be written; otherwise fails as the readers of score, sound and
// settings do.
[[nodiscard]] absl::Status RunPicture(const PictureOptions& options);

}  // namespace antiphon::trainer::pictures

#endif  // ANTIPHON_TRAINER_PICTURES_SCORE_PICTURE_H_
