#include "core/abc/abc_fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"

namespace antiphon::notation {
namespace {

constexpr int kMostNesting = 8;
constexpr double kSlowest = 1;  // quarter notes per minute
constexpr double kFastest = 2000;
// C to B as steps of the circle of fifths from C, and the order in which sharps come: F C G D ...
constexpr std::array<int, 7> kFifths = {0, 2, 4, -1, 1, 3, 5};
constexpr std::array<int, 7> kSharps = {3, 0, 4, 1, 5, 2, 6};

struct Mode {
  std::string_view name;
  int fifths;  // beside the major key of the same tonic
  bool minor;
};
constexpr Mode kModes[] = {{"maj", 0, false},  {"ion", 0, false},  {"min", -3, true},
                           {"aeo", -3, true},  {"mix", -1, false}, {"dor", -2, false},
                           {"phr", -4, false}, {"lyd", 1, false},  {"loc", -5, false}};

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && StartsWithIgnoringCase(a, b);
}

// A mode by its first three letters in either case; "m" is minor, and nothing major.
const Mode* ModeOf(std::string_view word) {
  if (word.empty()) return &kModes[0];
  if (EqualsIgnoringCase(word, "m")) return &kModes[2];
  for (const Mode& mode : kModes) {
    if (StartsWithIgnoringCase(word, mode.name)) return &mode;
  }
  return nullptr;
}

AbcAccidentals AccidentalsOf(int fifths) {
  AbcAccidentals accidentals = {};
  // More than seven, as in G sharp major, are double ones.
  for (int i = 0; i < std::abs(fifths); ++i) {
    const int place = fifths > 0 ? i % 7 : 6 - i % 7;
    accidentals[kSharps[place]] += fifths > 0 ? 1 : -1;
  }
  return accidentals;
}

std::string_view Unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    return text.substr(1, text.size() - 2);
  return text;
}

// treble-8, bass3, alto, perc ...
bool TakeClef(std::string_view word, AbcStaff* staff) {
  constexpr std::string_view kClefs[] = {"treble", "bass", "alto", "tenor", "perc", "none",
                                         "auto",   "G2",   "F4",   "C3",    "C4"};
  for (const std::string_view clef : kClefs) {
    if (!word.starts_with(clef)) continue;
    const std::string_view rest = word.substr(clef.size());
    const bool known = std::all_of(rest.begin(), rest.end(), [](char c) {
      return absl::ascii_isdigit(c) || c == '+' || c == '-' || c == '_' || c == '^';
    });
    if (!known) continue;
    staff->percussion = clef == "perc";
    staff->clef_octave = rest.ends_with("+8")    ? 1
                         : rest.ends_with("-8")  ? -1
                         : rest.ends_with("+15") ? 2
                         : rest.ends_with("-15") ? -2
                                                 : 0;
    return true;
  }
  return false;
}

// One word of K: or V: about the staff.
bool TakeStaff(std::string_view word, AbcStaff* staff) {
  const size_t equals = word.find('=');
  if (equals == std::string_view::npos) {
    if (word == "+8" || word == "-8") {
      staff->clef_octave = word == "+8" ? 1 : -1;
      return true;
    }
    return TakeClef(word, staff);
  }
  const std::string_view name = word.substr(0, equals);
  const std::string_view value = Unquoted(word.substr(equals + 1));
  const int number = ParseInteger(value).value_or(1000);
  if (name == "clef") {
    TakeClef(value, staff);
  } else if (name == "octave" && std::abs(number) <= 4) {
    staff->octave = number;
  } else if ((name == "transpose" || name == "t") && std::abs(number) <= 48) {
    staff->transpose = number;
  }
  return true;
}

// ^f _b =c ^^g, also several in one word.
bool TakeAccidentals(std::string_view word, AbcAccidentals* accidentals) {
  while (!word.empty()) {
    int change = 0;
    size_t marks = 0;
    for (; marks < word.size() && marks < 2; ++marks) {
      if (word[marks] == '^') {
        ++change;
      } else if (word[marks] == '_') {
        --change;
      } else if (word[marks] != '=') {
        break;
      }
    }
    if (marks == 0 || marks == word.size()) return false;
    const char name = absl::ascii_toupper(word[marks]);
    if (name < 'A' || name > 'G') return false;
    (*accidentals)[AbcLetter(name)] = static_cast<int8_t>(change);
    word.remove_prefix(marks + 1);
  }
  return true;
}

// The tonic that a key begins with, as fifths from C; what follows it in the word stays.
std::optional<int> TakeTonic(std::string_view* word) {
  if (word->empty()) return std::nullopt;
  const char name = absl::ascii_toupper(word->front());
  if (name < 'A' || name > 'G') return std::nullopt;
  std::string_view rest = word->substr(1);
  int fifths = kFifths[AbcLetter(name)];
  if (!rest.empty() && (rest.front() == '#' || rest.front() == 'b')) {
    fifths += rest.front() == '#' ? 7 : -7;
    rest.remove_prefix(1);
  }
  // A lower case letter may as well begin another word.
  if (word->front() != name && ModeOf(rest) == nullptr) return std::nullopt;
  *word = rest;
  return fifths;
}

std::optional<double> TakeFraction(std::string_view* text) {
  std::string_view rest = *text;
  const std::optional<int> above = TakeNumber(&rest, 4);
  if (!above) return std::nullopt;
  int below = 1;
  if (!rest.empty() && rest.front() == '/') {
    rest.remove_prefix(1);
    below = TakeNumber(&rest, 4).value_or(0);
  }
  if (*above == 0 || below == 0) return std::nullopt;
  *text = rest;
  return static_cast<double>(*above) / below;
}

// The notes of a beat in whole notes: "1/4", "1/4 3/8", or by the unit "C", "C3".
std::optional<double> ParseBeat(std::string_view text, double unit) {
  double beat = 0;
  for (std::string_view word = TakeWord(&text); !word.empty(); word = TakeWord(&text)) {
    const bool by_unit = word.front() == 'C' || word.front() == 'c';
    if (by_unit) word.remove_prefix(1);
    if (by_unit && word.empty()) {
      beat += unit;
      continue;
    }
    const std::optional<double> part = TakeFraction(&word);
    if (!part || !word.empty()) return std::nullopt;
    beat += by_unit ? unit * *part : *part;
  }
  return beat > 0 ? std::optional(beat) : std::nullopt;
}

}  // namespace

int AbcLetter(char name) {
  constexpr std::array<int, 7> kFromA = {5, 6, 0, 1, 2, 3, 4};
  return kFromA[absl::ascii_toupper(name) - 'A'];
}

void AbcStaff::Update(const AbcStaff& other) {
  if (other.octave) octave = other.octave;
  if (other.clef_octave) clef_octave = other.clef_octave;
  if (other.transpose) transpose = other.transpose;
  if (other.percussion) percussion = other.percussion;
}

int AbcStaff::Semitones() const {
  return 12 * (octave.value_or(0) + clef_octave.value_or(0)) + transpose.value_or(0);
}

std::optional<int> TakeNumber(std::string_view* text, int digits) {
  int number = 0;
  int taken = 0;
  while (taken < digits && !text->empty() && absl::ascii_isdigit(text->front())) {
    number = 10 * number + (text->front() - '0');
    text->remove_prefix(1);
    ++taken;
  }
  return taken > 0 ? std::optional(number) : std::nullopt;
}

std::string_view StripSpace(std::string_view text) {
  while (!text.empty() && absl::ascii_isspace(text.front())) text.remove_prefix(1);
  while (!text.empty() && absl::ascii_isspace(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<int> ParseInteger(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || behind != end) return std::nullopt;
  return number;
}

bool StartsWithIgnoringCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) {
           return absl::ascii_tolower(a) == absl::ascii_tolower(b);
         });
}

std::string_view TakeWord(std::string_view* text) {
  while (!text->empty() && absl::ascii_isspace(text->front())) text->remove_prefix(1);
  bool quoted = false;
  size_t end = 0;
  for (; end < text->size() && (quoted || !absl::ascii_isspace((*text)[end])); ++end)
    quoted ^= (*text)[end] == '"';
  const std::string_view word = text->substr(0, end);
  text->remove_prefix(end);
  return word;
}

std::optional<AbcKey> ParseAbcKey(std::string_view value) {
  AbcKey result;
  std::string_view rest = value;
  std::string_view word = TakeWord(&rest);
  int fifths = 0;
  bool tonic = false;
  bool moded = false;
  if (word == "HP" || word == "Hp") {  // the Highland pipes: F and C are sharp, written or not
    fifths = 2;
    result.signature = true;
    word = TakeWord(&rest);
  } else if (word.empty() || EqualsIgnoringCase(word, "none")) {
    result.signature = true;
    word = TakeWord(&rest);
  } else if (const std::optional<int> found = TakeTonic(&word)) {
    fifths = *found;
    tonic = true;
    if (word.empty()) word = TakeWord(&rest);
  }
  AbcAccidentals marks = {};
  std::array<bool, 7> marked = {};
  bool replaces = false;  // exp: the marks are the whole signature
  for (; !word.empty(); word = TakeWord(&rest)) {
    const Mode* mode = tonic && !moded ? ModeOf(word) : nullptr;
    if (mode != nullptr) {
      fifths += mode->fifths;
      result.key.minor = mode->minor;
      moded = true;
    } else if (EqualsIgnoringCase(word, "exp")) {
      replaces = true;
      tonic = true;
    } else if (word.front() == '^' || word.front() == '_' || word.front() == '=') {
      AbcAccidentals probe;
      probe.fill(100);
      if (!TakeAccidentals(word, &probe)) continue;
      for (int i = 0; i < 7; ++i) {
        if (probe[i] == 100) continue;
        marks[i] = probe[i];
        marked[i] = true;
      }
      result.signature = true;
    } else if (!TakeStaff(word, &result.staff) && !tonic && !result.signature) {
      return std::nullopt;
    }
  }
  result.signature |= tonic;
  if (!replaces) result.accidentals = AccidentalsOf(fifths);
  int sum = 0;
  for (int i = 0; i < 7; ++i) {
    if (marked[i]) result.accidentals[i] = marks[i];
    sum += result.accidentals[i];
  }
  result.key.fifths = std::clamp(replaces ? sum : fifths, -7, 7);
  return result;
}

std::optional<AbcMetre> ParseAbcMetre(std::string_view value) {
  value = StripSpace(value);
  if (value.empty() || StartsWithIgnoringCase(value, "none")) return AbcMetre{{}, /*free=*/true};
  if (value.starts_with("C|")) return AbcMetre{{2, 2}};
  if (value == "C" || value.starts_with("C ")) return AbcMetre{{4, 4}};
  // Sums on either side of the fraction: 2+3/8, (2+3)/8, 3/4+2/8.
  AbcMetre result{{0, 1}};
  int above = 0;
  bool open = true;  // a number is due
  while (!value.empty()) {
    const char c = value.front();
    if (c == '(' || c == ')') {
      value.remove_prefix(1);
    } else if (open) {
      const std::optional<int> number = TakeNumber(&value, 3);
      if (!number) return std::nullopt;
      above += *number;
      open = false;
    } else if (c == '+') {
      value.remove_prefix(1);
      open = true;
    } else if (c == '/' && above > 0) {
      value.remove_prefix(1);
      const int below = TakeNumber(&value, 3).value_or(0);
      if (below < 1 || below > 64 || (below & (below - 1)) != 0) return std::nullopt;
      const int common = std::max(below, result.metre.denominator);
      result.metre.numerator =
          result.metre.numerator * (common / result.metre.denominator) + above * (common / below);
      result.metre.denominator = common;
      above = 0;
      if (result.metre.numerator > 255) return std::nullopt;
    } else {
      break;  // what is behind it
    }
  }
  if (above != 0 || open || result.metre.numerator < 1) return std::nullopt;
  return result;
}

std::optional<Ticks> ParseAbcLength(std::string_view value) {
  value = StripSpace(value);
  const std::optional<double> length = TakeFraction(&value);
  if (!length || *length > 8 || *length < 1.0 / 1024) return std::nullopt;
  return std::llround(*length * 4 * static_cast<double>(kTicksPerQuarter));
}

Ticks DefaultAbcLength(const AbcMetre& metre) {
  const bool short_bar = !metre.free && 4 * metre.metre.numerator < 3 * metre.metre.denominator;
  return short_bar ? kTicksPerQuarter / 4 : kTicksPerQuarter / 2;
}

std::optional<double> ParseAbcTempo(std::string_view value, Ticks unit, bool* words) {
  std::string figures;
  bool quoted = false;
  for (const char c : value) {
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      figures += c;
    }
  }
  std::string_view rest = StripSpace(figures);
  *words = rest.empty();
  if (*words) return std::nullopt;
  const double unit_wholes = static_cast<double>(unit) / (4.0 * kTicksPerQuarter);
  std::optional<double> beat = unit_wholes;
  const size_t equals = rest.find('=');
  if (equals != std::string_view::npos) {
    beat = ParseBeat(rest.substr(0, equals), unit_wholes);
    rest = StripSpace(rest.substr(equals + 1));
  }
  const size_t end = std::min(rest.find_first_not_of("0123456789."), rest.size());
  double per_minute = 0;
  const auto [behind, error] = std::from_chars(rest.data(), rest.data() + end, per_minute);
  if (!beat || error != std::errc()) return std::nullopt;
  const double quarters = per_minute * *beat * 4;
  if (!(quarters >= kSlowest && quarters <= kFastest)) return std::nullopt;
  return quarters;
}

AbcVoiceField ParseAbcVoice(std::string_view value) {
  AbcVoiceField field;
  field.id = TakeWord(&value);
  for (std::string_view word = TakeWord(&value); !word.empty(); word = TakeWord(&value)) {
    const size_t equals = std::min(word.find('='), word.size());
    const std::string_view key = word.substr(0, equals);
    if (key == "name" || key == "nm") {
      if (equals < word.size()) field.name = Unquoted(word.substr(equals + 1));
    } else {
      TakeStaff(word, &field.staff);
    }
  }
  return field;
}

std::optional<std::string> ExpandAbcOrder(std::string_view value, size_t most) {
  std::string order;
  std::vector<size_t> open;  // where the groups begin in `order`
  size_t last = 0;           // ... and the last letter or group, which a number repeats
  while (!value.empty()) {
    const char c = value.front();
    if (absl::ascii_isdigit(c)) {
      const int times = TakeNumber(&value, 4).value_or(1);
      const std::string again = order.substr(last);
      if (again.empty() || again.size() * static_cast<size_t>(times) > most) return std::nullopt;
      order.resize(last);
      for (int i = 0; i < times; ++i) order += again;
      last = order.size();
    } else {
      value.remove_prefix(1);
      if (absl::ascii_isalpha(c)) {
        last = order.size();
        order += c;
      } else if (c == '(') {
        if (open.size() >= kMostNesting) return std::nullopt;
        open.push_back(order.size());
      } else if (c == ')') {
        if (open.empty()) return std::nullopt;
        last = open.back();
        open.pop_back();
      }
    }
    if (order.size() > most) return std::nullopt;
  }
  if (!open.empty()) return std::nullopt;
  return order;
}

}  // namespace antiphon::notation
