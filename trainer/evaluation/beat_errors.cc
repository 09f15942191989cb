#include "trainer/evaluation/beat_errors.h"

#include <algorithm>
#include <cmath>

namespace antiphon::trainer::evaluation {

BeatErrors MeasureBeats(const datasets::BeatMap& beats, const music::TimeMap& map) {
  const std::vector<music::TimePoint>& points = beats.points();
  BeatErrors errors;
  for (const music::TimePoint& beat : points) {
    errors.in_performance_s.push_back(std::abs(map.From(beat.to_s) - beat.from_s));
    // Beyond the first and the last beat no annotation says how fast it goes: as between all.
    const double score_s = map.To(beat.from_s);
    const double clamped_s = std::clamp(score_s, points.front().to_s, points.back().to_s);
    const double pace =
        (points.back().from_s - points.front().from_s) / (points.back().to_s - points.front().to_s);
    errors.in_score_s.push_back(
        std::abs(*beats.PerformanceAt(clamped_s) + (score_s - clamped_s) * pace - beat.from_s));
  }
  return errors;
}

ErrorShares SharesOf(std::vector<double> errors_s) {
  ErrorShares shares;
  shares.count = errors_s.size();
  if (errors_s.empty()) return shares;
  std::sort(errors_s.begin(), errors_s.end());
  const auto within = [&](double limit_s) {
    return static_cast<double>(std::upper_bound(errors_s.begin(), errors_s.end(), limit_s) -
                               errors_s.begin()) /
           static_cast<double>(errors_s.size());
  };
  shares.within_50_ms = within(0.05);
  shares.within_100_ms = within(0.1);
  shares.within_250_ms = within(0.25);
  shares.within_500_ms = within(0.5);
  shares.median_s = errors_s[(errors_s.size() - 1) / 2];
  return shares;
}

}  // namespace antiphon::trainer::evaluation
