#include "core/alignment/beat_grid.h"

#include <algorithm>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon::alignment {
namespace {

// Nearer than that, in quarter notes, two beats are one.
constexpr double kSame = 1e-4;

struct Bar {
  double start = 0;  // quarter notes from the start
  double end = 0;
};

absl::Status TooMany() {
  return absl::ResourceExhaustedError(absl::StrCat("score: more than ", kMaxGridBeats, " beats"));
}

// Up to the end of the last note. The bars of notation, or else those of the tempo map.
absl::StatusOr<std::vector<Bar>> BarsOf(const music::Score& score) {
  double last_s = 0;
  for (const music::Note& note : score.notes) last_s = std::max(last_s, note.offset_s);
  const double end = score.tempo_map.BeatsAt(last_s);
  std::vector<Bar> bars;
  if (!score.bars.empty()) {
    for (const music::PlayedBar& bar : score.bars) {
      if (bar.beat < end) bars.push_back({bar.beat, bar.beat + bar.length});
    }
    return bars;
  }
  for (int number = score.tempo_map.BarAt(0).bar;; ++number) {
    const double start = score.tempo_map.BeatsAtBar({number, 1.0});
    if (start >= end) return bars;
    if (bars.size() >= kMaxGridBeats) return TooMany();
    if (!bars.empty()) bars.back().end = start;
    bars.push_back({start, score.tempo_map.BeatsAtBar({number + 1, 1.0})});
  }
}

}  // namespace

absl::StatusOr<std::vector<GridBeat>> BeatGrid(const music::Score& score) {
  ASSIGN_OR_RETURN(const std::vector<Bar> bars, BarsOf(score));
  double beats = 0;
  for (const Bar& bar : bars) beats += bar.end - bar.start + 1;
  if (!(beats < kMaxGridBeats)) return TooMany();
  std::vector<GridBeat> grid;
  for (const Bar& bar : bars) {
    for (double beat = bar.start; beat < bar.end - kSame; beat += 1) {
      const double quarters = std::min(1.0, bar.end - beat);
      const double at_s = score.tempo_map.SecondsAt(beat);
      if (grid.empty() || at_s > grid.back().at_s)
        grid.push_back({at_s, quarters, beat == bar.start});
    }
  }
  return grid;
}

}  // namespace antiphon::alignment
