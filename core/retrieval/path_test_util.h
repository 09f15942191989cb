// The recursion of path_match.h cell by cell, with where each path began: what a test and a
// benchmark compare with. For those only. Pure functions; safe from any thread.
#ifndef ANTIPHON_CORE_RETRIEVAL_PATH_TEST_UTIL_H_
#define ANTIPHON_CORE_RETRIEVAL_PATH_TEST_UTIL_H_

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "core/retrieval/path_rows.h"

namespace antiphon::retrieval {

struct ReferencePath {
  double score = 0;
  int first_row = 0, last_row = 0;
  double first_column = 0, last_column = 0;
};

inline ReferencePath ReferencePathOf(std::span<const float> similarities, int rows, int columns,
                                     double step, int diagonal = 1) {
  constexpr float kDetourPrice = 0.1f;
  struct Cell {
    float score = 0;
    int first_row = 0, first_cell = 0;
  };
  const double spacing = step / diagonal;
  const int cells = static_cast<int>((columns - 1) / spacing) + 1;
  std::vector<Cell> before(cells), now(cells);
  ReferencePath best;
  for (int row = 0; row < rows; ++row) {
    const float* similarity = similarities.data() + static_cast<size_t>(row) * columns;
    for (int cell = 0; cell < cells; ++cell) {
      Cell next{0, row, cell};
      const auto consider = [&](const Cell& from, float price) {
        if (from.score - price > next.score)
          next = {from.score - price, from.first_row, from.first_cell};
      };
      if (row > 0 && cell >= diagonal) consider(before[cell - diagonal], 0);
      for (int behind = diagonal / 2; row > 0 && behind <= std::min(2 * diagonal, cell); ++behind) {
        const double detour = std::abs(std::log2((behind + 0.5) / (diagonal + 0.5)));
        consider(before[cell - behind],
                 kDetourPrice * (diagonal == 1 ? 1 : static_cast<float>(detour)));
      }
      const double column = cell * spacing;
      const int left = std::min(static_cast<int>(column), columns - 1);
      const int right = std::min(left + 1, columns - 1);
      const auto part = static_cast<float>(column - left);
      next.score += WeightOf(similarity[left] * (1 - part) + similarity[right] * part);
      now[cell] = next;
      if (next.score > static_cast<float>(best.score))
        best = {next.score, next.first_row, row, next.first_cell * spacing, cell * spacing};
    }
    std::swap(before, now);
  }
  return best;
}

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_PATH_TEST_UTIL_H_
