#include "trainer/base/fingerprint.h"

#include <fstream>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/hash/sha256.h"

namespace antiphon::trainer {

std::string Sha256(std::string_view bytes) { return hash::HexSha256(bytes); }

uint64_t HashOf(std::string_view text) {
  uint64_t hash = 0;
  for (unsigned char byte : hash::Sha256(text).substr(0, sizeof hash)) hash = hash << 8 | byte;
  return hash;
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot open ", path));
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) return absl::UnavailableError(absl::StrCat("cannot read ", path));
  return bytes;
}

}  // namespace antiphon::trainer
