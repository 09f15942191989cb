// Hashes that tell inputs and settings apart, and reading files whole to hash them. Stateless; safe
// from any thread.
#ifndef ANTIPHON_TRAINER_BASE_FINGERPRINT_H_
#define ANTIPHON_TRAINER_BASE_FINGERPRINT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace antiphon::trainer {

std::string Sha256(std::string_view bytes);  // 64 lower-case hexadecimal digits

uint64_t HashOf(std::string_view text);  // the first 64 bits of the SHA-256: a seed that differs
                                         // where the text does

[[nodiscard]] absl::StatusOr<std::string> ReadWholeFile(const std::string& path);

}  // namespace antiphon::trainer

#endif  // ANTIPHON_TRAINER_BASE_FINGERPRINT_H_
