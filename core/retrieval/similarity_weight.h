// What a window's similarity weighs on a path: 0 at the floor, 1 at similarity 1, as in VoteInTime.
// Internal to core/retrieval. Pure functions; safe from any thread.
#ifndef ANTIPHON_CORE_RETRIEVAL_SIMILARITY_WEIGHT_H_
#define ANTIPHON_CORE_RETRIEVAL_SIMILARITY_WEIGHT_H_

#include <algorithm>

namespace antiphon::retrieval {

constexpr float kSimilarityFloor = 0.3f;  // counts nothing

inline float WeightOf(float similarity) {
  return std::max(0.0f, (similarity - kSimilarityFloor) / (1 - kSimilarityFloor));
}

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_SIMILARITY_WEIGHT_H_
