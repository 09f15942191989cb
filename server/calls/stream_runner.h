// Runs streaming calls: let in or refused like every other call (call_gate.h), each handled on a
// thread of its own with blocking reads and writes (message_stream.h), at most so many at once, and
// so many of one caller (server/access/quotas.h).
//
// A handler that waits for its caller is woken by the caller's deadline, by the caller's going, by
// too long a silence, and when the call is abandoned; Call::KeepGoing says the same from then on.
//
// Safe from any thread.
#ifndef ANTIPHON_SERVER_CALLS_STREAM_RUNNER_H_
#define ANTIPHON_SERVER_CALLS_STREAM_RUNNER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/base/check_range.h"
#include "core/base/steady_mutex.h"
#include "google/protobuf/message.h"
#include "server/calls/call.h"
#include "server/calls/call_gate.h"
#include "server/calls/dispatcher.h"
#include "server/calls/message_stream.h"
#include "server/calls/receive_monitor.h"
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

  void Wake();  // the call has been abandoned

  absl::Status status() const;
  bool write_is_stuck() const;  // a write was given up because nobody took it

 private:
  enum class Progress { kNone, kUnderWay, kDone, kFailed };

  bool Ended(Operation operation) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Call& call_;
  const absl::Duration patience_;
  mutable SteadyMutex mutex_;
  Progress progress_[2] ABSL_GUARDED_BY(mutex_) = {Progress::kNone, Progress::kNone};
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  bool stuck_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;      // nothing more is read or written …
  bool all_read_ ABSL_GUARDED_BY(mutex_) = false;  // … or nothing more is read
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

// A stream of messages of any kind. Read and Write belong to the thread of the stream.
class AnyStream {
 public:
  virtual ~AnyStream() = default;
  virtual bool Read(google::protobuf::Message* message) = 0;
  virtual bool Write(const google::protobuf::Message& message) = 0;
  virtual absl::Status status() const = 0;
};

// What a handler sees of it.
template <typename Request, typename Response>
class TypedStream final : public MessageStream<Request, Response> {
 public:
  explicit TypedStream(AnyStream& stream) : stream_(stream) {}
  bool Read(Request* message) override { return Note(stream_.Read(message)); }
  bool Write(const Response& message) override { return Note(stream_.Write(message)); }
  absl::Status status() const override { return status_; }

 private:
  bool Note(bool done) {
    if (!done) status_ = stream_.status();
    return done;
  }

  AnyStream& stream_;
  absl::Status status_;
};

}  // namespace internal

class StreamRunner {
 public:
  // All are borrowed, and outlive every call.
  StreamRunner(CallGate& gate, ReceiveMonitor& monitor, const StreamRunnerOptions& options,
               int64_t max_message_bytes);

  // Client streaming: a method that answers `response` when the handler returns OK, its status
  // otherwise. `name` is a literal.
  template <typename Request, typename Response>
  Method Upload(const char* name,
                std::function<absl::Status(Call&, MessageReader<Request>&, Response*)> handler) {
    return MakeMethod(name, [handler = std::move(handler)](Call& call, internal::AnyStream& any) {
      internal::TypedStream<Request, Response> stream(any);
      Response response;
      absl::Status status = handler(call, stream, &response);
      if (status.ok() && stream.status().ok() && !stream.Write(response)) return stream.status();
      return status;
    });
  }

  // Bidirectional: a method that ends the stream with the handler's status.
  template <typename Request, typename Response>
  Method Dialogue(const char* name,
                  std::function<absl::Status(Call&, MessageStream<Request, Response>&)> handler) {
    return MakeMethod(name, [handler = std::move(handler)](Call& call, internal::AnyStream& any) {
      internal::TypedStream<Request, Response> stream(any);
      return handler(call, stream);
    });
  }

  // Takes no more streams and waits for those under way, which somebody has to cancel. Must not be
  // called from one.
  void Stop() { threads_.Stop(); }

  int open() const;  // streams under way
  int max_streams() const { return options_.max_streams; }

 private:
  class Reactor;
  using Handler = std::function<absl::Status(Call&, internal::AnyStream&)>;

  Method MakeMethod(const char* name, Handler handler);
  void Start(Reactor* stream, const Handler& handler);
  void End(Reactor* stream, const absl::Status& status);
  [[nodiscard]] absl::Status TakePlace();
  void GivePlaceBack();

  CallGate& gate_;
  ReceiveMonitor& monitor_;
  const StreamRunnerOptions options_;
  const int64_t max_message_bytes_;
  mutable absl::Mutex mutex_;
  int open_ ABSL_GUARDED_BY(mutex_) = 0;
  // As many threads as there may be streams. Last: what they run uses the members above.
  WorkQueue threads_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CALLS_STREAM_RUNNER_H_
