#include "trainer/evaluation/alignment/placement_errors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace antiphon::trainer::evaluation {
namespace {

using alignment::Performance;
using alignment::PlayedBeat;
using alignment::PlayedPassage;
using music::TimePoint;

constexpr double kNever = std::numeric_limits<double>::infinity();
// A passage also has what is so near its ends, seconds of the score.
constexpr double kAtEnds_s = 0.02;

// A place before the first passage or after the last is along their lines.
bool Has(const Performance& performance, size_t passage, double score_s) {
  const PlayedPassage& at = performance.passages[passage];
  const bool first = passage == 0, last = passage + 1 == performance.passages.size();
  return (score_s >= at.score_start_s - kAtEnds_s || (first && last)) &&
         (score_s <= at.score_end_s + kAtEnds_s || (first && last));
}

double DoubtAt(const Performance& performance, size_t passage, double score_s) {
  double doubt = 1;
  for (const PlayedBeat& beat : performance.beats) {
    if (beat.passage == static_cast<int>(passage) && beat.score_s <= score_s + kAtEnds_s)
      doubt = beat.doubt;
  }
  return doubt;
}

// The true second at which a place in the score is played that is said to be played at `near_s`:
// along the stretch of the truth that passes nearest by.
double TrueSecond(const std::vector<TimePoint>& truth, size_t index, double score_s) {
  // Beats ascend in the score but at jumps: go from the point itself to where the place is passed.
  size_t i = index;
  while (i + 1 < truth.size() && truth[i + 1].to_s > truth[i].to_s && truth[i + 1].to_s <= score_s)
    ++i;
  while (i > 0 && truth[i - 1].to_s < truth[i].to_s && truth[i].to_s > score_s) --i;
  const size_t next = i + 1 < truth.size() ? i + 1 : i;
  const size_t from = next > i ? i : i - (i > 0);
  const size_t to = next > i ? next : i;
  const double width_s = truth[to].to_s - truth[from].to_s;
  if (!(width_s > 0)) return truth[i].from_s;
  const double share = (score_s - truth[from].to_s) / width_s;
  return truth[from].from_s + share * (truth[to].from_s - truth[from].from_s);
}

}  // namespace

PlacementErrors MeasurePlaces(const std::vector<TimePoint>& truth, const Performance& performance) {
  PlacementErrors errors;
  for (size_t i = 0; i < truth.size(); ++i) {
    double nearest_s = kNever;
    double doubt = 1;
    size_t sounding = performance.passages.size();
    for (size_t passage = 0; passage < performance.passages.size(); ++passage) {
      const PlayedPassage& at = performance.passages[passage];
      if (passage == 0 || at.start_s <= truth[i].from_s) sounding = passage;
      if (!Has(performance, passage, truth[i].to_s)) continue;
      const double error_s = std::abs(at.map.From(truth[i].to_s) - truth[i].from_s);
      if (error_s >= nearest_s) continue;
      nearest_s = error_s;
      doubt = DoubtAt(performance, passage, truth[i].to_s);
    }
    errors.in_recording_s.push_back(nearest_s);
    errors.doubts.push_back(doubt);
    if (sounding == performance.passages.size()) {
      errors.in_score_s.push_back(kNever);
      continue;
    }
    const double score_s = performance.passages[sounding].map.To(truth[i].from_s);
    errors.in_score_s.push_back(std::abs(TrueSecond(truth, i, score_s) - truth[i].from_s));
  }
  return errors;
}

Performance PerformanceAlong(const music::TimeMap& map) {
  PlayedPassage passage;
  passage.map = map;
  passage.start_s = map.points().front().from_s;
  passage.end_s = map.points().back().from_s;
  passage.score_start_s = map.points().front().to_s;
  passage.score_end_s = map.points().back().to_s;
  Performance performance;
  performance.agreement = 1;
  performance.passages.push_back(std::move(passage));
  return performance;
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
