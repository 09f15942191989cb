// The rows of an index: which are in a scope, and where they lie. Internal to core/index; pure
// functions.
#ifndef ANTIPHON_CORE_INDEX_ROW_RANGES_H_
#define ANTIPHON_CORE_INDEX_ROW_RANGES_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/index/vector_index.h"

namespace antiphon::index {

// Requires rising ranges.
inline bool ContainsRow(std::span<const RowRange> ranges, int64_t row) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), row,
                       [](int64_t value, const RowRange& range) { return value < range.first; });
  return after != ranges.begin() && row < (after - 1)->last;
}

// Rising, without overlap, none empty, all within an index of `size` vectors.
[[nodiscard]] inline absl::Status CheckRanges(std::span<const RowRange> ranges, int64_t size) {
  int64_t end = 0;
  for (const RowRange& range : ranges) {
    if (range.first < end || range.last <= range.first || range.last > size) {
      return absl::InvalidArgumentError(absl::StrCat("search scope: rows ", range.first, " to ",
                                                     range.last,
                                                     " do not follow those before within ", size));
    }
    end = range.last;
  }
  return absl::OkStatus();
}

// A float at any address.
using UnalignedFloat __attribute__((aligned(1))) = float;

inline const UnalignedFloat* RowAt(const VectorBlock& block, int dimension, int64_t row) {
  return static_cast<const UnalignedFloat*>(block.vectors) + row * dimension;
}

// The block's vectors first … first + count - 1 for callers that need aligned floats: copied into
// `scratch` where they are not.
inline const float* AlignedRowsAt(const VectorBlock& block, int dimension, int64_t first,
                                  int64_t count, float* scratch) {
  const UnalignedFloat* rows = RowAt(block, dimension, first);
  if (reinterpret_cast<uintptr_t>(rows) % alignof(float) == 0)
    return static_cast<const float*>(block.vectors) + first * dimension;
  std::memcpy(scratch, rows, count * dimension * sizeof(float));
  return scratch;
}

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_ROW_RANGES_H_
