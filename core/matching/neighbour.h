// A window of a query and a window of the collection that lies near it. Plain values.
#ifndef ANTIPHON_CORE_MATCHING_NEIGHBOUR_H_
#define ANTIPHON_CORE_MATCHING_NEIGHBOUR_H_

#include "core/catalog/catalog.h"
#include "core/matching/match.h"

namespace antiphon::matching {

// A window of the query and one of its nearest neighbours. Windows may reach beyond the ends of
// query and source.
struct Neighbour {
  int window = 0;  // place in the query
  int source = 0;
  Match match = {};            // its slope is that of the tempi at which the two windows were read
  float similarity = 0;        // cosine
  int part = catalog::kWhole;  // of the source that alone was read
};

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_NEIGHBOUR_H_
