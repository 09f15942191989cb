// `antiphon-trainer picture`: draws the features of a score and of its sound over one time axis, so
// that a person can see whether they lie where they should.
#ifndef ANTIPHON_TRAINER_PICTURES_SCORE_PICTURE_H_
#define ANTIPHON_TRAINER_PICTURES_SCORE_PICTURE_H_

#include <string>

#include "absl/status/status.h"
#include "core/base/check_range.h"
#include "core/features/settings.h"

namespace antiphon::trainer::pictures {

struct PictureOptions {
  std::string score;      // path of a MIDI file
  std::string audio;      // path of a recording that begins with the score; empty: render the score
  std::string soundfont;  // path, needed when there is no recording
  static constexpr Range<double> kTempoRatioRange = {0.1, 10};
  double tempo_ratio = 1.0;  // tempo of the sound over the tempo written; idle with `align`
  // The recording is of the score or a part of it, at any tempo: draw the score where it is played
  // (alignment::AlignPerformance), its bars with their numbers, and the doubt.
  bool align = false;
  static constexpr Range<double> kStartRange = {0, 24 * 3600};
  double start_s = 0;  // seconds of the sound
  static constexpr Range<double> kLengthRange = {0.5, 120};
  double length_s = 12;  // seconds
  std::string output;    // path of the PNG, replaced when it exists
  features::FeatureSettings settings;
};

// Draws two panels over the same seconds, both with pitch upwards on one scale:
//   above, the spectrogram's levels, with the outline of every note over its fundamental and a mark
//          at its onset;
//   below, the pianoroll's cells, onsets set off from what sounds on.
// With `align`, the notes of both are at the recording's times, lines are where bars begin (thick
// where the music jumps), and a strip below is the darker the more doubt there is. A part of the
// recording that plays nothing of the score has no notes.
//
// What is drawn are the very bytes that an encoder would read, frame by frame; outlines are at the
// notes' exact times.
//
// InvalidArgument when an option is out of range, neither recording nor soundfont is given, or
// `align` is without a recording; FailedPrecondition when recording and score do not belong
// together; Unavailable when the PNG cannot be written; otherwise fails as the readers of score,
// sound and settings do.
[[nodiscard]] absl::Status RunPicture(const PictureOptions& options);

}  // namespace antiphon::trainer::pictures

#endif  // ANTIPHON_TRAINER_PICTURES_SCORE_PICTURE_H_
