#include "core/musicxml/musicxml.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/music/file_naming.h"
#include "core/music/midi_text.h"
#include "core/musicxml/musicxml_bars.h"
#include "core/musicxml/musicxml_joining.h"
#include "core/musicxml/musicxml_model.h"
#include "core/musicxml/musicxml_part.h"
#include "core/musicxml/musicxml_report.h"
#include "core/musicxml/mxl_archive.h"
#include "core/musicxml/xml_text.h"

namespace antiphon::notation {
namespace {

constexpr size_t kMostMissing = 1000;    // measures that parts of a timewise file aren't in
constexpr size_t kMostTextBytes = 1000;  // of a title and the like

std::string CleanText(std::string_view text) {
  return music::CleanMidiText(text.substr(0, kMostTextBytes));
}

// The measures of each part, of a file of either layout.
class Layout {
 public:
  Layout(const NotationLimits& limits, XmlReport& report) : limits_(limits), report_(report) {}

  absl::StatusOr<std::vector<XmlPart>> Read(pugi::xml_node root) {
    const std::string_view name = root.name();
    if (name != "score-partwise" && name != "score-timewise") {
      return absl::InvalidArgumentError(name == "opus"
                                            ? "a MusicXML opus: it only names the files of scores"
                                            : absl::StrCat("no MusicXML: its root element is <",
                                                           CleanText(name).substr(0, 40), ">"));
    }
    for (const pugi::xml_node declared : root.child("part-list").children("score-part"))
      RETURN_IF_ERROR(Part(declared.attribute("id").value(), declared).status());
    RETURN_IF_ERROR(name == "score-partwise" ? ReadPartwise(root) : ReadTimewise(root));
    // Declared, but without music.
    parts_.erase(std::remove_if(parts_.begin(), parts_.end(),
                                [](const XmlPart& part) { return part.measures.empty(); }),
                 parts_.end());
    if (parts_.empty()) return absl::InvalidArgumentError("the MusicXML file has no measures");
    return std::move(parts_);
  }

 private:
  absl::StatusOr<XmlPart*> Part(const std::string& id, pugi::xml_node declaration) {
    const auto [found, added] = by_id_.try_emplace(id, parts_.size());
    if (!added) return &parts_[found->second];
    if (static_cast<int>(parts_.size()) >= limits_.max_parts) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the MusicXML file has more than ", limits_.max_parts, " parts, the limit"));
    }
    XmlPart part;
    part.id = id;
    part.name = CleanText(ChildText(declaration, "part-name"));
    part.declaration = declaration;
    parts_.push_back(std::move(part));
    return &parts_.back();
  }

  absl::Status AddMeasure(pugi::xml_node part_node, pugi::xml_node head, pugi::xml_node music) {
    ASSIGN_OR_RETURN(XmlPart* const part,
                     Part(part_node.attribute("id").value(), pugi::xml_node()));
    if (!part->declaration && part->measures.empty())
      report_.Warn(part_node, "a part that the list of parts doesn't name");
    if (static_cast<int>(part->measures.size()) >= limits_.max_bars) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the MusicXML file has more than ", limits_.max_bars, " bars, the limit"));
    }
    part->measures.push_back({head, music});
    return absl::OkStatus();
  }

  absl::Status ReadPartwise(pugi::xml_node root) {
    for (const pugi::xml_node part : root.children("part")) {
      for (const pugi::xml_node measure : part.children("measure"))
        RETURN_IF_ERROR(AddMeasure(part, measure, measure));
    }
    return absl::OkStatus();
  }

  absl::Status ReadTimewise(pugi::xml_node root) {
    size_t before = 0;
    size_t read = 0, missing = 0;
    for (const pugi::xml_node measure : root.children("measure")) {
      for (const pugi::xml_node node : measure.children("part")) {
        ASSIGN_OR_RETURN(XmlPart* const part, Part(node.attribute("id").value(), {}));
        // Of measures that the part isn't in; as many as there may be are no more than the others.
        for (; part->measures.size() < before; ++missing) {
          if (missing > kMostMissing + read)
            return report_.Malformed(node, "a part that most measures are without");
          part->measures.emplace_back();
        }
        RETURN_IF_ERROR(AddMeasure(node, measure, node));
        ++read;
      }
      ++before;
    }
    return absl::OkStatus();
  }

  const NotationLimits& limits_;
  XmlReport& report_;
  std::vector<XmlPart> parts_;
  std::map<std::string, size_t, std::less<>> by_id_;
};

// A number in MIDI's range less one, as General MIDI counts from 1 in the file.
int ProgramOf(pugi::xml_node declaration) {
  for (const pugi::xml_node instrument : declaration.children("midi-instrument")) {
    if (const std::optional<int> program = WholeIn(ChildText(instrument, "midi-program")))
      return std::clamp(*program - 1, 0, 127);
  }
  return 0;
}

void SetTexts(pugi::xml_node root, WrittenScore& score) {
  const auto title = [](std::string_view text) { return music::StatedTitle(CleanText(text)); };
  const std::string work = title(ChildText(root.child("work"), "work-title"));
  const std::string movement = title(ChildText(root, "movement-title"));
  score.title = work.empty() || work == movement ? movement
                : movement.empty()               ? work
                                                 : absl::StrCat(work, ": ", movement);
  score.opus = CleanText(ChildText(root.child("work"), "work-number"));
  const std::string number = CleanText(ChildText(root, "movement-number"));
  if (!number.empty()) absl::StrAppend(&score.opus, score.opus.empty() ? "" : ", ", "No. ", number);
  for (const pugi::xml_node creator : root.child("identification").children("creator")) {
    if (std::string_view(creator.attribute("type").value()) == "composer" && score.composer.empty())
      score.composer = CleanText(TextOf(creator));
  }
  for (const pugi::xml_node credit : root.children("credit")) {
    const std::string_view type = ChildText(credit, "credit-type");
    if (type == "title" && score.title.empty())
      score.title = title(ChildText(credit, "credit-words"));
    if (type == "composer" && score.composer.empty())
      score.composer = CleanText(ChildText(credit, "credit-words"));
  }
}

// A part's changes in written time, added where no part before has one.
template <typename Value>
void AddChanges(const std::vector<XmlChange<Value>>& changes, const std::vector<WrittenBar>& bars,
                std::map<Ticks, Value>& all) {
  std::map<Ticks, Value> own;
  for (const XmlChange<Value>& change : changes) {
    const WrittenBar& bar = bars[static_cast<size_t>(change.place.measure)];
    own[bar.start + std::clamp<Ticks>(change.place.at, 0, bar.length)] = change.value;
  }
  all.merge(own);
}

// Without those that change nothing.
template <typename Value, typename Same>
std::vector<Written<Value>> InOrder(const std::map<Ticks, Value>& changes, Same same) {
  std::vector<Written<Value>> list;
  for (const auto& [at, value] : changes) {
    if (list.empty() || !same(list.back().value, value)) list.push_back({at, value});
  }
  return list;
}

void SetMetresAndKeys(const std::vector<XmlMusic>& parts, WrittenScore& score) {
  std::map<Ticks, Metre> metres;
  std::map<Ticks, Key> keys;
  for (const XmlMusic& part : parts) AddChanges(part.metres, score.bars, metres);
  // Natural horns and the like are written without a key, others in one that is theirs.
  for (const bool transposing : {false, true}) {
    for (const XmlMusic& part : parts) {
      if (part.transposes == transposing && !part.notes.empty())
        AddChanges(part.keys, score.bars, keys);
    }
  }
  score.metres = InOrder(metres, [](const Metre& a, const Metre& b) {
    return a.numerator == b.numerator && a.denominator == b.denominator;
  });
  score.keys = InOrder(
      keys, [](const Key& a, const Key& b) { return a.fifths == b.fifths && a.minor == b.minor; });
}

void SetTempi(const std::vector<XmlMusic>& parts, WrittenScore& score) {
  std::map<Ticks, XmlTempo> tempi;
  for (const XmlMusic& part : parts) {
    std::map<Ticks, XmlTempo> own;
    for (const XmlTempo& tempo : part.tempi) {
      const WrittenBar& bar = score.bars[static_cast<size_t>(tempo.place.measure)];
      own[bar.start + std::clamp<Ticks>(tempo.place.at, 0, bar.length)] = tempo;
    }
    tempi.merge(own);
  }
  for (const auto& [at, tempo] : tempi) {
    double value = tempo.quarters_per_minute;
    if (tempo.ratio > 0) {
      if (score.tempi.empty()) continue;  // nothing to compare with
      value = std::clamp(score.tempi.back().value * tempo.ratio, 1.0, 5000.0);
    }
    if (score.tempi.empty() || score.tempi.back().value != value)
      score.tempi.push_back({at, value});
  }
}

absl::Status SetNotes(const std::vector<XmlMusic>& parts, const NotationLimits& limits,
                      WrittenScore& score) {
  for (size_t i = 0; i < parts.size(); ++i) {
    ASSIGN_OR_RETURN(const std::vector<WrittenNote> notes,
                     JoinNotes(parts[i], score.bars, static_cast<int>(i),
                               limits.max_notes - static_cast<int64_t>(score.notes.size())));
    score.notes.insert(score.notes.end(), notes.begin(), notes.end());
    score.unpitched_notes += parts[i].unpitched_notes;
    score.cue_notes += parts[i].cue_notes;
  }
  const auto key = [](const WrittenNote& note) {
    return std::make_tuple(note.onset, -note.grace, note.pitch, note.part, note.voice);
  };
  std::stable_sort(score.notes.begin(), score.notes.end(),
                   [&key](const WrittenNote& a, const WrittenNote& b) { return key(a) < key(b); });
  return absl::OkStatus();
}

}  // namespace

bool LooksLikeMusicXml(std::string_view head) {
  if (IsZip(head)) return LooksLikeMxl(head);
  const std::string text = XmlToUtf8(head.substr(0, 64 << 10));
  const size_t begin = text.find_first_not_of(" \t\r\n");
  return begin != std::string::npos && text[begin] == '<' &&
         (text.find("<score-partwise") != std::string::npos ||
          text.find("<score-timewise") != std::string::npos ||
          text.find("DOCTYPE score-") != std::string::npos);
}

absl::StatusOr<WrittenScore> ReadMusicXml(std::string_view bytes, const NotationLimits& limits) {
  std::string unpacked;
  if (IsZip(bytes)) {
    ASSIGN_OR_RETURN(unpacked, UnpackMxl(bytes, limits.max_bytes));
    bytes = unpacked;
  }
  XmlText text;
  RETURN_IF_ERROR(text.Parse(bytes, limits.max_bytes));
  unpacked = {};
  XmlReport report(text);
  ASSIGN_OR_RETURN(const std::vector<XmlPart> parts, Layout(limits, report).Read(text.root()));
  WrittenScore score;
  std::vector<XmlMusic> music;
  int64_t notes_left = limits.max_notes;
  for (const XmlPart& part : parts) {
    report.EnterPart(part.name.empty() ? part.id : part.name);
    ASSIGN_OR_RETURN(XmlMusic read, ReadXmlPart(part, notes_left, report));
    notes_left -= read.note_elements;
    if (part.measures.size() != parts.front().measures.size())
      report.Warn(part.measures.front().music, "the part has another number of measures");
    score.parts.push_back(
        {part.name, ProgramOf(part.declaration), read.notes.empty() && read.unpitched_notes > 0});
    music.push_back(std::move(read));
  }
  SetTexts(text.root(), score);
  score.bars = MergeBars(music);
  SetMetresAndKeys(music, score);
  SetTempi(music, score);
  RETURN_IF_ERROR(SetNotes(music, limits, score));
  score.warnings = report.TakeWarnings();
  return score;
}

}  // namespace antiphon::notation
