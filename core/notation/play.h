// From a score as it is written to one as it is heard.
//
// Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_NOTATION_PLAY_H_
#define ANTIPHON_CORE_NOTATION_PLAY_H_

#include "absl/status/statusor.h"
#include "core/base/check_range.h"
#include "core/music/score.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

struct PlayOptions {
  // Quarter notes per minute, until the score states a tempo. Words ("Allegro") state none: what
  // they mean differs more between composers than what is searched with bears. A moderate tempo is
  // within that of most performances.
  static constexpr Range<double> kTempoRange = {10, 1000};
  double default_tempo = 100;
  static constexpr Range<int> kVelocityRange = {1, 127};
  int default_velocity = 80;  // of notes without dynamics: mezzo forte
  // Seconds of one grace note, where there is room: they take half of the time since the note
  // before in their part at most. At the very beginning they take it from the note that they adorn.
  static constexpr Range<double> kGraceRange = {0.01, 1};
  double grace_s = 0.08;
  // A tremolo is a shorthand for notes that every player strikes: played unless said otherwise. The
  // number of notes of an ornament, and how an arpeggio is spread, are each player's own, so that
  // by default the written notes stand for them.
  bool tremolo = true;
  bool ornaments = false;
  bool arpeggios = false;
};

// Follows repeats, endings and jumps as Unfold (unfold.h) does. A note that is held where the music
// jumps ends there; one that is held into the place where it goes on is struck there, unless it
// sounds already. Tempo, key and metre are those of the written place, after a jump too.
//
// Of the result: Note::track is the part's index in `score`; each part has a channel of its own,
// never 9; of more than 15 parts, those with the same program share one, then any do. Percussion
// parts have none. Score::bars has every bar that is played, numbered as printed and counted along
// the print: an incomplete first bar is 0, and two halves on both sides of a repeat sign count
// once.
//
// Fails with InvalidArgument (an option), ResourceExhausted (bars, notes or duration as they are
// played exceed the limits) or Internal (`score` breaks the promises of written_score.h).
[[nodiscard]] absl::StatusOr<music::Score> Play(const WrittenScore& score,
                                                const PlayOptions& options = {},
                                                const NotationLimits& limits = {});

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_NOTATION_PLAY_H_
