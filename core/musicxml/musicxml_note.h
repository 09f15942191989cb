// One <note> element, as it stands.
//
// Internal to core/musicxml. Stateless; what it makes borrows from the tree.
#ifndef ANTIPHON_CORE_MUSICXML_MUSICXML_NOTE_H_
#define ANTIPHON_CORE_MUSICXML_MUSICXML_NOTE_H_

#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/musicxml/musicxml_model.h"
#include "core/musicxml/musicxml_report.h"

namespace antiphon::notation {

// A letter in an octave, and semitones up or down.
struct XmlPitch {
  int step = 0;    // 0 is C, 6 is B
  int octave = 4;  // 4 begins with middle C
  int alter = 0;
};

// MIDI note number as written.
int Semitones(const XmlPitch& pitch);

struct XmlNoteElement {
  bool chord = false;
  bool grace = false;
  bool cue = false;
  bool unpitched = false;  // or a slash in the place of a head
  bool rest = false;
  bool whole_rest = false;  // of the measure
  std::optional<XmlPitch> pitch;
  // An accidental is printed that the pitch doesn't have, as some programs leave it out: the pitch
  // has it here.
  bool altered_by_print = false;
  bool plain = false;              // without accidental or alteration
  std::optional<double> duration;  // in divisions
  double quarters = 0;             // as notated, dots and tuplet included; 0: not notated
  double stroke_quarters = 0;      // of its tremolo
  std::string_view voice;
  std::string_view instrument;
  int staff = 1;
  int velocity = 0;
  bool tied = false;
  bool ties_on = false;
  Tremolo tremolo = Tremolo::kNone;
  Ornament ornament = Ornament::kNone;
  std::optional<int> upper_alter;  // of the ornament's neighbours, by accidental marks
  std::optional<int> lower_alter;
  int arpeggio = -1;
  bool arpeggio_down = false;
};

// InvalidArgument on a pitch that there is none of.
[[nodiscard]] absl::StatusOr<XmlNoteElement> ReadNoteElement(pugi::xml_node note,
                                                             XmlReport& report);

// Quarter notes of a note type ("eighth"); 0 for a name that is none.
double QuartersOf(std::string_view type);

// 1 to 127, of per cent of a forte (velocity 90), as `sound` and `note` elements give dynamics; 0
// for what is no such number.
int VelocityOfPercent(std::string_view percent);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_MUSICXML_MUSICXML_NOTE_H_
