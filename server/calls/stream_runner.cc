// Two threads meet here for each stream: the stream's own, on which the handler blocks, and gRPC's,
// which reports that an operation has ended or that the caller has gone. StreamWaiter's mutex is
// the only thing they share, and it is held for moments. Nothing is called with it held except
// Call::KeepGoing and Call::Abandon, whose lock is the last one taken.
//
// gRPC allows one read and one write at a time. The handler is one thread and waits for each, so
// there is never a second; an operation that Await gave up on stays under way, and Begin starts no
// more.
#include "server/calls/stream_runner.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/calls/handover.h"
#include "server/calls/messages.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace internal {

bool StreamWaiter::Begin(Operation operation) {
  SteadyMutexLock lock(&mutex_);
  if (over_ || (operation == kRead && all_read_)) return false;
  progress_[operation] = Progress::kUnderWay;
  return true;
}

void StreamWaiter::End(Operation operation, bool ok) {
  SteadyMutexLock lock(&mutex_);
  progress_[operation] = ok ? Progress::kDone : Progress::kFailed;
}

void StreamWaiter::Wake() {
  SteadyMutexLock lock(&mutex_);
  abandoned_ = true;
}

bool StreamWaiter::Ended(Operation operation) const {
  return abandoned_ || progress_[operation] != Progress::kUnderWay;
}

bool StreamWaiter::Await(Operation operation) {
  const SteadyTime until = std::min(After(patience_), call_.deadline());
  bool in_time = false;
  {
    SteadyMutexLock lock(&mutex_);
    in_time = mutex_.AwaitUntil(until, [this, operation] {
      mutex_.AssertHeld();
      return Ended(operation);
    });
    // Even if the caller went at the same moment: what has arrived is used.
    if (progress_[operation] == Progress::kDone) return true;
    stuck_ = stuck_ || (operation == kWrite && !in_time);
  }
  if (!in_time && until < call_.deadline()) {
    call_.Abandon(absl::DeadlineExceededError(
        absl::StrCat(operation == kRead ? "nothing was sent" : "no answer was taken", " for ",
                     absl::FormatDuration(patience_))));
  }
  SteadyMutexLock lock(&mutex_);
  status_ = call_.KeepGoing();
  if (operation == kRead && status_.ok()) {
    // A failed read with nothing wrong is the regular end of the caller's messages. Answers may
    // still be written.
    all_read_ = true;
    return false;
  }
  if (status_.ok()) status_ = absl::CancelledError("the caller has gone");
  over_ = true;
  return false;
}

absl::Status StreamWaiter::status() const {
  SteadyMutexLock lock(&mutex_);
  return status_;
}

bool StreamWaiter::write_is_stuck() const {
  SteadyMutexLock lock(&mutex_);
  return stuck_;
}

}  // namespace internal

using internal::StreamWaiter;

// Lives until gRPC is done with the call.
class StreamRunner::Reactor final : public grpc::ServerGenericBidiReactor,
                                    public internal::AnyStream {
 public:
  Reactor(StreamRunner& runner, const char* method, grpc::CallbackServerContext* context)
      : runner_(runner),
        context_(context),
        call(method, OriginOf(*context), runner.gate_.metrics()),
        waiter_(call, runner.options_.patience()) {
    call.set_on_abandon([this] { waiter_.Wake(); });
  }

  bool Read(google::protobuf::Message* message) override {
    if (!waiter_.Begin(StreamWaiter::kRead)) return false;
    auto receipt =
        runner_.monitor_.Begin(call.origin().peer, call.caller(), runner_.max_message_bytes_,
                               [this](const absl::Status& why) { call.Abandon(why); });
    if (!receipt.ok()) {
      call.Abandon(WithRetry(receipt.status(), runner_.threads_.RetryDelay()));
      waiter_.End(StreamWaiter::kRead, false);
      return waiter_.Await(StreamWaiter::kRead);
    }
    receipt_ = *std::move(receipt);
    read_.Give();
    StartRead(&incoming_);
    if (!waiter_.Await(StreamWaiter::kRead)) return false;
    sizes.request_bytes += static_cast<int64_t>(incoming_.Length());
    const absl::Status parsed = ParseMessage(incoming_, runner_.max_message_bytes_, message);
    if (parsed.ok()) return true;
    call.Abandon(parsed);
    waiter_.End(StreamWaiter::kRead, false);
    return waiter_.Await(StreamWaiter::kRead);
  }

  bool Write(const google::protobuf::Message& message) override {
    if (!waiter_.Begin(StreamWaiter::kWrite)) return false;
    if (absl::Status status = SerializeMessage(message, &outgoing_); !status.ok()) {
      call.Abandon(status);
      waiter_.End(StreamWaiter::kWrite, false);
      return waiter_.Await(StreamWaiter::kWrite);
    }
    const auto bytes = static_cast<int64_t>(outgoing_.Length());
    StartWrite(&outgoing_);
    if (!waiter_.Await(StreamWaiter::kWrite)) return false;
    sizes.response_bytes += bytes;
    return true;
  }

  absl::Status status() const override { return waiter_.status(); }

  void OnReadDone(bool ok) override {
    read_.Take();
    receipt_->End(ok ? static_cast<int64_t>(incoming_.Length()) : 0);
    waiter_.End(StreamWaiter::kRead, ok);
  }
  void OnWriteDone(bool ok) override { waiter_.End(StreamWaiter::kWrite, ok); }
  void OnCancel() override { call.Abandon(absl::CancelledError("the caller has gone")); }
  void OnDone() override {
    end_.Take();
    delete this;
  }

  // This object may be gone when it returns.
  void Close(const grpc::Status& status) {
    // The status would wait in line behind an answer that is not taken.
    if (waiter_.write_is_stuck()) context_->TryCancel();
    end_.Give();
    Finish(status);
  }

 private:
  StreamRunner& runner_;
  grpc::CallbackServerContext* const context_;

 public:
  Call call;
  Admission admission;
  Quotas::Share share;
  CallGate::Sizes sizes;

 private:
  StreamWaiter waiter_;
  Handover read_, end_;
  std::shared_ptr<ReceiveMonitor::Receipt> receipt_;  // of the latest read
  // Here, because a read and a write may outlive the handler.
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
};

StreamRunner::StreamRunner(CallGate& gate, ReceiveMonitor& monitor,
                           const StreamRunnerOptions& options, int64_t max_message_bytes)
    : gate_(gate),
      monitor_(monitor),
      options_(options),
      max_message_bytes_(max_message_bytes),
      threads_({.workers = options.max_streams, .capacity = options.max_streams}) {}

Method StreamRunner::MakeMethod(const char* name, Handler handler) {
  return {name, [this, name, handler = std::move(handler)](grpc::CallbackServerContext* context) {
            auto* stream = new Reactor(*this, name, context);
            Start(stream, handler);
            return stream;
          }};
}

// Runs on gRPC's thread, so it must not block. Every path ends in End exactly once, whatever
// refuses the stream. `stream` deletes itself in OnDone, which may be before End returns: nothing
// may touch it after End. `handler` is the method's, and outlives every call.
void StreamRunner::Start(Reactor* stream, const Handler& handler) {
  absl::StatusOr<Admission> admission = gate_.Admit(stream->call, CallPolicy::kOwnThread);
  if (!admission.ok()) return End(stream, admission.status());
  stream->admission = *std::move(admission);
  auto share = gate_.quotas().TakeStream(stream->call.caller());
  if (!share.ok()) return End(stream, WithRetry(share.status(), threads_.RetryDelay()));
  stream->share = *std::move(share);
  if (absl::Status status = TakePlace(); !status.ok()) return End(stream, status);
  absl::Status pushed = threads_.Push([this, stream, &handler] {
    absl::Status status =
        gate_.Work(stream->call, [stream, &handler](Call& call) { return handler(call, *stream); });
    // A handler may overlook that its caller fell silent or went.
    if (status.ok()) status = stream->status();
    // The place first: a caller who opens a new stream on seeing the end of this one must find it.
    GivePlaceBack();
    stream->share = Quotas::Share();
    End(stream, status);
  });
  if (pushed.ok()) return;
  GivePlaceBack();
  End(stream, pushed);
}

void StreamRunner::End(Reactor* stream, const absl::Status& status) {
  const grpc::Status answer = gate_.Close(stream->call, status, stream->sizes);
  const Admission admission = std::move(stream->admission);  // ends once the answer is on its way
  stream->Close(answer);
}

// Places are counted apart from the queue's capacity. There is a thread for every place, so no
// stream waits in the queue behind others: its sound would be old by the time it was heard.
absl::Status StreamRunner::TakePlace() {
  absl::MutexLock lock(&mutex_);
  if (open_ >= options_.max_streams) {
    return WithRetry(
        absl::ResourceExhaustedError(absl::StrCat("the server is busy: ", options_.max_streams,
                                                  " streams are open already")),
        threads_.RetryDelay());
  }
  ++open_;
  return absl::OkStatus();
}

void StreamRunner::GivePlaceBack() {
  absl::MutexLock lock(&mutex_);
  --open_;
}

int StreamRunner::open() const {
  absl::MutexLock lock(&mutex_);
  return open_;
}

}  // namespace antiphon::server
