// How far an alignment is from the true places of beats or notes. Pure functions; safe from any
// thread.
#ifndef ANTIPHON_TRAINER_EVALUATION_ALIGNMENT_PLACEMENT_ERRORS_H_
#define ANTIPHON_TRAINER_EVALUATION_ALIGNMENT_PLACEMENT_ERRORS_H_

#include <cstddef>
#include <vector>

#include "core/alignment/performance.h"
#include "core/music/time_map.h"

namespace antiphon::trainer::evaluation {

// For each true place, in seconds of the recording, whose clock is what one hears: a score's
// nominal seconds may be any number of those. Infinite where the alignment has no such place.
struct PlacementErrors {
  // From the place in the score to the recording: where the score is played more than once, the
  // nearest.
  std::vector<double> in_recording_s;
  // From the recording to the score, brought back by what is true.
  std::vector<double> in_score_s;
  std::vector<double> doubts;  // of the last beat up to there; 1 where there is none
};

// `truth`: seconds of the recording, seconds of the score; ascending in the recording.
PlacementErrors MeasurePlaces(const std::vector<music::TimePoint>& truth,
                              const alignment::Performance& performance);

// A performance of one passage without beats or notes.
alignment::Performance PerformanceAlong(const music::TimeMap& map);

struct ErrorShares {
  double within_50_ms = 0, within_100_ms = 0, within_250_ms = 0, within_500_ms = 0;  // shares
  double median_s = 0;  // the lower of the middle two
  size_t count = 0;
};

// All 0 of nothing.
ErrorShares SharesOf(std::vector<double> errors_s);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_ALIGNMENT_PLACEMENT_ERRORS_H_
