// Sets of rows of an index, as ranges. Internal to core/index, but for RowRange.
#ifndef ANTIPHON_CORE_INDEX_ROW_RANGES_H_
#define ANTIPHON_CORE_INDEX_ROW_RANGES_H_

#include <algorithm>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace antiphon::index {

// Rows first … last - 1.
struct RowRange {
  int64_t first = 0;
  int64_t last = 0;

  bool operator==(const RowRange&) const = default;
};

inline int64_t CountRows(std::span<const RowRange> ranges) {
  int64_t count = 0;
  for (const RowRange& range : ranges) count += range.last - range.first;
  return count;
}

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
