// Where the server is in its life, which calls it lets in, and how many are under way.
//
//   starting ──> serving ──> lame duck ──> draining ──> stopped
//       └───────────────────────────────────────────────^    (start-up failed or was called off)
//
// A lame duck says that it is about to stop, and still takes calls, until those who send them have
// had time to notice.
//
// Safe from any thread.
#ifndef ANTIPHON_SERVER_RUNTIME_LIFECYCLE_H_
#define ANTIPHON_SERVER_RUNTIME_LIFECYCLE_H_

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "core/base/steady_mutex.h"

namespace antiphon::server {

enum class ServerState { kStarting, kServing, kLameDuck, kDraining, kStopped };

const char* ServerStateName(ServerState state);

// Whether the arrow is in the picture above.
bool IsLegalTransition(ServerState from, ServerState to);

class Lifecycle {
 public:
  ServerState state() const;

  // FailedPrecondition, naming both states, when the transition is not legal.
  [[nodiscard]] absl::Status MoveTo(ServerState state);

  // Counts a call in; Unavailable, with the reason, unless serving, as a lame duck too. Every call
  // let in must Leave once.
  [[nodiscard]] absl::Status Enter();
  void Leave();

  int in_flight() const;

  // True when no call is under way any more, false when `deadline` came first.
  bool WaitIdle(SteadyTime deadline) const;

 private:
  mutable SteadyMutex mutex_;
  ServerState state_ ABSL_GUARDED_BY(mutex_) = ServerState::kStarting;
  int in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_RUNTIME_LIFECYCLE_H_
