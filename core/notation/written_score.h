// A score as it is written: bars in the order of print, with repeats and jumps as signs and
// ornaments as marks. Readers of notation (musicxml.h, humdrum.h, abc.h) make one of a file;
// play.h makes of it what is heard.
//
// Plain values: copy, move and share them as any struct. Nothing here is synchronised.
#ifndef ANTIPHON_CORE_NOTATION_WRITTEN_SCORE_H_
#define ANTIPHON_CORE_NOTATION_WRITTEN_SCORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/music/tempo_map.h"

namespace antiphon::notation {

// Written time, in ticks from the beginning of the print. A quarter note is 2^6·3^3·5·7·11·13 of
// them, so that tuplets of all usual kinds have whole lengths; what has not is rounded.
using Ticks = int64_t;
inline constexpr Ticks kTicksPerQuarter = 8'648'640;

// A player or a singer: what has a line of its own in the score.
struct WrittenPart {
  std::string name;         // as printed, or empty; valid UTF-8
  int program = 0;          // General MIDI, 0 to 127; 0 is the piano
  bool percussion = false;  // unpitched: its notes are counted and left out
};

enum class Ornament : uint8_t {
  kNone,
  kTrill,
  kMordent,          // with the note below
  kInvertedMordent,  // with the note above, the Pralltriller
  kTurn,
  kInvertedTurn,
};

struct WrittenNote {
  Ticks onset = 0;
  // Sounding, > 0: notes that are tied are one. It may go on beyond its bar; where the music jumps
  // at the end of that bar, it ends there. 0 for a grace note.
  Ticks duration = 0;
  int pitch =
      60;  // MIDI note number as heard: transposing instruments and octave lines are applied
  int velocity = 0;  // 1 to 127, from dynamics; 0: the score says nothing
  int part = 0;      // index into WrittenScore::parts
  int voice = 0;     // within its part, for people; any number
  // Of a grace note, its place before the note at `onset`, counted backwards: 1 is the last before
  // it. Notes of a chord share it. 0: no grace note.
  int grace = 0;
  Ornament ornament = Ornament::kNone;
  int ornament_upper = 2;  // semitones to the upper neighbour, by key and accidental
  int ornament_lower = 2;  // ... to the lower one
  // Length of one stroke of a tremolo; 0: none. Two notes that alternate are written out by the
  // reader.
  Ticks tremolo_stroke = 0;
  int arpeggio = 0;  // place in an arpeggiated chord, from 1, in the order of playing; 0: none
  // Printed as tied to a note that isn't just before it, as at the beginning of a second ending.
  // Where the music jumps here from a note of that pitch, that note goes on; else it is struck.
  bool continues = false;
};

struct WrittenBar {
  Ticks start = 0;
  Ticks length = 0;    // as filled, > 0: an upbeat is shorter than its metre
  std::string number;  // as printed ("12", "12a", "0" for an upbeat); valid UTF-8; empty: not said
  bool starts_repeat = false;  // |: before it
  int plays = 1;               // > 1: :| after it, and so many times in all
  std::vector<int> endings;    // the passes in which it is played, rising; empty: all
  bool segno = false;          // the sign is before it
  bool coda = false;           // ... and this one
  bool to_coda = false;        // after it, once the jump back was taken
  bool fine = false;           // the end is after it, once the jump back was taken
  bool da_capo = false;        // after it
  bool dal_segno = false;
  // Where a score has several signs of a kind: a jump goes to the sign of its name. Empty: it has
  // none, or the score says none.
  std::string segno_name, coda_name, to_coda_name, dal_segno_name;
  bool repeats_after_jump = false;  // repeats are taken again then; without it they are not
  // A movement begins here, and the one before is over: a jump goes back no further, and after a
  // fine or a jump that was taken, playing goes on with the next movement. Also of the first bar.
  bool starts_movement = false;
};

// A change at a place in written time.
template <typename Value>
struct Written {
  Ticks at = 0;
  Value value;
};

struct Metre {
  int numerator = 4;    // 1 to 255
  int denominator = 4;  // a power of two, 1 to 64
};

struct Key {
  int fifths = 0;  // -7 to 7
  bool minor = false;
};

// Invariants that a reader keeps and play.h relies on: bars follow each other without gaps from 0
// on; notes are sorted by onset, then grace backwards (3, 2, 1, 0), then pitch; onsets lie within
// the bars; changes are sorted by time.
struct WrittenScore {
  std::string title;  // valid UTF-8, may be empty; so are the others
  std::string composer;
  std::string opus;  // opus, catalogue number or movement, as the file has it
  std::vector<WrittenPart> parts;
  std::vector<WrittenBar> bars;
  std::vector<WrittenNote> notes;
  std::vector<Written<double>> tempi;  // quarter notes per minute, > 0
  std::vector<Written<Metre>> metres;
  std::vector<Written<Key>> keys;
  // Bars by index in the order of playing, where the file states it (Humdrum's expansion list,
  // ABC's P:); empty: the signs say it.
  std::vector<int> order;
  int unpitched_notes = 0;            // left out
  std::vector<std::string> warnings;  // see music::Score::warnings
  int cue_notes = 0;                  // left out: printed for players to follow, not to play
};

// Limits on what is accepted. Exceeding one is ResourceExhausted and names it.
struct NotationLimits {
  int64_t max_bytes = 64 << 20;   // of a file, unpacked
  int64_t max_notes = 1'000'000;  // written and played
  int max_bars = 100'000;         // written and played
  int max_parts = 512;
  double max_duration_s = 6 * 3600;  // played, seconds
  int max_scores = 50'000;           // of a file, where it may hold several
};

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_NOTATION_WRITTEN_SCORE_H_
