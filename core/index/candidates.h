// Neighbours on the way to an answer. Internal to core/index; pure functions.
#ifndef ANTIPHON_CORE_INDEX_CANDIDATES_H_
#define ANTIPHON_CORE_INDEX_CANDIDATES_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace antiphon::index {

template <typename Similarity>
struct CandidateBy {
  Similarity similarity = 0;
  int64_t id = 0;
};
using Candidate = CandidateBy<float>;

// The order of every answer: by falling similarity, equal ones by rising id.
inline constexpr auto kBetter = [](const auto& a, const auto& b) {
  return a.similarity > b.similarity || (a.similarity == b.similarity && a.id < b.id);
};

// Writes the k best, in order; where there are fewer, the rest is -1 and -inf. Reorders them.
inline void WriteBest(std::vector<Candidate>& candidates, int k, int64_t* ids,
                      float* similarities) {
  const size_t kept = std::min<size_t>(k, candidates.size());
  std::partial_sort(candidates.begin(), candidates.begin() + kept, candidates.end(), kBetter);
  for (size_t i = 0; i < kept; ++i) {
    ids[i] = candidates[i].id;
    similarities[i] = candidates[i].similarity;
  }
  std::fill(ids + kept, ids + k, -1);
  std::fill(similarities + kept, similarities + k, -std::numeric_limits<float>::infinity());
}

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_CANDIDATES_H_
