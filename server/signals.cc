#include "server/signals.h"

#include <signal.h>
#include <unistd.h>

#include <thread>

namespace antiphon::server {
namespace {

sigset_t StopSet() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  signal(SIGPIPE, SIG_IGN);
  const sigset_t set = StopSet();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([this] { Listen(); }).detach();  // until the process ends
}

void StopSignals::Serving() {
  absl::MutexLock lock(&mutex_);
  serving_ = true;
}

int StopSignals::Wait() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](StopSignals* self) ABSL_EXCLUSIVE_LOCKS_REQUIRED(self->mutex_) { return self->received_ != 0; }, this));
  return received_;
}

void StopSignals::Listen() {
  const sigset_t set = StopSet();
  while (true) {
    int number = 0;
    if (sigwait(&set, &number) != 0) continue;
    absl::MutexLock lock(&mutex_);
    if (!serving_) _exit(0);
    if (received_ != 0) _exit(1);
    received_ = number;
  }
}

}  // namespace antiphon::server
