// How much of the server each caller has at the moment, so that one of them leaves some to the
// others. What is taken is a Share, and goes back when that goes.
//
// Safe from any thread. Owns its counts; must outlive every share.
#ifndef ANTIPHON_SERVER_ACCESS_QUOTAS_H_
#define ANTIPHON_SERVER_ACCESS_QUOTAS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/access/caller.h"

namespace antiphon::server {

class Quotas {
 public:
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept { *this = std::move(other); }
    Share& operator=(Share&& other) noexcept {
      std::swap(quotas_, other.quotas_);
      std::swap(identity_, other.identity_);
      std::swap(streams_, other.streams_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Share() {
      if (quotas_ != nullptr) quotas_->GiveBack(identity_, streams_, bytes_);
    }

   private:
    friend class Quotas;
    Quotas* quotas_ = nullptr;
    std::string identity_;
    int streams_ = 0;
    int64_t bytes_ = 0;
  };

  // ResourceExhausted, saying what the caller may have, when it would be more than his quota; bytes
  // are granted whatever they are to a caller who has none. Callers without an identity get an
  // empty share.
  [[nodiscard]] absl::StatusOr<Share> TakeStream(const Caller& caller);
  [[nodiscard]] absl::StatusOr<Share> TakeBytes(const Caller& caller, int64_t bytes);

 private:
  struct Taken {
    int streams = 0;
    int64_t bytes = 0;
  };

  Share Take(const std::string& identity, int streams, int64_t bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GiveBack(const std::string& identity, int streams, int64_t bytes);

  absl::Mutex mutex_;
  std::map<std::string, Taken> taken_ ABSL_GUARDED_BY(mutex_);  // of those who have anything
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_ACCESS_QUOTAS_H_
