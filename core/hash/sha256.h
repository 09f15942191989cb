// SHA-256 (FIPS 180-4), computed by OpenSSL.
//
// The functions are safe from any thread; a Sha256Stream belongs to one.
#ifndef ANTIPHON_CORE_HASH_SHA256_H_
#define ANTIPHON_CORE_HASH_SHA256_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace antiphon::hash {

std::string Sha256(std::string_view bytes);     // 32 bytes
std::string HexSha256(std::string_view bytes);  // 64 lower-case hexadecimal digits

// The hash of what comes in pieces.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;

  void Update(std::string_view bytes);

  // 32 bytes; Internal when OpenSSL has failed at any step. No other call may follow.
  [[nodiscard]] absl::StatusOr<std::string> Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::hash

#endif  // ANTIPHON_CORE_HASH_SHA256_H_
