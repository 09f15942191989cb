#include "core/music/time_map.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace antiphon::music {
namespace {

// Follows the line around `value` on the clock `in` to the clock `out`.
double Follow(const std::vector<TimePoint>& points, double value, double TimePoint::*in,
              double TimePoint::*out) {
  const auto above =
      std::upper_bound(points.begin() + 1, points.end() - 1, value,
                       [in](double a, const TimePoint& point) { return a < point.*in; });
  const TimePoint &a = *(above - 1), &b = *above;
  return a.*out + (value - a.*in) * (b.*out - a.*out) / (b.*in - a.*in);
}

}  // namespace

absl::StatusOr<TimeMap> TimeMap::Create(std::vector<TimePoint> points) {
  if (points.size() < 2) return absl::InvalidArgumentError("a time map needs at least two points");
  for (size_t i = 0; i < points.size(); ++i) {
    const bool finite = std::isfinite(points[i].from_s) && std::isfinite(points[i].to_s);
    const bool ascends =
        i == 0 || (points[i].from_s > points[i - 1].from_s && points[i].to_s > points[i - 1].to_s);
    if (!finite || !ascends)
      return absl::InvalidArgumentError(absl::StrCat("time map: point ", i, " does not ascend"));
  }
  TimeMap map;
  map.points_ = std::move(points);
  return map;
}

double TimeMap::To(double from_s) const {
  return Follow(points_, from_s, &TimePoint::from_s, &TimePoint::to_s);
}

double TimeMap::From(double to_s) const {
  return Follow(points_, to_s, &TimePoint::to_s, &TimePoint::from_s);
}

}  // namespace antiphon::music
