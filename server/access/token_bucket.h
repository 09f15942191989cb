// How many requests somebody may make: so many per second on average, and after a pause one
// second's worth at once (at least one).
//
// Time is handed in, so that tests need not wait. Safe from any thread.
#ifndef ANTIPHON_SERVER_ACCESS_TOKEN_BUCKET_H_
#define ANTIPHON_SERVER_ACCESS_TOKEN_BUCKET_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/base/steady_time.h"

namespace antiphon::server {

class TokenBucket {
 public:
  // `per_second` > 0. Starts full.
  explicit TokenBucket(double per_second);

  // Takes a token and returns zero; or takes none and returns how long it is until there is one. A
  // `now` before an earlier one counts as that one.
  absl::Duration Take(SteadyTime now);

  double per_second() const { return per_second_; }

 private:
  const double per_second_;
  const double capacity_;
  absl::Mutex mutex_;
  double tokens_ ABSL_GUARDED_BY(mutex_);
  // When `tokens_` was worked out.
  SteadyTime filled_ ABSL_GUARDED_BY(mutex_) = SteadyTime::min();
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_ACCESS_TOKEN_BUCKET_H_
