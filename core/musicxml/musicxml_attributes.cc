#include "core/musicxml/musicxml_attributes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "core/musicxml/xml_text.h"

namespace antiphon::notation {
namespace {

constexpr double kMostDivisions = 1e7;
constexpr int kMostMeasuresRepeated = 16;
constexpr int kMostSemitones = 60;

// "3+2" as 5; nothing for what is no sum of whole numbers.
std::optional<int> SumIn(std::string_view text) {
  int sum = 0;
  while (true) {
    const size_t plus = text.find('+');
    std::string_view term = text.substr(0, plus);
    while (!term.empty() && term.front() == ' ') term.remove_prefix(1);
    while (!term.empty() && term.back() == ' ') term.remove_suffix(1);
    const std::optional<int> number = WholeIn(term);
    if (!number || *number < 1 || *number > 255 || sum > 255) return std::nullopt;
    sum += *number;
    if (plus == std::string_view::npos) return sum;
    text.remove_prefix(plus + 1);
  }
}

bool IsDenominator(int number) {
  return number >= 1 && number <= 64 && (number & (number - 1)) == 0;
}

// The sum of all pairs of beats and beat-type, in the smallest unit.
std::optional<Metre> MetreOf(pugi::xml_node time) {
  int sum = 0, unit = 1;
  for (pugi::xml_node beats = time.child("beats"); beats; beats = beats.next_sibling("beats")) {
    const std::optional<int> count = SumIn(TextOf(beats));
    const std::optional<int> type = WholeIn(TextOf(beats.next_sibling("beat-type")));
    if (!count || !type || !IsDenominator(*type)) return std::nullopt;
    const int finer = std::max(unit, *type);
    sum = sum * (finer / unit) + *count * (finer / *type);
    unit = finer;
    if (sum > 255) return std::nullopt;
  }
  if (sum == 0) return std::nullopt;
  return Metre{sum, unit};
}

// Of a key, that of music `semitones` higher, within six flats and six sharps where it changes.
int TransposedFifths(int fifths, int semitones) {
  const int by = ((semitones * 7) % 12 + 12) % 12;
  int moved = fifths + (by > 6 ? by - 12 : by);
  if (by != 0) {
    if (moved > 6) moved -= 12;
    if (moved < -6) moved += 12;
  }
  return moved;
}

}  // namespace

absl::Status XmlAttributes::Read(pugi::xml_node attributes, const XmlPlace& place, XmlMusic& music,
                                 XmlReport& report) {
  // Keys are as heard: what transposes comes first.
  for (const pugi::xml_node transpose : attributes.children("transpose"))
    ReadTranspose(transpose, report);
  for (const pugi::xml_node child : attributes.children()) {
    const std::string_view name = child.name();
    if (name == "divisions") {
      const std::optional<double> divisions = NumberIn(TextOf(child));
      if (!divisions || *divisions <= 0 || *divisions > kMostDivisions)
        return report.Malformed(child, "divisions of a quarter note that there are none of");
      divisions_ = *divisions;
    } else if (name == "time") {
      ReadTime(child, place, music, report);
    } else if (name == "key") {
      ReadKey(child, place, music, report);
    } else if (name == "measure-style") {
      if (const pugi::xml_node repeat = child.child("measure-repeat")) {
        const bool stop = std::string_view(repeat.attribute("type").value()) == "stop";
        repeated_ =
            stop ? 0 : std::clamp(WholeIn(TextOf(repeat)).value_or(1), 1, kMostMeasuresRepeated);
      }
    }
  }
  return absl::OkStatus();
}

void XmlAttributes::ReadTime(pugi::xml_node time, const XmlPlace& place, XmlMusic& music,
                             XmlReport& report) {
  if (time.child("senza-misura")) return;  // measures are as long as they are
  const std::optional<Metre> metre = MetreOf(time);
  if (!metre) {
    report.Warn(time, "a metre that there is none of is passed over");
    return;
  }
  measure_length_ = kTicksPerQuarter * 4 * metre->numerator / metre->denominator;
  music.metres.push_back({place, *metre});
}

void XmlAttributes::ReadKey(pugi::xml_node key, const XmlPlace& place, XmlMusic& music,
                            XmlReport& report) {
  const pugi::xml_node written = key.child("fifths");
  if (!written) return;  // accidentals of its own, without a name
  const std::optional<int> fifths = WholeIn(TextOf(written));
  if (!fifths || std::abs(*fifths) > 7) {
    report.Warn(key, "a key that there is none of is passed over");
    return;
  }
  fifths_ = *fifths;
  minor_ = ChildText(key, "mode") == "minor";
  const int heard = TransposedFifths(fifths_, transposition_.semitones);
  music.keys.push_back({place, Key{std::clamp(heard, -7, 7), minor_}});
}

void XmlAttributes::ReadTranspose(pugi::xml_node transpose, XmlReport& report) {
  const std::optional<double> chromatic = NumberIn(ChildText(transpose, "chromatic"));
  const std::string_view octaves = ChildText(transpose, "octave-change");
  const std::optional<double> octave = octaves.empty() ? 0 : NumberIn(octaves);
  if (!chromatic || !octave || std::abs(*chromatic) > kMostSemitones || std::abs(*octave) > 5) {
    report.Warn(transpose, "a transposition that there is none of is passed over");
    return;
  }
  XmlTransposition transposition;
  transposition.semitones = static_cast<int>(std::lround(*chromatic + 12 * *octave));
  if (const pugi::xml_node doubled = transpose.child("double"))
    transposition.doubled =
        std::string_view(doubled.attribute("above").value()) == "yes" ? 12 : -12;
  transposes_ = transposes_ || transposition.semitones % 12 != 0;
  if (const std::optional<int> staff = WholeIn(transpose.attribute("number").value())) {
    of_staves_[*staff] = transposition;
  } else {
    transposition_ = transposition;
    of_staves_.clear();
  }
}

const XmlTransposition& XmlAttributes::TranspositionOf(int staff) const {
  const auto found = of_staves_.find(staff);
  return found == of_staves_.end() ? transposition_ : found->second;
}

int XmlAttributes::AlterOf(int step) const {
  // The order in which sharps are written, F C G D A E B, by step.
  constexpr std::array<int, 7> kOrder = {2, 4, 6, 1, 3, 5, 7};
  const int order = kOrder[static_cast<size_t>(step)];
  if (fifths_ > 0) return order <= fifths_ ? 1 : 0;
  return 8 - order <= -fifths_ ? -1 : 0;
}

}  // namespace antiphon::notation
