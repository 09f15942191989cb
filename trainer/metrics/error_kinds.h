// Why an answer is wrong, told from notes and tempi. Pure functions; safe from any thread.
#ifndef ANTIPHON_TRAINER_METRICS_ERROR_KINDS_H_
#define ANTIPHON_TRAINER_METRICS_ERROR_KINDS_H_

#include <optional>
#include <string>
#include <vector>

#include "trainer/metrics/note_match.h"

namespace antiphon::trainer::metrics {

enum class ErrorKind {
  kSameNotes,   // the passage named has nearly the notes that were played
  kOctave,      // it has them an octave or two away
  kTransposed,  // it has them at another interval
  kFewNotes,    // too little was played to tell
  kTempo,       // played outside the tempi that are indexed
  kOrnament,    // what was played is not what its score says
  kWrongLabel,  // what was played is not its score at all, but the passage named
  kRoom,        // right when the same notes are rendered plainly
  kNetwork,     // none of these
};

std::string KindName(ErrorKind kind);
std::vector<ErrorKind> AllKinds();

// Onsets in seconds of the query.
struct ErrorEvidence {
  std::vector<Onset> played;
  std::vector<Onset> named;  // of the passage that the answer names, at the answer's tempo
  std::optional<std::vector<Onset>>
      written;                        // of the right passage of the score, where one knows it
  std::optional<double> tempo_ratio;  // played over written, where one knows it
  bool right_when_plain = false;
  double lowest_tempo = 0.5, highest_tempo = 2.0;  // indexed
};

// The first of these that holds, in this order: wrong label, same notes, octave, transposed, few
// notes, tempo, ornament, room, network. "Nearly the notes" is an onset F1 of 0.5 within 0.2 s: an
// answer's straight line is that far from a player's tempo at times.
ErrorKind KindOf(const ErrorEvidence& evidence);

}  // namespace antiphon::trainer::metrics

#endif  // ANTIPHON_TRAINER_METRICS_ERROR_KINDS_H_
