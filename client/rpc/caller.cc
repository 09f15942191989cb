#include "client/rpc/caller.h"

#include <algorithm>
#include <optional>

#include "absl/time/clock.h"
#include "client/rpc/rpc_status.h"
#include "core/base/steady_time.h"

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

// A deadline that setting the clock does not move.
void SetDeadline(SteadyTime deadline, grpc::ClientContext& context) {
  const int64_t left_ns = absl::ToInt64Nanoseconds(Between(SteadyNow(), deadline));
  context.set_deadline(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(left_ns, GPR_TIMESPAN)));
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
  const SteadyTime deadline = After(absl::Seconds(options_.timeout_s));
  for (int tries = 1;; ++tries) {
    grpc::ClientContext context;
    Prepare(context);
    SetDeadline(deadline, context);
    const grpc::Status status = once(context);
    if (status.ok()) return absl::OkStatus();
    const std::optional<double> delay_s = RetryDelayOf(status);
    if (repeatable == Repeatable::kNo || !delay_s || tries == kMostTries)
      return FailureOf(status, context);
    const absl::Duration delay = absl::Seconds(*delay_s);
    if (After(delay) >= deadline) return FailureOf(status, context);
    absl::SleepFor(delay);
  }
}

Watchdog::Watchdog(grpc::ClientContext& context, double timeout_s)
    : context_(context), timeout_(absl::Seconds(timeout_s)), thread_([this] { Watch(); }) {}

Watchdog::~Watchdog() {
  {
    SteadyMutexLock lock(&mutex_);
    over_ = true;
  }
  thread_.join();
}

void Watchdog::Wait() {
  SteadyMutexLock lock(&mutex_);
  until_ = After(timeout_);
}

void Watchdog::Rest() {
  SteadyMutexLock lock(&mutex_);
  until_ = kNever;
}

void Watchdog::Restart() {
  SteadyMutexLock lock(&mutex_);
  if (until_ != kNever) until_ = After(timeout_);
}

bool Watchdog::barked() const {
  SteadyMutexLock lock(&mutex_);
  return barked_;
}

void Watchdog::Watch() {
  SteadyMutexLock lock(&mutex_);
  while (!over_) {
    // Woken by a change of plan too: the time to wait until is read anew.
    const SteadyTime until = until_;
    const auto changed = [this, until] {
      mutex_.AssertHeld();
      return over_ || until_ != until;
    };
    if (mutex_.AwaitUntil(until, changed)) continue;
    barked_ = true;
    context_.TryCancel();
    return;
  }
}

}  // namespace antiphon::client
