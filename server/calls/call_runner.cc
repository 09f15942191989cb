// A call goes from one hand to the next: gRPC's thread that brings the headers, gRPC's thread that
// brings the request, a worker. Each hands it on or completes it, exactly once. Beside them stand
// the monitor, which may give the request up until OnReadDone has ended its receipt, and OnCancel,
// which only marks the call.
#include "server/calls/call_runner.h"

#include <utility>

#include "server/calls/handover.h"
#include "server/calls/messages.h"
#include "server/wire/status_map.h"

namespace antiphon::server {

// Lives from the call's arrival until gRPC is done with it.
class CallRunner::Reactor final : public grpc::ServerGenericBidiReactor {
 public:
  Reactor(CallRunner& runner, const char* method, CallPolicy policy, int64_t max_bytes,
          std::unique_ptr<Exchange> exchange, grpc::CallbackServerContext* context)
      : runner_(runner),
        policy_(policy),
        max_bytes_(max_bytes),
        context_(context),
        exchange_(std::move(exchange)),
        call_(method, OriginOf(*context), runner.gate_.metrics()) {}

  void Begin() {
    absl::StatusOr<Admission> admission = runner_.gate_.Admit(call_, policy_);
    if (!admission.ok()) return Complete(admission.status());
    admission_ = *std::move(admission);
    auto receipt = runner_.monitor_.Begin(call_.origin().peer, call_.caller(), max_bytes_,
                                          [this](const absl::Status& why) { Complete(why); });
    if (!receipt.ok()) return Complete(WithRetry(receipt.status(), runner_.queue_.RetryDelay()));
    receipt_ = *std::move(receipt);
    read_.Give();
    StartRead(&incoming_);
  }

  void OnReadDone(bool ok) override {
    read_.Take();
    request_bytes_ = ok ? static_cast<int64_t>(incoming_.Length()) : 0;
    if (!receipt_->End(request_bytes_)) return;  // given up, and completed
    if (!ok) {
      if (context_->IsCancelled()) call_.Abandon(absl::CancelledError("the caller has gone"));
      const absl::Status gone = call_.KeepGoing();
      return Complete(
          !gone.ok() ? gone
                     : FieldError(absl::StatusCode::kInvalidArgument, "request", "is missing"));
    }
    if (absl::Status status = Take(); !status.ok()) return Complete(status);
    if (policy_ != CallPolicy::kQueued) return Complete(Work());
    absl::Status status = runner_.queue_.Push(
        [this] {
          call_.RecordStage(v1::STAGE_QUEUE, SecondsSince(call_.arrived()));
          Complete(Work());
        },
        request_bytes_);
    if (absl::IsResourceExhausted(status))
      status = WithRetry(std::move(status), runner_.queue_.RetryDelay());
    if (!status.ok()) Complete(status);
  }

  void OnCancel() override { call_.Abandon(absl::CancelledError("the caller has gone")); }
  void OnDone() override {
    end_.Take();
    delete this;
  }

 private:
  // The request, within the caller's share.
  absl::Status Take() {
    auto share = runner_.gate_.quotas().TakeBytes(call_.caller(), request_bytes_);
    if (!share.ok()) return WithRetry(share.status(), runner_.queue_.RetryDelay());
    share_ = *std::move(share);
    return ParseMessage(incoming_, max_bytes_, &exchange_->request());
  }

  absl::Status Work() {
    return runner_.gate_.Work(call_, [this](Call& call) { return exchange_->Handle(call); });
  }

  // gRPC may delete this object before it returns.
  void Complete(absl::Status status) {
    if (status.ok()) status = SerializeMessage(exchange_->response(), &outgoing_);
    const int64_t response_bytes = status.ok() ? static_cast<int64_t>(outgoing_.Length()) : 0;
    const grpc::Status answer =
        runner_.gate_.Close(call_, status, {request_bytes_, response_bytes});
    const Admission admission = std::move(admission_);  // ends once the answer is on its way
    end_.Give();
    if (answer.ok()) {
      StartWriteAndFinish(&outgoing_, grpc::WriteOptions(), answer);
    } else {
      Finish(answer);
    }
  }

  CallRunner& runner_;
  const CallPolicy policy_;
  const int64_t max_bytes_;
  grpc::CallbackServerContext* const context_;
  const std::unique_ptr<Exchange> exchange_;
  Call call_;
  Admission admission_;
  Quotas::Share share_;
  std::shared_ptr<ReceiveMonitor::Receipt> receipt_;
  int64_t request_bytes_ = 0;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  Handover read_, end_;
};

CallRunner::CallRunner(CallGate& gate, WorkQueue& queue, ReceiveMonitor& monitor,
                       int64_t max_request_bytes)
    : gate_(gate), queue_(queue), monitor_(monitor), max_request_bytes_(max_request_bytes) {}

Method CallRunner::MakeMethod(const char* name, CallPolicy policy, int64_t max_bytes,
                              std::function<std::unique_ptr<Exchange>()> make_exchange) {
  const int64_t limit = max_bytes > 0 ? max_bytes : max_request_bytes_;
  return {name, [this, name, policy, limit,
                 make_exchange = std::move(make_exchange)](grpc::CallbackServerContext* context) {
            auto* reactor = new Reactor(*this, name, policy, limit, make_exchange(), context);
            reactor->Begin();
            return reactor;
          }};
}

}  // namespace antiphon::server
