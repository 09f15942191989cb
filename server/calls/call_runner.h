// Runs unary calls: let in or refused (call_gate.h), queued, dropped when the caller has gone,
// answered. The services only say what a call is about.
//
// Safe from any thread.
#ifndef ANTIPHON_SERVER_CALLS_CALL_RUNNER_H_
#define ANTIPHON_SERVER_CALLS_CALL_RUNNER_H_

#include <functional>

#include "absl/status/status.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "server/calls/call.h"
#include "server/calls/call_gate.h"
#include "server/calls/work_queue.h"

namespace antiphon::server {

class CallRunner {
 public:
  // Both are borrowed, and outlive every call. `queue` is stopped before this object goes.
  CallRunner(CallGate& gate, WorkQueue& queue);

  using Handler = std::function<absl::Status(Call&)>;

  // `policy` must be kQueued or kInline. Answers `response` when `handler` returns OK, its status
  // otherwise. `request` and `response` are gRPC's, and live until the call is answered.
  grpc::ServerUnaryReactor* Run(const char* method, CallPolicy policy,
                                grpc::CallbackServerContext* context,
                                const google::protobuf::Message& request,
                                google::protobuf::Message* response, Handler handler);

 private:
  class Reactor;

  void Complete(Reactor* reactor, const absl::Status& status);

  CallGate& gate_;
  WorkQueue& queue_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CALLS_CALL_RUNNER_H_
