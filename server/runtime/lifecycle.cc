#include "server/runtime/lifecycle.h"

#include "absl/strings/str_cat.h"

namespace antiphon::server {

const char* ServerStateName(ServerState state) {
  switch (state) {
    case ServerState::kStarting:
      return "starting";
    case ServerState::kServing:
      return "serving";
    case ServerState::kDraining:
      return "draining";
    case ServerState::kStopped:
      return "stopped";
  }
  return "unknown";
}

bool IsLegalTransition(ServerState from, ServerState to) {
  switch (from) {
    case ServerState::kStarting:
      return to == ServerState::kServing || to == ServerState::kStopped;
    case ServerState::kServing:
      return to == ServerState::kDraining;
    case ServerState::kDraining:
      return to == ServerState::kStopped;
    case ServerState::kStopped:
      return false;
  }
  return false;
}

ServerState Lifecycle::state() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

absl::Status Lifecycle::MoveTo(ServerState state) {
  absl::MutexLock lock(&mutex_);
  if (!IsLegalTransition(state_, state)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the server cannot go from ", ServerStateName(state_), " to ", ServerStateName(state)));
  }
  state_ = state;
  return absl::OkStatus();
}

absl::Status Lifecycle::Enter() {
  absl::MutexLock lock(&mutex_);
  if (state_ == ServerState::kStarting) return absl::UnavailableError("the server is starting");
  if (state_ != ServerState::kServing) return absl::UnavailableError("the server is shutting down");
  ++in_flight_;
  return absl::OkStatus();
}

void Lifecycle::Leave() {
  absl::MutexLock lock(&mutex_);
  --in_flight_;
}

int Lifecycle::in_flight() const {
  absl::MutexLock lock(&mutex_);
  return in_flight_;
}

bool Lifecycle::WaitIdle(absl::Time deadline) const {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithDeadline(absl::Condition(
                                      +[](const Lifecycle* self) ABSL_EXCLUSIVE_LOCKS_REQUIRED(
                                           self->mutex_) { return self->in_flight_ == 0; },
                                      this),
                                  deadline);
}

}  // namespace antiphon::server
