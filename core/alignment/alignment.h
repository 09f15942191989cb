// The fine map between a recording and its score: which second of the score sounds at which second
// of the recording.
//
// Dynamic time warping in two steps: a coarse path over the whole on chroma, then the score, bent
// along it, against the sound at the full frame rate within a band (the multi-scale approach of
// Müller, Mattes & Kurth 2006, and Salvador & Chan 2007). Frames are compared by the energies of
// the semitones and by onsets, locally normalised and decaying (Ewert, Müller & Grosche 2009). The
// path is smoothed, so that the map is finer than the frames.
//
// A pure function; safe from any thread.
#ifndef ANTIPHON_CORE_ALIGNMENT_ALIGNMENT_H_
#define ANTIPHON_CORE_ALIGNMENT_ALIGNMENT_H_

#include <limits>
#include <span>

#include "absl/status/statusor.h"
#include "core/features/feature_sequence.h"
#include "core/features/settings.h"
#include "core/music/score.h"
#include "core/music/time_map.h"

namespace antiphon::alignment {

// Which part of the score the sound is of, seconds of the score; by default all of it.
struct AlignmentOptions {
  double score_start_s = 0;
  double score_end_s = std::numeric_limits<double>::infinity();
  // Both ends may be off by so much, >= 0. With 0 the first and the last sound are those of the
  // part, and silence at either end of the recording is passed over.
  double margin_s = 0;
};

// From seconds of the recording to seconds of the score: through each distinct onset of the part,
// straight lines between. Notes may be in any order; the score's tempo may be wrong by any factor,
// locally too. What is played must be what is written: a repeat left out or a passage played twice
// spoils its surroundings. With a margin, the outermost second or so is less sure than the rest.
//
// `spectrogram` is ComputeSpectrogram's with these settings. Memory grows with the recording, to
// about 200 MB for half an hour. InvalidArgument: a spectrogram without frames or not of these
// settings; another front end than constant-Q with at least 12 bands an octave; a part that is
// empty, or a negative margin. FailedPrecondition: a silent recording, or fewer than two distinct
// onsets in the part or, given a margin, in the recording.
[[nodiscard]] absl::StatusOr<music::TimeMap> AlignToScore(
    const features::FeatureSequence& spectrogram, const features::FeatureSettings& settings,
    std::span<const music::Note> notes, const AlignmentOptions& options = {});

}  // namespace antiphon::alignment

#endif  // ANTIPHON_CORE_ALIGNMENT_ALIGNMENT_H_
