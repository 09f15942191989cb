#include "core/humdrum/humdrum_tokens.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace antiphon::notation {
namespace {

constexpr std::array<int, 7> kStepPitches = {0, 2, 4, 5, 7, 9, 11};
constexpr absl::string_view kDigits = "0123456789";
// Of a rhythm: parts of a whole note, and its inverse.
constexpr int kMaxRhythm = 4096;
constexpr int kMaxDots = 8;

int StepOf(char letter) { return (absl::ascii_tolower(letter) - 'a' + 5) % 7; }

size_t EndOfDigits(absl::string_view text, size_t from) {
  return std::min(text.find_first_not_of(kDigits, from), text.size());
}

// A duration within a token: "4", "8.", "0" (a breve), "3%2" (two thirds of a whole note).
struct Duration {
  Ticks ticks = 0;
  bool valid = true;
};

Duration ParseDuration(absl::string_view token) {
  const size_t begin = token.find_first_of(kDigits);
  if (begin == absl::string_view::npos) return {};
  size_t end = EndOfDigits(token, begin);
  const absl::string_view digits = token.substr(begin, end - begin);
  int64_t parts = 1;
  int64_t wholes = 1;
  if (digits.find_first_not_of('0') == absl::string_view::npos) {
    if (digits.size() > 3) return {0, false};
    wholes = int64_t{1} << digits.size();  // a breve, a long, a maxima
  } else {
    if (!absl::SimpleAtoi(digits, &parts) || parts > kMaxRhythm) return {0, false};
    if (end + 1 < token.size() && token[end] == '%') {
      const size_t from = end + 1;
      end = EndOfDigits(token, from);
      if (!absl::SimpleAtoi(token.substr(from, end - from), &wholes) || wholes < 1 ||
          wholes > kMaxRhythm) {
        return {0, false};
      }
    }
  }
  const int64_t dots = std::count(token.begin(), token.end(), '.');
  if (dots > kMaxDots) return {0, false};
  const int64_t numerator = 4 * kTicksPerQuarter * wholes * ((int64_t{2} << dots) - 1);
  const int64_t denominator = parts << dots;
  return {(numerator + denominator / 2) / denominator, true};
}

struct Pitch {
  int step = 0;        // 0 is C
  int octave = 4;      // 4 is that of middle C
  int alteration = 0;  // semitones

  int number() const {
    return 12 * (octave + 1) + kStepPitches[static_cast<size_t>(step)] + alteration;
  }
};

std::optional<Pitch> ParsePitch(absl::string_view token) {
  const size_t begin = token.find_first_of("abcdefgABCDEFG");
  if (begin == absl::string_view::npos) return std::nullopt;
  const char letter = token[begin];
  const size_t end = std::min(token.find_first_not_of(letter, begin), token.size());
  const int count = static_cast<int>(std::min<size_t>(end - begin, 20));
  Pitch pitch;
  pitch.step = StepOf(letter);
  pitch.octave = absl::ascii_islower(letter) ? 3 + count : 4 - count;
  for (size_t i = end; i < token.size() && i < end + 4; ++i) {
    if (token[i] == '#') {
      ++pitch.alteration;
    } else if (token[i] == '-') {
      --pitch.alteration;
    } else {
      break;
    }
  }
  return pitch;
}

// Semitones from `pitch` to its neighbour in the key, a step above (1) or below (-1).
int NeighbourDistance(const Pitch& pitch, int direction, const Alterations& key) {
  Pitch other = pitch;
  other.step += direction;
  if (other.step > 6) {
    other.step = 0;
    ++other.octave;
  } else if (other.step < 0) {
    other.step = 6;
    --other.octave;
  }
  other.alteration = key[static_cast<size_t>(other.step)];
  return std::clamp(std::abs(other.number() - pitch.number()), 1, 3);
}

// Turns: S or $ (inverted), which may be followed by two letters for the neighbours, the upper one
// first: S for a whole tone, s for a semitone. An s before it delays the turn, which changes
// nothing here.
void ParseTurn(absl::string_view token, KernNote* note) {
  const size_t sign = token.find_first_of("S$");
  if (sign == absl::string_view::npos) return;
  size_t end = sign;
  while (end < token.size() && absl::StrContains("sS$", token[end])) ++end;
  const absl::string_view letters = token.substr(sign, end - sign);
  note->ornament = absl::StrContains(letters, '$') ? Ornament::kInvertedTurn : Ornament::kTurn;
  if (letters.size() < 3) return;
  note->ornament_upper = letters[letters.size() - 2] == 's' ? 1 : 2;
  note->ornament_lower = letters[letters.size() - 1] == 's' ? 1 : 2;
}

// Of trills and mordents, the letter says the distance: upper case is a whole tone.
void ParseOrnament(absl::string_view token, const Pitch& pitch, const Alterations& key,
                   KernNote* note) {
  note->ornament_upper = NeighbourDistance(pitch, 1, key);
  note->ornament_lower = NeighbourDistance(pitch, -1, key);
  ParseTurn(token, note);
  for (const char letter : token) {
    const int distance = absl::ascii_isupper(letter) ? 2 : 1;
    switch (absl::ascii_tolower(letter)) {
      case 't':
        note->ornament = Ornament::kTrill;
        note->ornament_upper = distance;
        return;
      case 'm':
        note->ornament = Ornament::kInvertedMordent;
        note->ornament_upper = distance;
        return;
      case 'w':
        note->ornament = Ornament::kMordent;
        note->ornament_lower = distance;
        return;
      default:
        break;
    }
  }
}

}  // namespace

std::optional<KernNote> ParseKernNote(absl::string_view token, const Alterations& key,
                                      std::string* problem) {
  KernNote note;
  const Duration duration = ParseDuration(token);
  if (!duration.valid) {
    *problem = "a duration beyond reason";
    return std::nullopt;
  }
  note.duration = duration.ticks;
  note.grace = absl::StrContains(token, 'q') || absl::StrContains(token, 'Q');
  if (absl::StrContains(token, 'r')) {
    note.kind = KernNote::Kind::kRest;
    return note;
  }
  if (absl::StrContains(token, 'R')) {
    note.kind = KernNote::Kind::kUnpitched;
    return note;
  }
  const std::optional<Pitch> pitch = ParsePitch(token);
  if (!pitch.has_value()) return note;
  note.kind = KernNote::Kind::kNote;
  note.pitch = pitch->number();
  if (note.pitch < 0 || note.pitch > 127) {
    *problem = "a pitch beyond MIDI's 0 to 127";
    return std::nullopt;
  }
  const bool middle = absl::StrContains(token, '_');
  note.tie_begins = middle || absl::StrContains(token, '[');
  note.tie_ends = middle || absl::StrContains(token, ']');
  note.arpeggio = absl::StrContains(token, ':');
  ParseOrnament(token, *pitch, key, &note);
  return note;
}

BarLine ParseBarLine(absl::string_view token) {
  BarLine line;
  const size_t begin = token.find_first_of(kDigits);
  if (begin != absl::string_view::npos) {
    size_t end = EndOfDigits(token, begin);
    // A letter of its own belongs to the number; y and z are marks.
    if (end < token.size() && token[end] >= 'a' && token[end] <= 'h' &&
        (end + 1 == token.size() || !absl::ascii_isalnum(token[end + 1]))) {
      ++end;
    }
    line.number = std::string(token.substr(begin, std::min<size_t>(end - begin, 16)));
  }
  // What is of the line itself: a colon before a stroke ends a repeat, one after it starts one.
  bool stroke = false;
  bool colon = false;
  for (const char c : token) {
    if (c == ':') {
      colon = true;
      line.starts_repeat = stroke;
    } else if (c == '|' || c == '!') {
      line.ends_repeat = line.ends_repeat || colon;
      line.starts_repeat = false;
      stroke = true;
    }
  }
  return line;
}

std::optional<Metre> ParseMetre(absl::string_view token) {
  if (!absl::ConsumePrefix(&token, "*M")) return std::nullopt;
  const size_t slash = token.find_first_of("/\\");
  if (slash == absl::string_view::npos) return std::nullopt;
  int64_t numerator = 0;
  for (const absl::string_view term : absl::StrSplit(token.substr(0, slash), '+')) {
    int beats = 0;
    if (!absl::SimpleAtoi(term, &beats) || beats < 1 || beats > 255) return std::nullopt;
    numerator += beats;
  }
  absl::string_view rest = token.substr(slash + 1);
  const absl::string_view digits = rest.substr(0, EndOfDigits(rest, 0));
  int denominator = 0;
  if (digits == "0") {  // breves
    numerator *= 2;
    denominator = 1;
  } else if (!absl::SimpleAtoi(digits, &denominator)) {
    return std::nullopt;
  }
  const bool power = denominator >= 1 && denominator <= 64 &&
                     (denominator & (denominator - 1)) == 0 && !absl::StrContains(rest, '%');
  if (!power || numerator > 255) return std::nullopt;
  return Metre{static_cast<int>(numerator), denominator};
}

std::optional<Alterations> ParseKeySignature(absl::string_view token) {
  if (!absl::ConsumePrefix(&token, "*k[")) return std::nullopt;
  Alterations key{};
  int step = -1;
  for (const char c : token) {
    if (c == ']') return key;
    if (c >= 'a' && c <= 'g') {
      step = StepOf(c);
    } else if (step >= 0 && (c == '#' || c == '-')) {
      int& alteration = key[static_cast<size_t>(step)];
      alteration = std::clamp(alteration + (c == '#' ? 1 : -1), -2, 2);
    }
  }
  return std::nullopt;
}

int Fifths(const Alterations& alterations) {
  int sum = 0;
  for (const int alteration : alterations) sum += alteration;
  return std::clamp(sum, -7, 7);
}

std::optional<Key> ParseKeyDesignation(absl::string_view token) {
  static constexpr std::array<int, 7> kStepFifths = {0, 2, 4, -1, 1, 3, 5};
  const size_t colon = token.find(':');
  if (colon == absl::string_view::npos || colon < 2 || colon > 4 || token[0] != '*') {
    return std::nullopt;
  }
  const char letter = token[1];
  if (absl::ascii_tolower(letter) < 'a' || absl::ascii_tolower(letter) > 'g') return std::nullopt;
  const bool minor = absl::ascii_islower(letter);
  int fifths = kStepFifths[static_cast<size_t>(StepOf(letter))] - (minor ? 3 : 0);
  for (const char c : token.substr(2, colon - 2)) {
    if (c != '#' && c != '-') return std::nullopt;
    fifths += c == '#' ? 7 : -7;
  }
  return Key{std::clamp(fifths, -7, 7), minor};
}

std::optional<double> ParseTempo(absl::string_view token) {
  double tempo = 0;
  if (!absl::ConsumePrefix(&token, "*MM") || !absl::SimpleAtod(token, &tempo)) return std::nullopt;
  if (!(tempo >= 1 && tempo <= 2000)) return std::nullopt;
  return tempo;
}

std::optional<double> ParseMetronomeMark(absl::string_view text) {
  static constexpr std::pair<absl::string_view, double> kUnits[] = {{"[breve", 8},
                                                                    {"[whole", 4},
                                                                    {"[half", 2},
                                                                    {"[quarter", 1},
                                                                    {"[eighth", 0.5},
                                                                    {"[sixteenth", 0.25},
                                                                    {"[thirty-second", 0.125}};
  const size_t equals = text.find('=');
  if (equals == absl::string_view::npos || text.find('=', equals + 1) != absl::string_view::npos) {
    return std::nullopt;  // "[quarter] = [eighth] = 60" is ambiguous
  }
  const absl::string_view before = absl::StripTrailingAsciiWhitespace(text.substr(0, equals));
  const size_t open = before.rfind('[');
  if (open == absl::string_view::npos || !absl::EndsWith(before, "]")) return std::nullopt;
  const absl::string_view unit = before.substr(open);
  absl::string_view number = text.substr(equals + 1);
  number.remove_prefix(std::min(number.find_first_not_of(" ca."), number.size()));
  number = number.substr(0, std::min(number.find_first_not_of("0123456789."), number.size()));
  absl::ConsumeSuffix(&number, ".");
  double beats = 0;
  if (!absl::SimpleAtod(number, &beats)) return std::nullopt;
  for (const auto& [name, quarters] : kUnits) {
    if (!absl::StartsWith(unit, name)) continue;
    const double tempo = beats * quarters * (absl::StrContains(unit, "-dot") ? 1.5 : 1);
    return tempo >= 1 && tempo <= 2000 ? std::optional<double>(tempo) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<int> ParseTransposition(absl::string_view token) {
  if (!absl::ConsumePrefix(&token, "*Trd")) return std::nullopt;
  const size_t c = token.find('c');
  int semitones = 0;
  if (c == absl::string_view::npos || !absl::SimpleAtoi(token.substr(c + 1), &semitones) ||
      std::abs(semitones) > 60) {
    return std::nullopt;
  }
  return semitones;
}

Dynamics ParseDynamics(absl::string_view token) {
  static constexpr std::pair<absl::string_view, int> kLevels[] = {
      {"ppppp", 5}, {"pppp", 10}, {"ppp", 16}, {"pp", 33},   {"p", 49},    {"mp", 64},
      {"mf", 80},   {"f", 96},    {"ff", 112}, {"fff", 126}, {"ffff", 127}};
  const auto level = [](absl::string_view word) {
    for (const auto& [name, velocity] : kLevels) {
      if (word == name) return velocity;
    }
    return 0;
  };
  Dynamics dynamics;
  const auto is_letter = [](char c) { return absl::StrContains("pmfsrz", c); };
  for (size_t i = 0; i < token.size();) {
    if (!is_letter(token[i])) {
      if (token[i] == '[' || token[i] == ']') dynamics.hairpin_ends = true;
      if (token[i] == '<' || token[i] == '>') dynamics.hairpin = token[i] == '<' ? 1 : -1;
      ++i;
      continue;
    }
    size_t end = i;
    while (end < token.size() && is_letter(token[end])) ++end;
    const absl::string_view word = token.substr(i, end - i);
    i = end;
    if (const int plain = level(word); plain > 0) {
      dynamics.velocity = plain;
      continue;
    }
    const size_t f = word.find('f');
    if (f == absl::string_view::npos) continue;
    // fp, sf, sfz, rfz, sfp, ffp and so on: loud here.
    dynamics.velocity = 112;
    dynamics.accent = true;
    const size_t p = word.find('p', f);
    if (p != absl::string_view::npos) dynamics.afterwards = level(word.substr(p));
  }
  return dynamics;
}

}  // namespace antiphon::notation
