// Which passages of a score a recording plays, and roughly when: the coarse half of
// AlignPerformance (performance.h). Pure functions; safe from any thread. Internal to
// core/alignment.
#ifndef ANTIPHON_CORE_ALIGNMENT_PASSAGE_SEARCH_H_
#define ANTIPHON_CORE_ALIGNMENT_PASSAGE_SEARCH_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/alignment/beat_grid.h"
#include "core/alignment/performance.h"
#include "core/features/feature_sequence.h"
#include "core/features/settings.h"
#include "core/music/score.h"
#include "core/music/time_map.h"

namespace antiphon::alignment {

// Ends at a beat of the grid, or where the part of the score does.
struct ScoreSpan {
  Entry entry = Entry::kBegins;
  double start_s = 0, end_s = 0;  // of the score
  // Of the score as it is played, all passages one after the other: where this one begins, in
  // seconds of sound at the mean tempo.
  double played_start_s = 0;
};

struct PassageSearch {
  double slope = 1;  // seconds of sound per second of the score, roughly
  std::vector<ScoreSpan> spans;
  // From the score as it is played to the recording.
  music::TimeMap time;
  double sound_start_s = 0, sound_end_s = 0;  // of the recording: silence left out
  // Whether the first span begins somewhere in the score, not at its beginning; the same of its
  // end.
  bool open_start = false, open_end = false;
  double cost = 0;  // of the path, for each frame of it: 0 is perfect, 1 without likeness
};

// The score is laid out at the mean tempo of a path that is looked for again once that is known.
// `notes` are the part of the score, sorted by onset, with at least two onsets. Without `jumps` one
// span is found; its ends are as free as `options` lets them be. Fails as
// AlignPerformance; NotFound: all of the recording is at one place of the score.
[[nodiscard]] absl::StatusOr<PassageSearch> FindPassages(
    const features::FeatureSequence& spectrogram, const features::FeatureSettings& settings,
    int loudest, std::span<const music::Note> notes, const std::vector<GridBeat>& grid, bool jumps,
    const PerformanceOptions& options);

}  // namespace antiphon::alignment

#endif  // ANTIPHON_CORE_ALIGNMENT_PASSAGE_SEARCH_H_
