// Tells a person how far a long step is: a bar on a terminal, otherwise a plain line now and then.
// Writes to standard error. Safe from any thread.
#ifndef ANTIPHON_TRAINER_BASE_PROGRESS_H_
#define ANTIPHON_TRAINER_BASE_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace antiphon::trainer {

class Progress {
 public:
  // Begins a step of `total` units of work, ending the one before. A total of 0 means that it is
  // not known.
  void Start(const std::string& label, int64_t total) ABSL_LOCKS_EXCLUDED(mutex_);

  void Advance(int64_t units = 1) ABSL_LOCKS_EXCLUDED(mutex_);

  // Prints the last line of a step; without a step it does nothing.
  void Finish() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Clock = std::chrono::steady_clock;

  void Print(bool last) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  std::string label_ ABSL_GUARDED_BY(mutex_);
  int64_t total_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t done_ ABSL_GUARDED_BY(mutex_) = 0;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  Clock::time_point started_ ABSL_GUARDED_BY(mutex_);
  Clock::time_point printed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace antiphon::trainer

#endif  // ANTIPHON_TRAINER_BASE_PROGRESS_H_
