#include "trainer/datasets/editions.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "trainer/base/fingerprint.h"

namespace antiphon::trainer::datasets {
namespace {

constexpr int kHandsMeet = 60;  // middle C
constexpr int kOctave = 12;
constexpr double kOrnamented = 0.25;  // of the notes that are long enough
constexpr double kLongNote_s = 0.3;   // for a mordent
constexpr double kMordentNote_s = 0.06;
constexpr double kRepeatedPart = 0.25;  // of the piece
constexpr double kShortest_s = 30;      // of a piece with a repeat
constexpr double kLeastOfHand = 0.25;   // of the notes in either hand

void Sort(std::vector<music::Note>& notes) {
  std::stable_sort(notes.begin(), notes.end(), [](const music::Note& a, const music::Note& b) {
    return std::pair(a.onset_s, a.pitch) < std::pair(b.onset_s, b.pitch);
  });
}

void Append(std::vector<music::Note>& to, const std::vector<music::Note>& notes, double later_s) {
  for (music::Note note : notes) {
    note.onset_s += later_s;
    note.offset_s += later_s;
    note.sounding_offset_s += later_s;
    to.push_back(note);
  }
}

std::optional<music::Score> WithRepeat(const music::Score& score, std::mt19937_64& random) {
  if (score.duration_s < kShortest_s) return std::nullopt;
  const double length_s = kRepeatedPart * score.duration_s;
  const double start_s =
      std::uniform_real_distribution<double>(0, score.duration_s - length_s)(random);
  const double end_s = start_s + length_s;
  music::Score result = score;
  result.notes.clear();
  Append(result.notes, music::Excerpt(score, 0, end_s).notes, 0);
  Append(result.notes, music::Excerpt(score, start_s, score.duration_s + 1).notes, end_s);
  Sort(result.notes);
  result.duration_s += length_s;
  return result;
}

music::Score WithOctaves(music::Score score) {
  std::vector<music::Note> low;
  for (const music::Note& note : score.notes) {
    if (note.pitch >= kHandsMeet || note.pitch - kOctave < music::kLowestPianoPitch) continue;
    low.push_back(note);
    low.back().pitch -= kOctave;
  }
  Append(score.notes, low, 0);
  Sort(score.notes);
  return score;
}

music::Score WithOrnaments(music::Score score, std::mt19937_64& random) {
  std::vector<music::Note> added;
  for (music::Note& note : score.notes) {
    if (note.offset_s - note.onset_s < kLongNote_s ||
        std::uniform_real_distribution<double>(0, 1)(random) > kOrnamented)
      continue;
    music::Note first = note, upper = note;
    first.offset_s = first.sounding_offset_s = upper.onset_s = note.onset_s + kMordentNote_s;
    upper.offset_s = upper.sounding_offset_s = upper.onset_s + kMordentNote_s;
    upper.pitch = std::min(upper.pitch + 2, music::kHighestPianoPitch);
    note.onset_s = upper.offset_s;
    added.push_back(first);
    added.push_back(upper);
  }
  Append(score.notes, added, 0);
  Sort(score.notes);
  return score;
}

std::optional<music::Score> OneHand(music::Score score) {
  const auto all = static_cast<double>(score.notes.size());
  std::erase_if(score.notes, [](const music::Note& note) { return note.pitch < kHandsMeet; });
  const auto left = static_cast<double>(score.notes.size());
  if (left < kLeastOfHand * all || left > (1 - kLeastOfHand) * all) return std::nullopt;
  return score;
}

absl::Status AtLine(size_t line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", what));
}

}  // namespace

absl::StatusOr<std::vector<EditionPair>> ReadEditionList(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path));
  return MapError(ParseEditionList(text), [&](const absl::Status& failure) {
    return absl::Status(failure.code(), absl::StrCat(path, ", ", failure.message()));
  });
}

absl::StatusOr<std::vector<EditionPair>> ParseEditionList(std::string_view text) {
  std::vector<EditionPair> pairs;
  std::map<std::string, size_t> columns;
  const std::vector<std::string> lines =
      absl::StrSplit(absl::string_view(text.data(), text.size()), '\n', absl::SkipEmpty());
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::vector<std::string> fields = absl::StrSplit(lines[i], '\t');
    if (i == 0) {
      for (size_t k = 0; k < fields.size(); ++k) columns[fields[k]] = k;
      for (const char* name : {"corpus", "piece", "other_corpus", "other_piece", "start_s", "end_s",
                               "other_start_s", "other_end_s", "same"}) {
        if (!columns.contains(name)) return AtLine(1, absl::StrCat("no column ", name));
      }
      continue;
    }
    if (fields.size() < columns.size()) return AtLine(i + 1, "a field is missing");
    const auto field = [&](const char* name) { return fields[columns.at(name)]; };
    EditionPair pair{{field("corpus"), field("piece")},
                     {field("other_corpus"), field("other_piece")}};
    if (!absl::SimpleAtod(field("start_s"), &pair.in_one.start_s) ||
        !absl::SimpleAtod(field("end_s"), &pair.in_one.end_s) ||
        !absl::SimpleAtod(field("other_start_s"), &pair.in_other.start_s) ||
        !absl::SimpleAtod(field("other_end_s"), &pair.in_other.end_s))
      return AtLine(i + 1, "a time is no number");
    if (field("same") != "0" && field("same") != "1") return AtLine(i + 1, "same is not 0 or 1");
    pair.same = field("same") == "1";
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

const std::vector<std::string>& EditionKinds() {
  static const auto& kinds =
      *new std::vector<std::string>{"copy", "tempo", "repeat", "octaves", "ornaments", "hand"};
  return kinds;
}

std::optional<music::Score> MakeEdition(const music::Score& score, std::string_view kind,
                                        uint64_t seed) {
  std::mt19937_64 random(seed);
  if (kind == "tempo") return music::AtTempoRatio(score, random() % 2 == 0 ? 0.75 : 1.3);
  if (kind == "repeat") return WithRepeat(score, random);
  if (kind == "octaves") return WithOctaves(score);
  if (kind == "ornaments") return WithOrnaments(score, random);
  if (kind == "hand") return OneHand(score);
  return score;
}

}  // namespace antiphon::trainer::datasets
