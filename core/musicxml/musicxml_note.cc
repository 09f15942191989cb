#include "core/musicxml/musicxml_note.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/music/midi_text.h"

namespace antiphon::notation {
namespace {

constexpr std::array<int, 7> kSemitones = {0, 2, 4, 5, 7, 9, 11};
constexpr std::array<std::pair<std::string_view, double>, 14> kTypes = {{{"1024th", 1.0 / 256},
                                                                         {"512th", 1.0 / 128},
                                                                         {"256th", 1.0 / 64},
                                                                         {"128th", 1.0 / 32},
                                                                         {"64th", 1.0 / 16},
                                                                         {"32nd", 1.0 / 8},
                                                                         {"16th", 1.0 / 4},
                                                                         {"eighth", 1.0 / 2},
                                                                         {"quarter", 1},
                                                                         {"half", 2},
                                                                         {"whole", 4},
                                                                         {"breve", 8},
                                                                         {"long", 16},
                                                                         {"maxima", 32}}};
constexpr std::array<std::pair<std::string_view, int>, 12> kAccidentals = {{{"sharp", 1},
                                                                            {"flat", -1},
                                                                            {"natural", 0},
                                                                            {"double-sharp", 2},
                                                                            {"sharp-sharp", 2},
                                                                            {"flat-flat", -2},
                                                                            {"natural-sharp", 1},
                                                                            {"natural-flat", -1},
                                                                            {"sharp-down", 1},
                                                                            {"sharp-up", 1},
                                                                            {"flat-up", -1},
                                                                            {"flat-down", -1}}};
constexpr std::array<std::pair<std::string_view, Ornament>, 9> kOrnaments = {
    {{"trill-mark", Ornament::kTrill},
     {"shake", Ornament::kTrill},
     {"mordent", Ornament::kMordent},
     {"inverted-mordent", Ornament::kInvertedMordent},
     {"turn", Ornament::kTurn},
     {"delayed-turn", Ornament::kTurn},
     {"vertical-turn", Ornament::kTurn},
     {"inverted-turn", Ornament::kInvertedTurn},
     {"delayed-inverted-turn", Ornament::kInvertedTurn}}};
constexpr int kMostTremoloMarks = 6;
constexpr int kUnmeasuredMarks = 3;

template <size_t kSize, typename Value>
std::optional<Value> Find(const std::array<std::pair<std::string_view, Value>, kSize>& table,
                          std::string_view name) {
  for (const auto& [key, value] : table) {
    if (key == name) return value;
  }
  return std::nullopt;
}

absl::StatusOr<XmlPitch> ReadPitch(pugi::xml_node node, XmlReport& report) {
  constexpr std::string_view kSteps = "CDEFGAB";
  XmlPitch pitch;
  const std::string_view step = ChildText(node, "step");
  const std::optional<int> octave = WholeIn(ChildText(node, "octave"));
  const size_t found = step.size() == 1 ? kSteps.find(step[0]) : std::string_view::npos;
  const std::string_view alter = ChildText(node, "alter");
  const std::optional<double> semitones = alter.empty() ? 0 : NumberIn(alter);
  if (found == std::string_view::npos || !octave || *octave < 0 || *octave > 9 || !semitones ||
      std::abs(*semitones) > 6) {
    return report.Malformed(
        node, absl::StrCat("a pitch that is none, \"", music::CleanMidiText(step.substr(0, 20)),
                           "\" in octave \"",
                           music::CleanMidiText(ChildText(node, "octave").substr(0, 20)), "\""));
  }
  if (*semitones != std::floor(*semitones)) report.Warn(node, "quarter tones are rounded");
  pitch.step = static_cast<int>(found);
  pitch.octave = *octave;
  pitch.alter = static_cast<int>(std::lround(*semitones));
  return pitch;
}

void ReadTremolo(pugi::xml_node node, XmlNoteElement& note) {
  const std::string_view type = node.attribute("type").value();
  int marks = std::clamp(WholeIn(TextOf(node)).value_or(3), 0, kMostTremoloMarks);
  if (type == "unmeasured" && marks == 0) marks = kUnmeasuredMarks;
  if (marks == 0) return;
  note.tremolo = type == "start"  ? Tremolo::kStart
                 : type == "stop" ? Tremolo::kStop
                                  : Tremolo::kSingle;
  note.stroke_quarters = std::ldexp(1, -marks);  // of a quarter note or longer
}

void ReadAccidentalMark(pugi::xml_node node, XmlNoteElement& note) {
  const std::optional<int> alter = Find(kAccidentals, TextOf(node));
  if (!alter) return;
  const std::string_view placement = node.attribute("placement").value();
  // A mordent has one neighbour; the sign is the neighbour's wherever it stands.
  const bool below = note.ornament == Ornament::kMordent ||
                     (placement == "below" && note.ornament != Ornament::kTrill &&
                      note.ornament != Ornament::kInvertedMordent);
  (below ? note.lower_alter : note.upper_alter) = *alter;
}

void ReadOrnaments(pugi::xml_node ornaments, XmlNoteElement& note) {
  bool wavy = false;
  for (const pugi::xml_node mark : ornaments.children()) {
    const std::string_view name = mark.name();
    if (name == "tremolo") {
      ReadTremolo(mark, note);
    } else if (const std::optional<Ornament> ornament = Find(kOrnaments, name)) {
      note.ornament = *ornament;
    } else if (name == "accidental-mark") {
      ReadAccidentalMark(mark, note);
    } else if (name == "wavy-line") {
      wavy = wavy || std::string_view(mark.attribute("type").value()) == "start";
    }
  }
  if (wavy && note.ornament == Ornament::kNone) note.ornament = Ornament::kTrill;
}

void ReadNotations(pugi::xml_node notations, XmlNoteElement& note) {
  for (const pugi::xml_node mark : notations.children()) {
    const std::string_view name = mark.name();
    const std::string_view type = mark.attribute("type").value();
    if (name == "tied") {
      note.ties_on = note.ties_on || type == "start";
      note.tied = note.tied || type == "stop";
      if (type == "continue") note.tied = note.ties_on = true;
    } else if (name == "ornaments") {
      ReadOrnaments(mark, note);
    } else if (name == "arpeggiate") {
      note.arpeggio = std::max(0, WholeIn(mark.attribute("number").value()).value_or(0));
      note.arpeggio_down = std::string_view(mark.attribute("direction").value()) == "down";
    }
  }
}

// The ratio of a tuplet, and its notated length.
double TupletRatio(pugi::xml_node modification) {
  const double normal = NumberIn(ChildText(modification, "normal-notes")).value_or(1);
  const double actual = NumberIn(ChildText(modification, "actual-notes")).value_or(1);
  const double ratio = actual > 0 ? normal / actual : 1;
  return ratio > 1e-3 && ratio < 1e3 ? ratio : 1;
}

void SetLengths(std::string_view type, int dots, double ratio, XmlNoteElement& note) {
  const double plain = QuartersOf(type);
  // Two chords that alternate are each notated with the length of both.
  note.quarters = plain * (2 - std::ldexp(1, -std::min(dots, 4))) * ratio;
  if (note.tremolo == Tremolo::kNone) return;
  // Beams count as marks do. A tuplet of two chords that alternate is in the strokes already.
  note.stroke_quarters *= plain > 0 ? std::min(plain, 1.0) : 1.0;
  if (note.tremolo == Tremolo::kSingle) note.stroke_quarters *= std::min(ratio, 1.0);
}

}  // namespace

int Semitones(const XmlPitch& pitch) {
  return 12 * (pitch.octave + 1) + kSemitones[static_cast<size_t>(pitch.step)] + pitch.alter;
}

double QuartersOf(std::string_view type) { return Find(kTypes, type).value_or(0); }

int VelocityOfPercent(std::string_view percent) {
  const std::optional<double> value = NumberIn(percent);
  if (!value || *value < 0) return 0;
  return static_cast<int>(std::lround(std::clamp(*value * 0.9, 1.0, 127.0)));
}

absl::StatusOr<XmlNoteElement> ReadNoteElement(pugi::xml_node element, XmlReport& report) {
  XmlNoteElement note;
  std::string_view type;
  int dots = 0;
  double ratio = 1;
  bool altered = false, printed = false;
  std::optional<int> accidental;
  for (const pugi::xml_node child : element.children()) {
    const std::string_view name = child.name();
    if (name == "pitch") {
      ASSIGN_OR_RETURN(note.pitch, ReadPitch(child, report));
      altered = static_cast<bool>(child.child("alter"));
    } else if (name == "accidental") {
      printed = true;
      accidental = Find(kAccidentals, TextOf(child));
    } else if (name == "chord") {
      note.chord = true;
    } else if (name == "grace") {
      note.grace = true;
    } else if (name == "cue") {
      note.cue = true;
    } else if (name == "unpitched") {
      note.unpitched = true;
    } else if (name == "rest") {
      note.rest = true;
      note.whole_rest = std::string_view(child.attribute("measure").value()) == "yes";
    } else if (name == "duration") {
      note.duration = NumberIn(TextOf(child));
    } else if (name == "tie") {
      const std::string_view end = child.attribute("type").value();
      note.ties_on = note.ties_on || end == "start";
      note.tied = note.tied || end == "stop";
    } else if (name == "voice") {
      note.voice = TextOf(child);
    } else if (name == "type") {
      type = TextOf(child);
    } else if (name == "dot") {
      ++dots;
    } else if (name == "time-modification") {
      ratio = TupletRatio(child);
    } else if (name == "staff") {
      note.staff = std::clamp(WholeIn(TextOf(child)).value_or(1), 1, 1000);
    } else if (name == "notehead") {
      note.unpitched = note.unpitched || TextOf(child) == "slash";
    } else if (name == "instrument") {
      note.instrument = child.attribute("id").value();
    } else if (name == "notations") {
      ReadNotations(child, note);
    }
  }
  note.plain = !altered && !printed;
  if (note.pitch && !altered && accidental.value_or(0) != 0) {
    report.Warn(element, "a pitch without its accidental is read as it is printed");
    note.pitch->alter = *accidental;
    note.altered_by_print = true;
  }
  note.velocity = VelocityOfPercent(element.attribute("dynamics").value());
  SetLengths(type, dots, ratio, note);
  return note;
}

}  // namespace antiphon::notation
