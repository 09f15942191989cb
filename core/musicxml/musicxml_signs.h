// What directions, sounds and barlines of MusicXML say: tempo, dynamics, repeats, jumps.
//
// Internal to core/musicxml. Stateless functions.
#ifndef ANTIPHON_CORE_MUSICXML_MUSICXML_SIGNS_H_
#define ANTIPHON_CORE_MUSICXML_MUSICXML_SIGNS_H_

#include <string_view>
#include <vector>

#include "core/musicxml/musicxml_model.h"
#include "core/musicxml/musicxml_report.h"

namespace antiphon::notation {

// The beginning of a section, within the measure that is being read.
struct XmlSignAt {
  Ticks at = 0;
  std::string_view name;  // the document's; empty: a printed sign
};

// Where signs and changes go: those of the measure that is being read.
struct XmlSigns {
  XmlBar& bar;
  XmlMusic& music;
  XmlReport& report;
  // Signs that stand for the beginning of a section and are printed behind notes: at the end of the
  // measure they belong to the next.
  std::vector<XmlSignAt>& segnos;
  std::vector<XmlSignAt>& codas;
};

// A <sound>, in a direction or by itself.
void ReadSound(pugi::xml_node sound, const XmlPlace& place, XmlSigns& signs);

// `place` is that of its sounds and dynamics; jumps hold for the whole measure.
void ReadDirection(pugi::xml_node direction, const XmlPlace& place, XmlSigns& signs);

void ReadBarline(pugi::xml_node barline, XmlSigns& signs);

// "1, 2", "1.2." and "1-3" as numbers, rising; those from 1 to 99.
std::vector<int> EndingNumbers(std::string_view text);

// What words by themselves say of the way through a piece.
enum class JumpWords : uint8_t { kNone, kDaCapo, kDalSegno, kToCoda, kCoda, kFine, kUnclear };
JumpWords ReadJumpWords(std::string_view words);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_MUSICXML_MUSICXML_SIGNS_H_
