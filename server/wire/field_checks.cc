#include "server/wire/field_checks.h"

#include "core/base/status_macros.h"
#include "core/catalog/checks.h"

namespace antiphon::server {

absl::Status CheckText(absl::string_view field, const std::string& text, size_t min_bytes,
                       size_t max_bytes) {
  const std::string limit =
      absl::StrCat(min_bytes == 0 ? "up to " : absl::StrCat(min_bytes, " to "), max_bytes,
                   " bytes of UTF-8 without NUL");
  const auto wrong = [&](absl::string_view what) {
    return FieldError(absl::StatusCode::kInvalidArgument, field, what, limit);
  };
  if (text.empty() && min_bytes > 0) return wrong("empty");
  if (text.size() < min_bytes || text.size() > max_bytes)
    return wrong(absl::StrCat("is ", text.size(), " bytes long"));
  if (!catalog::IsText(text)) return wrong("is no text");
  return absl::OkStatus();
}

absl::Status CheckId(absl::string_view field, const std::string& id) {
  return CheckText(field, id, 1, catalog::kMaxIdBytes);
}

absl::Status FirstFailure(std::initializer_list<absl::Status> statuses) {
  for (const absl::Status& status : statuses) {
    RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

}  // namespace antiphon::server
