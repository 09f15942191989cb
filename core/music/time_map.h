// A map between two clocks of the same music, say seconds of a score and seconds of its
// performance: straight lines between points. A plain value.
#ifndef ANTIPHON_CORE_MUSIC_TIME_MAP_H_
#define ANTIPHON_CORE_MUSIC_TIME_MAP_H_

#include <vector>

#include "absl/status/statusor.h"

namespace antiphon::music {

struct TimePoint {
  double from_s = 0;
  double to_s = 0;
};

class TimeMap {
 public:
  // The identity.
  TimeMap() : TimeMap(1.0) {}

  // to = slope · from. Requires slope > 0.
  explicit TimeMap(double slope) : points_{{0, 0}, {1, slope}} {}

  // InvalidArgument unless there are at least two points, all finite and both clocks strictly
  // ascending.
  [[nodiscard]] static absl::StatusOr<TimeMap> Create(std::vector<TimePoint> points);

  // Beyond the ends the outermost lines go on.
  double To(double from_s) const;
  double From(double to_s) const;

  const std::vector<TimePoint>& points() const { return points_; }

 private:
  std::vector<TimePoint> points_;
};

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_TIME_MAP_H_
