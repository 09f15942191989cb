#include "core/music/same_music.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace antiphon::music {
namespace {

constexpr double kTogether_s = 0.05;  // as heard: struck at once
// As heard, by which a place found may be off, in either score.
constexpr double kApart_s = 1.0;
// Onsets that one side may have between two that are matched, for an ornament or for another voice.
constexpr int kMostSkipped = 6;
// Pace: between two pairs as much time must pass on both sides, within this factor or by so much.
constexpr double kPaceFactor = 1.4;
constexpr double kPace_s = 0.08;
// Pitch classes that it costs to go on at another pace, or after more skipped.
constexpr float kBreak = 3;
constexpr int kPitchClasses = 12;

// Where a moment of a score is heard, along the line through the two moments around it.
double HeardTime(const HeardPassage& passage, double score_s) {
  const auto later =
      std::upper_bound(passage.begin() + 1, passage.end() - 1, score_s,
                       [](double moment_s, const HeardAt& at) { return moment_s < at.score_s; });
  const HeardAt &from = *std::prev(later), &to = *later;
  const double length_s = to.score_s - from.score_s;
  if (length_s <= 0) return from.heard_s;
  return from.heard_s + (score_s - from.score_s) / length_s * (to.heard_s - from.heard_s);
}

uint16_t Transposed(uint16_t pitch_classes, int semitones) {
  const unsigned turned = static_cast<unsigned>(pitch_classes) << semitones;
  return static_cast<uint16_t>((turned | turned >> kPitchClasses) & 0xFFF);
}

float Common(uint16_t a, uint16_t b) {
  return static_cast<float>(std::popcount(static_cast<uint16_t>(a & b)));
}

double Struck(std::span<const Onset> onsets) {
  double sum = 0;
  for (const Onset& onset : onsets) sum += std::popcount(onset.pitch_classes);
  return sum;
}

bool KeepPace(const Onset& from_a, const Onset& to_a, const Onset& from_b, const Onset& to_b) {
  if (from_a.passage != to_a.passage || from_b.passage != to_b.passage) return true;
  const double a = to_a.played_s - from_a.played_s, b = to_b.played_s - from_b.played_s;
  return std::abs(a - b) <= kPace_s || (a <= b * kPaceFactor && b <= a * kPaceFactor);
}

std::span<const Onset> Between(std::span<const Onset> onsets, double start_s, double end_s) {
  const auto first = std::find_if(onsets.begin(), onsets.end(),
                                  [&](const auto& o) { return o.heard_s >= start_s; });
  auto last = first;
  while (last != onsets.end() && last->heard_s <= end_s) ++last;
  return {first, last};
}

// The most pitch classes that pairs have in common, the second sequence transposed. Cells are pairs
// of onsets that are heard near one another.
class Aligner {
 public:
  Aligner(std::span<const Onset> first, std::span<const Onset> second)
      : first_(first), second_(second) {
    for (const Onset& onset : first) {
      const auto near = [&](double s) {
        return std::lower_bound(second.begin(), second.end(), s,
                                [](const Onset& o, double moment) { return o.heard_s < moment; }) -
               second.begin();
      };
      low_.push_back(static_cast<int>(near(onset.heard_s - kApart_s)));
      high_.push_back(static_cast<int>(near(onset.heard_s + kApart_s)));
      begin_.push_back(total_);
      total_ += high_.back() - low_.back();
    }
  }

  double Best(int semitones) {
    cells_.assign(total_, 0);
    // best_[j]: of all pairs before the present onset whose second is at most j.
    best_.assign(second_.size() + 1, 0);
    for (int i = 0; i < std::ssize(first_); ++i) {
      for (int j = low_[i]; j < high_[i]; ++j) Fill(i, j, semitones);
      float top = 0;
      for (int j = low_[i]; j < high_[i]; ++j) {
        top = std::max(top, CellAt(i, j));
        best_[j + 1] = std::max(best_[j + 1], top);
      }
      for (int j = high_[i]; j < std::ssize(second_) && best_[j + 1] < top; ++j) best_[j + 1] = top;
    }
    return best_.back();
  }

 private:
  float& CellAt(int i, int j) { return cells_[begin_[i] + j - low_[i]]; }

  void Fill(int i, int j, int semitones) {
    const float common =
        Common(first_[i].pitch_classes, Transposed(second_[j].pitch_classes, semitones));
    if (common == 0) return;
    float before = std::max(0.0f, best_[j] - kBreak);
    for (int p = std::max(0, i - kMostSkipped - 1); p < i; ++p) {
      const int first = std::max(low_[p], j - kMostSkipped - 1), last = std::min(high_[p], j);
      for (int q = first; q < last; ++q) {
        const float value = CellAt(p, q);
        if (value > before && KeepPace(first_[p], first_[i], second_[q], second_[j]))
          before = value;
      }
    }
    CellAt(i, j) = before + common;
  }

  const std::span<const Onset> first_, second_;
  std::vector<int> low_, high_;  // for each of the first, the range of the second
  std::vector<int> begin_;       // … and where its cells are
  int total_ = 0;
  std::vector<float> cells_, best_;
};

}  // namespace

std::vector<Onset> OnsetsHeard(const Score& score, std::span<const HeardPassage> passages) {
  std::vector<Onset> onsets;
  for (size_t index = 0; index < passages.size(); ++index) {
    const HeardPassage& passage = passages[index];
    if (passage.size() < 2) continue;
    const HeardAt &first = passage.front(), &last = passage.back();
    const double slope = std::max(
        1e-3, (last.score_s - first.score_s) / std::max(1e-3, last.heard_s - first.heard_s));
    const auto begin =
        std::lower_bound(score.notes.begin(), score.notes.end(), first.score_s,
                         [](const Note& note, double moment_s) { return note.onset_s < moment_s; });
    double struck_s = -std::numeric_limits<double>::infinity();  // of the score
    for (auto note = begin; note != score.notes.end() && note->onset_s <= last.score_s; ++note) {
      const auto pitch_class = static_cast<uint16_t>(1u << note->pitch % kPitchClasses);
      if ((note->onset_s - struck_s) / slope < kTogether_s) {
        onsets.back().pitch_classes |= pitch_class;
        continue;
      }
      struck_s = note->onset_s;
      onsets.push_back(
          {HeardTime(passage, struck_s), struck_s / slope, static_cast<int>(index), pitch_class});
    }
  }
  // Passages meet half way between windows: the last of one may be heard after the first of the
  // next.
  std::stable_sort(onsets.begin(), onsets.end(),
                   [](const Onset& a, const Onset& b) { return a.heard_s < b.heard_s; });
  return onsets;
}

Agreement CompareOnsets(std::span<const Onset> first, std::span<const Onset> second) {
  Agreement agreement;
  if (first.empty() || second.empty()) return agreement;
  const double start_s = std::max(first.front().heard_s, second.front().heard_s) - kApart_s / 2;
  const double end_s = std::min(first.back().heard_s, second.back().heard_s) + kApart_s / 2;
  first = Between(first, start_s, end_s);
  second = Between(second, start_s, end_s);
  agreement.onsets = static_cast<int>(std::min(first.size(), second.size()));
  if (agreement.onsets == 0) return agreement;
  agreement.heard_s = end_s - start_s;
  const double in_first = Struck(first), in_second = Struck(second);
  Aligner aligner(first, second);
  for (int semitones = 0; semitones < kPitchClasses; ++semitones) {
    const double common = aligner.Best(semitones);
    double& a = semitones == 0 ? agreement.first : agreement.first_by_chance;
    double& b = semitones == 0 ? agreement.second : agreement.second_by_chance;
    a = std::max(a, std::min(1.0, common / in_first));
    b = std::max(b, std::min(1.0, common / in_second));
  }
  return agreement;
}

bool IsSameMusic(const Agreement& agreement) {
  constexpr int kLeastOnsets = 6;
  constexpr double kLeast_s = 2.0;
  // Of both, or of a part and the whole.
  constexpr double kMost = 0.7, kNearlyAll = 0.85, kPart = 0.3;
  constexpr double kOverChance = 0.2;
  if (agreement.onsets < kLeastOnsets || agreement.heard_s < kLeast_s) return false;
  const auto [less, more] = std::minmax(agreement.first, agreement.second);
  const double chance = std::max(agreement.first_by_chance, agreement.second_by_chance);
  if (more < chance + kOverChance) return false;
  return less >= kMost || (more >= kNearlyAll && less >= kPart);
}

}  // namespace antiphon::music
