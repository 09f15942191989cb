#include "core/streaming/played_span.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/matching/tempo.h"

namespace antiphon::streaming {
namespace {

constexpr double kOnLine_s =
    0.6;                         // seconds of the query that the first window may lie off the line
constexpr double kStep_s = 0.4;  // … and the next off its neighbour's,
constexpr double kDrift = 0.2;   // … and so much more for each second between them
constexpr double kMostSilence_s = 4.0;  // without a window
constexpr double kSlopeFactor = 1.25;   // between hypotheses that support one another, as in voting
constexpr float kMemberSimilarity = 0.6f;  // of the best
constexpr double kMargin = 0.25;           // of a window, at either end
constexpr double kMinFit_s = 4.0;          // for a slope of its own

double QueryMiddle(const matching::Evidence& e) { return (e.query_start_s + e.query_end_s) / 2; }
double ReferenceMiddle(const matching::Evidence& e) {
  return (e.reference_start_s + e.reference_end_s) / 2;
}

// Seconds of the query that the window lies off a line.
double Distance(const matching::Evidence& e, const ScoreLine& line) {
  return std::abs(ReferenceMiddle(e) - line.At(QueryMiddle(e))) / line.slope;
}

// Those that may lie on the line at all, by time.
std::vector<const matching::Evidence*> Eligible(std::span<const matching::Evidence> evidence,
                                                double slope) {
  float best = 0;
  for (const matching::Evidence& e : evidence) best = std::max(best, e.similarity);
  std::vector<const matching::Evidence*> eligible;
  for (const matching::Evidence& e : evidence) {
    if (e.similarity < kMemberSimilarity * best) continue;
    if (e.tempo_ratio > slope * kSlopeFactor || e.tempo_ratio < slope / kSlopeFactor) continue;
    eligible.push_back(&e);
  }
  std::stable_sort(eligible.begin(), eligible.end(),
                   [](const matching::Evidence* a, const matching::Evidence* b) {
                     return QueryMiddle(*a) < QueryMiddle(*b);
                   });
  return eligible;
}

// The window on the line that lies nearest in time to the place that is known.
std::optional<size_t> Anchor(const std::vector<const matching::Evidence*>& windows,
                             const ScoreLine& line) {
  std::optional<size_t> anchor;
  const auto farther = [&](size_t i) { return std::abs(QueryMiddle(*windows[i]) - line.query_s); };
  for (size_t i = 0; i < windows.size(); ++i) {
    // A line is sure of its slope for a while only.
    const double tolerance_s = kOnLine_s + kDrift / 2 * farther(i);
    if (Distance(*windows[i], line) > tolerance_s) continue;
    if (!anchor || farther(i) < farther(*anchor)) anchor = i;
  }
  return anchor;
}

// Follows the line from the anchor in one direction; appends the windows on it, one for each place
// of the query.
template <typename Iterator>
void Follow(Iterator begin, Iterator end, double slope,
            std::vector<const matching::Evidence*>& chain) {
  while (begin != end) {
    const ScoreLine here{QueryMiddle(*chain.back()), ReferenceMiddle(*chain.back()), slope};
    const double query_s = QueryMiddle(**begin);
    const double apart_s = std::abs(query_s - here.query_s);
    if (apart_s > kMostSilence_s) return;
    const matching::Evidence* nearest = nullptr;
    for (; begin != end && std::abs(QueryMiddle(**begin) - query_s) < 1e-6; ++begin) {
      if (nearest == nullptr || Distance(**begin, here) < Distance(*nearest, here))
        nearest = *begin;
    }
    if (apart_s > 1e-6 && Distance(*nearest, here) <= kStep_s + kDrift * apart_s)
      chain.push_back(nearest);
  }
}

PlayedSpan Extent(const std::vector<const matching::Evidence*>& chain, double slope) {
  const auto before = [](const matching::Evidence* a, const matching::Evidence* b) {
    return QueryMiddle(*a) < QueryMiddle(*b);
  };
  const matching::Evidence& first = **std::min_element(chain.begin(), chain.end(), before);
  const matching::Evidence& last = **std::max_element(chain.begin(), chain.end(), before);
  PlayedSpan heard;
  heard.windows = static_cast<int>(chain.size());
  heard.slope = slope;
  const double span_s = QueryMiddle(last) - QueryMiddle(first);
  if (span_s >= kMinFit_s) {
    const double fitted = (ReferenceMiddle(last) - ReferenceMiddle(first)) / span_s;
    if (matching::IsPlausibleTempo(fitted, slope)) heard.slope = fitted;
  }
  heard.first_s = first.query_start_s;
  heard.last_s = last.query_end_s;
  heard.start_s = first.query_start_s + kMargin * (first.query_end_s - first.query_start_s);
  heard.end_s = last.query_end_s - kMargin * (last.query_end_s - last.query_start_s);
  heard.reference_start_s =
      first.reference_start_s + kMargin * (first.reference_end_s - first.reference_start_s);
  heard.reference_end_s =
      last.reference_end_s - kMargin * (last.reference_end_s - last.reference_start_s);
  return heard;
}

}  // namespace

std::optional<PlayedSpan> PlayedAlong(std::span<const matching::Evidence> evidence,
                                      const ScoreLine& line) {
  const std::vector<const matching::Evidence*> windows = Eligible(evidence, line.slope);
  const std::optional<size_t> anchor = Anchor(windows, line);
  if (!anchor) return std::nullopt;
  std::vector<const matching::Evidence*> chain = {windows[*anchor]};
  Follow(windows.begin() + static_cast<ptrdiff_t>(*anchor) + 1, windows.end(), line.slope, chain);
  std::vector<const matching::Evidence*> backwards = {windows[*anchor]};
  Follow(std::make_reverse_iterator(windows.begin() + static_cast<ptrdiff_t>(*anchor)),
         windows.rend(), line.slope, backwards);
  chain.insert(chain.end(), backwards.begin() + 1, backwards.end());
  return Extent(chain, line.slope);
}

std::optional<PlayedSpan> PlayedSpanOf(const matching::Candidate& candidate) {
  if (!candidate.evidence.empty()) {
    return PlayedAlong(candidate.evidence,
                       {candidate.query_s, candidate.reference_s, candidate.tempo_ratio});
  }
  if (!(candidate.query_end_s > candidate.query_start_s)) return std::nullopt;
  return PlayedSpan{candidate.query_start_s,   candidate.query_end_s, candidate.reference_start_s,
                    candidate.reference_end_s, candidate.tempo_ratio, candidate.votes,
                    candidate.query_start_s,   candidate.query_end_s};
}

bool CarriesOn(const PlayedSpan& earlier, const PlayedSpan& later) {
  const double apart_s = std::abs(later.end_s - earlier.end_s);
  const double off_s =
      std::abs(later.reference_end_s - earlier.line().At(later.end_s)) / earlier.slope;
  return off_s <= 1.0 + 0.25 * apart_s;
}

}  // namespace antiphon::streaming
