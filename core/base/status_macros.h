// Statuses passed on: what follows a failure is left to the caller in one line.
//
//   RETURN_IF_ERROR(file.Write(bytes));
//   ASSIGN_OR_RETURN(const Score score, ReadScore(bytes));
//   ASSIGN_OR_RETURN(const Score score, MapError(ReadScore(bytes), NameTheFile));
//
// Each evaluates its expression once. The function must return absl::Status or absl::StatusOr.
#ifndef ANTIPHON_CORE_BASE_STATUS_MACROS_H_
#define ANTIPHON_CORE_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of the expression, an absl::Status, unless it is OK.
#define RETURN_IF_ERROR(...)                           \
  do {                                                 \
    if (absl::Status status_to_return = (__VA_ARGS__); \
        ABSL_PREDICT_FALSE(!status_to_return.ok())) {  \
      return status_to_return;                         \
    }                                                  \
  } while (false)

// Declares or assigns `lhs` from the value of the expression, an absl::StatusOr; returns its status
// where it has none. Is two statements: it belongs in a block. Write `auto` for a type with a
// comma.
#define ASSIGN_OR_RETURN(lhs, ...) \
  ANTIPHON_ASSIGN_OR_RETURN_(ANTIPHON_JOIN_(status_or_value_, __LINE__), lhs, __VA_ARGS__)

#define ANTIPHON_ASSIGN_OR_RETURN_(value, lhs, ...)                      \
  auto value = (__VA_ARGS__);                                            \
  if (ABSL_PREDICT_FALSE(!value.ok())) return std::move(value).status(); \
  lhs = *std::move(value)

#define ANTIPHON_JOIN_(a, b) ANTIPHON_JOIN_AGAIN_(a, b)
#define ANTIPHON_JOIN_AGAIN_(a, b) a##b

namespace antiphon {

// The result with its failure, if it is one, replaced by what `map` makes of it.
template <typename Map>
absl::Status MapError(absl::Status status, Map&& map) {
  return status.ok() ? status : std::forward<Map>(map)(status);
}
template <typename T, typename Map>
absl::StatusOr<T> MapError(absl::StatusOr<T> result, Map&& map) {
  if (result.ok()) return result;
  return std::forward<Map>(map)(result.status());
}

}  // namespace antiphon

#endif  // ANTIPHON_CORE_BASE_STATUS_MACROS_H_
