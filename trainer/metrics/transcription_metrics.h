// How good a transcription is, by the definitions of mir_eval (Raffel et al. 2014), which is also
// what the task of MIREX uses: notes matched one to one by onset and pitch, or by offset too, and
// frames by the pitches that sound in them. tests/oracles compares with mir_eval itself.
//
// Pure functions; safe from any thread. Pitches are MIDI note numbers: equal ones are less than 50
// cents apart, unlike ones more.
#ifndef ANTIPHON_TRAINER_METRICS_TRANSCRIPTION_METRICS_H_
#define ANTIPHON_TRAINER_METRICS_TRANSCRIPTION_METRICS_H_

#include <span>
#include <vector>

#include "core/music/score.h"
#include "trainer/metrics/note_match.h"

namespace antiphon::trainer::metrics {

// A note from onset_s to end_s, > onset_s.
struct HeardNote {
  double onset_s = 0;
  double end_s = 0;
  int pitch = 0;
  int velocity = 64;  // 1 to 127; no part of any match
};

// Until they fall silent, sustain pedal included, or else until the key is released.
std::vector<HeardNote> HeardNotes(std::span<const music::Note> notes, bool sustained);

inline constexpr double kOnsetTolerance_s = 0.05;
inline constexpr double kOffsetTolerance_s = 0.05;  // or …
inline constexpr double kOffsetRatio = 0.2;  // … so much of the true note, where that is more

// As many pairs as can be of notes of one pitch whose onsets are at most 50 ms apart; with
// `offsets`, whose ends are near, too. Times are compared to a tenth of a millisecond
// (mir_eval.transcription.match_notes).
MatchCounts MatchNotes(std::span<const HeardNote> truth, std::span<const HeardNote> found,
                       bool offsets);

// Pitches in frames 10 ms apart: those at whose moment a note has begun and not ended
// (mir_eval.multipitch).
MatchCounts MatchFrames(std::span<const HeardNote> truth, std::span<const HeardNote> found);

}  // namespace antiphon::trainer::metrics

#endif  // ANTIPHON_TRAINER_METRICS_TRANSCRIPTION_METRICS_H_
