#include "client/rpc/caller.h"

#include <algorithm>
#include <optional>

#include "absl/time/clock.h"
#include "client/rpc/rpc_status.h"

namespace antiphon::client {
namespace {

constexpr int kMostTries = 4;

// Where an answer is nothing but a failure, what else would come first comes in the trailer.
std::string RequestIdIn(const grpc::ClientContext& context) {
  for (const auto* metadata :
       {&context.GetServerInitialMetadata(), &context.GetServerTrailingMetadata()}) {
    const auto found = metadata->find("x-request-id");
    if (found != metadata->end()) return std::string(found->second.data(), found->second.size());
  }
  return "";
}

}  // namespace

void Caller::Prepare(grpc::ClientContext& context) const {
  for (const auto& [key, value] : channel_.metadata) context.AddMetadata(key, value);
}

absl::Status Caller::FailureOf(const grpc::Status& status,
                               const grpc::ClientContext& context) const {
  return WithRequestId(FromGrpc(status, options_.server, options_.timeout_s), RequestIdIn(context));
}

absl::Status Caller::Try(const std::function<grpc::Status(grpc::ClientContext&)>& once,
                         Repeatable repeatable) const {
  const absl::Time deadline = absl::Now() + absl::Seconds(options_.timeout_s);
  for (int tries = 1;; ++tries) {
    grpc::ClientContext context;
    Prepare(context);
    context.set_deadline(absl::ToChronoTime(deadline));
    const grpc::Status status = once(context);
    if (status.ok()) return absl::OkStatus();
    const std::optional<double> delay_s = RetryDelayOf(status);
    if (repeatable == Repeatable::kNo || !delay_s || tries == kMostTries)
      return FailureOf(status, context);
    const absl::Time again = absl::Now() + absl::Seconds(*delay_s);
    if (again >= deadline) return FailureOf(status, context);
    absl::SleepFor(again - absl::Now());
  }
}

Watchdog::Watchdog(grpc::ClientContext& context, double timeout_s)
    : context_(context), timeout_(absl::Seconds(timeout_s)), thread_([this] { Watch(); }) {}

Watchdog::~Watchdog() {
  {
    absl::MutexLock lock(&mutex_);
    over_ = true;
  }
  thread_.join();
}

void Watchdog::Wait() {
  absl::MutexLock lock(&mutex_);
  until_ = absl::Now() + timeout_;
}

void Watchdog::Rest() {
  absl::MutexLock lock(&mutex_);
  until_ = absl::InfiniteFuture();
}

void Watchdog::Restart() {
  absl::MutexLock lock(&mutex_);
  if (until_ != absl::InfiniteFuture()) until_ = absl::Now() + timeout_;
}

bool Watchdog::barked() const {
  absl::MutexLock lock(&mutex_);
  return barked_;
}

void Watchdog::Watch() {
  absl::MutexLock lock(&mutex_);
  while (!over_) {
    // Woken by a change of plan too: the time to wait until is read anew.
    const absl::Time until = until_;
    const auto changed = [this, until]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return over_ || until_ != until;
    };
    if (mutex_.AwaitWithDeadline(absl::Condition(&changed), until)) continue;
    barked_ = true;
    context_.TryCancel();
    return;
  }
}

}  // namespace antiphon::client
