// The way into the server and out of it, the same for unary calls (call_runner.h) and streams
// (stream_runner.h): who is let in, what a handler may do to the server, and what is counted and
// logged of a call.
//
// Safe from any thread.
#ifndef ANTIPHON_SERVER_CALLS_CALL_GATE_H_
#define ANTIPHON_SERVER_CALLS_CALL_GATE_H_

#include <cstdint>
#include <functional>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/support/status.h"
#include "server/access/authenticator.h"
#include "server/access/quotas.h"
#include "server/calls/call.h"
#include "server/runtime/lifecycle.h"
#include "server/serving/store.h"
#include "server/telemetry/metrics.h"
#include "server/telemetry/tracer.h"

namespace antiphon::server {

// When a call is let in, and where its handler runs.
enum class CallPolicy {
  kQueued,     // while the server serves; on a worker, once it is its turn
  kOwnThread,  // while the server serves; at once, on a thread of its own: streams
  kInline,     // in any state, and not counted as under way; on gRPC's thread: for what takes no
               // time and must answer when all else is busy
  kOpen        // as kInline, and nobody has to show a key
};

// That a call is under way. The lifecycle waits until this goes, which may be after the call has
// gone: once its answer is on its way.
class Admission {
 public:
  Admission() = default;
  explicit Admission(Lifecycle& lifecycle) : lifecycle_(&lifecycle) {}
  Admission(Admission&& other) noexcept { *this = std::move(other); }
  Admission& operator=(Admission&& other) noexcept {
    std::swap(lifecycle_, other.lifecycle_);
    return *this;
  }
  ~Admission() {
    if (lifecycle_ != nullptr) lifecycle_->Leave();
  }

 private:
  Lifecycle* lifecycle_ = nullptr;
};

class CallGate {
 public:
  // All are borrowed, and outlive every call. `authenticator` may be null: everybody may do
  // everything; those who show a client's certificate, within `quota`. `tracer` may be null.
  CallGate(const Store& store, Lifecycle& lifecycle, Metrics& metrics,
           Authenticator* authenticator = nullptr, const Quota& quota = {},
           Tracer* tracer = nullptr);

  Metrics& metrics() { return metrics_; }
  Quotas& quotas() { return quotas_; }

  // As Authenticator::Recognise and Permit; then Unavailable unless calls are taken or the policy
  // needs none to be. From here on the call knows its caller, also when he is turned away.
  [[nodiscard]] absl::StatusOr<Admission> Admit(Call& call, CallPolicy policy);

  // Runs the handler on the collection that is current now, unless nobody waits for the answer any
  // more. What it throws becomes Internal, or ResourceExhausted for memory.
  absl::Status Work(Call& call, const std::function<absl::Status(Call&)>& handler);

  struct Sizes {
    int64_t request_bytes = 0;
    int64_t response_bytes = 0;
  };

  // Abandons all calls that have been admitted and not closed.
  void AbandonAll(const absl::Status& why);

  // What the caller is told. Counts, logs and traces the call: to be asked once, last, for every
  // call, refused ones included. Nobody abandons the call after it.
  grpc::Status Close(Call& call, const absl::Status& status, const Sizes& sizes);

 private:
  const Store& store_;
  Lifecycle& lifecycle_;
  Metrics& metrics_;
  Authenticator* const authenticator_;
  const Quota quota_;
  Tracer* const tracer_;
  Quotas quotas_;
  absl::Mutex mutex_;
  std::set<Call*> under_way_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CALLS_CALL_GATE_H_
