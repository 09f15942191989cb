#include "server/access/quotas.h"

#include "absl/strings/str_cat.h"

namespace antiphon::server {

absl::StatusOr<Quotas::Share> Quotas::TakeStream(const Caller& caller) {
  const std::string identity = caller.identity();
  if (identity.empty()) return Share();
  absl::MutexLock lock(&mutex_);
  const auto found = taken_.find(identity);
  if (found != taken_.end() && found->second.streams >= caller.quota.streams) {
    return absl::ResourceExhaustedError(
        absl::StrCat(identity, " may have ", caller.quota.streams, " streams open at once"));
  }
  return Take(identity, 1, 0);
}

absl::StatusOr<Quotas::Share> Quotas::TakeBytes(const Caller& caller, int64_t bytes) {
  const std::string identity = caller.identity();
  if (identity.empty() || bytes == 0) return Share();
  absl::MutexLock lock(&mutex_);
  const auto found = taken_.find(identity);
  const int64_t before = found == taken_.end() ? 0 : found->second.bytes;
  if (before > 0 && before + bytes > int64_t{caller.quota.mib} << 20) {
    return absl::ResourceExhaustedError(absl::StrCat(identity, " may have requests of ",
                                                     caller.quota.mib, " MiB under way at once"));
  }
  return Take(identity, 0, bytes);
}

Quotas::Share Quotas::Take(const std::string& identity, int streams, int64_t bytes) {
  Taken& taken = taken_[identity];
  taken.streams += streams;
  taken.bytes += bytes;
  Share share;
  share.quotas_ = this;
  share.identity_ = identity;
  share.streams_ = streams;
  share.bytes_ = bytes;
  return share;
}

void Quotas::GiveBack(const std::string& identity, int streams, int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  const auto found = taken_.find(identity);
  found->second.streams -= streams;
  found->second.bytes -= bytes;
  if (found->second.streams == 0 && found->second.bytes == 0) taken_.erase(found);
}

}  // namespace antiphon::server
