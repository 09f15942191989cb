#include "server/calls/call_gate.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/error_reason.h"
#include "core/base/status_macros.h"
#include "server/telemetry/logging.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

// STAGE_QUEUE is "queue".
std::string StageName(v1::Stage stage) {
  return absl::AsciiStrToLower(absl::StripPrefix(v1::Stage_Name(stage), "STAGE_"));
}

// Health is asked for every second, and is open to anybody.
bool IsRoutine(const Call& call) { return absl::StartsWith(call.method(), "Health."); }

// What is reported at once has run one after the other before: stages end where the next begins.
std::vector<CallTrace::Stage> StagesOf(const Call& call, SteadyTime now, absl::Time ended) {
  const auto at = [&](SteadyTime time) { return ended - Between(time, now); };
  std::vector<CallTrace::Stage> stages(call.runs().size());
  absl::Time next = ended;
  for (size_t i = stages.size(); i-- > 0;) {
    const Call::StageRun& run = call.runs()[i];
    stages[i].name = StageName(run.stage);
    stages[i].ended = std::min(at(run.reported), next);
    stages[i].began = std::max(stages[i].ended - absl::Seconds(run.seconds), at(call.arrived()));
    next = stages[i].began;
  }
  return stages;
}

CallTrace TraceOf(const Call& call, const absl::Status& status, const grpc::Status& answer,
                  const CallGate::Sizes& sizes) {
  const SteadyTime now = SteadyNow();
  CallTrace trace;
  trace.ended = absl::Now();
  trace.began = trace.ended - Between(call.arrived(), now);
  trace.parent = call.origin().trace;
  trace.method = call.method();
  trace.code = answer.error_code();
  trace.message = std::string(status.message());
  trace.request_id = call.origin().request_id;
  trace.request_bytes = sizes.request_bytes;
  trace.response_bytes = sizes.response_bytes;
  trace.stages = StagesOf(call, now, trace.ended);
  return trace;
}

// What an operator has to look into, logged as an error: faults, and storage that is full or gone.
// Refused and cancelled calls are everyday business.
bool IsServersFault(const absl::Status& status) {
  const std::optional<ErrorReason> reason = ReasonOf(status);
  return absl::IsInternal(status) || absl::IsDataLoss(status) || absl::IsUnknown(status) ||
         reason == ErrorReason::kStorageFull || reason == ErrorReason::kStorageUnavailable;
}

}  // namespace

CallGate::CallGate(const Store& store, Lifecycle& lifecycle, Metrics& metrics,
                   Authenticator* authenticator, const Quota& quota, Tracer* tracer)
    : store_(store),
      lifecycle_(lifecycle),
      metrics_(metrics),
      authenticator_(authenticator),
      quota_(quota),
      tracer_(tracer) {}

absl::StatusOr<Admission> CallGate::Admit(Call& call, CallPolicy policy) {
  call.set_traced(tracer_ != nullptr && !IsRoutine(call) && tracer_->Wants(call.origin().trace));
  Caller caller;
  caller.quota = quota_;
  // Keys before the lifecycle: a call without a valid key is refused and counted as such in every
  // state, and shutting down never waits for one.
  const bool asked = authenticator_ != nullptr && policy != CallPolicy::kOpen;
  if (asked) {
    ASSIGN_OR_RETURN(caller, authenticator_->Recognise(call.origin().api_key));
  }
  caller.certificate = call.origin().certificate;
  call.set_caller(caller);
  if (asked) RETURN_IF_ERROR(authenticator_->Permit(caller, call.method(), SteadyNow()));
  if (policy == CallPolicy::kInline || policy == CallPolicy::kOpen) return Admission();
  RETURN_IF_ERROR(lifecycle_.Enter());
  absl::MutexLock lock(&mutex_);
  under_way_.insert(&call);
  return Admission(lifecycle_);
}

void CallGate::AbandonAll(const absl::Status& why) {
  absl::MutexLock lock(&mutex_);
  for (Call* call : under_way_) call->Abandon(why);
}

absl::Status CallGate::Work(Call& call, const std::function<absl::Status(Call&)>& handler) {
  // It may have waited in the queue past its deadline; then not even an engine is pinned for it.
  RETURN_IF_ERROR(call.KeepGoing());
  try {
    // Pinned once: everything in one answer comes from one generation, even if another is put in
    // place meanwhile. An exception must not reach gRPC's thread, where it would end the process.
    call.Pin(store_.Current());
    return handler(call);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("not enough memory for this request");
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("exception: ", error.what()));
  } catch (...) {
    return absl::InternalError("unknown exception");
  }
}

grpc::Status CallGate::Close(Call& call, const absl::Status& status, const Sizes& sizes) {
  {
    absl::MutexLock lock(&mutex_);
    under_way_.erase(&call);
  }
  const double seconds = SecondsSince(call.arrived());
  grpc::Status answer = ToGrpc(status);
  metrics_.RecordCall(call.method(), answer.error_code(), seconds);
  if (!call.caller().key.empty()) metrics_.RecordKey(call.caller().key, answer.error_code());
  LogFields fields;
  fields.Add("method", call.method())
      .Add("code", CodeName(answer.error_code()))
      .Add("ms", seconds * 1000)
      .Add("request_bytes", sizes.request_bytes)
      .Add("response_bytes", sizes.response_bytes)
      .Add("request_id", call.origin().request_id)
      .Add("key", call.caller().key)
      .Add("certificate", call.origin().certificate)
      .Add("peer", call.origin().peer);
  for (const auto& [stage, stage_seconds] : call.stages())
    fields.Add(absl::StrCat(StageName(stage), "_ms"), stage_seconds * 1000);
  if (!call.origin().trace.trace_id.empty())
    fields.Add("trace_id", absl::BytesToHexString(call.origin().trace.trace_id));
  if (!status.ok()) fields.Add("message", std::string(status.message()));
  if (call.is_traced()) tracer_->Record(TraceOf(call, status, answer, sizes));
  const bool routine = answer.ok() && IsRoutine(call);
  LogLine(IsServersFault(status) ? spdlog::level::err
          : routine              ? spdlog::level::debug
                                 : spdlog::level::info,
          fields);
  return answer;
}

}  // namespace antiphon::server
