#include "core/musicxml/musicxml_signs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/musicxml/musicxml_note.h"

namespace antiphon::notation {
namespace {

constexpr double kSlowest = 1, kFastest = 5000;  // quarter notes per minute
constexpr int kMostPasses = 99;
constexpr size_t kMostJumpWords = 9;
constexpr std::array<std::pair<std::string_view, int>, 18> kDynamics = {{{"pppppp", 4},
                                                                         {"ppppp", 6},
                                                                         {"pppp", 10},
                                                                         {"ppp", 16},
                                                                         {"pp", 33},
                                                                         {"p", 49},
                                                                         {"mp", 64},
                                                                         {"mf", 80},
                                                                         {"f", 96},
                                                                         {"ff", 112},
                                                                         {"fff", 124},
                                                                         {"ffff", 127},
                                                                         {"n", 1},
                                                                         {"pf", 80},
                                                                         {"fp", 49},
                                                                         {"fffff", 127},
                                                                         {"ffffff", 127},
                                                                         {"sfp", 49}}};
constexpr std::array<std::pair<std::string_view, int>, 9> kAccents = {{{"sf", 112},
                                                                       {"sfz", 112},
                                                                       {"fz", 112},
                                                                       {"rf", 104},
                                                                       {"rfz", 104},
                                                                       {"sffz", 124},
                                                                       {"fp", 96},
                                                                       {"sfp", 112},
                                                                       {"sfpp", 112}}};

template <size_t kSize>
int Find(const std::array<std::pair<std::string_view, int>, kSize>& table, std::string_view name) {
  for (const auto& [key, value] : table) {
    if (key == name) return value;
  }
  return 0;
}

bool IsYes(pugi::xml_attribute attribute) {
  return attribute && std::string_view(attribute.value()) != "no";
}

void AddTempo(pugi::xml_node at, const XmlPlace& place, double quarters_per_minute,
              XmlSigns& signs) {
  if (quarters_per_minute >= kSlowest && quarters_per_minute <= kFastest) {
    signs.music.tempi.push_back({place, quarters_per_minute});
  } else {
    signs.report.Warn(at, "a tempo that there is none of is passed over");
  }
}

// The quarter notes of "half", dots that follow it included.
double BeatUnit(pugi::xml_node unit) {
  double length = QuartersOf(TextOf(unit)), dot = length;
  for (pugi::xml_node next = unit.next_sibling();
       std::string_view(next.name()) == "beat-unit-dot" && dot > 1e-3; next = next.next_sibling()) {
    dot /= 2;
    length += dot;
  }
  return length;
}

// The first number in "ca. 120" or "120-132".
std::optional<double> FirstNumber(std::string_view text) {
  const size_t begin = text.find_first_of("0123456789");
  if (begin == std::string_view::npos) return std::nullopt;
  return NumberIn(text.substr(begin, text.find_first_not_of("0123456789.", begin) - begin));
}

void ReadMetronome(pugi::xml_node metronome, const XmlPlace& place, XmlSigns& signs) {
  const pugi::xml_node unit = metronome.child("beat-unit");
  const double quarters = BeatUnit(unit);
  if (quarters <= 0) return;  // notes that explain swing, and the like
  if (const pugi::xml_node minute = metronome.child("per-minute")) {
    if (const std::optional<double> count = FirstNumber(TextOf(minute)))
      AddTempo(metronome, place, *count * quarters, signs);
    return;
  }
  const double other = BeatUnit(unit.next_sibling("beat-unit"));
  if (other > 0) signs.music.tempi.push_back({place, 0, other / quarters});
}

// What marks and sounds of one direction say together.
struct Heard {
  bool tempo = false;
  bool jump = false;
  int velocity = 0;
};

Heard ReadSoundChild(pugi::xml_node sound, const XmlPlace& place, XmlSigns& signs) {
  Heard heard;
  XmlBar& bar = signs.bar;
  if (const pugi::xml_attribute tempo = sound.attribute("tempo")) {
    heard.tempo = true;
    AddTempo(sound, place, NumberIn(tempo.value()).value_or(0), signs);
  }
  heard.velocity = VelocityOfPercent(sound.attribute("dynamics").value());
  const auto sets = [&](const char* name) {
    const bool is = IsYes(sound.attribute(name));
    heard.jump = heard.jump || is;
    return is;
  };
  const bool first = place.at <= 0;
  if (sets("dacapo")) bar.da_capo = true;
  const auto name = [&sound](const char* of) -> std::string_view {
    return sound.attribute(of).value();
  };
  const auto leaves = [&](XmlSignName::Kind kind, const char* of) {
    signs.music.sign_names.push_back({kind, static_cast<size_t>(place.measure), name(of)});
  };
  if (sets("dalsegno")) {
    bar.dal_segno = true;
    leaves(XmlSignName::Kind::kDalSegno, "dalsegno");
  }
  if (sets("segno")) signs.segnos.push_back({place.at, name("segno")});
  if (sets("coda")) signs.codas.push_back({place.at, name("coda")});
  if (sets("tocoda")) {
    (first ? bar.to_coda_first : bar.to_coda) = true;
    leaves(XmlSignName::Kind::kToCoda, "tocoda");
  }
  if (sets("fine")) (first ? bar.fine_first : bar.fine) = true;
  if (IsYes(sound.attribute("forward-repeat"))) bar.starts_repeat = true;
  if (sound.attribute("time-only"))
    signs.report.Warn(sound, "what holds in certain passes only is taken for all");
  return heard;
}

void ReadMarks(pugi::xml_node dynamics, const XmlPlace& place, int sound_velocity,
               XmlSigns& signs) {
  for (const pugi::xml_node mark : dynamics.children()) {
    const std::string_view name = mark.name();
    const int accent = Find(kAccents, name);
    const int velocity = accent > 0 || sound_velocity == 0 ? Find(kDynamics, name) : sound_velocity;
    if (accent > 0 || velocity > 0)
      signs.music.dynamics.push_back({place, name == "sfpp" ? 33 : velocity, accent});
  }
}

// What begins two hairpins of one number ends neither.
void ReadWedge(pugi::xml_node wedge, const XmlPlace& place, XmlMusic& music) {
  const std::string_view type = wedge.attribute("type").value();
  const int number = wedge.attribute("number").as_int(1);
  if (type == "crescendo" || type == "diminuendo") {
    music.open_hairpins[number] = music.hairpins.size();
    music.hairpins.push_back({place, place, type == "crescendo"});
  } else if (type == "stop") {
    const auto open = music.open_hairpins.find(number);
    if (open == music.open_hairpins.end()) return;
    music.hairpins[open->second].to = place;
    music.hairpins[open->second].ends = true;
    music.open_hairpins.erase(open);
  }
}

void ReadWords(pugi::xml_node direction, const std::string& words, const XmlPlace& place,
               XmlSigns& signs, int segno_signs, int coda_signs) {
  const JumpWords jump = ReadJumpWords(words);
  XmlBar& bar = signs.bar;
  const bool first = place.at <= 0;
  switch (jump) {
    case JumpWords::kDaCapo:
      bar.da_capo = true;
      return;
    case JumpWords::kDalSegno:
      bar.dal_segno = true;
      return;
    case JumpWords::kToCoda:
      (first ? bar.to_coda_first : bar.to_coda) = true;
      return;
    case JumpWords::kFine:
      (first ? bar.fine_first : bar.fine) = true;
      return;
    case JumpWords::kCoda:
      signs.codas.push_back({place.at, ""});
      return;
    case JumpWords::kUnclear:
      signs.report.Warn(direction, "words about repeats are not understood and passed over");
      return;
    case JumpWords::kNone:
      break;
  }
  if (segno_signs > 0) signs.segnos.push_back({place.at, ""});
  bar.coda_signs += coda_signs;
}

// Words without the marks of fonts that some programs leave in them, in lower case, as letters
// between single spaces.
std::string Letters(std::string_view words) {
  std::string letters = " ";
  bool tag = false;
  for (const char c : words) {
    if (c == '<') tag = true;
    if (!tag) {
      if (absl::ascii_isalpha(static_cast<unsigned char>(c))) {
        letters += absl::ascii_tolower(static_cast<unsigned char>(c));
      } else if (letters.back() != ' ') {
        letters += ' ';
      }
    }
    if (c == '>') tag = false;
  }
  if (letters.back() != ' ') letters += ' ';
  return letters;
}

bool HasAny(const std::string& text, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&text](const char* part) { return absl::StrContains(text, part); });
}

}  // namespace

JumpWords ReadJumpWords(std::string_view words) {
  if (words.size() > 1000) return JumpWords::kNone;
  const std::string text = Letters(words);
  if (text == " fine ") return JumpWords::kFine;
  if (text == " coda ") return JumpWords::kCoda;
  if (text == " to coda " || text == " al coda ") return JumpWords::kToCoda;
  const bool da_capo = HasAny(text, {" d c ", " dc ", " da capo ", " dacapo "});
  const bool dal_segno = HasAny(text, {" d s ", " ds ", " dal segno ", " dalsegno "});
  if (!da_capo && !dal_segno) return JumpWords::kNone;
  const auto spaces = static_cast<size_t>(std::count(text.begin(), text.end(), ' '));
  // A sentence about it may say anything.
  if (da_capo == dal_segno || spaces > kMostJumpWords + 1) return JumpWords::kUnclear;
  return da_capo ? JumpWords::kDaCapo : JumpWords::kDalSegno;
}

void ReadSound(pugi::xml_node sound, const XmlPlace& place, XmlSigns& signs) {
  const Heard heard = ReadSoundChild(sound, place, signs);
  if (heard.velocity > 0) signs.music.dynamics.push_back({place, heard.velocity});
}

void ReadDirection(pugi::xml_node direction, const XmlPlace& place, XmlSigns& signs) {
  Heard heard;
  for (const pugi::xml_node sound : direction.children("sound")) {
    const Heard more = ReadSoundChild(sound, place, signs);
    heard.tempo = heard.tempo || more.tempo;
    heard.jump = heard.jump || more.jump;
    heard.velocity = std::max(heard.velocity, more.velocity);
  }
  std::string words;
  int segno_signs = 0, coda_signs = 0;
  bool marks = false;
  for (const pugi::xml_node type : direction.children("direction-type")) {
    for (const pugi::xml_node child : type.children()) {
      const std::string_view name = child.name();
      if (name == "words") {
        absl::StrAppend(&words, words.empty() ? "" : " ", child.child_value());
      } else if (name == "metronome" && !heard.tempo) {
        ReadMetronome(child, place, signs);
      } else if (name == "dynamics") {
        marks = true;
        ReadMarks(child, place, heard.velocity, signs);
      } else if (name == "wedge") {
        ReadWedge(child, place, signs.music);
      } else if (name == "segno") {
        ++segno_signs;
      } else if (name == "coda") {
        ++coda_signs;
      }
    }
  }
  if (!marks && heard.velocity > 0) signs.music.dynamics.push_back({place, heard.velocity});
  if (!heard.jump) ReadWords(direction, words, place, signs, segno_signs, coda_signs);
}

void ReadBarline(pugi::xml_node barline, XmlSigns& signs) {
  XmlBar& bar = signs.bar;
  const std::string_view location = barline.attribute("location").value();
  const bool left = location == "left";
  if (const pugi::xml_node repeat = barline.child("repeat")) {
    const std::string_view direction = repeat.attribute("direction").value();
    const int times =
        std::clamp(WholeIn(repeat.attribute("times").value()).value_or(0), 0, kMostPasses);
    bar.after_jump = bar.after_jump || IsYes(repeat.attribute("after-jump"));
    if (location == "middle") {
      signs.report.Warn(barline, "a repeat within a measure is passed over");
    } else if (direction == "forward") {
      (left ? bar.starts_repeat : bar.forward_after) = true;
    } else if (direction == "backward" && left) {
      bar.repeat_before = true;
      bar.repeat_before_times = times;
    } else if (direction == "backward") {
      bar.repeat_after = true;
      bar.repeat_times = times;
    }
  }
  if (const pugi::xml_node ending = barline.child("ending")) {
    const std::string_view type = ending.attribute("type").value();
    if (type == "start") {
      bar.ending_starts = EndingNumbers(ending.attribute("number").value());
      if (bar.ending_starts.empty()) bar.ending_starts = EndingNumbers(TextOf(ending));
      if (bar.ending_starts.empty())
        signs.report.Warn(ending, "an ending without a number is passed over");
    } else if (type == "stop" || type == "discontinue") {
      bar.ending_stops = true;
    }
  }
  if (barline.child("segno")) (left ? bar.segno : bar.segno_after) = true;
  if (barline.child("coda")) ++bar.coda_signs;
  const std::string_view style = ChildText(barline, "bar-style");
  if (!left && location != "middle" &&
      (style == "light-light" || style == "light-heavy" || style == "heavy" ||
       style == "heavy-heavy" || style == "heavy-light"))
    bar.double_bar = true;
}

std::vector<int> EndingNumbers(std::string_view text) {
  std::vector<int> numbers;
  text = text.substr(0, 1000);
  bool range = false;
  for (size_t i = 0; i < text.size();) {
    const size_t end = std::min(text.find_first_not_of("0123456789", i), text.size());
    if (end == i) {
      range = text[i] == '-' || (range && text[i] == ' ');
      ++i;
      continue;
    }
    const int number = WholeIn(text.substr(i, end - i)).value_or(0);
    if (number >= 1 && number <= kMostPasses) {
      const int from = range && !numbers.empty() ? numbers.back() + 1 : number;
      for (int pass = from; pass <= number; ++pass) numbers.push_back(pass);
      if (from > number) numbers.push_back(number);
    }
    range = false;
    i = end;
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

}  // namespace antiphon::notation
