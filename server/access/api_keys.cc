#include "server/access/api_keys.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/hash/constant_time.h"
#include "core/hash/sha256.h"

namespace antiphon::server {
namespace {

constexpr size_t kMaxNameBytes = 64;
constexpr size_t kHashBytes = 32;
constexpr double kMinRate = 0.001;
constexpr double kMaxRate = 1e6;

absl::Status AtLine(size_t line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", what));
}

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_';
         });
}

std::optional<std::string> ParseHash(absl::string_view hex) {
  if (hex.size() != 2 * kHashBytes || !std::all_of(hex.begin(), hex.end(), absl::ascii_isxdigit))
    return std::nullopt;
  return absl::HexStringToBytes(hex);
}

absl::StatusOr<ApiKey> ParseLine(size_t line, const std::vector<absl::string_view>& fields) {
  if (fields.size() != 3 && fields.size() != 4) {
    return AtLine(line, "expected NAME ROLE SHA256HEX [REQUESTS-PER-SECOND]");
  }
  ApiKey key;
  if (!IsName(fields[0]))
    return AtLine(line, "a name is 1 to 64 letters, digits, '.', '-' and '_'");
  key.name = std::string(fields[0]);
  if (fields[1] == "read") {
    key.role = Role::kRead;
  } else if (fields[1] == "admin") {
    key.role = Role::kAdmin;
  } else {
    return AtLine(line, "a role is read or admin");
  }
  std::optional<std::string> hash = ParseHash(fields[2]);
  if (!hash.has_value())
    return AtLine(line, "a SHA-256 is 64 hexadecimal digits (antiphon-server --hash-api-key)");
  key.hash = *std::move(hash);
  if (fields.size() == 4) {
    const bool number = absl::SimpleAtod(fields[3], &key.requests_per_second);
    // Written so that NaN fails.
    if (!number || !(key.requests_per_second >= kMinRate && key.requests_per_second <= kMaxRate)) {
      return AtLine(line, absl::StrCat("requests per second are ", kMinRate, " to ", kMaxRate));
    }
  }
  return key;
}

}  // namespace

absl::StatusOr<std::vector<ApiKey>> ParseApiKeys(std::string_view text) {
  if (text.size() > kMaxKeyFileBytes) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", kMaxKeyFileBytes, " bytes"));
  }
  std::vector<ApiKey> keys;
  std::set<std::string> names;
  std::set<std::string> hashes;
  size_t number = 0;
  for (const absl::string_view line :
       absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    ++number;
    const absl::string_view content = line.substr(0, line.find('#'));
    const std::vector<absl::string_view> fields =
        absl::StrSplit(content, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (fields.empty()) continue;
    ASSIGN_OR_RETURN(ApiKey key, ParseLine(number, fields));
    if (!names.insert(key.name).second) return AtLine(number, "the name has been used before");
    if (!hashes.insert(key.hash).second)
      return AtLine(number, "the key has been used before, under another name");
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return absl::InvalidArgumentError("there is no key in it");
  return keys;
}

absl::StatusOr<std::string> HashForFile(std::string_view key) {
  if (key.size() < kMinKeyBytes || key.size() > kMaxKeyBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a key is ", kMinKeyBytes, " to ", kMaxKeyBytes,
                                                   " bytes long, this one ", key.size()));
  }
  if (!std::all_of(key.begin(), key.end(), absl::ascii_isgraph)) {
    return absl::InvalidArgumentError("a key is printable ASCII without spaces");
  }
  return hash::HexSha256(key);
}

const ApiKey* FindKey(const std::vector<ApiKey>& keys, std::string_view key) {
  const std::string shown = hash::Sha256(key);
  const ApiKey* found = nullptr;
  for (const ApiKey& each : keys) {
    if (hash::EqualInConstantTime(each.hash, shown)) found = &each;
  }
  return found;
}

}  // namespace antiphon::server
