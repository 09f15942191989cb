#include "trainer/datasets/lines.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <utility>

#include "core/music/same_music.h"

namespace antiphon::trainer::datasets {
namespace {

constexpr double kSlowest = 0.5, kFastest = 2;
// Before the notes are aligned, such a share of the pitch classes struck must be about where it
// would be; music::IsSameMusic wants more of them.
constexpr double kAbout_s = 0.35;  // of the line
constexpr double kAboutThere = 0.65;
constexpr double kMargin_s = 0.01;  // notes on the ends belong to the stretch
constexpr int kShortOnsets = 6;
constexpr double kShort_s = 2;

// The onsets of notes within a stretch, as they are heard when it takes so long.
std::vector<music::Onset> OnsetsWithin(std::span<const music::Note> notes,
                                       const matching::Span& stretch, double heard_s) {
  const double slope = stretch.length_s() / heard_s;
  const double from_s = stretch.start_s - kMargin_s * slope;
  const double to_s = stretch.end_s + kMargin_s * slope;
  music::Score score;
  const auto begin =
      std::lower_bound(notes.begin(), notes.end(), from_s,
                       [](const music::Note& note, double s) { return note.onset_s < s; });
  for (auto note = begin; note != notes.end() && note->onset_s <= to_s; ++note)
    score.notes.push_back(*note);
  const music::HeardPassage passage = {{-kMargin_s, from_s}, {heard_s + kMargin_s, to_s}};
  return music::OnsetsHeard(score, std::span(&passage, 1));
}

std::vector<music::Onset> OnsetsOf(std::span<const music::Note> notes) {
  if (notes.empty()) return {};
  const double first_s = notes.front().onset_s;
  const double last_s = std::max(notes.back().onset_s, first_s + kMargin_s);
  return OnsetsWithin(notes, {first_s, last_s}, last_s - first_s);
}

bool IsSameLine(std::span<const music::Onset> line, std::span<const music::Onset> other) {
  const music::Agreement agreement = music::CompareOnsets(line, other);
  const bool is_short =
      std::ssize(line) < kShortOnsets || line.back().heard_s - line.front().heard_s < kShort_s;
  if (!is_short) return music::IsSameMusic(agreement);
  constexpr double kAll = 1 - 1e-9;
  return line.size() == other.size() && agreement.first >= kAll && agreement.second >= kAll;
}

// The onsets of a part in seconds of its score.
class Places {
 public:
  Places(std::span<const music::Note> line, std::span<const music::Note> notes)
      : line_(OnsetsOf(line)), notes_(notes) {
    if (notes.empty() || line_.size() < 2) return;
    for (const music::Onset& onset : line_) struck_ += std::popcount(onset.pitch_classes);
    onsets_ = OnsetsOf(notes);
    for (music::Onset& onset : onsets_) onset.heard_s += notes.front().onset_s;
  }

  // At most so many.
  std::vector<matching::Span> Find(size_t most) const {
    std::vector<matching::Span> found;
    if (onsets_.empty()) return found;
    const double heard_s = line_.back().heard_s - line_.front().heard_s;
    for (size_t first = 0; first < onsets_.size(); ++first) {
      if (!Meet(line_.front(), onsets_[first])) continue;
      for (size_t last = first + 1; last < onsets_.size(); ++last) {
        const matching::Span stretch = {onsets_[first].heard_s, onsets_[last].heard_s};
        if (stretch.length_s() > heard_s / kSlowest) break;
        if (stretch.length_s() < heard_s / kFastest || !Meet(line_.back(), onsets_[last])) continue;
        if (IsAboutThere(stretch, first, last, heard_s) &&
            IsSameLine(line_, OnsetsWithin(notes_, stretch, heard_s))) {
          found.push_back(stretch);
          if (found.size() == most) return found;
        }
      }
    }
    return found;
  }

 private:
  static int Common(const music::Onset& a, const music::Onset& b) {
    return std::popcount(static_cast<uint16_t>(a.pitch_classes & b.pitch_classes));
  }
  static bool Meet(const music::Onset& a, const music::Onset& b) { return Common(a, b) > 0; }

  // Cheap, and stricter for chords than for single notes, which seldom meet by chance.
  bool IsAboutThere(const matching::Span& stretch, size_t first, size_t last,
                    double heard_s) const {
    const double slope = stretch.length_s() / heard_s;
    double may_miss = (1 - kAboutThere) * struck_;
    size_t from = first;
    for (const music::Onset& onset : line_) {
      const double at_s = stretch.start_s + (onset.heard_s - line_.front().heard_s) * slope;
      while (from < last && onsets_[from].heard_s < at_s - kAbout_s * slope) ++from;
      int common = 0;
      for (size_t i = from; i <= last && onsets_[i].heard_s <= at_s + kAbout_s * slope; ++i)
        common = std::max(common, Common(onset, onsets_[i]));
      may_miss -= std::popcount(onset.pitch_classes) - common;
      if (may_miss < 0) return false;
    }
    return true;
  }

  const std::vector<music::Onset> line_;
  double struck_ = 0;  // pitch classes, in the line
  const std::span<const music::Note> notes_;
  std::vector<music::Onset> onsets_;  // heard_s is in seconds of the score
};

}  // namespace

std::vector<std::vector<music::Note>> NotesOfParts(const music::Score& score) {
  std::map<std::pair<int, int>, std::vector<music::Note>> parts;
  for (const music::Note& note : score.notes) parts[{note.track, note.channel}].push_back(note);
  std::vector<std::vector<music::Note>> notes;
  notes.reserve(parts.size());
  for (auto& [part, of_part] : parts) notes.push_back(std::move(of_part));
  return notes;
}

std::vector<matching::Span> FindLine(std::span<const music::Note> line,
                                     std::span<const music::Note> notes, size_t most) {
  return Places(line, notes).Find(most);
}

}  // namespace antiphon::trainer::datasets
