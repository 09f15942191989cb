// What the reader of MusicXML makes of a file on its way to a WrittenScore: the measures of each
// part, and what is found in them, placed within its measure.
//
// Internal to core/musicxml. Plain values; nodes borrow from an XmlText.
#ifndef ANTIPHON_CORE_MUSICXML_MUSICXML_MODEL_H_
#define ANTIPHON_CORE_MUSICXML_MUSICXML_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/notation/written_score.h"
#include "pugixml.hpp"

namespace antiphon::notation {

// A measure of a part. Timewise, number and the like stand in another element than the music.
struct XmlMeasure {
  pugi::xml_node head;   // <measure>
  pugi::xml_node music;  // the element that holds the notes
};

struct XmlPart {
  std::string id;
  std::string name;            // valid UTF-8
  pugi::xml_node declaration;  // <score-part>; null where the list doesn't name the part
  std::vector<XmlMeasure> measures;
};

// A place in a part: measures from 0, ticks from the measure's beginning.
struct XmlPlace {
  int measure = 0;
  Ticks at = 0;
};

enum class Tremolo : uint8_t { kNone, kSingle, kStart, kStop };

struct XmlNote {
  XmlPlace place;
  Ticks duration = 0;  // 0: a grace note
  int pitch = 60;      // as heard
  int voice = 0;
  int staff = 1;
  int chord = 0;         // notes of a chord share it; rising from note to note
  int velocity = 0;      // of its own
  int grace = 0;         // as in WrittenNote
  bool tied = false;     // to a note before
  bool ties_on = false;  // to a note after
  Ornament ornament = Ornament::kNone;
  int ornament_upper = 2;
  int ornament_lower = 2;
  Tremolo tremolo = Tremolo::kNone;
  Ticks stroke = 0;   // of a tremolo
  int arpeggio = -1;  // the number of its arpeggio, 0 without one; -1: none
  bool arpeggio_down = false;
};

// Two chords that alternate, by the numbers of their chords.
struct XmlAlternation {
  int first = 0;
  int second = 0;
};

// From here on in a part.
struct XmlDynamics {
  XmlPlace place;
  int velocity = 0;  // from here on; 0: as before
  int accent = 0;    // of the notes at this very place; 0: none
};

struct XmlHairpin {
  XmlPlace from;
  XmlPlace to;
  bool grows = true;
  bool ends = false;  // else nothing says where
};

struct XmlTempo {
  XmlPlace place;
  double quarters_per_minute = 0;
  // A metric modulation, "half = quarter": the tempo before is multiplied. 0: a tempo is given.
  double ratio = 0;
};

template <typename Value>
struct XmlChange {
  XmlPlace place;
  Value value;
};

// The signs and limits of a measure, as one part has them.
struct XmlBar {
  Ticks filled = 0;   // end of its music, rests of the whole measure left out
  Ticks hidden = 0;   // ... of what isn't printed: invisible rests, and time that is passed over
  Ticks rest = 0;     // end of such rests
  Ticks nominal = 0;  // by its metre
  std::string number;
  bool implicit = false;
  bool starts_repeat = false;
  bool repeat_before = false;  // a backward repeat at its left barline
  int repeat_before_times = 0;
  bool repeat_after = false;
  int repeat_times = 0;  // 0: not said
  bool after_jump = false;
  bool forward_after = false;      // a forward repeat at its right barline
  std::vector<int> ending_starts;  // the passes; empty: no ending starts here
  bool ending_stops = false;       // after it
  bool double_bar = false;         // a double or final barline after it
  bool segno = false, coda = false;
  bool segno_after = false, coda_after = false;  // at its end: of the next
  int coda_signs = 0;                            // printed, and nothing says which is meant
  bool to_coda = false, fine = false, da_capo = false, dal_segno = false;
  bool fine_first = false, to_coda_first = false;  // they stand at its very beginning
};

// What tells a sign of a measure from others of its kind. The name is the document's.
struct XmlSignName {
  enum class Kind { kSegno, kCoda, kToCoda, kDalSegno };
  Kind kind = Kind::kSegno;
  size_t measure = 0;
  std::string_view name;
};

// A part as read.
struct XmlMusic {
  std::vector<XmlNote> notes;  // in the order of the file; of a chord one after the other
  std::vector<XmlAlternation> alternations;
  std::vector<XmlDynamics> dynamics;
  std::vector<XmlHairpin> hairpins;
  std::map<int, size_t> open_hairpins;  // by number: places in `hairpins`
  std::vector<XmlTempo> tempi;
  std::vector<XmlChange<Metre>> metres;
  std::vector<XmlChange<Key>> keys;  // as heard
  std::vector<XmlBar> bars;
  std::vector<XmlSignName> sign_names;
  bool transposes = false;
  int unpitched_notes = 0;
  int cue_notes = 0;
  int64_t note_elements = 0;
};

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_MUSICXML_MUSICXML_MODEL_H_
