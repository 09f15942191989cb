// The score of a performance: its notes at the recording's times, in bars that follow the
// recording.
//
// A pure function; safe from any thread.
#ifndef ANTIPHON_CORE_ALIGNMENT_PLAYED_SCORE_H_
#define ANTIPHON_CORE_ALIGNMENT_PLAYED_SCORE_H_

#include "core/alignment/performance.h"
#include "core/music/score.h"

namespace antiphon::alignment {

// `performance` is AlignPerformance's of `score`. Seconds of the result are those of the recording.
// Its tempo map has a tempo from each beat played to the next, so that a quarter note of the
// recording is one of the result, and its bars are those of the score in the order in which they
// are played; a passage that begins or ends within a bar leaves a shorter one. What comes before
// the first beat is a bar of its own. Every note is held until it falls silent in the recording.
music::Score PlayedScore(const music::Score& score, const Performance& performance);

}  // namespace antiphon::alignment

#endif  // ANTIPHON_CORE_ALIGNMENT_PLAYED_SCORE_H_
