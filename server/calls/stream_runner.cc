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
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace internal {

bool StreamWaiter::Begin(Operation operation) {
  absl::MutexLock lock(&mutex_);
  if (over_ || (operation == kRead && all_read_)) return false;
  progress_[operation] = Progress::kUnderWay;
  return true;
}

void StreamWaiter::End(Operation operation, bool ok) {
  absl::MutexLock lock(&mutex_);
  progress_[operation] = ok ? Progress::kDone : Progress::kFailed;
}

void StreamWaiter::Cancel() {
  // The call first: a handler that wakes up asks KeepGoing at once.
  call_.Abandon(absl::CancelledError("the caller has gone"));
  absl::MutexLock lock(&mutex_);
  cancelled_ = true;
}

bool StreamWaiter::Ended(Operation operation) const {
  return cancelled_ || progress_[operation] != Progress::kUnderWay;
}

bool StreamWaiter::Await(Operation operation) {
  const absl::Time until = std::min(absl::Now() + patience_, call_.deadline());
  absl::MutexLock lock(&mutex_);
  const auto ended = [this, operation]()
                         ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return Ended(operation); };
  const bool in_time = mutex_.AwaitWithDeadline(absl::Condition(&ended), until);
  // Even if the caller went at the same moment: what has arrived is used.
  if (progress_[operation] == Progress::kDone) return true;
  if (!in_time && until < call_.deadline()) {
    call_.Abandon(absl::DeadlineExceededError(
        absl::StrCat(operation == kRead ? "nothing was sent" : "no answer was taken", " for ",
                     absl::FormatDuration(patience_))));
  }
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
  absl::MutexLock lock(&mutex_);
  return status_;
}

bool StreamWaiter::UnderWay(Operation operation) const {
  absl::MutexLock lock(&mutex_);
  return progress_[operation] == Progress::kUnderWay;
}

}  // namespace internal

StreamRunner::StreamRunner(CallGate& gate, const StreamRunnerOptions& options)
    : gate_(gate),
      options_(options),
      threads_({.workers = options.max_streams, .capacity = options.max_streams}) {}

// Runs on gRPC's thread, so it must not block. Every path ends in End exactly once, whatever
// refuses the stream. `stream` deletes itself in OnDone, which may be before End returns: nothing
// may touch it after End.
void StreamRunner::Start(internal::StreamCall* stream, std::function<absl::Status(Call&)> handler) {
  absl::StatusOr<Admission> admission = gate_.Admit(stream->call, CallPolicy::kOwnThread);
  if (!admission.ok()) return End(stream, admission.status());
  stream->admission = *std::move(admission);
  if (absl::Status status = TakePlace(); !status.ok()) return End(stream, status);
  absl::Status pushed = threads_.Push([this, stream, handler = std::move(handler)] {
    absl::Status status = gate_.Work(stream->call, handler);
    // A handler may overlook that its caller fell silent or went.
    if (status.ok()) status = stream->waiter.status();
    // The place first: a caller who opens a new stream on seeing the end of this one must find it.
    GivePlaceBack();
    End(stream, status);
  });
  if (pushed.ok()) return;
  GivePlaceBack();
  End(stream, pushed);
}

void StreamRunner::End(internal::StreamCall* stream, const absl::Status& status) {
  const grpc::Status answer = gate_.Close(stream->call, status, stream->sizes);
  const Admission admission = std::move(stream->admission);  // ends once the answer is on its way
  stream->End(answer);
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
