// Where in a query a piece was heard, from the windows that voted for it: from when to when, and
// which places of the score. Pure functions; safe from any thread. Internal to core/streaming.
#ifndef ANTIPHON_CORE_STREAMING_PLAYED_SPAN_H_
#define ANTIPHON_CORE_STREAMING_PLAYED_SPAN_H_

#include <optional>
#include <span>

#include "core/matching/answer.h"

namespace antiphon::streaming {

// A line of score time against query time.
struct ScoreLine {
  matching::Place through = {};
  double slope = 1.0;  // seconds of the score per second of the query, > 0

  double At(double s) const { return through.reference_s + slope * (s - through.query_s); }
};

struct PlayedSpan {
  // Its slope is that over the whole, or as the windows were read where that is too short to tell.
  matching::Match match = {};
  int windows = 0;            // of the query, that lie along the line …
  matching::Span reach = {};  // … from the start of the first one to the end of the last

  ScoreLine line() const { return {{match.query.end_s, match.reference.end_s}, match.slope}; }
};

// The windows that carry on from the line, one after the other in both directions, until there is
// none for 4 s. Tempo may give and take by a fifth. The first and the last count with their length
// less a quarter at the outer end, since a window that the piece fills to three quarters is found
// as often as not. Nothing without a window on the line itself.
std::optional<PlayedSpan> PlayedAlong(std::span<const matching::Evidence> evidence,
                                      const ScoreLine& line);

// Along the candidate's own place. Without evidence, as the candidate says.
std::optional<PlayedSpan> PlayedSpanOf(const matching::Candidate& candidate);

// Whether `later` can be what `earlier` becomes: their ends lie on one line, give or take a second
// and a quarter of the time between.
bool CarriesOn(const PlayedSpan& earlier, const PlayedSpan& later);

}  // namespace antiphon::streaming

#endif  // ANTIPHON_CORE_STREAMING_PLAYED_SPAN_H_
