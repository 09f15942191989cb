#include "core/index/abort_guard.h"

#include <csetjmp>
#include <csignal>

namespace antiphon::index {
namespace {

// Where this thread's abort() goes; null: nowhere, it ends the process. glibc raises SIGABRT in the
// thread that calls abort, and holds no lock of its own while it does.
thread_local sigjmp_buf* way_out = nullptr;

struct sigaction handler_before;

void OnAbort(int number, siginfo_t* info, void* context) {
  if (way_out != nullptr) siglongjmp(*way_out, 1);
  if ((handler_before.sa_flags & SA_SIGINFO) != 0) {
    handler_before.sa_sigaction(number, info, context);
  } else if (handler_before.sa_handler != SIG_DFL && handler_before.sa_handler != SIG_IGN) {
    handler_before.sa_handler(number);
  }
  // abort() ends the process once its handler has returned.
}

bool InstallHandler() {
  struct sigaction action = {};
  action.sa_sigaction = OnAbort;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  return sigaction(SIGABRT, &action, &handler_before) == 0;
}

}  // namespace

bool RunsWithoutAbort(const std::function<void()>& function) {
  static const bool installed = InstallHandler();
  sigjmp_buf here;
  sigjmp_buf* const outer = way_out;  // unchanged after sigsetjmp, so it survives the jump
  if (installed) {
    // The mask of signals is saved: in the handler SIGABRT is blocked.
    if (sigsetjmp(here, /*savemask=*/1) != 0) {
      way_out = outer;
      return false;
    }
    way_out = &here;
  }
  try {
    function();
  } catch (...) {
    way_out = outer;
    throw;
  }
  way_out = outer;
  return true;
}

}  // namespace antiphon::index
