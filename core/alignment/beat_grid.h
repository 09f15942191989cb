// The beats and bar lines of a score in seconds, as it is written out. Pure functions; safe from
// any thread.
#ifndef ANTIPHON_CORE_ALIGNMENT_BEAT_GRID_H_
#define ANTIPHON_CORE_ALIGNMENT_BEAT_GRID_H_

#include <vector>

#include "absl/status/statusor.h"
#include "core/music/score.h"

namespace antiphon::alignment {

// More beats than that no music has that anybody plays in the longest recording that is aligned.
inline constexpr int kMaxGridBeats = 400'000;

struct GridBeat {
  double at_s = 0;      // seconds of the score
  double quarters = 0;  // up to the next one, > 0
  bool starts_bar = false;
};

// Ascending, from the first bar to the end of the last note: the start of every bar, and every
// quarter note from there to the next. ResourceExhausted: more than kMaxGridBeats.
[[nodiscard]] absl::StatusOr<std::vector<GridBeat>> BeatGrid(const music::Score& score);

}  // namespace antiphon::alignment

#endif  // ANTIPHON_CORE_ALIGNMENT_BEAT_GRID_H_
