#include "server/runtime/lifecycle.h"

#include "absl/strings/str_cat.h"

namespace antiphon::server {

const char* ServerStateName(ServerState state) {
  switch (state) {
    case ServerState::kStarting:
      return "starting";
    case ServerState::kServing:
      return "serving";
    case ServerState::kLameDuck:
      return "lame_duck";
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
      return to == ServerState::kLameDuck;
    case ServerState::kLameDuck:
      return to == ServerState::kDraining;
    case ServerState::kDraining:
      return to == ServerState::kStopped;
    case ServerState::kStopped:
      return false;
  }
  return false;
}

ServerState Lifecycle::state() const {
  SteadyMutexLock lock(&mutex_);
  return state_;
}

absl::Status Lifecycle::MoveTo(ServerState state) {
  SteadyMutexLock lock(&mutex_);
  if (!IsLegalTransition(state_, state)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the server cannot go from ", ServerStateName(state_), " to ", ServerStateName(state)));
  }
  state_ = state;
  return absl::OkStatus();
}

absl::Status Lifecycle::Enter() {
  SteadyMutexLock lock(&mutex_);
  if (state_ == ServerState::kStarting) return absl::UnavailableError("the server is starting");
  if (state_ != ServerState::kServing && state_ != ServerState::kLameDuck)
    return absl::UnavailableError("the server is shutting down");
  ++in_flight_;
  return absl::OkStatus();
}

void Lifecycle::Leave() {
  SteadyMutexLock lock(&mutex_);
  --in_flight_;
}

int Lifecycle::in_flight() const {
  SteadyMutexLock lock(&mutex_);
  return in_flight_;
}

bool Lifecycle::WaitIdle(SteadyTime deadline) const {
  SteadyMutexLock lock(&mutex_);
  return mutex_.AwaitUntil(deadline, [this] {
    mutex_.AssertHeld();
    return in_flight_ == 0;
  });
}

}  // namespace antiphon::server
