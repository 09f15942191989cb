// The words of a Humdrum file: notes, bar lines, interpretations.
//
// Internal to core/humdrum. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_HUMDRUM_HUMDRUM_TOKENS_H_
#define ANTIPHON_CORE_HUMDRUM_HUMDRUM_TOKENS_H_

#include <array>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

// Alterations of the seven steps by a key signature, in semitones, from C.
using Alterations = std::array<int, 7>;

struct KernNote {
  enum class Kind {
    kNote,
    kRest,
    kUnpitched,
    kNothing,  // no pitch, no rest: a slip
  };
  Kind kind = Kind::kNothing;
  Ticks duration = 0;  // 0: none is written
  bool grace = false;
  int pitch = 60;  // MIDI note number as written, 0 to 127
  bool tie_begins = false;
  bool tie_ends = false;
  Ornament ornament = Ornament::kNone;
  int ornament_upper = 2;
  int ornament_lower = 2;
  bool arpeggio = false;
};

// One note of a **kern token (chords are notes with spaces between), where the steps are altered as
// given. Nothing if its duration is beyond reason or its pitch beyond MIDI's; `problem` then says
// which.
std::optional<KernNote> ParseKernNote(absl::string_view token, const Alterations& key,
                                      std::string* problem);

struct BarLine {
  std::string number;  // "12", "12a", or empty
  bool ends_repeat = false;
  bool starts_repeat = false;
};

BarLine ParseBarLine(absl::string_view token);

// Of "*M3/4", "*M3+2/8". Nothing if it isn't such an interpretation or has no bounds (*MX).
std::optional<Metre> ParseMetre(absl::string_view token);

// Of "*k[f#c#]". Nothing if it isn't a key signature.
std::optional<Alterations> ParseKeySignature(absl::string_view token);

// The key with these alterations: the sharps less the flats, -7 to 7.
int Fifths(const Alterations& alterations);

// Of "*G:", "*e-:", "*d:dor": the key of that tonic, by its letter's case major or minor. Nothing
// if it names no key.
std::optional<Key> ParseKeyDesignation(absl::string_view token);

// Of "*MM120", in quarter notes per minute. Nothing for words (*MM[Allegro]).
std::optional<double> ParseTempo(absl::string_view token);

// Of "Allegro. [quarter-dot] = 66", as !!!OMD has it; the same.
std::optional<double> ParseMetronomeMark(absl::string_view text);

// Semitones of "*Trd1c2". Nothing if it isn't a transposition.
std::optional<int> ParseTransposition(absl::string_view token);

struct Dynamics {
  int velocity = 0;           // asked for here; 0: nothing is
  bool accent = false;        // sf: what follows stays as it was
  int afterwards = 0;         // of fp, the velocity from the next note on; 0: not said
  bool hairpin_ends = false;  // before what begins here
  int hairpin = 0;            // 1: one that grows begins, -1: one that doesn't; 0: none
};

// Of a **dynam token.
Dynamics ParseDynamics(absl::string_view token);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_HUMDRUM_HUMDRUM_TOKENS_H_
