// Checks of single fields of a request. Failures are InvalidArgument, naming the field and what it
// allows (status_map.h). Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_WIRE_FIELD_CHECKS_H_
#define ANTIPHON_SERVER_WIRE_FIELD_CHECKS_H_

#include <cstddef>
#include <initializer_list>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/check_range.h"
#include "server/wire/status_map.h"

namespace antiphon::server {

template <typename T>
absl::Status CheckFieldRange(absl::string_view field, std::type_identity_t<T> value,
                             const Range<T>& range) {
  if (range.Contains(value)) return absl::OkStatus();
  return FieldError(absl::StatusCode::kInvalidArgument, field,
                    absl::StrCat(value, " is out of range"),
                    absl::StrCat(range.low, " to ", range.high));
}

// UTF-8 without NUL, `min_bytes` to `max_bytes` long.
absl::Status CheckText(absl::string_view field, const std::string& text, size_t min_bytes,
                       size_t max_bytes);

// Of a piece or a recording: 1 to 200 bytes.
absl::Status CheckId(absl::string_view field, const std::string& id);

// The first failure, if any.
absl::Status FirstFailure(std::initializer_list<absl::Status> statuses);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_WIRE_FIELD_CHECKS_H_
