#include "core/abc/abc_tune.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/abc/abc_score.h"
#include "core/abc/abc_text.h"
#include "core/base/status_macros.h"
#include "core/music/file_naming.h"

namespace antiphon::notation {
namespace {

constexpr AbcMetre kFreeMetre = {{}, /*free=*/true};
constexpr size_t kLongestText = 1000;  // bytes of a title

// A value in a message: short, and printable.
std::string Quoted(std::string_view value) {
  constexpr size_t kMost = 40;
  return absl::StrCat("'", CleanAbcText(value.substr(0, kMost), ""), "'");
}

// A line of a field, T:title; +: goes on with the one before.
bool IsField(std::string_view line) {
  if (line.size() < 2 || line[1] != ':') return false;
  if (line[0] == '+') return true;
  if (!absl::ascii_isalpha(line[0])) return false;
  // A:| is a note before a repeat.
  return line.size() == 2 || (line[2] != '|' && line[2] != ':');
}

}  // namespace

AbcTune::AbcTune(AbcHeader defaults, int line, const NotationLimits& limits, AbcBudget& budget)
    : header_(std::move(defaults)),
      first_line_(line),
      limits_(limits),
      budget_(budget),
      line_(line),
      music_(*this, warnings_) {}

void AbcTune::Warn(std::string_view what) {
  warnings_.Add(absl::StrCat(current_ != nullptr && current_->music ? current_->music->Place()
                                                                    : absl::StrCat("line ", line_),
                             ": ", std::string(what)));
}

absl::Status AbcTune::AddLine(std::string_view line, int number) {
  line_ = number;
  if (!refusal_.ok()) return absl::OkStatus();
  if (current_ != nullptr && current_->music) current_->music->SetLine(number);
  if (line.starts_with("%%")) {
    ApplyDirective(line.substr(2));
    return absl::OkStatus();
  }
  line = WithoutComment(line);
  if (IsField(line)) {
    const std::string_view value = StripSpace(line.substr(2));
    if (line[0] == '+') {
      ContinueText(value);
      return absl::OkStatus();
    }
    last_field_ = line[0];
    return ApplyField(line[0], value);
  }
  if (!in_body_) return absl::OkStatus();  // history and the like, as older files have it
  return AddMusic(line);
}

absl::Status AbcTune::AddMusic(std::string_view line) {
  voice().SetLine(line_);
  if (symbols().macros.empty()) return music_.Read(line);
  const std::optional<std::string> expanded =
      ExpandAbcMacros(line, symbols(), static_cast<size_t>(budget_.macro_bytes));
  if (!expanded) {
    return absl::ResourceExhaustedError(
        absl::StrCat("line ", line_, ": macros make more than ", limits_.max_bytes, " bytes"));
  }
  budget_.macro_bytes -= static_cast<int64_t>(expanded->size());
  return music_.Read(*expanded);
}

AbcVoice& AbcTune::voice() {
  if (current_ == nullptr) {
    if (voices_.empty()) {
      voices_.push_back(std::make_unique<Voice>());
      by_id_[""] = voices_.back().get();
    }
    current_ = voices_.front().get();
  }
  Voice& voice = *current_;
  if (!voice.music) {
    voice.music = std::make_unique<AbcVoice>(limits_, budget_, warnings_);
    AbcVoice& music = *voice.music;
    const AbcMetre metre = header_.metre.value_or(kFreeMetre);
    music.SetLine(line_);
    music.SetUnit(header_.unit.value_or(DefaultAbcLength(metre)));
    music.SetMidiTranspose(voice.midi_transpose.value_or(header_.midi_transpose));
    music.SetPropagation(header_.propagation);
    music.SetMetre(metre);
    AbcKey key = header_.key.value_or(AbcKey{});
    AbcStaff staff = header_.staff;
    staff.Update(key.staff);
    staff.Update(voice.staff);
    key.staff = staff;
    music.SetKey(key);
  }
  return *voice.music;
}

absl::Status AbcTune::InlineField(char name, std::string_view value) {
  return ApplyField(name, value);
}

absl::Status AbcTune::ApplyField(char name, std::string_view value) {
  switch (name) {
    case 'V':
      return SwitchVoice(value);
    case 'U':
    case 'm':
      return Define(name, value);
    default:
      return ApplySetting(name, value);
  }
}

absl::Status AbcTune::ApplySetting(char name, std::string_view value) {
  switch (name) {
    case 'T':
    case 'C':
      if (!in_body_) ApplyText(name, value);
      break;
    case 'K':
      ApplyKey(value);
      break;
    case 'M':
      ApplyMetre(value);
      break;
    case 'L':
      ApplyLength(value);
      break;
    case 'Q':
      ApplyTempo(value);
      break;
    case 'P':
      ApplyPart(value);
      break;
    case 'I':
      ApplyDirective(value);
      break;
    case 's':
      Warn("a line of symbols (s:) is passed over");
      break;
    default:  // lyrics, and what is about the tune
      break;
  }
  return absl::OkStatus();
}

absl::Status AbcTune::SwitchVoice(std::string_view value) {
  const AbcVoiceField field = ParseAbcVoice(value);
  if (field.id.empty()) {
    Warn("V: without a name of the voice is passed over");
    return absl::OkStatus();
  }
  auto found = by_id_.find(field.id);
  if (found == by_id_.end()) {
    if (voices_.size() >= static_cast<size_t>(limits_.max_parts)) {
      return absl::ResourceExhaustedError(
          absl::StrCat("line ", line_, ": more than ", limits_.max_parts, " voices"));
    }
    voices_.push_back(std::make_unique<Voice>());
    voices_.back()->id = std::string(field.id);
    found = by_id_.emplace(field.id, voices_.back().get()).first;
  }
  Voice& voice = *found->second;
  if (!field.name.empty())
    voice.part.name = CleanAbcText(field.name.substr(0, kLongestText), header_.charset);
  voice.staff.Update(field.staff);
  if (voice.music) {
    voice.music->SetStaff(field.staff);
    voice.music->SetLine(line_);
  }
  current_ = &voice;
  return absl::OkStatus();
}

void AbcTune::ApplyText(char name, std::string_view value) {
  const std::string text = CleanAbcText(value.substr(0, kLongestText), header_.charset);
  if (name == 'T') {
    if (header_.title.empty()) header_.title = music::StatedTitle(text);
  } else if (!text.empty()) {
    absl::StrAppend(&header_.composer, header_.composer.empty() ? "" : ", ", text);
    if (header_.composer.size() > kLongestText) header_.composer.clear();
  }
}

void AbcTune::ContinueText(std::string_view value) {
  if (in_body_) return;
  std::string* text = last_field_ == 'T'   ? &header_.title
                      : last_field_ == 'C' ? &header_.composer
                                           : nullptr;
  if (text == nullptr || text->size() > kLongestText) return;
  const std::string more = CleanAbcText(value.substr(0, kLongestText), header_.charset);
  if (!more.empty()) absl::StrAppend(text, text->empty() ? "" : " ", more);
}

void AbcTune::ApplyKey(std::string_view value) {
  const std::optional<AbcKey> key = ParseAbcKey(value);
  if (!key) {
    if (in_body_) return Warn(absl::StrCat("K: ", Quoted(value), " is no key and is passed over"));
    refusal_ = absl::InvalidArgumentError(
        absl::StrCat("line ", line_, ": K: ", Quoted(value), " is no key"));
    return;
  }
  if (in_body_ && !ForAll()) return voice().SetKey(*key);
  header_.staff.Update(key->staff);
  header_.key = key;
  if (first_line_ > 0) {
    in_body_ = true;
    current_ = nullptr;
  }
}

void AbcTune::ApplyMetre(std::string_view value) {
  const std::optional<AbcMetre> metre = ParseAbcMetre(value);
  if (!metre) return Warn(absl::StrCat("M: ", Quoted(value), " is no metre and is passed over"));
  if (in_body_ && !ForAll()) return voice().SetMetre(*metre);
  header_.metre = metre;
}

void AbcTune::ApplyLength(std::string_view value) {
  const std::optional<Ticks> unit = ParseAbcLength(value);
  if (!unit) return Warn(absl::StrCat("L: ", Quoted(value), " is no length and is passed over"));
  if (in_body_ && !ForAll()) return voice().SetUnit(*unit);
  header_.unit = unit;
}

void AbcTune::ApplyTempo(std::string_view value) {
  if (!in_body_ || ForAll()) {
    header_.tempo = std::string(value.substr(0, kLongestText));
    return;
  }
  bool words = false;
  const std::optional<double> tempo = ParseAbcTempo(value, voice().unit(), &words);
  if (tempo) return voice().SetTempo(*tempo);
  if (!words) Warn(absl::StrCat("Q: ", Quoted(value), " is no tempo and is passed over"));
}

void AbcTune::ApplyPart(std::string_view value) {
  if (!in_body_) {
    const std::optional<std::string> order =
        ExpandAbcOrder(value, static_cast<size_t>(limits_.max_bars));
    if (!order) return Warn("P: is no order of parts, or too long, and is passed over");
    header_.order = *order;
  } else if (!value.empty() && absl::ascii_isalpha(value.front())) {
    // "P:Trio" is a heading.
    voice().AddLabel(value.size() == 1 || !absl::ascii_isalnum(value[1]) ? value.front() : '?');
  }
}

absl::Status AbcTune::Define(char name, std::string_view value) {
  AbcSymbols symbols = *header_.symbols;
  const absl::Status defined =
      name == 'U' ? DefineAbcSymbol(value, &symbols) : DefineAbcMacro(value, &symbols);
  if (absl::IsInvalidArgument(defined)) {
    Warn(absl::StrCat(defined.message(), " and is passed over"));
    return absl::OkStatus();
  }
  if (!defined.ok())
    return absl::ResourceExhaustedError(absl::StrCat("line ", line_, ": ", defined.message()));
  header_.symbols = std::make_shared<const AbcSymbols>(std::move(symbols));
  return absl::OkStatus();
}

void AbcTune::ApplyDirective(std::string_view directive) {
  const std::string_view name = TakeWord(&directive);
  if (name == "MIDI") return ApplyMidi(directive);
  if (name == "propagate-accidentals") {
    const std::string_view value = TakeWord(&directive);
    if (value == "not") return ApplyPropagation(AbcPropagation::kNot);
    if (value == "octave") return ApplyPropagation(AbcPropagation::kOctave);
    if (value == "pitch") return ApplyPropagation(AbcPropagation::kPitch);
    return Warn(absl::StrCat("propagate-accidentals cannot be ", Quoted(value)));
  }
  if (name == "abc-charset") {
    header_.charset = std::string(TakeWord(&directive));
  } else if (name == "abc-include") {
    Warn("the file that it includes is not read");
  }
}

void AbcTune::ApplyPropagation(AbcPropagation propagation) {
  if (in_body_ && !ForAll()) return voice().SetPropagation(propagation);
  header_.propagation = propagation;
}

void AbcTune::ApplyMidi(std::string_view directive) {
  const std::string_view name = TakeWord(&directive);
  std::string_view value = TakeWord(&directive);
  if (name == "nobarlines") return ApplyPropagation(AbcPropagation::kNot);
  if (name == "barlines") return ApplyPropagation(AbcPropagation::kPitch);
  if (name == "program") {
    const std::string_view second = TakeWord(&directive);
    if (!second.empty()) value = second;  // the first one is a channel
    const int number = ParseInteger(value).value_or(-1);
    if (number < 0 || number > 127)
      return Warn(absl::StrCat("MIDI program ", Quoted(value), " is passed over"));
    std::optional<int>& program = ForAll() ? header_.program : current_->program;
    if (!program) {
      program = number;
    } else if (*program != number) {
      Warn("a second program of a voice is passed over");
    }
  } else if (name == "transpose" || name == "rtranspose") {
    int number = ParseInteger(value).value_or(1000);
    if (number < -60 || number > 60)
      return Warn(absl::StrCat("MIDI transpose ", Quoted(value), " is passed over"));
    const int base = name == "transpose" ? 0
                     : ForAll()          ? header_.midi_transpose
                                : current_->midi_transpose.value_or(header_.midi_transpose);
    number = std::clamp(base + number, -60, 60);
    if (ForAll()) {
      header_.midi_transpose = number;
    } else {
      current_->midi_transpose = number;
      if (current_->music) current_->music->SetMidiTranspose(number);
    }
  } else if (name == "channel" && value == "10") {
    AbcStaff drums;
    drums.percussion = true;
    if (ForAll()) {
      header_.staff.Update(drums);
    } else {
      current_->staff.Update(drums);
      if (current_->music) current_->music->SetStaff(drums);
    }
  }
}

absl::StatusOr<WrittenScore> AbcTune::Finish() && {
  RETURN_IF_ERROR(refusal_);
  const std::string where = absl::StrCat("the tune of line ", first_line_);
  if (!in_body_) return absl::InvalidArgumentError(absl::StrCat(where, " has no key (K:)"));
  WrittenScore score;
  score.title = header_.title;
  score.composer = header_.composer;
  if (!header_.tempo.empty()) {
    bool words = false;
    const Ticks unit = header_.unit.value_or(DefaultAbcLength(header_.metre.value_or(kFreeMetre)));
    const std::optional<double> tempo = ParseAbcTempo(header_.tempo, unit, &words);
    if (tempo) score.tempi.push_back({0, *tempo});
    if (!tempo && !words)
      warnings_.Add(absl::StrCat("Q: ", Quoted(header_.tempo), " is no tempo and is passed over"));
  }
  std::vector<AbcPart> parts;
  bool any = false;
  for (const std::unique_ptr<Voice>& voice : voices_) {
    if (!voice->music) continue;
    AbcPart part;
    part.part = std::move(voice->part);
    part.part.program = voice->program.value_or(header_.program.value_or(0));
    part.part.percussion = voice->music->percussion();
    part.voice = std::move(*voice->music).Take();
    any |= !part.voice.notes.empty() || part.voice.unpitched > 0;
    if (part.voice.end > 0) parts.push_back(std::move(part));
  }
  if (!any || parts.empty())
    return absl::InvalidArgumentError(absl::StrCat(where, " has no notes"));
  RETURN_IF_ERROR(
      MapError(AssembleAbcScore(std::move(parts), header_.order, limits_, &warnings_, &score),
               [&](const absl::Status& status) {
                 return absl::Status(status.code(), absl::StrCat(where, ": ", status.message()));
               }));
  budget_.bars -= static_cast<int64_t>(score.order.size());
  if (budget_.bars < 0) return AbcBudgetExceeded();
  score.warnings = std::move(warnings_).Take();
  return score;
}

}  // namespace antiphon::notation
