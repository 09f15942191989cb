// How far a map between a performance and its score is from the annotated beats. Pure functions;
// safe from any thread.
#ifndef ANTIPHON_TRAINER_EVALUATION_BEAT_ERRORS_H_
#define ANTIPHON_TRAINER_EVALUATION_BEAT_ERRORS_H_

#include <cstddef>
#include <vector>

#include "core/music/time_map.h"
#include "trainer/datasets/asap.h"

namespace antiphon::trainer::evaluation {

// Both are for each beat, in seconds of the performance, whose clock is what one hears: a score's
// nominal seconds may be any number of those.
struct BeatErrors {
  std::vector<double>
      in_score_s;  // from the performed beat to the score, brought back by the annotations
  std::vector<double> in_performance_s;  // from the written beat to the performance
};

// `map` is from seconds of the performance to seconds of the score.
BeatErrors MeasureBeats(const datasets::BeatMap& beats, const music::TimeMap& map);

struct ErrorShares {
  double within_50_ms = 0, within_100_ms = 0, within_250_ms = 0, within_500_ms = 0;  // shares
  double median_s = 0;  // the lower of the middle two
  size_t count = 0;
};

// All 0 of nothing.
ErrorShares SharesOf(std::vector<double> errors_s);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_BEAT_ERRORS_H_
