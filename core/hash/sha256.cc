#include "core/hash/sha256.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "absl/strings/escaping.h"

namespace antiphon::hash {

std::string Sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string HexSha256(std::string_view bytes) { return absl::BytesToHexString(Sha256(bytes)); }

struct Sha256Stream::Impl {
  ~Impl() { EVP_MD_CTX_free(context); }

  EVP_MD_CTX* context = EVP_MD_CTX_new();
  bool good = context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1;
};

Sha256Stream::Sha256Stream() : impl_(std::make_unique<Impl>()) {}
Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::Update(std::string_view bytes) {
  impl_->good = impl_->good && EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1;
}

absl::StatusOr<std::string> Sha256Stream::Finish() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (!impl_->good || EVP_DigestFinal_ex(impl_->context, digest, &length) != 1) {
    return absl::InternalError("SHA-256 is not available");
  }
  return std::string(reinterpret_cast<const char*>(digest), length);
}

}  // namespace antiphon::hash
