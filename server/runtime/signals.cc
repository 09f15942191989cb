#include "server/runtime/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

#include "absl/strings/str_cat.h"

namespace antiphon::server {
namespace {

std::atomic<int> signal_pipe = -1;  // where the handler writes; -1 before Signals::Start

void OnSignal(int number) {
  if (signal_pipe.load() < 0) {
    if (number == SIGHUP) return;
    _exit(0);  // nothing is under way yet
  }
  const int saved = errno;
  const char byte = static_cast<char>(number);
  [[maybe_unused]] const ssize_t written = write(signal_pipe.load(), &byte, 1);
  errno = saved;
}

void HandleSignals(int, char**, char**) {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGHUP, &action, nullptr);
}

// LibTorch's static constructors take half a second before main(). What stands in this section of a
// program runs before the constructors of all libraries (ELF gABI, "Initialization and Termination
// Functions").
[[gnu::section(".preinit_array"),
  gnu::used]] void (*const handle_before_constructors)(int, char**, char**) = HandleSignals;

}  // namespace

absl::Status Signals::Start() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return absl::InternalError(
        absl::StrCat("cannot make a pipe for signals: ", std::strerror(errno)));
  }
  signal_pipe = ends[1];
  std::thread([this, pipe = ends[0]] { Listen(pipe); }).detach();  // until the process ends
  HandleSignals(0, nullptr, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return absl::OkStatus();
}

void Signals::Serving() {
  absl::MutexLock lock(&mutex_);
  serving_ = true;
}

int Signals::Wait() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](Signals* self) ABSL_EXCLUSIVE_LOCKS_REQUIRED(self->mutex_) {
        return self->stop_ != 0 || self->hang_up_;
      },
      this));
  if (stop_ != 0) return stop_;
  hang_up_ = false;
  return SIGHUP;
}

void Signals::Listen(int pipe) {
  while (true) {
    char byte = 0;
    if (read(pipe, &byte, 1) != 1) continue;
    absl::MutexLock lock(&mutex_);
    if (byte == SIGHUP) {
      hang_up_ = true;
      continue;
    }
    if (!serving_) _exit(0);
    if (stop_ != 0) _exit(1);
    stop_ = byte;
  }
}

}  // namespace antiphon::server
