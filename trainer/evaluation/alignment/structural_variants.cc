#include "trainer/evaluation/alignment/structural_variants.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/alignment/beat_grid.h"
#include "core/alignment/repeats.h"

namespace antiphon::trainer::evaluation {
namespace {

using alignment::GridBeat;
using music::TimePoint;

constexpr int kBars = 16;
constexpr int kLeastRepeat = 8;  // bars
constexpr double kCrossfade_s = 0.01;

// The beats of a score, and where its bars begin among them.
struct Bars {
  std::vector<GridBeat> grid;
  std::vector<uint64_t> contents;  // alignment::BeatContents
  std::vector<int> starts;         // positions in the grid
};

Bars BarsOf(const music::Score& score) {
  Bars bars;
  absl::StatusOr<std::vector<GridBeat>> grid = alignment::BeatGrid(score);
  if (!grid.ok()) return bars;
  bars.grid = *std::move(grid);
  bars.contents = alignment::BeatContents(score.notes, bars.grid);
  for (size_t i = 0; i < bars.grid.size(); ++i) {
    if (bars.grid[i].starts_bar) bars.starts.push_back(static_cast<int>(i));
  }
  return bars;
}

// The bars that a variant passes over or plays again: from the beginning of one to that of another,
// positions among those of all bars.
struct Stretch {
  int first = 0;
  int end = 0;
};

bool Alike(const Bars& bars, int a, int b, int count) {
  const int beats = bars.starts[a + count] - bars.starts[a];
  if (bars.starts[b + count] - bars.starts[b] != beats) return false;
  for (int i = 0; i < beats; ++i) {
    if (bars.contents[bars.starts[a] + i] != bars.contents[bars.starts[b] + i]) return false;
  }
  return true;
}

// The second of the first two neighbours that are alike, as long as there are such.
std::optional<Stretch> FindRepeat(const Bars& bars, int first, int end) {
  for (int length = (end - first) / 2; length >= kLeastRepeat; --length) {
    for (int start = first; start + 2 * length < end; ++start) {
      if (Alike(bars, start, start + length, length))
        return Stretch{start + length, start + 2 * length};
    }
  }
  return std::nullopt;
}

std::optional<Stretch> FindStretch(VariantKind kind, const Bars& bars, int first, int end) {
  if (kind == VariantKind::kRepeatLeftOut) return FindRepeat(bars, first, end);
  const int length = std::min(kBars, (end - first) / 3);
  if (length < 2) return std::nullopt;
  const int start = first + (end - first - length) / 2;
  return Stretch{start, start + length};
}

int64_t SampleAt(const audio::Waveform& sound, double at_s) {
  return std::clamp<int64_t>(std::llround(at_s * sound.sample_rate), 0,
                             static_cast<int64_t>(sound.samples.size()));
}

// The sound up to `until_s`, then that from `from_s` on, each fading into the other.
audio::Waveform Joined(const audio::Waveform& sound, double until_s, double from_s) {
  const int64_t until = SampleAt(sound, until_s), from = SampleAt(sound, from_s);
  audio::Waveform joined{{}, sound.sample_rate};
  joined.samples.assign(sound.samples.begin(), sound.samples.begin() + until);
  joined.samples.insert(joined.samples.end(), sound.samples.begin() + from, sound.samples.end());
  const auto fade = std::min<int64_t>({std::llround(kCrossfade_s * sound.sample_rate), until, from,
                                       static_cast<int64_t>(sound.samples.size()) - until});
  for (int64_t i = 0; i < fade; ++i) {
    const float share = static_cast<float>(i + 1) / static_cast<float>(fade + 1);
    // What would have gone on fades out under what begins, before the joint.
    float& sample = joined.samples[until - fade + i];
    sample = (1 - share) * sample + share * sound.samples[from - fade + i];
  }
  return joined;
}

int BarAt(const Bars& bars, double at_s) {
  int bar = 0;
  for (size_t i = 0; i < bars.starts.size(); ++i) {
    if (bars.grid[bars.starts[i]].at_s <= at_s + 0.02) bar = static_cast<int>(i);
  }
  return bar;
}

}  // namespace

const char* NameOf(VariantKind kind) {
  switch (kind) {
    case VariantKind::kRepeatLeftOut:
      return "repeat left out";
    case VariantKind::kRepeatAdded:
      return "repeat added";
    case VariantKind::kCut:
      return "cut";
  }
  return "";
}

std::optional<Variant> MakeVariant(VariantKind kind, const audio::Waveform& sound,
                                   const music::Score& score, const music::TimeMap& map,
                                   const std::vector<TimePoint>& truth) {
  const Bars bars = BarsOf(score);
  // Bars whose beginning is between the outermost points.
  int first = -1, end = -1;
  for (size_t i = 0; i < bars.starts.size(); ++i) {
    const double at_s = bars.grid[bars.starts[i]].at_s;
    if (at_s < map.points().front().to_s || at_s > map.points().back().to_s) continue;
    if (first < 0) first = static_cast<int>(i);
    end = static_cast<int>(i);
  }
  if (first < 0) return std::nullopt;
  const std::optional<Stretch> stretch = FindStretch(kind, bars, first, end);
  if (!stretch) return std::nullopt;
  double until_s = bars.grid[bars.starts[stretch->first]].at_s;
  double from_s = bars.grid[bars.starts[stretch->end]].at_s;
  if (kind == VariantKind::kRepeatAdded) std::swap(until_s, from_s);
  Variant variant;
  variant.jump = {until_s, from_s};
  // A hundredth of a second earlier, so that an onset there is whole.
  const double sound_until_s = std::max(map.From(until_s) - kCrossfade_s, 0.0);
  const double sound_from_s = std::max(map.From(from_s) - kCrossfade_s, 0.0);
  variant.sound = Joined(sound, sound_until_s, sound_from_s);
  for (const TimePoint& point : truth) {
    if (point.from_s < sound_until_s) variant.truth.push_back(point);
  }
  for (const TimePoint& point : truth) {
    if (point.from_s >= sound_from_s)
      variant.truth.push_back({point.from_s - sound_from_s + sound_until_s, point.to_s});
  }
  return variant;
}

JumpTally TallyJumps(const alignment::Performance& performance, const music::Score& score,
                     const ScoreJump& jump) {
  const Bars bars = BarsOf(score);
  const int from = BarAt(bars, jump.from_s), to = BarAt(bars, jump.to_s);
  JumpTally tally;
  for (size_t i = 1; i < performance.passages.size(); ++i) {
    const int found_from = BarAt(bars, performance.passages[i - 1].score_end_s);
    const int found_to = BarAt(bars, performance.passages[i].score_start_s);
    const int later = found_from - from;
    const auto size = static_cast<int>(bars.starts.size());
    bool right = found_to - to == later;
    if (right && later != 0) {
      const int a = std::min(from, found_from), b = std::min(to, found_to);
      const int count = std::abs(later);
      right = std::max(a, b) + count < size && Alike(bars, a, b, count);
    }
    if (right && !tally.found) {
      tally.found = true;
    } else {
      ++tally.others;
    }
  }
  return tally;
}

}  // namespace antiphon::trainer::evaluation
