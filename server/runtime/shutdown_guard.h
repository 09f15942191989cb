// An end that comes in any case: unless this object goes before, the process ends at a given time
// with exit code 0.
//
// For a server that was told to stop and has something under way that cannot be cancelled, such as
// a reload. What is durable is whole at every moment, so that nothing is lost by it. Owns its
// thread.
#ifndef ANTIPHON_SERVER_RUNTIME_SHUTDOWN_GUARD_H_
#define ANTIPHON_SERVER_RUNTIME_SHUTDOWN_GUARD_H_

#include <thread>

#include "core/base/steady_mutex.h"

namespace antiphon::server {

class ShutdownGuard {
 public:
  explicit ShutdownGuard(SteadyTime at);
  ~ShutdownGuard();

 private:
  SteadyNotification done_;
  std::thread thread_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_RUNTIME_SHUTDOWN_GUARD_H_
