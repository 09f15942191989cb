#include "server/calls/call_runner.h"

#include <cstdint>
#include <utility>

#include "google/protobuf/message.h"
#include "server/calls/handover.h"
#include "server/wire/status_map.h"

namespace antiphon::server {

// Lives from the call's arrival until gRPC is done with it.
class CallRunner::Reactor : public grpc::ServerUnaryReactor {
 public:
  Reactor(const char* method, CallOrigin origin, Metrics& metrics,
          const google::protobuf::Message& request, google::protobuf::Message* response)
      : call(method, std::move(origin), metrics),
        request_bytes(static_cast<int64_t>(request.ByteSizeLong())),
        response(response) {}

  void OnCancel() override { call.Abandon(absl::CancelledError("the caller has gone")); }
  void OnDone() override {
    handover.Take();
    delete this;
  }

  Call call;
  Admission admission;
  Handover handover;
  const int64_t request_bytes;
  google::protobuf::Message* const response;
};

CallRunner::CallRunner(CallGate& gate, WorkQueue& queue) : gate_(gate), queue_(queue) {}

grpc::ServerUnaryReactor* CallRunner::Run(const char* method, CallPolicy policy,
                                          grpc::CallbackServerContext* context,
                                          const google::protobuf::Message& request,
                                          google::protobuf::Message* response, Handler handler) {
  auto* reactor = new Reactor(method, OriginOf(*context), gate_.metrics(), request, response);
  absl::StatusOr<Admission> admission = gate_.Admit(reactor->call, policy);
  if (!admission.ok()) {
    Complete(reactor, admission.status());
    return reactor;
  }
  reactor->admission = *std::move(admission);
  if (policy == CallPolicy::kInline) {
    Complete(reactor, gate_.Work(reactor->call, handler));
    return reactor;
  }
  absl::Status status = queue_.Push(
      [this, reactor, handler = std::move(handler)] {
        reactor->call.RecordStage(v1::STAGE_QUEUE,
                                  absl::ToDoubleSeconds(absl::Now() - reactor->call.arrived()));
        Complete(reactor, gate_.Work(reactor->call, handler));
      },
      reactor->request_bytes);
  if (absl::IsResourceExhausted(status)) status = WithRetry(std::move(status), queue_.RetryDelay());
  if (!status.ok()) Complete(reactor, status);
  return reactor;
}

void CallRunner::Complete(Reactor* reactor, const absl::Status& status) {
  const int64_t response_bytes =
      status.ok() ? static_cast<int64_t>(reactor->response->ByteSizeLong()) : 0;
  const grpc::Status answer =
      gate_.Close(reactor->call, status, {reactor->request_bytes, response_bytes});
  const Admission admission = std::move(reactor->admission);  // ends once the answer is on its way
  reactor->handover.Give();
  reactor->Finish(answer);  // gRPC may delete the reactor from here on
}

}  // namespace antiphon::server
