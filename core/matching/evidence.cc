#include "core/matching/evidence.h"

#include <algorithm>
#include <tuple>

namespace antiphon::matching {
namespace {

bool MoreSimilar(const Evidence& a, const Evidence& b) {
  return std::tie(b.similarity, a.match.query.start_s, a.match.reference.start_s, a.match.slope) <
         std::tie(a.similarity, b.match.query.start_s, b.match.reference.start_s, b.match.slope);
}

bool Earlier(const Evidence& a, const Evidence& b) {
  if (a.match.query.start_s != b.match.query.start_s)
    return a.match.query.start_s < b.match.query.start_s;
  return MoreSimilar(a, b);
}

}  // namespace

void TidyEvidence(std::vector<Evidence>& evidence) {
  if (evidence.size() > kMostEvidence) {
    std::nth_element(evidence.begin(), evidence.begin() + kMostEvidence, evidence.end(),
                     MoreSimilar);
    evidence.resize(kMostEvidence);
  }
  std::sort(evidence.begin(), evidence.end(), Earlier);
}

}  // namespace antiphon::matching
