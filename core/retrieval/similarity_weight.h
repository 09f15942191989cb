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

// Between two windows of a run similarities are interpolated. `row` holds those of one window of
// the query to all `columns` of the run.
inline float SimilarityAt(const float* row, int columns, double column) {
  const int left = std::min(static_cast<int>(column), columns - 1),
            right = std::min(left + 1, columns - 1);
  const auto part = static_cast<float>(column - left);
  return row[left] * (1 - part) + row[right] * part;
}

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_SIMILARITY_WEIGHT_H_
