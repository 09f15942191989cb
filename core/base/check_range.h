// Ranges of options: declared as a constant beside the option, checked by one function.
//
//   struct Options {
//     static constexpr Range<int> kProbesRange = {1, 100'000};
//     int probes = 16;  // lists searched
//   };
//   RETURN_IF_ERROR(CheckRange("probes", options.probes, Options::kProbesRange));
//
// Pure functions; safe from any thread.
#ifndef ANTIPHON_CORE_BASE_CHECK_RANGE_H_
#define ANTIPHON_CORE_BASE_CHECK_RANGE_H_

#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace antiphon {

// The values that a number may take, both ends included. NaN is in none.
template <typename T>
struct Range {
  T low;
  T high;

  constexpr bool Contains(T value) const { return value >= low && value <= high; }
};

// InvalidArgument, "NAME: VALUE is not in LOW to HIGH", for a value outside the range.
template <typename T>
[[nodiscard]] absl::Status CheckRange(absl::string_view name, std::type_identity_t<T> value,
                                      const Range<T>& range) {
  if (range.Contains(value)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": ", value, " is not in ", range.low, " to ", range.high));
}

}  // namespace antiphon

#endif  // ANTIPHON_CORE_BASE_CHECK_RANGE_H_
