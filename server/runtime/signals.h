// SIGTERM, SIGINT and SIGHUP, turned into something that one thread can wait for.
//
// The handlers only write to a pipe. (Blocking the signals and waiting for them does not do:
// libraries start threads before main(), which would not have them blocked.) They are in place
// before main(). Until Start is called, SIGTERM and SIGINT end the process with exit code 0, and
// SIGHUP does nothing: nothing has been read that could be read again. One object per process, made
// in main() and never destroyed before it ends. Safe from any thread.
#ifndef ANTIPHON_SERVER_RUNTIME_SIGNALS_H_
#define ANTIPHON_SERVER_RUNTIME_SIGNALS_H_

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace antiphon::server {

class Signals {
 public:
  // Starts listening, and ignores SIGPIPE. Until Serving is called, SIGTERM and SIGINT end the
  // process at once with exit code 0: nothing is under way yet. After the first one that Wait has
  // told of, a further one ends it at once with exit code 1: somebody is in a hurry. Internal when
  // the system has no pipe left.
  [[nodiscard]] absl::Status Start();

  // From now on signals are left to Wait.
  void Serving();

  // Blocks until a signal comes; its number. SIGHUPs that come before anybody waits are told as
  // one; SIGTERM and SIGINT come before them.
  int Wait();

 private:
  void Listen(int pipe);

  absl::Mutex mutex_;
  bool serving_ ABSL_GUARDED_BY(mutex_) = false;
  int stop_ ABSL_GUARDED_BY(mutex_) = 0;  // the first SIGTERM or SIGINT
  bool hang_up_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_RUNTIME_SIGNALS_H_
