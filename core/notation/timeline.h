// The bars of a written score in the order of playing, and where they lie in time.
//
// Internal to core/notation. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_NOTATION_TIMELINE_H_
#define ANTIPHON_CORE_NOTATION_TIMELINE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "core/music/score.h"
#include "core/music/tempo_map.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

struct Timeline {
  std::vector<int> order;     // of written bars
  std::vector<Ticks> starts;  // played, by place in `order`
  // Written, by place in `order`: where what is played without a jump from there on ends.
  std::vector<Ticks> run_ends;
  Ticks end = 0;  // played
  music::TempoMap tempo_map;
  std::vector<music::PlayedBar> bars;  // by place in `order`
};

double QuartersOf(Ticks ticks);

// Requires what written_score.h promises, and indices of its bars in `order`. `default_tempo`, in
// quarter notes per minute, holds until the score states one. Fails with ResourceExhausted: the
// music is longer than the limits allow, or changes its tempo or key more than max_notes times.
[[nodiscard]] absl::StatusOr<Timeline> MakeTimeline(const WrittenScore& score,
                                                    std::vector<int> order, double default_tempo,
                                                    const NotationLimits& limits);

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_NOTATION_TIMELINE_H_
