// Runs streaming calls: let in or refused like every other call (call_gate.h), each handled on a
// thread of its own with blocking reads and writes (message_stream.h), at most so many at once.
//
// A handler that waits for its caller is woken by the caller's deadline, by the caller's going, and
// by too long a silence; Call::KeepGoing says the same from then on.
//
// Safe from any thread.
#ifndef ANTIPHON_SERVER_CALLS_STREAM_RUNNER_H_
#define ANTIPHON_SERVER_CALLS_STREAM_RUNNER_H_

#include <cstdint>
#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/base/check_range.h"
#include "google/protobuf/message.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "server/calls/call.h"
#include "server/calls/call_gate.h"
#include "server/calls/handover.h"
#include "server/calls/message_stream.h"
#include "server/calls/work_queue.h"

namespace antiphon::server {

struct StreamRunnerOptions {
  static constexpr Range<int> kMaxStreamsRange = {1, 1024};
  int max_streams = 16;  // at once
  static constexpr Range<double> kPatienceRange = {1, 86'400};
  double patience_s = 60;  // with a caller who sends nothing, or takes nothing, seconds

  absl::Duration patience() const { return absl::Seconds(patience_s); }
};

namespace internal {

// Lets the thread of a stream wait for what gRPC's threads do.
class StreamWaiter {
 public:
  enum Operation { kRead, kWrite };

  StreamWaiter(Call& call, absl::Duration patience) : call_(call), patience_(patience) {}

  // Around each operation: Begin (false: it must not be started), then End from gRPC's thread, then
  // Await gives whether it succeeded. An operation that Await gave up on may still be under way.
  [[nodiscard]] bool Begin(Operation operation);
  void End(Operation operation, bool ok);
  [[nodiscard]] bool Await(Operation operation);

  void Cancel();  // the caller has gone

  absl::Status status() const;
  bool UnderWay(Operation operation) const;

 private:
  enum class Progress { kNone, kUnderWay, kDone, kFailed };

  bool Ended(Operation operation) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Call& call_;
  const absl::Duration patience_;
  mutable absl::Mutex mutex_;
  Progress progress_[2] ABSL_GUARDED_BY(mutex_) = {Progress::kNone, Progress::kNone};
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;      // nothing more is read or written …
  bool all_read_ ABSL_GUARDED_BY(mutex_) = false;  // … or nothing more is read
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

// What of a stream does not depend on its messages. Lives until gRPC is done with the call.
class StreamCall {
 public:
  StreamCall(const char* method, CallOrigin origin, absl::Duration patience, Metrics& metrics)
      : call(method, std::move(origin), metrics), waiter(call, patience) {}
  virtual ~StreamCall() = default;

  virtual void End(const grpc::Status& status) = 0;  // the object may be gone when this returns

  Call call;
  Admission admission;
  StreamWaiter waiter;
  CallGate::Sizes sizes;
};

// `Reactor` is gRPC's, `Stream` what the handler sees.
template <typename Reactor, typename Stream, typename Request>
class ReadingReactor : public Reactor, public Stream, public StreamCall {
 public:
  ReadingReactor(const char* method, grpc::CallbackServerContext* context, absl::Duration patience,
                 Metrics& metrics)
      : StreamCall(method, OriginOf(*context), patience, metrics), context_(context) {}

  bool Read(Request* message) final {
    if (!waiter.Begin(StreamWaiter::kRead)) return false;
    this->StartRead(&incoming_);
    if (!waiter.Await(StreamWaiter::kRead)) return false;
    message->Swap(&incoming_);
    sizes.request_bytes += static_cast<int64_t>(message->ByteSizeLong());
    return true;
  }
  absl::Status status() const final { return waiter.status(); }

  void OnReadDone(bool ok) final { waiter.End(StreamWaiter::kRead, ok); }
  void OnCancel() final { waiter.Cancel(); }
  void OnDone() final {
    handover_.Take();
    delete this;
  }

  void End(const grpc::Status& status) final {
    // The status would wait in line behind an answer that is not taken.
    if (waiter.UnderWay(StreamWaiter::kWrite)) context_->TryCancel();
    handover_.Give();
    this->Finish(status);
  }

 private:
  grpc::CallbackServerContext* const context_;
  Handover handover_;
  Request incoming_;  // here, because a read may outlive the handler
};

template <typename Request>
using UploadReactor =
    ReadingReactor<grpc::ServerReadReactor<Request>, MessageReader<Request>, Request>;

template <typename Request, typename Response>
class DialogueReactor final : public ReadingReactor<grpc::ServerBidiReactor<Request, Response>,
                                                    MessageStream<Request, Response>, Request> {
 public:
  using ReadingReactor<grpc::ServerBidiReactor<Request, Response>, MessageStream<Request, Response>,
                       Request>::ReadingReactor;

  bool Write(const Response& message) override {
    if (!this->waiter.Begin(StreamWaiter::kWrite)) return false;
    outgoing_ = message;
    this->StartWrite(&outgoing_);
    if (!this->waiter.Await(StreamWaiter::kWrite)) return false;
    this->sizes.response_bytes += static_cast<int64_t>(outgoing_.ByteSizeLong());
    return true;
  }
  void OnWriteDone(bool ok) override { this->waiter.End(StreamWaiter::kWrite, ok); }

 private:
  Response outgoing_;  // here, because a write may outlive the handler
};

}  // namespace internal

class StreamRunner {
 public:
  // `gate` is borrowed, and outlives every call.
  StreamRunner(CallGate& gate, const StreamRunnerOptions& options);

  // Client streaming. Answers `response`, which is gRPC's, when the handler returns OK, its status
  // otherwise.
  template <typename Request>
  grpc::ServerReadReactor<Request>* RunUpload(
      const char* method, grpc::CallbackServerContext* context, google::protobuf::Message* response,
      std::function<absl::Status(Call&, MessageReader<Request>&)> handler) {
    auto* reactor =
        new internal::UploadReactor<Request>(method, context, options_.patience(), gate_.metrics());
    Start(reactor, [reactor, response, handler = std::move(handler)](Call& call) {
      absl::Status status = handler(call, *reactor);
      if (status.ok())
        reactor->sizes.response_bytes = static_cast<int64_t>(response->ByteSizeLong());
      return status;
    });
    return reactor;
  }

  // Bidirectional. Ends the stream with the handler's status.
  template <typename Request, typename Response>
  grpc::ServerBidiReactor<Request, Response>* RunDialogue(
      const char* method, grpc::CallbackServerContext* context,
      std::function<absl::Status(Call&, MessageStream<Request, Response>&)> handler) {
    auto* reactor = new internal::DialogueReactor<Request, Response>(
        method, context, options_.patience(), gate_.metrics());
    Start(reactor,
          [reactor, handler = std::move(handler)](Call& call) { return handler(call, *reactor); });
    return reactor;
  }

  // Takes no more streams and waits for those under way, which somebody has to cancel. Must not be
  // called from one.
  void Stop() { threads_.Stop(); }

  int open() const;  // streams under way
  int max_streams() const { return options_.max_streams; }

 private:
  void Start(internal::StreamCall* stream, std::function<absl::Status(Call&)> handler);
  void End(internal::StreamCall* stream, const absl::Status& status);
  [[nodiscard]] absl::Status TakePlace();
  void GivePlaceBack();

  CallGate& gate_;
  const StreamRunnerOptions options_;
  mutable absl::Mutex mutex_;
  int open_ ABSL_GUARDED_BY(mutex_) = 0;
  // As many threads as there may be streams. Last: what they run uses the members above.
  WorkQueue threads_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CALLS_STREAM_RUNNER_H_
