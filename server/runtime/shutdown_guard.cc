#include "server/runtime/shutdown_guard.h"

#include <unistd.h>

#include "spdlog/spdlog.h"

namespace antiphon::server {

ShutdownGuard::ShutdownGuard(SteadyTime at)
    : thread_([this, at] {
        if (done_.WaitUntil(at)) return;
        spdlog::warn("stopped in the middle of something that cannot be cancelled");
        spdlog::default_logger()->flush();
        _exit(0);
      }) {}

ShutdownGuard::~ShutdownGuard() {
  done_.Notify();
  thread_.join();
}

}  // namespace antiphon::server
