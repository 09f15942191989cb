#include "server/access/token_bucket.h"

#include <algorithm>

namespace antiphon::server {

TokenBucket::TokenBucket(double per_second)
    : per_second_(per_second), capacity_(std::max(1.0, per_second)), tokens_(capacity_) {}

absl::Duration TokenBucket::Take(SteadyTime now) {
  absl::MutexLock lock(&mutex_);
  if (now > filled_) {
    const double gained = filled_ == SteadyTime::min()
                              ? 0
                              : per_second_ * absl::ToDoubleSeconds(Between(filled_, now));
    tokens_ = std::min(capacity_, tokens_ + gained);
    filled_ = now;
  }
  if (tokens_ >= 1) {
    tokens_ -= 1;
    return absl::ZeroDuration();
  }
  return absl::Seconds((1 - tokens_) / per_second_);
}

}  // namespace antiphon::server
