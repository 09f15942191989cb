// The values of ABC's information fields: keys, metres, lengths, tempi, voices, the order of parts.
//
// Internal to core/abc. Stateless; safe from any thread. What cannot be read is nothing.
#ifndef ANTIPHON_CORE_ABC_ABC_FIELDS_H_
#define ANTIPHON_CORE_ABC_ABC_FIELDS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/notation/written_score.h"

namespace antiphon::notation {

// Semitones by which the notes C to B are raised.
using AbcAccidentals = std::array<int8_t, 7>;

// The place of a note name (A to G, either case) among C to B.
int AbcLetter(char name);

// How a clef and its like let written notes sound. Nothing: not said.
struct AbcStaff {
  std::optional<int> octave;       // octave=
  std::optional<int> clef_octave;  // treble-8
  std::optional<int> transpose;    // semitones
  std::optional<bool> percussion;

  // What `other` says counts.
  void Update(const AbcStaff& other);
  int Semitones() const;
};

struct AbcKey {
  bool signature = false;  // false: only the staff is said
  Key key;
  AbcAccidentals accidentals = {};
  AbcStaff staff;
};

struct AbcMetre {
  Metre metre;
  bool free = false;  // M:none
};

struct AbcVoiceField {
  std::string_view id;
  std::string_view name;
  AbcStaff staff;
};

std::optional<AbcKey> ParseAbcKey(std::string_view value);
std::optional<AbcMetre> ParseAbcMetre(std::string_view value);

// L:, in ticks.
std::optional<Ticks> ParseAbcLength(std::string_view value);
// The unit of length where no L: is given.
Ticks DefaultAbcLength(const AbcMetre& metre);

// Quarter notes per minute. `*words` is set where the value is only words, or empty, which is
// nothing. `unit` is the unit of length.
std::optional<double> ParseAbcTempo(std::string_view value, Ticks unit, bool* words);

AbcVoiceField ParseAbcVoice(std::string_view value);

// The order of parts in a header, with its repeats written out: A2(BC)2 gives AABCBC. Nothing where
// that is longer than `most`, nested more than 8 deep, or does not close, or where a number repeats
// nothing.
std::optional<std::string> ExpandAbcOrder(std::string_view value, size_t most);

// The digits that `*text` begins with, at most `digits` of them, which go; nothing without one.
std::optional<int> TakeNumber(std::string_view* text, int digits);

// The text without white space at both ends.
std::string_view StripSpace(std::string_view text);
// Whole texts as numbers; nothing where they are none, or beyond an int.
std::optional<int> ParseInteger(std::string_view text);
bool StartsWithIgnoringCase(std::string_view text, std::string_view prefix);

// The word that `*text` begins with, without the space before it, which goes. A part in quotation
// marks may hold spaces. Empty at the end.
std::string_view TakeWord(std::string_view* text);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_ABC_ABC_FIELDS_H_
