#include "core/abc/abc_symbols.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/abc/abc_fields.h"

namespace antiphon::notation {
namespace {

constexpr size_t kMostMacros = 100;
constexpr size_t kLongestMacro = 500;  // bytes of pattern or replacement

struct OrnamentName {
  std::string_view name;
  Ornament ornament;
};
constexpr OrnamentName kOrnaments[] = {
    {"trill", Ornament::kTrill},
    {"tr", Ornament::kTrill},
    {"trill(", Ornament::kTrill},
    {"mordent", Ornament::kMordent},
    {"lowermordent", Ornament::kMordent},
    {"uppermordent", Ornament::kInvertedMordent},
    {"pralltriller", Ornament::kInvertedMordent},
    {"turn", Ornament::kTurn},
    {"turnx", Ornament::kTurn},
    {"roll", Ornament::kTurn},
    {"invertedturn", Ornament::kInvertedTurn},
    {"invertedturnx", Ornament::kInvertedTurn},
};

struct SignName {
  std::string_view name;
  AbcSign sign;
};
constexpr SignName kSigns[] = {
    {"segno", AbcSign::kSegno},        {"coda", AbcSign::kCoda},
    {"dacoda", AbcSign::kDaCoda},      {"tocoda", AbcSign::kDaCoda},
    {"fine", AbcSign::kFine},          {"D.C.", AbcSign::kDaCapo},
    {"dacapo", AbcSign::kDaCapo},      {"D.C.alfine", AbcSign::kDaCapo},
    {"D.C.alcoda", AbcSign::kDaCapo},  {"D.S.", AbcSign::kDalSegno},
    {"dalsegno", AbcSign::kDalSegno},  {"D.S.alfine", AbcSign::kDalSegno},
    {"D.S.alcoda", AbcSign::kDalSegno}};

struct DynamicName {
  std::string_view name;
  int velocity;
};
constexpr DynamicName kDynamics[] = {{"pppp", 16}, {"ppp", 24},  {"pp", 36}, {"p", 50},
                                     {"mp", 64},   {"mf", 78},   {"f", 92},  {"ff", 106},
                                     {"fff", 116}, {"ffff", 124}};
constexpr int kForzato = 112;

struct HairpinName {
  std::string_view name;
  AbcDynamic::Kind kind;
  bool grows;
};
constexpr HairpinName kHairpins[] = {{"<(", AbcDynamic::Kind::kHairpin, true},
                                     {"<)", AbcDynamic::Kind::kHairpinEnd, true},
                                     {">(", AbcDynamic::Kind::kHairpin, false},
                                     {">)", AbcDynamic::Kind::kHairpinEnd, false},
                                     {"crescendo(", AbcDynamic::Kind::kHairpin, true},
                                     {"crescendo)", AbcDynamic::Kind::kHairpinEnd, true},
                                     {"diminuendo(", AbcDynamic::Kind::kHairpin, false},
                                     {"diminuendo)", AbcDynamic::Kind::kHairpinEnd, false}};

// Known, and without effect on what is read.
constexpr std::string_view kSilent[] = {"fermata",
                                        "invertedfermata",
                                        "accent",
                                        ">",
                                        "emphasis",
                                        "tenuto",
                                        "wedge",
                                        "staccato",
                                        "staccatissimo",
                                        "marcato",
                                        "^",
                                        "+",
                                        "plus",
                                        "snap",
                                        "slide",
                                        "upbow",
                                        "downbow",
                                        "open",
                                        "thumb",
                                        "breath",
                                        "caesura",
                                        "trill)",
                                        "shortphrase",
                                        "mediumphrase",
                                        "longphrase",
                                        "0",
                                        "1",
                                        "2",
                                        "3",
                                        "4",
                                        "5",
                                        "8va(",
                                        "8va)",
                                        "8vb(",
                                        "8vb)",
                                        "15ma(",
                                        "15ma)",
                                        "ped",
                                        "ped-up",
                                        "nil",
                                        "beamon",
                                        "beambr1",
                                        "beambr2",
                                        "xstem",
                                        "stemless",
                                        "-(",
                                        "-)",
                                        "~(",
                                        "~)",
                                        "editorial",
                                        "courtesy",
                                        "arrow",
                                        "rbstop",
                                        "repeatbar",
                                        "repeatbar2",
                                        "gmark",
                                        "heel",
                                        "toe"};

// A note at the beginning of `text`, as a number of steps from C; nothing without one.
std::optional<int> TakeStep(std::string_view* text) {
  if (text->empty()) return std::nullopt;
  const char name = text->front();
  const char upper = absl::ascii_toupper(name);
  if (upper < 'A' || upper > 'G') return std::nullopt;
  text->remove_prefix(1);
  int step = AbcLetter(name) + (name == upper ? 0 : 7);
  while (!text->empty() && (text->front() == '\'' || text->front() == ',')) {
    step += text->front() == ',' ? -7 : 7;
    text->remove_prefix(1);
  }
  return step;
}

void AppendStep(int step, std::string* text) {
  constexpr std::string_view kNames = "CDEFGAB";
  const int letter = (step % 7 + 7) % 7;
  int octave = (step - letter) / 7;
  *text += octave > 0 ? absl::ascii_tolower(kNames[letter]) : kNames[letter];
  for (; octave > 1; --octave) *text += '\'';
  for (; octave < 0; ++octave) *text += ',';
}

// Writes the replacement where `text` begins with the pattern; the bytes of that, or 0.
size_t ExpandOne(const AbcMacro& macro, std::string_view text, std::string* out) {
  if (!macro.transposing) {
    if (!text.starts_with(macro.pattern)) return 0;
    *out += macro.replacement;
    return macro.pattern.size();
  }
  const std::string_view pattern = macro.pattern;
  const size_t place = pattern.find('n');
  std::string_view rest = text;
  if (!rest.starts_with(pattern.substr(0, place))) return 0;
  rest.remove_prefix(place);
  const std::optional<int> step = TakeStep(&rest);
  if (!step || !rest.starts_with(pattern.substr(place + 1))) return 0;
  rest.remove_prefix(pattern.size() - place - 1);
  for (const char c : macro.replacement) {
    if (c >= 'h' && c <= 'z') {
      AppendStep(*step + (c - 'n'), out);
    } else {
      *out += c;
    }
  }
  return text.size() - rest.size();
}

}  // namespace

absl::Status DefineAbcSymbol(std::string_view value, AbcSymbols* symbols) {
  const size_t equals = value.find('=');
  const std::string_view symbol = StripSpace(value.substr(0, equals));
  const bool letter = symbol.size() == 1 && (absl::ascii_isalpha(symbol[0]) || symbol[0] == '~');
  if (equals == std::string_view::npos || !letter)
    return absl::InvalidArgumentError("U: is no definition of a symbol");
  const char c = symbol[0];
  if (absl::ascii_toupper(c) >= 'A' && absl::ascii_toupper(c) <= 'G')
    return absl::InvalidArgumentError("U: cannot redefine a note");
  const std::string_view meaning = StripSpace(value.substr(equals + 1));
  if (meaning.size() > kLongestMacro)
    return absl::ResourceExhaustedError(
        absl::StrCat("U: is longer than ", kLongestMacro, " bytes"));
  symbols->user[c] = std::string(meaning);
  return absl::OkStatus();
}

absl::Status DefineAbcMacro(std::string_view value, AbcSymbols* symbols) {
  const size_t equals = value.find('=');
  AbcMacro macro;
  macro.pattern = std::string(StripSpace(value.substr(0, equals)));
  if (equals == std::string_view::npos || macro.pattern.empty())
    return absl::InvalidArgumentError("m: is no definition of a macro");
  macro.replacement = std::string(StripSpace(value.substr(equals + 1)));
  macro.transposing = macro.pattern.find('n') != std::string::npos;
  if (std::max(macro.pattern.size(), macro.replacement.size()) > kLongestMacro ||
      symbols->macros.size() >= kMostMacros) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "more than ", kMostMacros, " macros, or one longer than ", kLongestMacro, " bytes"));
  }
  std::erase_if(symbols->macros,
                [&](const AbcMacro& other) { return other.pattern == macro.pattern; });
  const auto shorter = std::find_if(
      symbols->macros.begin(), symbols->macros.end(),
      [&](const AbcMacro& other) { return other.pattern.size() < macro.pattern.size(); });
  symbols->macros.insert(shorter, std::move(macro));
  return absl::OkStatus();
}

std::optional<std::string> ExpandAbcMacros(std::string_view line, const AbcSymbols& symbols,
                                           size_t most) {
  std::string out;
  bool quoted = false;
  while (!line.empty()) {
    size_t taken = 0;
    for (const AbcMacro& macro : symbols.macros) {
      if (quoted) break;
      taken = ExpandOne(macro, line, &out);
      if (taken > 0) break;
    }
    if (taken == 0) {
      quoted ^= line.front() == '"';
      out += line.front();
      taken = 1;
    }
    line.remove_prefix(taken);
    if (out.size() > most) return std::nullopt;
  }
  return out;
}

std::string_view DefaultAbcSymbol(char symbol) {
  switch (symbol) {
    case '~':
      return "roll";
    case 'H':
      return "fermata";
    case 'L':
      return "accent";
    case 'M':
      return "lowermordent";
    case 'O':
      return "coda";
    case 'P':
      return "uppermordent";
    case 'S':
      return "segno";
    case 'T':
      return "trill";
    case 'J':  // as older files have it
      return "slide";
    case 'R':
      return "roll";
    case 'u':
      return "upbow";
    case 'v':
      return "downbow";
    default:
      return "";
  }
}

namespace {

void AddDynamic(const AbcDynamic& dynamic, AbcVoice* voice) {
  constexpr size_t kMost = 16;  // before one note
  std::vector<AbcDynamic>& dynamics = voice->marks().dynamics;
  if (dynamics.size() < kMost) dynamics.push_back(dynamic);
}

}  // namespace

bool ApplyAbcDecoration(std::string_view name, AbcVoice* voice) {
  for (const OrnamentName& ornament : kOrnaments) {
    if (ornament.name != name) continue;
    voice->marks().ornament = ornament.ornament;
    return true;
  }
  for (const SignName& sign : kSigns) {
    if (sign.name != name) continue;
    voice->marks().signs.push_back(sign.sign);
    return true;
  }
  for (const DynamicName& dynamic : kDynamics) {
    if (dynamic.name != name) continue;
    AddDynamic({AbcDynamic::Kind::kMark, dynamic.velocity}, voice);
    return true;
  }
  for (const HairpinName& hairpin : kHairpins) {
    if (hairpin.name != name) continue;
    AddDynamic({hairpin.kind, 0, hairpin.grows}, voice);
    return true;
  }
  if (name == "sfz" || name == "fz" || name == "sf") {
    voice->marks().velocity = kForzato;
    return true;
  }
  if (name == "arpeggio") {
    voice->marks().arpeggio = true;
    return true;
  }
  if (!name.empty() && name.size() <= 4 && name.find_first_not_of('/') == std::string_view::npos) {
    voice->marks().strokes = static_cast<int>(name.size());
    return true;
  }
  return std::find(std::begin(kSilent), std::end(kSilent), name) != std::end(kSilent);
}

}  // namespace antiphon::notation
