// From neighbours of single windows to stretches of the query that match stretches of the
// collection. Pure functions; safe from any thread. Internal to core/matching and core/retrieval.
#ifndef ANTIPHON_CORE_MATCHING_HITS_H_
#define ANTIPHON_CORE_MATCHING_HITS_H_

#include <span>
#include <vector>

#include "core/matching/answer.h"
#include "core/matching/neighbour.h"

namespace antiphon::matching {

// The best `top_k` hits, best first. A hit is the most similar neighbour left, together with those
// that carry on its line (same source, tempo within a factor 1.25, windows that overlap, places
// that agree within 0.3 windows, at least 60 % as similar); what else overlaps both its stretch of
// the query and its stretch of the source goes with it. The order of `neighbours` does not matter.
// With `evidence`, each hit names the neighbours on its line (evidence.h).
std::vector<Hit> MergeIntoHits(std::span<const Neighbour> neighbours, int top_k,
                               bool evidence = false);

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_HITS_H_
