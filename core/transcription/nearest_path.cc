#include "core/transcription/nearest_path.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/matching/tempo.h"

namespace antiphon::transcription {
namespace {

constexpr int kMostSkipped = 3;  // windows of a run that may be missing side by side, plus 1

bool CarriesOn(const NearWindow& from, const NearWindow& to, double tolerance_s) {
  if (from.source != to.source || from.part != to.part) return false;
  if (!matching::AreNeighbours(to.slope, from.slope)) return false;
  const double slope = std::sqrt(to.slope * from.slope);
  const double expected_s =
      from.middle.reference_s + slope * (to.middle.query_s - from.middle.query_s);
  return to.middle.reference_s > from.middle.reference_s &&
         std::abs(to.middle.reference_s - expected_s) <= tolerance_s * slope;
}

// The best way that ends with a window: its worth, and the window before.
struct Step {
  double worth = 0;
  int from_place = -1, from_window = -1;
  bool carries_on = false;
};

class Grid {
 public:
  Grid(const std::vector<NearWindows>& windows, const PathOptions& options)
      : windows_(windows), options_(options), steps_(windows.size()), best_(windows.size()) {
    for (int place = 0; place < static_cast<int>(windows.size()); ++place) Fill(place);
  }

  std::vector<PathRun> Trace() const {
    std::vector<PathRun> runs;
    if (best_.empty()) return runs;
    Ending at = best_.back();
    bool carries_on = false;
    while (at.place >= 0) {
      const Step& step = steps_[at.place][at.window];
      if (!carries_on) runs.emplace_back();
      runs.back().push_back(windows_[at.place][at.window]);
      carries_on = step.carries_on;
      at = {0, step.from_place, step.from_window};
    }
    for (PathRun& run : runs) std::reverse(run.begin(), run.end());
    std::reverse(runs.begin(), runs.end());
    return runs;
  }

 private:
  // The best way among those that end at a place or before.
  struct Ending {
    double worth = 0;
    int place = -1, window = -1;
  };

  void Fill(int place) {
    const Ending before = place > 0 ? best_[place - 1] : Ending();
    best_[place] = before;
    for (int window = 0; window < static_cast<int>(windows_[place].size()); ++window) {
      const NearWindow& here = windows_[place][window];
      Step step = {before.worth - options_.change_cost, before.place, before.window, false};
      for (int from = place - 1; from >= std::max(0, place - kMostSkipped); --from)
        CarryOn(from, here, step);
      step.worth += here.similarity - options_.min_similarity;
      steps_[place].push_back(step);
      if (step.worth > best_[place].worth) best_[place] = {step.worth, place, window};
    }
  }

  void CarryOn(int from, const NearWindow& here, Step& step) const {
    for (int window = 0; window < static_cast<int>(windows_[from].size()); ++window) {
      const double worth = steps_[from][window].worth;
      const bool better = worth > step.worth || (worth == step.worth && !step.carries_on);
      if (better && transcription::CarriesOn(windows_[from][window], here, options_.tolerance_s))
        step = {worth, from, window, true};
    }
  }

  const std::vector<NearWindows>& windows_;
  const PathOptions& options_;
  std::vector<std::vector<Step>> steps_;
  std::vector<Ending> best_;
};

}  // namespace

std::vector<PathRun> BestRuns(const std::vector<NearWindows>& windows, const PathOptions& options) {
  return Grid(windows, options).Trace();
}

}  // namespace antiphon::transcription
