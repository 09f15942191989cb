// From slopes to tempi, and whether a tempo found by a fit can be believed. Pure functions; safe
// from any thread.
#ifndef ANTIPHON_CORE_MATCHING_TEMPO_H_
#define ANTIPHON_CORE_MATCHING_TEMPO_H_

#include "core/catalog/catalog.h"

namespace antiphon::matching {

// The tempo of the audio over the tempo written, for a match with a source of `side`. A second of
// the query takes `slope` seconds of a score; against recordings it is the query that is written.
inline double TempoRatio(catalog::Side side, double slope) {
  return side == catalog::Side::kRecordings ? 1 / slope : slope;
}

// A path that mostly waits or hurries tells no tempo: `fitted` must lie within a factor of 1.5 of
// `nominal`, the tempo at which the windows were read. Both are slopes, > 0.
inline bool IsPlausibleTempo(double fitted, double nominal) {
  constexpr double kMostChange = 1.5;
  return fitted > nominal / kMostChange && fitted < nominal * kMostChange;
}

// Whether two of the tempi that a score is indexed at are the same, or next to one another: those
// lie 1.41 apart, or nearer. What is played between two of them is like the one now and like the
// other then.
inline bool AreNeighbours(double one, double other) {
  constexpr double kFactor = 1.5;
  return one < other * kFactor && other < one * kFactor;
}

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_TEMPO_H_
