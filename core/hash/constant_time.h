// Comparing secrets. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_HASH_CONSTANT_TIME_H_
#define ANTIPHON_CORE_HASH_CONSTANT_TIME_H_

#include <string_view>

namespace antiphon::hash {

// Whether two strings are equal, in a time that depends on their lengths only (OpenSSL's
// CRYPTO_memcmp).
bool EqualInConstantTime(std::string_view a, std::string_view b);

}  // namespace antiphon::hash

#endif  // ANTIPHON_CORE_HASH_CONSTANT_TIME_H_
