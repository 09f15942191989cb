// API keys as the operator keeps them: a file of names, roles and SHA-256 hashes, never the keys
// themselves.
//
//   # who          role   SHA-256 of the key    requests per second, quotas (none: no limit,
//   default) search-page    read   9f86d081884c7d65...   20 streams=4 mib=64 batch=16
//   nightly-import admin  60303ae22b998861...
//
// A key that is guessed from its hash is as good as a key that is guessed, so keys must be long and
// random: at least 16 bytes. Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_ACCESS_API_KEYS_H_
#define ANTIPHON_SERVER_ACCESS_API_KEYS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/access/caller.h"

namespace antiphon::server {

struct ApiKey {
  std::string name;  // 1 to 64 letters, digits, '.', '-' and '_'; for the log
  Role role = Role::kRead;
  std::string hash;                // SHA-256 of the key, 32 bytes
  double requests_per_second = 0;  // 0.001 to 1,000,000; 0: no limit
  Quota quota;
};

inline constexpr size_t kMinKeyBytes = 16;
inline constexpr size_t kMaxKeyBytes = 1024;
inline constexpr size_t kMaxKeyFileBytes = 4 << 20;

// The keys of a file's text; what a line does not say of its quota is as in `quota`.
// InvalidArgument with the number of the first line that is wrong (never
// its contents: a line that is wrong may hold a key): unknown role, a hash that is none, a name or
// hash that occurs twice, too much of anything, or no key at all.
[[nodiscard]] absl::StatusOr<std::vector<ApiKey>> ParseApiKeys(std::string_view text,
                                                               const Quota& quota = {});

// The hash as the file has it, 64 hexadecimal digits. InvalidArgument unless the key is 16 to 1,024
// bytes of printable ASCII without spaces, which is what a header can carry.
[[nodiscard]] absl::StatusOr<std::string> HashForFile(std::string_view key);

// The key among `keys`, or null. Takes the same time whichever it is and however much of it is
// right: it compares hashes, all of them, each in constant time.
const ApiKey* FindKey(const std::vector<ApiKey>& keys, std::string_view key);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_ACCESS_API_KEYS_H_
