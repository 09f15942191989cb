// What a search asks of the rows in its scope. Internal to core/index; pure functions.
#ifndef ANTIPHON_CORE_INDEX_ROW_RANGES_H_
#define ANTIPHON_CORE_INDEX_ROW_RANGES_H_

#include <algorithm>
#include <cstdint>
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

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_ROW_RANGES_H_
