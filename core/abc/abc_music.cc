#include "core/abc/abc_music.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/abc/abc_fields.h"
#include "core/base/status_macros.h"

namespace antiphon::notation {
namespace {

constexpr int kMostDigits = 4;       // of a length
constexpr size_t kLongestName = 40;  // of a decoration
constexpr int kMostOctaves = 7;      // away from that of middle C
constexpr size_t kMostWarnedOf = 100;

bool IsNoteName(char c) {
  const char upper = absl::ascii_toupper(c);
  return upper >= 'A' && upper <= 'G';
}

bool StartsNote(char c) { return IsNoteName(c) || c == '^' || c == '_' || c == '='; }

}  // namespace

char AbcMusicReader::Peek(size_t ahead) const { return ahead < rest_.size() ? rest_[ahead] : '\0'; }

void AbcMusicReader::Skip(size_t count) { rest_.remove_prefix(std::min(count, rest_.size())); }

void AbcMusicReader::Warn(std::string_view what) {
  warnings_.Add(absl::StrCat(host_.voice().Place(), ": ", std::string(what)));
}

void AbcMusicReader::WarnOfCharacter(char c) {
  const bool printable = absl::ascii_isprint(c);
  const std::string what =
      printable ? absl::StrCat("'", std::string(1, c), "'")
                : absl::StrCat("a byte 0x", absl::Hex(static_cast<unsigned char>(c)));
  if (warned_of_.size() < kMostWarnedOf && warned_of_.insert(what).second)
    Warn(absl::StrCat(what, " is no symbol here and is passed over"));
}

absl::Status AbcMusicReader::Read(std::string_view line) {
  rest_ = line;
  while (!rest_.empty()) RETURN_IF_ERROR(ReadSymbol());
  return absl::OkStatus();
}

absl::Status AbcMusicReader::ReadSymbol() {
  const char c = Peek();
  if (IsNoteName(c) || c == '^' || c == '_' || c == '=') {
    const std::optional<AbcNote> note = TakeNote();
    if (!note) return absl::OkStatus();
    if (note->length.numerator == 0) {
      Warn("a note of no length is left out");
      return absl::OkStatus();
    }
    return host_.voice().AddChord({&*note, 1}, {});
  }
  switch (c) {
    case 'z':
    case 'x':
    case 'Z':
    case 'X':
      return ReadRest(c);
    case '[':
      return ReadBracket();
    case '|':
    case ':':
    case ']':
      return ReadBarLine();
    case '&':
      return ReadOverlay();
    case '(':
      if (Peek(1) == '&') {
        Skip(2);
        host_.voice().OpenOverlay();
        return absl::OkStatus();
      }
      ReadParenthesis();
      return absl::OkStatus();
    case '+':
      if (StartsNote(Peek(1)) && rest_.find('+', 1) != std::string_view::npos &&
          rest_.substr(1, 4) != "D.C." && rest_.substr(1, 4) != "D.S.") {
        const std::string_view inside = rest_.substr(1, rest_.find('+', 1) - 1);
        if (inside.find_first_not_of("ABCDEFGabcdefg^_=,'/0123456789-") == std::string_view::npos) {
          Skip();
          return ReadChord('+');  // as ABC 1.6 has it
        }
      }
      ReadDecoration('+');
      return absl::OkStatus();
    default:
      if (!ReadPlainSymbol(c)) {
        Skip();
        WarnOfCharacter(c);
      }
      return absl::OkStatus();
  }
}

bool AbcMusicReader::ReadPlainSymbol(char c) {
  switch (c) {
    case '"':
      SkipQuoted();
      return true;
    case '!':
      ReadDecoration('!');
      return true;
    case '{':
      ReadGrace();
      return true;
    case '-':
      Skip();
      host_.voice().Tie();
      return true;
    case '<':
    case '>':
      ReadBroken(c);
      return true;
    case 'y':
      Skip();
      TakeLength();
      return true;
    case ' ':
    case '\t':
    case '\f':
    case '\v':
    case '.':   // staccato, or of a dotted bar line
    case ')':   // of a slur
    case '\\':  // the next line goes on
    case '`':
    case '$':
    case '*':
      Skip();
      return true;
    default:
      if (!absl::ascii_isalpha(c) && c != '~') return false;
      ReadLetter(c);
      return true;
  }
}

void AbcMusicReader::ReadLetter(char c) {
  Skip();
  const auto& user = host_.symbols().user;
  const auto found = user.find(c);
  if (found != user.end()) return ApplySymbol(found->second);
  const std::string_view name = DefaultAbcSymbol(c);
  if (name.empty()) return WarnOfCharacter(c);
  Decorate(name);
}

// What U: gave a letter.
void AbcMusicReader::ApplySymbol(std::string_view meaning) {
  const bool delimited = meaning.size() >= 2 && meaning.front() == meaning.back() &&
                         (meaning.front() == '!' || meaning.front() == '+');
  if (delimited) Decorate(meaning.substr(1, meaning.size() - 2));
}

void AbcMusicReader::Decorate(std::string_view name) {
  if (ApplyAbcDecoration(name, &host_.voice())) return;
  if (warned_of_.size() < kMostWarnedOf && warned_of_.insert(std::string(name)).second)
    Warn(absl::StrCat("the decoration !", std::string(name), "! is not known and is passed over"));
}

void AbcMusicReader::ReadDecoration(char delimiter) {
  const size_t end = rest_.substr(0, kLongestName).find(delimiter, 1);
  // Older files end lines of print with an exclamation mark.
  if (end == std::string_view::npos || end == 1) return Skip();
  const std::string_view name = rest_.substr(1, end - 1);
  if (name.find_first_of(" |[]\"") != std::string_view::npos) return Skip();
  Skip(end + 1);
  Decorate(name);
}

void AbcMusicReader::SkipQuoted() {
  const size_t end = rest_.find('"', 1);
  Skip(end == std::string_view::npos ? rest_.size() : end + 1);
}

AbcLength AbcMusicReader::TakeLength() {
  AbcLength length;
  if (const std::optional<int> number = TakeNumber(&rest_, kMostDigits)) length.numerator = *number;
  constexpr int64_t kMostParts = 4096;
  while (Peek() == '/') {
    Skip();
    const int64_t parts = TakeNumber(&rest_, kMostDigits).value_or(2);
    if (parts > 0) length.denominator = std::min(length.denominator * parts, kMostParts);
  }
  return length;
}

// The semitones of the accidental at this place, rounded towards none; nothing without one.
std::optional<int> AbcMusicReader::TakeAccidental() {
  const char c = Peek();
  if (c == '=') {
    Skip();
    return 0;
  }
  if (c != '^' && c != '_') return std::nullopt;
  const int sign = c == '^' ? 1 : -1;
  Skip();
  if (Peek() == c) {
    Skip();
    return 2 * sign;
  }
  if (Peek() != '/' && !absl::ascii_isdigit(Peek())) return sign;
  const AbcLength part = TakeLength();
  if (warned_of_.insert("microtones").second) Warn("microtones are rounded to semitones");
  return sign * static_cast<int>(std::min<int64_t>(2, part.numerator / part.denominator));
}

std::optional<AbcNote> AbcMusicReader::TakeNote() {
  AbcNote note;
  note.accidental = TakeAccidental();
  const char name = Peek();
  if (!IsNoteName(name)) {
    Warn("an accidental without a note is passed over");
    return std::nullopt;
  }
  Skip();
  note.letter = AbcLetter(name);
  note.octave = absl::ascii_islower(name) ? 1 : 0;
  for (; Peek() == '\'' || Peek() == ','; Skip()) {
    const int octave = note.octave + (Peek() == ',' ? -1 : 1);
    note.octave = std::clamp(octave, -kMostOctaves, kMostOctaves);
  }
  note.length = TakeLength();
  return note;
}

absl::Status AbcMusicReader::ReadRest(char c) {
  Skip();
  if (c == 'z' || c == 'x') {
    const AbcLength length = TakeLength();
    return length.numerator == 0 ? absl::OkStatus() : host_.voice().AddRest(length);
  }
  return host_.voice().AddBarsOfRest(TakeNumber(&rest_, kMostDigits).value_or(1));
}

absl::Status AbcMusicReader::ReadBracket() {
  const char next = Peek(1);
  if (absl::ascii_isalpha(next) && Peek(2) == ':' && Peek(3) != '|' && Peek(3) != ':')
    return ReadInlineField();
  if (absl::ascii_isdigit(next) || next == '|' || next == ']') return ReadBarLine();
  Skip();
  return ReadChord(']');
}

absl::Status AbcMusicReader::ReadInlineField() {
  const char name = Peek(1);
  const size_t end = rest_.find(']');
  const std::string_view value =
      StripSpace(rest_.substr(3, end == std::string_view::npos ? end : end - 3));
  if (end == std::string_view::npos) Warn("a field in brackets does not end");
  Skip(end == std::string_view::npos ? rest_.size() : end + 1);
  return host_.InlineField(name, value);
}

absl::Status AbcMusicReader::ReadChord(char end) {
  std::vector<AbcNote> notes;
  while (!rest_.empty() && Peek() != end) {
    const char c = Peek();
    if (StartsNote(c)) {
      const std::optional<AbcNote> note = TakeNote();
      if (note && note->length.numerator > 0) notes.push_back(*note);
    } else if (c == '-') {
      Skip();
      if (!notes.empty()) notes.back().tied = true;
    } else if (c == '|') {
      break;
    } else if (c == 'z' || c == 'x') {
      Skip();
      TakeLength();
    } else if (c == '(' || c == '{' || c == '}') {
      Skip();
    } else if (!ReadPlainSymbol(c)) {
      Skip();
      WarnOfCharacter(c);
    }
  }
  if (Peek() == end) {
    Skip();
  } else {
    Warn("a chord does not end");
  }
  const AbcLength factor = TakeLength();
  if (factor.numerator == 0 || notes.empty()) return absl::OkStatus();
  return host_.voice().AddChord(notes, factor);
}

void AbcMusicReader::ReadGrace() {
  Skip();
  std::vector<AbcNote> notes;
  int groups = 0;
  bool in_chord = false;
  while (!rest_.empty() && Peek() != '}') {
    const char c = Peek();
    if (!StartsNote(c)) {
      if (c == '|') break;
      in_chord = c == '[' || (in_chord && c != ']');
      groups += c == '[';
      Skip();
      continue;
    }
    std::optional<AbcNote> note = TakeNote();
    if (!note) continue;
    groups += in_chord ? 0 : 1;
    note->length = {groups, 1};
    notes.push_back(*note);
  }
  if (Peek() == '}') {
    Skip();
  } else {
    Warn("grace notes do not end");
  }
  for (AbcNote& note : notes) note.length.numerator = groups + 1 - note.length.numerator;
  host_.voice().AddGrace(notes);
}

void AbcMusicReader::ReadParenthesis() {
  Skip();
  if (absl::ascii_isdigit(Peek())) ReadTuplet();  // else a slur
}

void AbcMusicReader::ReadTuplet() {
  const int notes = TakeNumber(&rest_, 2).value_or(0);
  std::optional<int> parts[2];
  for (std::optional<int>& part : parts) {
    if (Peek() != ':' || Peek(1) == '|') break;
    Skip();
    part = TakeNumber(&rest_, 2);
    if (part == 0) part.reset();
  }
  if (notes < 2) return Warn("a tuplet of fewer than 2 notes is passed over");
  host_.voice().Tuplet(notes, parts[0], parts[1]);
}

void AbcMusicReader::ReadBroken(char c) {
  int strokes = 0;
  for (; Peek() == c; Skip()) ++strokes;
  host_.voice().Break(c == '>' ? strokes : -strokes);
}

absl::Status AbcMusicReader::ReadOverlay() {
  Skip();
  if (Peek() == ')') {
    Skip();
    return host_.voice().CloseOverlay();
  }
  host_.voice().Overlay();
  return absl::OkStatus();
}

void AbcMusicReader::ReadEnding(std::vector<int>* ending) {
  while (const std::optional<int> first = TakeNumber(&rest_, 2)) {
    int last = *first;
    if (Peek() == '-' && absl::ascii_isdigit(Peek(1))) {
      Skip();
      last = TakeNumber(&rest_, 2).value_or(last);
    }
    for (int number = std::max(1, *first); number <= last; ++number) ending->push_back(number);
    if (Peek() != ',' || !absl::ascii_isdigit(Peek(1))) break;
    Skip();
  }
  std::sort(ending->begin(), ending->end());
  ending->erase(std::unique(ending->begin(), ending->end()), ending->end());
}

absl::Status AbcMusicReader::ReadBarLine() {
  AbcBarLine line;
  for (; Peek() == ':'; Skip()) ++line.ends_repeat;
  const std::string_view drawn = rest_;
  int strokes = 0;
  bool bracket = false;
  for (;; Skip()) {
    if (Peek() == '|') {
      ++strokes;
    } else if (Peek() == ']' || (Peek() == '[' && (Peek(1) == '|' || Peek(1) == ']'))) {
      bracket = true;
    } else {
      break;
    }
  }
  const bool invisible = drawn.starts_with("[|]") && strokes == 1;
  line.thick = strokes > 1 || (bracket && !invisible);
  if (strokes > 0 || bracket) {
    // The colons of "|]:|" belong to the next sign.
    const size_t colons = std::min(rest_.find_first_not_of(':'), rest_.size());
    const bool closed = drawn[drawn.size() - rest_.size() - 1] == ']';
    if (!closed || Peek(colons) != '|') {
      line.starts_repeat = static_cast<int>(colons);
      Skip(colons);
    }
  } else if (line.ends_repeat >= 2) {
    line.ends_repeat = line.starts_repeat = 1;  // ::
  } else if (line.ends_repeat == 1) {
    WarnOfCharacter(':');
    return absl::OkStatus();
  }
  if (Peek() == '[' && absl::ascii_isdigit(Peek(1))) Skip();
  if (absl::ascii_isdigit(Peek())) ReadEnding(&line.ending);
  return host_.voice().AddBarLine(line);
}

}  // namespace antiphon::notation
