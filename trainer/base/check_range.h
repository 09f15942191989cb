// Ranges of options. Pure; safe from any thread.
#ifndef ANTIPHON_TRAINER_BASE_CHECK_RANGE_H_
#define ANTIPHON_TRAINER_BASE_CHECK_RANGE_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace antiphon::trainer {

// InvalidArgument, with the option's name and its range, unless low <= value <= high.
[[nodiscard]] inline absl::Status CheckRange(std::string_view name, double value, double low,
                                             double high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(name), " is ", value, ", allowed is ", low, " to ", high));
}

}  // namespace antiphon::trainer

#endif  // ANTIPHON_TRAINER_BASE_CHECK_RANGE_H_
