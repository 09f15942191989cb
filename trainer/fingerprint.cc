#include "trainer/fingerprint.h"

#include <openssl/sha.h>

#include <fstream>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace antiphon::trainer {
namespace {

std::string Digest(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace

std::string Sha256(std::string_view bytes) { return absl::BytesToHexString(Digest(bytes)); }

uint64_t HashOf(std::string_view text) {
  uint64_t hash = 0;
  for (unsigned char byte : Digest(text).substr(0, sizeof hash)) hash = hash << 8 | byte;
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
