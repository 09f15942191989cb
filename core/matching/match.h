// Where a query lies in a source: one value for it on the whole way from a window's neighbour to
// the answer. Plain values; safe from any thread.
//
// Times of the query are seconds of the whole query, times of the source (`reference`) seconds of
// the source, at the tempo written for a score.
//
// Two numbers say how fast, and each has its own word. A slope is geometry: seconds of the source
// per second of the query, whichever of the two is the score. A tempo ratio is music: the tempo of
// the audio over the tempo written. A match has a slope only; tempo.h makes the ratio of it.
#ifndef ANTIPHON_CORE_MATCHING_MATCH_H_
#define ANTIPHON_CORE_MATCHING_MATCH_H_

namespace antiphon::matching {

struct Span {
  double start_s = 0;
  double end_s = 0;

  double length_s() const { return end_s - start_s; }
  double middle_s() const { return (start_s + end_s) / 2; }
};

// A moment of the query, and the moment of the source that goes with it.
struct Place {
  double query_s = 0;
  double reference_s = 0;
};

// A stretch of the query and the stretch of a source that it matches.
struct Match {
  Span query = {};
  Span reference = {};
  double slope = 1.0;  // seconds of the source per second of the query, > 0

  Place middle() const { return {query.middle_s(), reference.middle_s()}; }
};

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_MATCH_H_
