#include "trainer/commands/interruption.h"

#include <signal.h>

namespace antiphon::trainer::commands {
namespace {

volatile sig_atomic_t interrupted = 0;

void Note(int) { interrupted = 1; }

void Set(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(signal, &action, nullptr);
}

}  // namespace

Interruption::Interruption() {
  interrupted = 0;
  // RESETHAND: the second signal finds the system's own handler.
  for (const int signal : {SIGINT, SIGTERM})
    Set(signal, Note, static_cast<int>(SA_RESETHAND | SA_RESTART));
}

Interruption::~Interruption() {
  for (const int signal : {SIGINT, SIGTERM}) Set(signal, SIG_DFL, 0);
}

absl::Status Interruption::KeepGoing() {
  return interrupted != 0 ? absl::CancelledError("interrupted") : absl::OkStatus();
}

}  // namespace antiphon::trainer::commands
