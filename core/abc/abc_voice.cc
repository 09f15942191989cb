#include "core/abc/abc_voice.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/music/score.h"

namespace antiphon::notation {
namespace {

constexpr int8_t kNoAccidental = 100;
constexpr std::array<int, 7> kSemitones = {0, 2, 4, 5, 7, 9, 11};
// Ticks that a voice may have: more than any music, and far from the end of the type.
constexpr Ticks kLongestVoice = 1'000'000 * kTicksPerQuarter;

constexpr size_t kMostGraces = 100;  // before one note

int OctaveIndex(int octave, int octaves) {
  return std::clamp(octave + octaves / 2, 0, octaves - 1);
}

Ticks Scaled(Ticks ticks, AbcLength factor) {
  const double exact =
      static_cast<double>(ticks) * static_cast<double>(factor.numerator) / factor.denominator;
  return std::max<Ticks>(1, std::llround(std::min(exact, 2.0 * kLongestVoice)));
}

// Factors of broken rhythm.
constexpr int kMostStrokes = 3;
AbcLength Longer(int strokes) {
  const int64_t whole = int64_t{1} << std::abs(strokes);
  return {2 * whole - 1, whole};
}
AbcLength Shorter(int strokes) { return {1, int64_t{1} << std::abs(strokes)}; }

// The key that sounds where `fifths` is written and the music sounds so many semitones higher.
int TransposedFifths(int fifths, int semitones) {
  if (semitones % 12 == 0) return fifths;
  const int moved = ((fifths + 7 * semitones) % 12 + 12) % 12;
  return moved > 6 ? moved - 12 : moved;
}

}  // namespace

void AbcWarnings::Add(std::string warning) {
  if (kept_.size() + 1 < music::kMaxScoreWarnings) {
    kept_.push_back(std::move(warning));
  } else {
    ++more_;
  }
}

std::vector<std::string> AbcWarnings::Take() && {
  if (more_ > 0) kept_.push_back(absl::StrCat("and ", more_, " more"));
  return std::move(kept_);
}

absl::Status AbcBudgetExceeded() {
  return absl::ResourceExhaustedError("the tunes of the file have too many bars together");
}

AbcVoice::AbcVoice(const NotationLimits& limits, AbcBudget& budget, AbcWarnings& warnings)
    : limits_(limits),
      budget_(budget),
      warnings_(warnings),
      dynamics_(static_cast<size_t>(limits.max_notes)) {
  ClearAccidentals();
}

std::string AbcVoice::Place() const {
  return absl::StrCat("line ", line_, ", bar ", result_.boundaries.size() + 1);
}

void AbcVoice::SetMetre(const AbcMetre& metre) {
  metre_ = metre;
  result_.metres.push_back({time_, metre});
}

void AbcVoice::SetKey(const AbcKey& key) {
  staff_.Update(key.staff);
  if (!key.signature) return;
  key_ = key.accidentals;
  ClearAccidentals();
  Key sounding = key.key;
  sounding.fifths = TransposedFifths(sounding.fifths, staff_.Semitones() + midi_transpose_);
  result_.keys.push_back({time_, sounding});
}

void AbcVoice::ClearAccidentals() {
  for (auto& octaves : bar_accidentals_) octaves.fill(kNoAccidental);
}

int AbcVoice::SignatureAt(int letter, int octave) const {
  const int8_t in_bar = bar_accidentals_[letter][OctaveIndex(octave, kOctaves)];
  return in_bar == kNoAccidental ? key_[letter] : in_bar;
}

int AbcVoice::AccidentalOf(const AbcNote& note) {
  if (!note.accidental) {
    // A tie carries the accidental over the bar line.
    for (const LastNote& before : last_.notes) {
      if (before.letter == note.letter && before.octave == note.octave &&
          notes_[before.index].tied) {
        return before.accidental;
      }
    }
    return SignatureAt(note.letter, note.octave);
  }
  const auto accidental = static_cast<int8_t>(*note.accidental);
  if (propagation_ == AbcPropagation::kPitch) {
    bar_accidentals_[note.letter].fill(accidental);
  } else if (propagation_ == AbcPropagation::kOctave) {
    bar_accidentals_[note.letter][OctaveIndex(note.octave, kOctaves)] = accidental;
  }
  return accidental;
}

void AbcVoice::ApplyOrnament(const AbcNote& note, int accidental, WrittenNote* written) const {
  written->ornament = marks_.ornament;
  if (marks_.ornament == Ornament::kNone) return;
  const auto semitones = [&](int steps) {
    const int letter = (note.letter + steps + 7) % 7;
    const int octave = note.octave + (note.letter + steps > 6) - (note.letter + steps < 0);
    return kSemitones[letter] + 12 * octave + SignatureAt(letter, octave);
  };
  const int own = kSemitones[note.letter] + 12 * note.octave + accidental;
  written->ornament_upper = std::clamp(semitones(1) - own, 1, 4);
  written->ornament_lower = std::clamp(own - semitones(-1), 1, 4);
}

Ticks AbcVoice::DurationOf(AbcLength length, AbcLength factor, AbcLength broken) const {
  const AbcLength product{length.numerator * factor.numerator,
                          length.denominator * factor.denominator};
  if (tuplet_left_ > 0) {
    broken.numerator *= tuplet_.numerator;
    broken.denominator *= tuplet_.denominator;
  }
  return Scaled(Scaled(unit_, product), broken);
}

absl::Status AbcVoice::CheckTime(Ticks time) const {
  if (time <= kLongestVoice) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      Place(), ": a voice is longer than ", kLongestVoice / kTicksPerQuarter, " quarter notes"));
}

void AbcVoice::PlaceSigns(bool behind) {
  for (const AbcSign sign : marks_.signs) result_.signs.push_back({sign, time_, behind});
  marks_.signs.clear();
  for (const AbcDynamic& dynamic : marks_.dynamics) dynamics_.Add(dynamic, time_);
  marks_.dynamics.clear();
  if (behind) dynamics_.EndNote(time_);
}

void AbcVoice::EmitGraces(Ticks onset) {
  for (size_t i = 0; i < graces_.size(); ++i) {
    const AbcNote& grace = graces_[i];
    WrittenNote note;
    note.onset = onset;
    note.pitch = 60 + 12 * grace.octave + kSemitones[grace.letter] + grace_accidentals_[i] +
                 staff_.Semitones() + midi_transpose_;
    note.voice = layer_;
    // `length` is the place in its group, from the end.
    note.grace = static_cast<int>(grace.length.numerator);
    if (note.pitch >= 0 && note.pitch <= 127) notes_.push_back({note});
  }
  graces_.clear();
  grace_accidentals_.clear();
}

absl::Status AbcVoice::AddChord(std::span<const AbcNote> notes, AbcLength factor) {
  const AbcLength broken = TakeBroken(DurationOf(notes.front().length, factor, {}));
  PlaceSigns(/*behind=*/false);
  if (percussion()) {
    result_.unpitched += static_cast<int>(notes.size() + graces_.size());
    graces_.clear();
    grace_accidentals_.clear();
  }
  EmitGraces(time_);
  Event event;
  event.onset = time_;
  event.first_note = notes_.size();
  event.breakable = true;
  for (const AbcNote& note : notes) {
    const int accidental = AccidentalOf(note);
    WrittenNote written;
    written.onset = time_;
    written.duration = DurationOf(note.length, factor, broken);
    if (event.duration == 0) event.duration = written.duration;
    written.pitch = 60 + 12 * note.octave + kSemitones[note.letter] + accidental +
                    staff_.Semitones() + midi_transpose_;
    written.velocity = marks_.velocity;  // else as Take() says
    written.voice = layer_;
    ApplyOrnament(note, accidental, &written);
    if (marks_.strokes > 0) {
      written.tremolo_stroke = std::min(written.duration, (kTicksPerQuarter / 2) >> marks_.strokes);
    }
    if (percussion()) continue;
    if (written.pitch < 0 || written.pitch > 127) {
      warnings_.Add(absl::StrCat(Place(), ": a note beyond the range of MIDI is left out"));
      continue;
    }
    const bool unison =
        std::any_of(notes_.begin() + static_cast<ptrdiff_t>(event.first_note), notes_.end(),
                    [&](const VoiceNote& other) { return other.note.pitch == written.pitch; });
    if (unison) continue;
    event.notes.push_back({note.letter, note.octave, accidental, notes_.size()});
    notes_.push_back({written, note.tied});
  }
  if (marks_.arpeggio && event.notes.size() > 1) {
    std::vector<size_t> rising;
    for (const LastNote& note : event.notes) rising.push_back(note.index);
    std::sort(rising.begin(), rising.end(),
              [&](size_t a, size_t b) { return notes_[a].note.pitch < notes_[b].note.pitch; });
    for (size_t i = 0; i < rising.size(); ++i)
      notes_[rising[i]].note.arpeggio = static_cast<int>(i) + 1;
  }
  marks_ = {};
  if (notes_.size() > static_cast<size_t>(limits_.max_notes)) {
    return absl::ResourceExhaustedError(
        absl::StrCat(Place(), ": more than ", limits_.max_notes, " notes"));
  }
  return Advance(std::move(event));
}

absl::Status AbcVoice::AddRest(AbcLength length) {
  const AbcLength broken = TakeBroken(DurationOf(length, {}, {}));
  PlaceSigns(/*behind=*/false);
  marks_ = {};
  Event event;
  event.onset = time_;
  event.duration = DurationOf(length, {}, broken);
  event.first_note = notes_.size();
  event.breakable = true;
  return Advance(std::move(event));
}

absl::Status AbcVoice::Advance(Event event) {
  RETURN_IF_ERROR(CheckTime(time_ + event.duration));
  time_ += event.duration;
  dynamics_.EndNote(time_);
  if (tuplet_left_ > 0) --tuplet_left_;
  last_ = std::move(event);
  return absl::OkStatus();
}

Ticks AbcVoice::BarLength() const {
  if (metre_.free) return 4 * kTicksPerQuarter;
  return 4 * kTicksPerQuarter * metre_.metre.numerator / metre_.metre.denominator;
}

absl::Status AbcVoice::AddBarsOfRest(int bars) {
  SettleBroken();
  PlaceSigns(/*behind=*/false);
  marks_ = {};
  for (int i = 0; i < bars; ++i) {
    if (i > 0) RETURN_IF_ERROR(AddBarLine({}));
    RETURN_IF_ERROR(CheckTime(time_ + BarLength()));
    time_ += BarLength();
  }
  dynamics_.EndNote(time_);
  last_ = {};
  return absl::OkStatus();
}

absl::Status AbcVoice::AddBarLine(const AbcBarLine& line) {
  SettleBroken();
  PlaceSigns(/*behind=*/true);
  ClearAccidentals();
  last_.breakable = false;
  if (overlay_open_ && layer_ > 0) return absl::OkStatus();  // these bars are there already
  if (layer_ > 0) RETURN_IF_ERROR(EndOverlay());
  bar_start_ = time_;
  std::vector<AbcBoundary>& boundaries = result_.boundaries;
  if (boundaries.empty() || boundaries.back().at != time_) {
    if (boundaries.size() >= static_cast<size_t>(limits_.max_bars)) {
      return absl::ResourceExhaustedError(
          absl::StrCat(Place(), ": more than ", limits_.max_bars, " bars"));
    }
    if (--budget_.bars < 0) return AbcBudgetExceeded();
    boundaries.push_back({time_, line});
    return absl::OkStatus();
  }
  // A second sign at the same place.
  AbcBarLine& there = boundaries.back().line;
  there.thick |= line.thick;
  there.ends_repeat = std::max(there.ends_repeat, line.ends_repeat);
  there.starts_repeat = std::max(there.starts_repeat, line.starts_repeat);
  if (!line.ending.empty()) there.ending = line.ending;
  return absl::OkStatus();
}

void AbcVoice::AddLabel(char label) {
  if (layer_ > 0) return;
  SettleBroken();
  last_.breakable = false;
  std::vector<AbcBoundary>& boundaries = result_.boundaries;
  if (boundaries.empty() || boundaries.back().at != time_) boundaries.push_back({time_, {}});
  boundaries.back().line.label = label;
}

void AbcVoice::AddGrace(std::span<const AbcNote> notes) {
  if (notes.empty()) return;
  if (graces_.size() + notes.size() > kMostGraces) {
    warnings_.Add(absl::StrCat(Place(), ": more than ", kMostGraces,
                               " grace notes before a note; the others are left out"));
    return;
  }
  // A second group before the same note.
  for (AbcNote& before : graces_) before.length.numerator += notes.front().length.numerator;
  for (const AbcNote& note : notes) {
    grace_accidentals_.push_back(AccidentalOf(note));
    graces_.push_back(note);
  }
}

void AbcVoice::Tie() {
  for (const LastNote& note : last_.notes) notes_[note.index].tied = true;
  if (last_.notes.empty() && !percussion())
    warnings_.Add(absl::StrCat(Place(), ": a tie without a note before it is passed over"));
}

void AbcVoice::Break(int strokes) {
  if (last_.breakable) {
    broken_ = std::clamp(strokes, -kMostStrokes, kMostStrokes);
    last_.breakable = false;
    return;
  }
  warnings_.Add(absl::StrCat(
      Place(), ": broken rhythm (< >) without a note before it in its bar is passed over"));
}

void AbcVoice::ScaleLast(AbcLength factor) {
  for (size_t i = last_.first_note; i < notes_.size(); ++i)
    notes_[i].note.duration = Scaled(notes_[i].note.duration, factor);
  last_.duration = Scaled(last_.duration, factor);
  time_ = last_.onset + last_.duration;
}

AbcLength AbcVoice::TakeBroken(Ticks duration) {
  if (broken_ == 0) return std::exchange(next_factor_, {});
  const int strokes = std::exchange(broken_, 0);
  const Ticks first = last_.duration;
  if (std::abs(first - duration) <= 1) {
    ScaleLast(strokes > 0 ? Longer(strokes) : Shorter(strokes));
    return strokes > 0 ? Shorter(strokes) : Longer(strokes);
  }
  if (strokes == 1 && std::abs(first - 2 * duration) <= 2) {
    ScaleLast(Longer(strokes));
  } else if (strokes == -1 && std::abs(2 * first - duration) <= 2) {
    return Longer(strokes);
  } else {
    warnings_.Add(absl::StrCat(
        Place(), ": broken rhythm (< >) between notes of unequal length is passed over"));
  }
  return {};
}

void AbcVoice::SettleBroken() {
  if (broken_ == 0) return;
  const int strokes = std::exchange(broken_, 0);
  ScaleLast(strokes > 0 ? Longer(strokes) : Shorter(strokes));
  next_factor_ = strokes > 0 ? Shorter(strokes) : Longer(strokes);
}

void AbcVoice::Tuplet(int notes, std::optional<int> time, std::optional<int> count) {
  const bool compound = !metre_.free && metre_.metre.denominator == 8 &&
                        metre_.metre.numerator % 3 == 0 && metre_.metre.numerator > 3;
  const int usual = notes == 2 || notes == 4 || notes == 8 ? 3
                    : notes == 3 || notes == 6             ? 2
                                                           : (compound ? 3 : 2);
  tuplet_ = {time.value_or(usual), notes};
  tuplet_left_ = count.value_or(notes);
}

void AbcVoice::Overlay() {
  SettleBroken();
  if (layer_ == 0) {
    main_end_ = time_;
    main_last_ = last_;
    if (!overlay_open_) overlay_start_ = bar_start_;
  }
  main_end_ = std::max(main_end_, time_);
  ++layer_;
  time_ = overlay_start_;
  last_ = {};
  tuplet_left_ = 0;
  next_factor_ = {};
  graces_.clear();
  grace_accidentals_.clear();
  ClearAccidentals();
}

void AbcVoice::OpenOverlay() {
  if (layer_ > 0) return;
  overlay_open_ = true;
  overlay_start_ = time_;
}

absl::Status AbcVoice::EndOverlay() {
  SettleBroken();
  time_ = std::max(time_, main_end_);
  layer_ = 0;
  last_ = std::exchange(main_last_, {});
  last_.breakable = false;
  return CheckTime(time_);
}

absl::Status AbcVoice::CloseOverlay() {
  overlay_open_ = false;
  if (layer_ == 0) return absl::OkStatus();
  return EndOverlay();
}

void AbcVoice::JoinTies() {
  std::map<std::pair<int, int>, size_t> open;  // by layer and pitch: the first of the notes tied
  int loose = 0;
  for (size_t i = 0; i < notes_.size(); ++i) {
    VoiceNote& next = notes_[i];
    if (next.note.grace > 0) continue;
    const std::pair<int, int> key(next.note.voice, next.note.pitch);
    const auto found = open.find(key);
    if (found != open.end()) {
      WrittenNote& first = notes_[found->second].note;
      if (first.onset + first.duration == next.note.onset) {
        first.duration += next.note.duration;
        next.left_out = true;
        if (!next.tied) open.erase(found);
        continue;
      }
      ++loose;
      open.erase(found);
    }
    if (next.tied) open[key] = i;
  }
  loose += static_cast<int>(open.size());
  if (loose > 0) {
    warnings_.Add(
        absl::StrCat("ties that lead to no note of the same pitch right behind: ", loose));
  }
}

AbcVoiceResult AbcVoice::Take() && {
  SettleBroken();
  PlaceSigns(/*behind=*/true);
  if (layer_ > 0) time_ = std::max(time_, main_end_);
  if (!graces_.empty()) {
    warnings_.Add(absl::StrCat(Place(), ": grace notes with no note behind them are left out"));
  }
  JoinTies();
  const Loudness loudness = std::move(dynamics_).Take();
  for (VoiceNote& note : notes_) {
    if (note.left_out) continue;
    if (note.note.velocity == 0) note.note.velocity = loudness.VelocityAt(note.note.onset);
    result_.notes.push_back(note.note);
  }
  notes_.clear();
  std::stable_sort(
      result_.notes.begin(), result_.notes.end(), [](const WrittenNote& a, const WrittenNote& b) {
        return std::tuple(a.onset, -a.grace, a.pitch) < std::tuple(b.onset, -b.grace, b.pitch);
      });
  result_.end = time_;
  return std::move(result_);
}

}  // namespace antiphon::notation
