#include "core/streaming/played_span.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/matching/tempo.h"

namespace antiphon::streaming {
namespace {

// Seconds of the query that the first window may lie off the line: the tolerance of a vote in time.
constexpr double kOnLine_s = 0.6;
// … and the next off its neighbour's, besides what a tempo that gives and takes by a fifth moves it
// in the time between.
constexpr double kStep_s = 0.4;
constexpr double kDrift = 0.2;
constexpr double kMostSilence_s = 4.0;  // without a window
constexpr double kSlopeFactor = 1.25;   // between hypotheses that support one another, as in voting
constexpr float kMemberSimilarity = 0.6f;  // of the best, as in hits
constexpr double kMargin = 0.25;           // of a window, at either end
constexpr double kMinFit_s = 4.0;          // for a slope of its own, as in voting

double QueryMiddle(const matching::Evidence& e) { return e.match.query.middle_s(); }
double ReferenceMiddle(const matching::Evidence& e) { return e.match.reference.middle_s(); }

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
    if (e.match.slope > slope * kSlopeFactor || e.match.slope < slope / kSlopeFactor) continue;
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
  const auto farther = [&](size_t i) {
    return std::abs(QueryMiddle(*windows[i]) - line.through.query_s);
  };
  for (size_t i = 0; i < windows.size(); ++i) {
    // A line is sure of its slope for a while only.
    const double tolerance_s = kOnLine_s + kDrift / 2 * farther(i);
    if (Distance(*windows[i], line) > tolerance_s) continue;
    if (!anchor || farther(i) < farther(*anchor)) anchor = i;
  }
  return anchor;
}

// Follows the line from the anchor in one direction; appends the windows on it, one for each place
// of the query. The line runs through the window found last and not through the anchor: it follows
// a tempo that drifts.
template <typename Iterator>
void Follow(Iterator begin, Iterator end, double slope,
            std::vector<const matching::Evidence*>& chain) {
  while (begin != end) {
    const ScoreLine here{chain.back()->match.middle(), slope};
    const double query_s = QueryMiddle(**begin);
    const double apart_s = std::abs(query_s - here.through.query_s);
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

matching::Span WithoutMargins(const matching::Span& first, const matching::Span& last) {
  return {first.start_s + kMargin * first.length_s(), last.end_s - kMargin * last.length_s()};
}

// A chain's extent, and its slope from its ends where it is long enough to tell.
PlayedSpan Extent(const std::vector<const matching::Evidence*>& chain, double slope) {
  const auto before = [](const matching::Evidence* a, const matching::Evidence* b) {
    return QueryMiddle(*a) < QueryMiddle(*b);
  };
  const matching::Evidence& first = **std::min_element(chain.begin(), chain.end(), before);
  const matching::Evidence& last = **std::max_element(chain.begin(), chain.end(), before);
  PlayedSpan heard;
  heard.windows = static_cast<int>(chain.size());
  heard.match.slope = slope;
  const double span_s = QueryMiddle(last) - QueryMiddle(first);
  if (span_s >= kMinFit_s) {
    const double fitted = (ReferenceMiddle(last) - ReferenceMiddle(first)) / span_s;
    if (matching::IsPlausibleTempo(fitted, slope)) heard.match.slope = fitted;
  }
  heard.reach = {first.match.query.start_s, last.match.query.end_s};
  heard.match.query = WithoutMargins(first.match.query, last.match.query);
  heard.match.reference = WithoutMargins(first.match.reference, last.match.reference);
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
  const matching::Match& match = candidate.match;
  if (!candidate.evidence.empty())
    return PlayedAlong(candidate.evidence, {candidate.place, match.slope});
  if (!(match.query.end_s > match.query.start_s)) return std::nullopt;
  return PlayedSpan{match, candidate.votes, match.query};
}

bool CarriesOn(const PlayedSpan& earlier, const PlayedSpan& later) {
  const double apart_s = std::abs(later.match.query.end_s - earlier.match.query.end_s);
  const double off_s =
      std::abs(later.match.reference.end_s - earlier.line().At(later.match.query.end_s)) /
      earlier.match.slope;
  return off_s <= 1.0 + 0.25 * apart_s;
}

}  // namespace antiphon::streaming
