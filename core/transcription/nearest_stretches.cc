#include "core/transcription/nearest_stretches.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "core/base/status_macros.h"
#include "core/transcription/note_laying.h"

namespace antiphon::transcription {
namespace {

constexpr double kHop_s = 0.5;     // between windows of the sound
constexpr double kAtOnce_s = 8;    // of sound that is searched for at once …
constexpr int kHits = 60;          // … and stretches of scores that are taken into account
constexpr size_t kPerWindow = 40;  // most windows of scores that are kept of one of the sound

// The windows near to those that begin within `asked`, which becomes shorter than the search: its
// last windows reach further.
absl::Status AddWindows(const retrieval::Collection& collection, const audio::Waveform& sound,
                        const matching::Span& asked, double until_s,
                        const matching::SearchFilter& filter,
                        const matching::RequestContext& context,
                        std::vector<NearWindows>& windows) {
  matching::SearchOptions options;
  options.top_k = kHits;
  options.hop_s = kHop_s;
  options.filter = filter;
  options.excerpt = {asked.start_s, until_s};
  options.evidence = true;
  ASSIGN_OR_RETURN(const std::vector<matching::Hit> hits,
                   collection.SearchScores(sound, options, context));
  const double window_s = collection.feature_settings().window_s();
  const auto first = windows.size();
  windows.resize(first + static_cast<size_t>(std::ceil(asked.length_s() / kHop_s - 1e-6)));
  for (const matching::Hit& hit : hits) {
    for (const matching::Evidence& evidence : hit.evidence) {
      // Windows that reach beyond an end of the sound or the score have been cut on both sides.
      const double place = (evidence.match.query.start_s - asked.start_s) / kHop_s;
      const auto index = std::llround(place);
      if (index < 0 || first + index >= windows.size()) continue;
      if (evidence.match.query.length_s() < window_s / 2) continue;
      windows[first + index].push_back({.source = hit.source,
                                        .part = hit.part,
                                        .middle = evidence.match.middle(),
                                        .slope = evidence.match.slope,
                                        .similarity = evidence.similarity});
    }
  }
  for (size_t i = first; i < windows.size(); ++i) {
    std::sort(windows[i].begin(), windows[i].end(),
              [](const NearWindow& a, const NearWindow& b) { return a.similarity > b.similarity; });
    if (windows[i].size() > kPerWindow) windows[i].resize(kPerWindow);
  }
  return absl::OkStatus();
}

NearestStretch StretchOf(const PathRun& run, double window_s) {
  NearestStretch stretch{.piece = run[0].source, .part = run[0].part, .map = MapOf(run)};
  for (const NearWindow& window : run) stretch.similarity += window.similarity;
  stretch.similarity /= static_cast<double>(run.size());
  stretch.sound = {run.front().middle.query_s - window_s / 2,
                   run.back().middle.query_s + window_s / 2};
  return stretch;
}

}  // namespace

absl::StatusOr<std::vector<NearestStretch>> FindNearest(const retrieval::Collection& collection,
                                                        const audio::Waveform& sound,
                                                        const matching::Span& stretch,
                                                        const matching::SearchFilter& filter,
                                                        const PathOptions& options,
                                                        const matching::RequestContext& context) {
  const double window_s = collection.feature_settings().window_s();
  std::vector<NearWindows> windows;
  for (double start_s = stretch.start_s; start_s < stretch.end_s; start_s += kAtOnce_s) {
    const matching::Span asked = {start_s, std::min(start_s + kAtOnce_s, stretch.end_s)};
    const double until_s = std::min(asked.end_s + window_s, stretch.end_s);
    if (until_s - start_s < window_s / 2) break;
    RETURN_IF_ERROR(AddWindows(collection, sound, asked, until_s, filter, context, windows));
  }
  std::vector<NearestStretch> found;
  for (const PathRun& run : BestRuns(windows, options)) {
    NearestStretch next = StretchOf(run, window_s);
    next.sound.start_s = std::max(next.sound.start_s, stretch.start_s);
    next.sound.end_s = std::min(next.sound.end_s, stretch.end_s);
    // Where two runs overlap, each has the half that is nearer to its own windows' middles.
    if (!found.empty() && found.back().sound.end_s > next.sound.start_s) {
      const double border_s = (found.back().sound.end_s + next.sound.start_s) / 2;
      found.back().sound.end_s = next.sound.start_s = border_s;
    }
    if (next.sound.length_s() > 0) found.push_back(std::move(next));
  }
  return found;
}

}  // namespace antiphon::transcription
