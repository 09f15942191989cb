#include "server/access/authenticator.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/runtime/small_file.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

// All of Retrieval, too.
constexpr std::array<std::string_view, 8> kMethodsToRead = {
    "Catalog.ListPieces", "Catalog.GetPiece",      "Catalog.ListRecordings", "Catalog.GetRecording",
    "Catalog.GetSnippet", "Catalog.ListSameMusic", "Admin.Status",           "Admin.ListSnapshots",
};

}  // namespace

Role RoleFor(std::string_view method) {
  const bool reads =
      method.starts_with("Retrieval.") ||
      std::find(kMethodsToRead.begin(), kMethodsToRead.end(), method) != kMethodsToRead.end();
  return reads ? Role::kRead : Role::kAdmin;
}

absl::StatusOr<std::unique_ptr<Authenticator>> Authenticator::Open(
    const AuthenticatorOptions& options, Metrics& metrics) {
  std::unique_ptr<Authenticator> authenticator(new Authenticator(options, metrics));
  RETURN_IF_ERROR(authenticator->Reload());
  return authenticator;
}

absl::StatusOr<Caller> Authenticator::Recognise(std::string_view key) {
  if (key.empty()) {
    metrics_.RecordRefusal(Metrics::Refusal::kMissingKey);
    return CallerError(
        absl::StatusCode::kUnauthenticated,
        "an API key is needed, in the metadata as 'authorization: Bearer KEY' or 'x-api-key: KEY'");
  }
  const std::shared_ptr<const Ring> ring = this->ring();
  const ApiKey* known = key.size() > kMaxKeyBytes ? nullptr : FindKey(ring->keys, key);
  if (known == nullptr) {
    metrics_.RecordRefusal(Metrics::Refusal::kUnknownKey);
    return CallerError(absl::StatusCode::kUnauthenticated, "the API key is not known");
  }
  return Caller{.key = known->name,
                .certificate = "",
                .role = known->role,
                .quota = known->quota,
                .rate = ring->buckets[known - ring->keys.data()]};
}

absl::Status Authenticator::Permit(const Caller& caller, std::string_view method, SteadyTime now) {
  if (caller.role == Role::kRead && RoleFor(method) == Role::kAdmin) {
    metrics_.RecordRefusal(Metrics::Refusal::kForbidden);
    return CallerError(absl::StatusCode::kPermissionDenied,
                       absl::StrCat(std::string(method), " needs a key for administration"));
  }
  if (caller.rate == nullptr) return absl::OkStatus();
  const absl::Duration wait = caller.rate->Take(now);
  if (wait <= absl::ZeroDuration()) return absl::OkStatus();
  metrics_.RecordRefusal(Metrics::Refusal::kOverLimit);
  return WithRetry(
      absl::ResourceExhaustedError(absl::StrCat("this API key may make ", caller.rate->per_second(),
                                                " requests per second")),
      std::clamp(wait, absl::Milliseconds(100), absl::Seconds(30)));
}

absl::Status Authenticator::Reload() {
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(file_, kMaxKeyFileBytes));
  const std::shared_ptr<const Ring> before = ring();
  auto after = std::make_shared<Ring>();
  ASSIGN_OR_RETURN(after->keys, ParseApiKeys(text, quota_));
  for (const ApiKey& key : after->keys) {
    std::shared_ptr<TokenBucket> bucket;
    const auto same =
        std::find_if(before->keys.begin(), before->keys.end(), [&](const ApiKey& old) {
          return old.hash == key.hash && old.requests_per_second == key.requests_per_second;
        });
    if (same != before->keys.end()) {
      bucket = before->buckets[same - before->keys.begin()];
    } else if (key.requests_per_second > 0) {
      bucket = std::make_shared<TokenBucket>(key.requests_per_second);
    }
    after->buckets.push_back(std::move(bucket));
    metrics_.DeclareKey(key.name);
  }
  absl::MutexLock lock(&mutex_);
  ring_ = std::move(after);
  return absl::OkStatus();
}

int Authenticator::keys() const { return static_cast<int>(ring()->keys.size()); }

std::shared_ptr<const Authenticator::Ring> Authenticator::ring() const {
  absl::MutexLock lock(&mutex_);
  return ring_;
}

}  // namespace antiphon::server
