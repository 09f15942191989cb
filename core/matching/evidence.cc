#include "core/matching/evidence.h"

#include <algorithm>
#include <tuple>

namespace antiphon::matching {
namespace {

bool MoreSimilar(const Evidence& a, const Evidence& b) {
  return std::tie(b.similarity, a.query_start_s, a.reference_start_s, a.tempo_ratio) <
         std::tie(a.similarity, b.query_start_s, b.reference_start_s, b.tempo_ratio);
}

bool Earlier(const Evidence& a, const Evidence& b) {
  return a.query_start_s != b.query_start_s ? a.query_start_s < b.query_start_s : MoreSimilar(a, b);
}

}  // namespace

Evidence EvidenceOf(const Neighbour& neighbour) {
  return {neighbour.query_start_s,   neighbour.query_end_s, neighbour.reference_start_s,
          neighbour.reference_end_s, neighbour.slope(),     neighbour.similarity};
}

void TidyEvidence(std::vector<Evidence>& evidence) {
  if (evidence.size() > kMostEvidence) {
    std::nth_element(evidence.begin(), evidence.begin() + kMostEvidence, evidence.end(),
                     MoreSimilar);
    evidence.resize(kMostEvidence);
  }
  std::sort(evidence.begin(), evidence.end(), Earlier);
}

}  // namespace antiphon::matching
