// Which windows of a query spoke for an answer, and for which places. Pure functions; safe from any
// thread. Internal to core/matching and core/retrieval.
#ifndef ANTIPHON_CORE_MATCHING_EVIDENCE_H_
#define ANTIPHON_CORE_MATCHING_EVIDENCE_H_

#include <cstddef>
#include <vector>

#include "core/matching/answer.h"
#include "core/matching/neighbour.h"

namespace antiphon::matching {

inline constexpr size_t kMostEvidence = 1000;  // of one answer

inline Evidence EvidenceOf(const Neighbour& neighbour) {
  return {neighbour.match, neighbour.similarity};
}

// Keeps the most similar, at most kMostEvidence, and puts them in the order of the query, each
// window's most similar first. The order before does not matter.
void TidyEvidence(std::vector<Evidence>& evidence);

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_EVIDENCE_H_
