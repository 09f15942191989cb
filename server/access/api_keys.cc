#include "server/access/api_keys.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
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

// "streams=4", "mib=64", "batch=16".
absl::Status ParseQuota(size_t line, absl::string_view field, Quota& quota) {
  const struct {
    absl::string_view name;
    int& value;
    Range<int> range;
  } known[] = {{"streams", quota.streams, Quota::kStreamsRange},
               {"mib", quota.mib, Quota::kMibRange},
               {"batch", quota.batch, Quota::kBatchRange}};
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(field, absl::MaxSplits('=', 1));
  for (const auto& each : known) {
    if (each.name != parts.first) continue;
    int value = 0;
    if (!absl::SimpleAtoi(parts.second, &value) || !each.range.Contains(value)) {
      return AtLine(line, absl::StrCat(each.name, " is ", each.range.low, " to ", each.range.high));
    }
    each.value = value;
    return absl::OkStatus();
  }
  return AtLine(line, "a quota is streams=N, mib=N or batch=N");
}

absl::StatusOr<ApiKey> ParseLine(size_t line, std::vector<absl::string_view> fields,
                                 const Quota& quota) {
  constexpr char kExpected[] =
      "expected NAME ROLE SHA256HEX [REQUESTS-PER-SECOND] [streams=N] [mib=N] [batch=N]";
  ApiKey key;
  key.quota = quota;
  while (!fields.empty() && absl::StrContains(fields.back(), '=')) {
    RETURN_IF_ERROR(ParseQuota(line, fields.back(), key.quota));
    fields.pop_back();
  }
  if (fields.size() != 3 && fields.size() != 4) return AtLine(line, kExpected);
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

absl::StatusOr<std::vector<ApiKey>> ParseApiKeys(std::string_view text, const Quota& quota) {
  if (text.size() > kMaxKeyFileBytes) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", kMaxKeyFileBytes, " bytes"));
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // as some editors begin a file
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark)
    text.remove_prefix(kByteOrderMark.size());
  std::vector<ApiKey> keys;
  std::set<std::string> names;
  std::set<std::string> hashes;
  size_t number = 0;
  for (const absl::string_view line :
       absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    ++number;
    const absl::string_view content = line.substr(0, line.find('#'));
    std::vector<absl::string_view> fields =
        absl::StrSplit(content, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (fields.empty()) continue;
    ASSIGN_OR_RETURN(ApiKey key, ParseLine(number, std::move(fields), quota));
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
