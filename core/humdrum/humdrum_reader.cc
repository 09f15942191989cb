#include "core/humdrum/humdrum_reader.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "core/music/score.h"

namespace antiphon::notation {
namespace {

constexpr int kMaxTracks = 4096;
// More than any number of notes within the limits can fill.
constexpr Ticks kMaxTime = Ticks{1} << 60;

bool IsNull(absl::string_view token) { return token.empty() || token == "."; }

bool Sounds(const KernNote& note) { return !note.grace && note.duration > 0; }

}  // namespace

std::string HumdrumReader::Here() const {
  return bar_.empty() ? absl::StrCat("line ", line_)
                      : absl::StrCat("line ", line_, " (bar ", bar_, ")");
}

absl::Status HumdrumReader::Error(absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(Here(), ": ", what));
}

void HumdrumReader::Note(Slips* slips) const {
  if (slips->count++ == 0) slips->first = Here();
}

absl::Status HumdrumReader::ReadLine(absl::string_view line) {
  ++line_;
  if (line.find_first_not_of(" \t") == absl::string_view::npos) return absl::OkStatus();
  if (line[0] == '!') {
    ReadComment(line);
    return absl::OkStatus();
  }
  if (absl::StartsWith(line, "**") && spines_.empty()) {
    if (begun_) {
      done_ = true;
      return absl::OkStatus();
    }
    tokens_ = absl::StrSplit(line, '\t');
    return ReadExclusive();
  }
  if (!begun_) return Error("this comes before the spines are named (**kern)");
  RETURN_IF_ERROR(Split(line));
  if (line[0] == '*') return ReadInterpretations();
  // A slip in one spine does not make a bar line of notes or the reverse: most of them decide.
  size_t bars = 0;
  for (const absl::string_view token : tokens_) bars += absl::StartsWith(token, "=") ? 1 : 0;
  if (2 * bars > tokens_.size()) {
    ReadBars();
    return absl::OkStatus();
  }
  return ReadNotes();
}

absl::Status HumdrumReader::Split(absl::string_view line) {
  tokens_ = absl::StrSplit(line, '\t');
  if (tokens_.size() > spines_.size()) {
    // Tabs too many.
    std::erase_if(tokens_, [](absl::string_view token) {
      return token.find_first_not_of(' ') == absl::string_view::npos;
    });
    if (tokens_.size() == spines_.size()) Note(&empty_fields_);
  }
  if (tokens_.size() != spines_.size()) {
    return Error(
        absl::StrCat(tokens_.size(), " fields where ", spines_.size(), " spines are open"));
  }
  for (absl::string_view& token : tokens_) {
    token = absl::StripAsciiWhitespace(token);
    if (token.empty()) Note(&empty_fields_);
  }
  return absl::OkStatus();
}

void HumdrumReader::ReadComment(absl::string_view line) {
  if (absl::StartsWith(line, "!!!!SEGMENT")) {
    if (begun_) done_ = true;
    return;
  }
  const auto [key, value] = ParseRecord(line);
  if (key == "OMD") {
    if (const auto tempo = ParseMetronomeMark(value)) timeline_.AddTempo(*tempo);
  } else if (key == "filter") {
    filtered_ = true;
  } else if (!key.empty()) {
    records_.Add(key, value);
  }
}

absl::Status HumdrumReader::BeginSpine(absl::string_view name, Spine* spine) {
  spine->voice = 0;
  spine->kind = Spine::Kind::kOther;
  if (name == "**kern" || name == "**kernyy" || name == "**drum") {
    if (parts_.track_count() == kMaxTracks) {
      return absl::ResourceExhaustedError(absl::StrCat("it has more than ", kMaxTracks, " staves"));
    }
    spine->kind = Spine::Kind::kKern;
    spine->track = parts_.AddTrack(name == "**drum");
  } else if (name == "**dynam" || name == "**dyn" || name == "**dynamics") {
    spine->kind = Spine::Kind::kDynamics;
    spine->track = parts_.AddDynamics();
  }
  return absl::OkStatus();
}

absl::Status HumdrumReader::ReadExclusive() {
  for (absl::string_view token : tokens_) {
    token = absl::StripAsciiWhitespace(token);
    if (token.empty()) continue;  // a tab at the end
    if (!absl::StartsWith(token, "**")) return Error("a spine has no name (**kern)");
    Spine spine;
    RETURN_IF_ERROR(BeginSpine(token, &spine));
    spines_.push_back(std::move(spine));
  }
  begun_ = true;
  return absl::OkStatus();
}

absl::Status HumdrumReader::ReadInterpretations() {
  bool changes = false;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const absl::string_view token = tokens_[i];
    if (absl::StartsWith(token, "**")) {
      RETURN_IF_ERROR(BeginSpine(token, &spines_[i]));
    } else if (token.size() == 2 && absl::StrContains("^v-+x", token[1])) {
      changes = true;
    } else if (token.size() > 1 && token[0] == '*') {
      ReadInterpretation(token, spines_[i]);
    }
  }
  ReadKeys();
  // The same in every spine.
  for (const absl::string_view token : tokens_) {
    if (!absl::StartsWith(token, "*>")) continue;
    ReadSection(token.substr(2));
    break;
  }
  if (!changes) return absl::OkStatus();
  if (const absl::Status status = ApplySpineChanges(tokens_, &spines_); !status.ok()) {
    return Error(status.message());
  }
  return absl::OkStatus();
}

void HumdrumReader::ReadInterpretation(absl::string_view token, const Spine& spine) {
  if (token == "*thru") order_.already_played = true;
  if (spine.kind != Spine::Kind::kKern) return;
  if (const auto metre = ParseMetre(token)) {
    timeline_.AddMetre(*metre);
  } else if (const auto tempo = ParseTempo(token)) {
    timeline_.AddTempo(*tempo);
  } else {
    parts_.Interpret(token, spine.track);
  }
}

// The key of a line, from the spines at sounding pitch: of signatures the most common one, as
// drums and horns often have none.
void HumdrumReader::ReadKeys() {
  std::map<int, int> votes;  // by fifths
  std::optional<Key> designation;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (spines_[i].kind != Spine::Kind::kKern) continue;
    KernTrack& track = parts_.track(spines_[i].track);
    const auto alterations = ParseKeySignature(tokens_[i]);
    if (alterations.has_value()) track.key = *alterations;
    if (track.transposed != 0) continue;
    if (alterations.has_value()) ++votes[Fifths(*alterations)];
    if (!designation.has_value()) designation = ParseKeyDesignation(tokens_[i]);
  }
  Key key = key_;
  if (!votes.empty()) {
    key.fifths = std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) {
                   return a.second < b.second;
                 })->first;
  } else if (designation.has_value()) {
    key.minor = designation->minor;
    if (!key_known_) key.fifths = designation->fifths;  // without a signature it is all there is
  } else {
    return;
  }
  if (key_known_ && key.fifths == key_.fifths && key.minor == key_.minor) return;
  key_ = key;
  key_known_ = true;
  timeline_.AddKey(key_);
}

// What follows *>: a name, a list, or a list with a name.
void HumdrumReader::ReadSection(absl::string_view text) {
  const size_t open = text.find('[');
  if (open == absl::string_view::npos) {
    absl::ConsumeSuffix(&text, "yy");
    if (!text.empty()) timeline_.AddSection(std::string(text));
    return;
  }
  if (open > 0) {
    order_.has_variants = true;
    return;
  }
  const absl::string_view list = text.substr(1, text.find(']') - 1);
  if (order_.list.empty()) order_.list = std::string(list);
}

void HumdrumReader::ReadBars() {
  BarLine line;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (spines_[i].kind != Spine::Kind::kKern) continue;
    BarLine of_spine = ParseBarLine(tokens_[i]);
    if (line.number.empty()) line.number = std::move(of_spine.number);
    line.ends_repeat = line.ends_repeat || of_spine.ends_repeat;
    line.starts_repeat = line.starts_repeat || of_spine.starts_repeat;
  }
  if (!line.number.empty()) bar_ = line.number;
  timeline_.AddBar(std::move(line));
}

absl::Status HumdrumReader::ParseChord(absl::string_view token, const Spine& spine,
                                       std::vector<KernNote>* chord) {
  chord->clear();
  if (IsNull(token)) return absl::OkStatus();
  const Alterations& key = parts_.track(spine.track).key;
  const bool arpeggio = absl::StrContains(token, ':');
  for (const absl::string_view word : absl::StrSplit(token, ' ', absl::SkipEmpty())) {
    if (word == ".") continue;
    std::string problem;
    const auto note = ParseKernNote(word, key, &problem);
    if (!note.has_value()) return Error(problem);
    if (note->kind == KernNote::Kind::kNothing) Note(&no_meaning_);
    if (note->kind == KernNote::Kind::kNothing && note->duration == 0) continue;
    chord->push_back(*note);
    KernNote& added = chord->back();
    added.arpeggio = arpeggio;
    // The notes of a chord are grace notes, or last as long, as the first one.
    added.grace = chord->front().grace;
    if (chord->front().duration > 0) added.duration = chord->front().duration;
  }
  return absl::OkStatus();
}

Ticks HumdrumReader::NextTime(const std::vector<bool>& begins) const {
  // The first end that is still ahead; ends that differ by rounding are one.
  const auto earliest = [&](bool beginning_only) {
    Ticks first = kMaxTime;
    for (size_t i = 0; i < spines_.size(); ++i) {
      const Spine& spine = spines_[i];
      if (spine.kind != Spine::Kind::kKern || spine.end <= now_ + kTimeTolerance) continue;
      if (!beginning_only || begins[i]) first = std::min(first, spine.end);
    }
    Ticks last = first;
    for (const Spine& spine : spines_) {
      if (spine.kind == Spine::Kind::kKern && spine.end > first &&
          spine.end <= first + kTimeTolerance) {
        last = std::max(last, spine.end);
      }
    }
    return last;
  };
  Ticks time = earliest(false);
  if (timeline_.bar_pending()) {
    // After a bar line voices of unequal lengths fall in with each other: where the metre says so,
    // or else once the longest of those that go on has ended.
    Ticks longest = now_;
    bool by_metre = false;
    for (size_t i = 0; i < spines_.size(); ++i) {
      if (spines_[i].kind != Spine::Kind::kKern || !begins[i]) continue;
      longest = std::max(longest, spines_[i].end);
      by_metre = by_metre || spines_[i].end == timeline_.NextBarByMetre();
    }
    if (longest > time + kTimeTolerance) time = by_metre ? timeline_.NextBarByMetre() : longest;
  }
  return time == kMaxTime ? now_ : std::max(time, now_);
}

absl::Status HumdrumReader::ReadNotes() {
  if (!arranged_) {
    parts_.Arrange(spines_);
    arranged_ = true;
  }
  parts_.BeginLine();
  chords_.resize(spines_.size());
  std::vector<bool> begins(spines_.size(), false);
  bool any = false;
  bool all_null = true;
  for (size_t i = 0; i < spines_.size(); ++i) {
    const Spine& spine = spines_[i];
    if (spine.kind != Spine::Kind::kKern) continue;
    RETURN_IF_ERROR(ParseChord(tokens_[i], spine, &chords_[i]));
    all_null = all_null && chords_[i].empty();
    begins[i] = !chords_[i].empty() && Sounds(chords_[i].front());
    any = any || begins[i];
  }
  if (any) {
    now_ = NextTime(begins);
    if (now_ > kMaxTime / 2) return Error("the music is too long");
    timeline_.Advance(now_);
  } else if (all_null) {
    timeline_.AddGap();
  }
  for (size_t i = 0; i < spines_.size(); ++i) {
    if (spines_[i].kind == Spine::Kind::kDynamics && !IsNull(tokens_[i]))
      parts_.Apply(ParseDynamics(tokens_[i]), spines_[i].track, now_);
  }
  for (size_t i = 0; i < spines_.size(); ++i) {
    if (spines_[i].kind == Spine::Kind::kKern && !chords_[i].empty()) {
      RETURN_IF_ERROR(ReadChord(chords_[i], &spines_[i]));
    }
  }
  return absl::OkStatus();
}

absl::Status HumdrumReader::AddNote(const KernNote& note, const Spine& spine) {
  if (note.kind == KernNote::Kind::kRest || note.kind == KernNote::Kind::kNothing) {
    return absl::OkStatus();
  }
  const KernTrack& track = parts_.track(spine.track);
  if (track.percussion || note.kind == KernNote::Kind::kUnpitched) {
    ++unpitched_;
    return absl::OkStatus();
  }
  const int pitch = note.pitch - track.transposed;
  if (pitch < 0 || pitch > 127) return Error("a pitch beyond MIDI's 0 to 127");
  if (note_count_ >= limits_.max_notes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(Here(), ": it has more than ", limits_.max_notes, " notes"));
  }
  const HumdrumNotes::Place place = {now_, spine.track, track.group, spine.voice};
  const int velocity = track.accented_velocity;  // else as TakeLoudness says
  if (!note.grace) {
    if (notes_.Add(note, place, pitch, velocity)) ++note_count_;
    return absl::OkStatus();
  }
  ++note_count_;
  const size_t index = notes_.AddGrace(note, place, pitch, velocity);
  if (grace_chord_.first == grace_chord_.second) grace_chord_.first = index;
  grace_chord_.second = index + 1;
  return absl::OkStatus();
}

absl::Status HumdrumReader::ReadChord(const std::vector<KernNote>& chord, Spine* spine) {
  const KernNote& first = chord.front();
  if (first.grace) {
    grace_chord_ = {};
    for (const KernNote& note : chord) RETURN_IF_ERROR(AddNote(note, *spine));
    if (grace_chord_.first < grace_chord_.second) spine->graces.push_back(grace_chord_);
    return absl::OkStatus();
  }
  if (first.duration == 0) {
    if (first.kind != KernNote::Kind::kRest) Note(&no_duration_);
    return absl::OkStatus();
  }
  if (spine->end > now_ + kTimeTolerance) Note(&overlaps_);
  notes_.PlaceGraces(spine->graces, now_);
  spine->graces.clear();
  for (const KernNote& note : chord) RETURN_IF_ERROR(AddNote(note, *spine));
  spine->end = now_ + first.duration;
  end_ = std::max(end_, spine->end);
  return absl::OkStatus();
}

void HumdrumReader::Warn(WrittenScore* score) const {
  std::vector<std::string>& warnings = score->warnings;
  const auto slips = [&warnings](const Slips& of, absl::string_view one, absl::string_view many) {
    if (of.count == 0) return;
    warnings.push_back(of.count == 1
                           ? absl::StrCat(of.first, ": ", one)
                           : absl::StrCat(of.count, " ", many, ", the first in ", of.first));
  };
  if (done_) warnings.emplace_back("a second score follows the first and was not read");
  if (!done_ && !spines_.empty()) warnings.emplace_back("the file ends before its spines do");
  if (filtered_) warnings.emplace_back("the file's filters (!!!filter) are not applied");
  slips(no_duration_, "a note without a duration is left out",
        "notes without a duration are left out");
  slips(no_meaning_, "what is neither note nor rest is left out",
        "tokens that are neither notes nor rests are left out");
  slips(overlaps_, "a note begins before the one before it ends",
        "notes begin before the ones before them end");
  slips(empty_fields_, "an empty field is passed over", "empty fields are passed over");
  if (lost_graces_ > 0) {
    warnings.push_back(absl::StrCat(lost_graces_, " grace notes at the end lead to no note"));
  }
  if (warnings.size() > music::kMaxScoreWarnings) warnings.resize(music::kMaxScoreWarnings);
}

absl::StatusOr<WrittenScore> HumdrumReader::Finish() {
  if (!begun_) return absl::InvalidArgumentError("it names no spines (**kern)");
  if (parts_.track_count() == 0) return absl::InvalidArgumentError("it has no **kern spine");
  HumdrumParts::Players players = parts_.MakePlayers();
  if (static_cast<int64_t>(players.parts.size()) > limits_.max_parts) {
    return absl::ResourceExhaustedError(
        absl::StrCat("it has more than ", limits_.max_parts, " parts"));
  }
  WrittenScore score;
  score.unpitched_notes = unpitched_;
  score.notes = notes_.Take(players, parts_.TakeLoudness(), &lost_graces_);
  if (score.notes.empty()) return absl::InvalidArgumentError("it has no note with a pitch");
  score.parts = std::move(players.parts);
  timeline_.Advance(end_);
  const auto take = [this](const auto& changes, auto* taken) {
    for (const auto& change : changes) {
      if (change.at < end_) taken->push_back(change);
    }
  };
  take(timeline_.metres(), &score.metres);
  take(timeline_.keys(), &score.keys);
  take(timeline_.tempi(), &score.tempi);
  RETURN_IF_ERROR(SetBars(timeline_.form(), order_, end_, limits_, &score));
  records_.Name(&score);
  Warn(&score);
  return score;
}

}  // namespace antiphon::notation
