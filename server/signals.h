// SIGTERM and SIGINT, heard by one thread instead of by handlers that interrupt another.
//
// Make one in main() before any other thread starts: threads inherit that these signals are blocked. Safe from any
// thread.
#ifndef ANTIPHON_SERVER_SIGNALS_H_
#define ANTIPHON_SERVER_SIGNALS_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace antiphon::server {

class StopSignals {
 public:
  // Starts listening. Until Serving is called, a signal ends the process at once with exit code 0: nothing is under way
  // yet. Once Wait has returned, a further one ends it at once with exit code 1: somebody is in a hurry.
  StopSignals();

  // From now on a signal is left to Wait. SIGPIPE is ignored throughout.
  void Serving();

  // Blocks until a signal comes; its number.
  int Wait();

 private:
  void Listen();

  absl::Mutex mutex_;
  bool serving_ ABSL_GUARDED_BY(mutex_) = false;
  int received_ ABSL_GUARDED_BY(mutex_) = 0;  // the first signal
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SIGNALS_H_
