#include "core/musicxml/musicxml_part.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/music/midi_text.h"
#include "core/musicxml/musicxml_attributes.h"
#include "core/musicxml/musicxml_note.h"
#include "core/musicxml/musicxml_signs.h"

namespace antiphon::notation {
namespace {

constexpr double kMostQuarters = 10'000;  // in a measure
constexpr Ticks kShortest = kTicksPerQuarter / 64;
constexpr Ticks kLongestAfterGrace = kTicksPerQuarter / 8;
constexpr size_t kMostVoices = 1000;  // told apart, in a part
constexpr char kDrumChannel[] = "10";

class PartReader {
 public:
  PartReader(const XmlPart& part, int64_t max_notes, XmlReport& report)
      : part_(part), max_notes_(max_notes), report_(report) {
    for (const pugi::xml_node instrument : part.declaration.children("midi-instrument")) {
      const bool drums = ChildText(instrument, "midi-channel") == kDrumChannel;
      if (drums) drums_.insert(instrument.attribute("id").value());
      if (first_instrument_.empty()) first_instrument_ = instrument.attribute("id").value();
    }
  }

  absl::StatusOr<XmlMusic> Read() {
    music_.bars.resize(part_.measures.size());
    for (measure_ = 0; measure_ < static_cast<int>(part_.measures.size()); ++measure_)
      RETURN_IF_ERROR(ReadMeasure());
    music_.transposes = attributes_.transposes();
    return std::move(music_);
  }

 private:
  // What comes before the next note of a voice.
  struct Voice {
    std::vector<size_t> graces;  // that wait for their note, by index
    XmlPlace last_onset = {-1};  // of another note
  };

  // An accidental that only the print has.
  struct Printed {
    int alter = 0;
    int measure = 0;
    int tied_in = -1;  // the last measure in which a note with it is tied to the next
  };

  XmlBar& bar() { return music_.bars[static_cast<size_t>(measure_)]; }
  XmlPlace Here() const { return {measure_, now_}; }

  // So many divisions later, or earlier.
  XmlPlace PlaceWith(pugi::xml_node offset) const {
    const double divisions = NumberIn(TextOf(offset)).value_or(0);
    if (!(std::abs(divisions / attributes_.divisions()) <= kMostQuarters)) return Here();
    return {measure_, std::max<Ticks>(0, now_ + InTicks(divisions))};
  }

  // What has been measured from `base_` on is `offset_` divisions.
  Ticks InTicks(double divisions) const {
    return std::llround(divisions / attributes_.divisions() * kTicksPerQuarter);
  }

  absl::Status Move(pugi::xml_node at, double divisions) {
    offset_ += divisions;
    const double quarters = offset_ / attributes_.divisions();
    const double before = static_cast<double>(base_) / kTicksPerQuarter;
    if (!(std::abs(quarters) <= 2 * kMostQuarters && before + quarters <= kMostQuarters))
      return report_.Malformed(at, "the measure is longer than 10,000 quarter notes");
    now_ = base_ + InTicks(offset_);
    if (now_ < 0) {
      report_.Warn(at, "a backup to before the measure's beginning ends there");
      Rebase(0);
    }
    return absl::OkStatus();
  }

  void Rebase(Ticks now) {
    base_ = now_ = now;
    offset_ = 0;
  }

  absl::Status ReadMeasure();
  absl::Status ReadElement(pugi::xml_node element, XmlSigns& signs);
  absl::Status ReadMove(pugi::xml_node element);
  absl::Status CountNotes(int64_t more);
  absl::Status ReadNote(pugi::xml_node element);
  absl::StatusOr<double> Duration(pugi::xml_node element, const XmlNoteElement& note);
  void AddNote(pugi::xml_node element, const XmlNoteElement& note, XmlPlace place, Ticks duration);
  void SetOrnament(const XmlNoteElement& note, XmlNote& made);
  void FollowTremolo(const XmlNoteElement& note, int chord, int voice);
  void AlterAsPrinted(XmlNoteElement& note);
  void PlaceGraces(const std::vector<size_t>& graces, Ticks at);
  void EndGraces();
  absl::Status RepeatMeasures();
  int VoiceOf(std::string_view name);

  const XmlPart& part_;
  const int64_t max_notes_;
  XmlReport& report_;
  XmlMusic music_;
  XmlAttributes attributes_;
  std::set<std::string, std::less<>> drums_;
  std::string first_instrument_;

  int measure_ = 0;
  Ticks base_ = 0;
  double offset_ = 0;
  Ticks now_ = 0;
  Ticks chord_start_ = 0;    // of the last note that has a place of its own
  bool chord_open_ = false;  // a note of this measure came before
  int chord_ = 0;
  std::vector<XmlSignAt> segnos_, codas_;
  std::map<int, Voice> voices_;
  std::vector<int> waiting_;     // voices with grace notes that wait
  std::map<int, int> tremolos_;  // the first chord of an alternation, by voice
  std::map<std::string, int, std::less<>> voice_names_;
  std::map<std::pair<int, int>, Printed> printed_;  // by (step, octave)
  std::map<std::pair<int, int>, int> alterations_;  // of (step, octave) in this measure
  std::vector<size_t> first_note_;                  // of each measure, in music_.notes
};

absl::Status PartReader::ReadMeasure() {
  const XmlMeasure& measure = part_.measures[static_cast<size_t>(measure_)];
  bar().number = music::CleanMidiText(
      std::string_view(measure.head.attribute("number").value()).substr(0, 64));
  bar().implicit = std::string_view(measure.head.attribute("implicit").value()) == "yes";
  report_.EnterBar(bar().number);
  Rebase(0);
  chord_open_ = false;
  segnos_.clear();
  codas_.clear();
  alterations_.clear();
  first_note_.push_back(music_.notes.size());
  XmlSigns signs = {bar(), music_, report_, segnos_, codas_};
  for (const pugi::xml_node element : measure.music.children())
    RETURN_IF_ERROR(ReadElement(element, signs));
  EndGraces();
  RETURN_IF_ERROR(RepeatMeasures());
  bar().nominal = attributes_.measure_length();
  const Ticks end = std::max({bar().filled, bar().hidden, bar().rest});
  const auto sort_out = [&](const std::vector<XmlSignAt>& signs, XmlSignName::Kind kind, bool& here,
                            bool& after) {
    for (const XmlSignAt& sign : signs) {
      const bool is_after = sign.at > 0 && sign.at >= end;
      (is_after ? after : here) = true;
      const size_t measure = static_cast<size_t>(measure_) + (is_after ? 1 : 0);
      if (!sign.name.empty()) music_.sign_names.push_back({kind, measure, sign.name});
    }
  };
  sort_out(segnos_, XmlSignName::Kind::kSegno, bar().segno, bar().segno_after);
  sort_out(codas_, XmlSignName::Kind::kCoda, bar().coda, bar().coda_after);
  return absl::OkStatus();
}

absl::Status PartReader::ReadElement(pugi::xml_node element, XmlSigns& signs) {
  const std::string_view name = element.name();
  if (name == "note") return ReadNote(element);
  if (name == "backup" || name == "forward") return ReadMove(element);
  if (name == "attributes") {
    const Ticks now = now_;
    RETURN_IF_ERROR(attributes_.Read(element, Here(), music_, report_));
    Rebase(now);
  } else if (name == "direction") {
    const pugi::xml_node offset = element.child("offset");
    const bool heard = std::string_view(offset.attribute("sound").value()) == "yes";
    ReadDirection(element, heard ? PlaceWith(offset) : Here(), signs);
  } else if (name == "sound") {
    ReadSound(element, PlaceWith(element.child("offset")), signs);
  } else if (name == "barline") {
    ReadBarline(element, signs);
  }
  return absl::OkStatus();
}

absl::Status PartReader::ReadMove(pugi::xml_node element) {
  const std::optional<double> duration = NumberIn(ChildText(element, "duration"));
  if (!duration || *duration < 0) {
    return report_.Malformed(element, absl::StrCat(element.name(), " without a duration"));
  }
  const bool back = std::string_view(element.name()) == "backup";
  // A grace note at the end of a voice has no note after it.
  if (back) EndGraces();
  RETURN_IF_ERROR(Move(element, back ? -*duration : *duration));
  bar().hidden = std::max(bar().hidden, now_);
  chord_open_ = false;
  return absl::OkStatus();
}

// What is printed holds for the rest of the measure, and for what is tied to it.
void PartReader::AlterAsPrinted(XmlNoteElement& note) {
  const std::pair<int, int> place = {note.pitch->step, note.pitch->octave};
  if (note.altered_by_print) {
    printed_[place] = {note.pitch->alter, measure_};
  } else {
    const auto found = printed_.find(place);
    if (found == printed_.end()) return;
    const Printed& printed = found->second;
    const bool holds = printed.measure == measure_ ||
                       (note.tied && printed.tied_in >= 0 && printed.tied_in >= measure_ - 1);
    if (!note.plain || !holds) {
      printed_.erase(found);
      return;
    }
    note.pitch->alter = printed.alter;
  }
  if (note.ties_on) printed_[place].tied_in = measure_;
}

// In divisions.
absl::StatusOr<double> PartReader::Duration(pugi::xml_node element, const XmlNoteElement& note) {
  if (note.duration) {
    if (*note.duration < 0) return report_.Malformed(element, "a note of negative duration");
    if (*note.duration > 0 || !note.pitch) return *note.duration;
  }
  if (note.whole_rest)
    return attributes_.divisions() * attributes_.measure_length() / kTicksPerQuarter;
  if (note.quarters > 0) {
    report_.Warn(element, "a note without duration lasts as long as it is notated");
    return note.quarters * attributes_.divisions();
  }
  report_.Warn(element, "a note without any length is very short");
  return 0.0;
}

absl::Status PartReader::CountNotes(int64_t more) {
  music_.note_elements += more;
  if (music_.note_elements <= max_notes_) return absl::OkStatus();
  return absl::ResourceExhaustedError("the MusicXML file has more notes than the limit");
}

absl::Status PartReader::ReadNote(pugi::xml_node element) {
  RETURN_IF_ERROR(CountNotes(1));
  ASSIGN_OR_RETURN(XmlNoteElement note, ReadNoteElement(element, report_));
  if (note.pitch) AlterAsPrinted(note);
  const bool in_chord = note.chord && chord_open_;
  if (!in_chord) {
    ++chord_;
    chord_start_ = now_;
    chord_open_ = true;
  }
  const XmlPlace place = {measure_, chord_start_};
  if (note.grace) {
    AddNote(element, note, place, 0);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const double divisions, Duration(element, note));
  if (!in_chord) {
    Voice& voice = voices_[VoiceOf(note.voice)];
    PlaceGraces(voice.graces, now_);
    voice.graces.clear();
    voice.last_onset = Here();
    RETURN_IF_ERROR(Move(element, divisions));
    const bool hidden =
        note.rest && std::string_view(element.attribute("print-object").value()) == "no";
    Ticks& end = note.whole_rest ? bar().rest : hidden ? bar().hidden : bar().filled;
    end = std::max(end, now_);
  }
  if (!(divisions / attributes_.divisions() <= kMostQuarters))
    return report_.Malformed(element, "a note longer than 10,000 quarter notes");
  AddNote(element, note, place, std::max(InTicks(divisions), kShortest));
  return absl::OkStatus();
}

void PartReader::AddNote(pugi::xml_node element, const XmlNoteElement& note, XmlPlace place,
                         Ticks duration) {
  const std::string_view instrument =
      note.instrument.empty() ? std::string_view(first_instrument_) : note.instrument;
  if (note.cue) {
    if (note.pitch || note.unpitched) ++music_.cue_notes;
    return;
  }
  if (note.unpitched || (note.pitch && drums_.find(instrument) != drums_.end())) {
    ++music_.unpitched_notes;
    return;
  }
  if (!note.pitch) return;
  XmlNote made;
  made.place = place;
  made.duration = duration;
  made.voice = VoiceOf(note.voice);
  made.staff = note.staff;
  made.chord = chord_;
  made.velocity = note.velocity;
  made.tied = note.tied;
  made.ties_on = note.ties_on;
  made.arpeggio = note.arpeggio;
  made.arpeggio_down = note.arpeggio_down;
  made.tremolo = note.grace ? Tremolo::kNone : note.tremolo;
  made.stroke = std::max<Ticks>(1, std::llround(note.stroke_quarters * kTicksPerQuarter));
  SetOrnament(note, made);
  alterations_[{note.pitch->step, note.pitch->octave}] = note.pitch->alter;
  const XmlTransposition& transposition = attributes_.TranspositionOf(note.staff);
  made.pitch = Semitones(*note.pitch) + transposition.semitones;
  FollowTremolo(note, chord_, made.voice);
  if (made.pitch < 0 || made.pitch > 127) {
    report_.Warn(element, "a note that MIDI has no number for is left out");
    return;
  }
  if (note.grace) {
    voices_[made.voice].graces.push_back(music_.notes.size());
    waiting_.push_back(made.voice);
  }
  music_.notes.push_back(made);
  // Basses and cellos on one staff.
  const int doubled = made.pitch + transposition.doubled;
  if (transposition.doubled != 0 && duration > 0 && doubled >= 0 && doubled <= 127) {
    made.pitch = doubled;
    music_.notes.push_back(made);
  }
}

void PartReader::SetOrnament(const XmlNoteElement& note, XmlNote& made) {
  made.ornament = note.ornament;
  if (note.ornament == Ornament::kNone) return;
  const auto neighbour = [&](int direction, std::optional<int> alter) {
    XmlPitch pitch = *note.pitch;
    pitch.step += direction;
    if (pitch.step > 6) ++pitch.octave;
    if (pitch.step < 0) --pitch.octave;
    pitch.step = (pitch.step + 7) % 7;
    const auto distance = [&](int by) {
      pitch.alter = by;
      return direction * (Semitones(pitch) - Semitones(*note.pitch));
    };
    const auto is_neighbour = [](int semitones) { return semitones >= 1 && semitones <= 4; };
    const int by_key = distance(attributes_.AlterOf(pitch.step));
    const auto found = alterations_.find({pitch.step, pitch.octave});
    int semitones = by_key;
    if (alter) {
      semitones = distance(*alter);
    } else if (found != alterations_.end()) {
      semitones = distance(found->second);
    }
    return is_neighbour(semitones) ? semitones : is_neighbour(by_key) ? by_key : 2;
  };
  made.ornament_upper = neighbour(1, note.upper_alter);
  made.ornament_lower = neighbour(-1, note.lower_alter);
}

void PartReader::FollowTremolo(const XmlNoteElement& note, int chord, int voice) {
  if (note.grace) return;
  if (note.tremolo == Tremolo::kStart) {
    tremolos_[voice] = chord;
  } else if (note.tremolo == Tremolo::kStop) {
    const auto first = tremolos_.find(voice);
    if (first == tremolos_.end() || first->second == chord) return;
    music_.alternations.push_back({first->second, chord});
    tremolos_.erase(first);
  }
}

// Counts grace notes of a voice backwards from a note at `at`.
void PartReader::PlaceGraces(const std::vector<size_t>& graces, Ticks at) {
  int place = 0, chord = -1;
  for (auto index = graces.rbegin(); index != graces.rend(); ++index) {
    XmlNote& grace = music_.notes[*index];
    if (grace.chord != chord) ++place;
    chord = grace.chord;
    grace.place.at = at;
    grace.grace = place;
  }
}

// Grace notes that nothing follows in their voice get the end of the time before them.
void PartReader::EndGraces() {
  for (const int name : waiting_) {
    Voice& voice = voices_[name];
    if (voice.graces.empty()) continue;
    const Ticks end = music_.notes[voice.graces.front()].place.at;
    const Ticks begin = voice.last_onset.measure == measure_ ? voice.last_onset.at : 0;
    PlaceGraces(voice.graces, end);
    const Ticks places = music_.notes[voice.graces.front()].grace;
    const Ticks each = std::min(kLongestAfterGrace, std::max<Ticks>(0, end - begin) / (places + 1));
    for (const size_t index : voice.graces) {
      XmlNote& grace = music_.notes[index];
      if (each == 0) continue;  // nothing is before them: they stay before the beat
      grace.place.at = end - grace.grace * each;
      grace.duration = each;
      grace.grace = 0;
      grace.ties_on = false;
    }
    voice.graces.clear();
  }
  waiting_.clear();
}

// The sign for "as before" stands in the place of notes, unless the file has them as well.
absl::Status PartReader::RepeatMeasures() {
  const int back = attributes_.repeated_measures();
  if (back == 0 || back > measure_ || first_note_.back() != music_.notes.size())
    return absl::OkStatus();
  const size_t from = first_note_[static_cast<size_t>(measure_ - back)];
  const size_t to = first_note_[static_cast<size_t>(measure_ - back) + 1];
  RETURN_IF_ERROR(CountNotes(static_cast<int64_t>(to - from)));
  int chord = -1;
  for (size_t i = from; i < to; ++i) {
    XmlNote note = music_.notes[i];
    if (note.chord != chord) ++chord_;
    chord = note.chord;
    note.chord = chord_;
    note.place.measure = measure_;
    if (note.tremolo != Tremolo::kSingle) note.tremolo = Tremolo::kNone;
    bar().filled = std::max(bar().filled, note.place.at + note.duration);
    music_.notes.push_back(note);
  }
  return absl::OkStatus();
}

int PartReader::VoiceOf(std::string_view name) {
  if (const std::optional<int> number = WholeIn(name)) return *number;
  const auto found = voice_names_.find(name);
  if (found != voice_names_.end()) return found->second;
  if (voice_names_.size() >= kMostVoices) return 0;
  const int number = -1 - static_cast<int>(voice_names_.size());
  return voice_names_.emplace(std::string(name), name.empty() ? 0 : number).first->second;
}

}  // namespace

absl::StatusOr<XmlMusic> ReadXmlPart(const XmlPart& part, int64_t max_notes, XmlReport& report) {
  return PartReader(part, max_notes, report).Read();
}

}  // namespace antiphon::notation
