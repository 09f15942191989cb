#include "server/calls/call_gate.h"

#include <exception>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/error_reason.h"
#include "core/base/status_macros.h"
#include "server/telemetry/logging.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

// STAGE_QUEUE is "queue_ms" in the log.
std::string StageField(v1::Stage stage) {
  return absl::StrCat(absl::AsciiStrToLower(absl::StripPrefix(v1::Stage_Name(stage), "STAGE_")),
                      "_ms");
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
                   Authenticator* authenticator, const Quota& quota)
    : store_(store),
      lifecycle_(lifecycle),
      metrics_(metrics),
      authenticator_(authenticator),
      quota_(quota) {}

absl::StatusOr<Admission> CallGate::Admit(Call& call, CallPolicy policy) {
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
    fields.Add(StageField(stage), stage_seconds * 1000);
  if (!status.ok()) fields.Add("message", std::string(status.message()));
  // Health is asked for every second, and is open to anybody.
  const bool routine = answer.ok() && absl::StartsWith(call.method(), "Health.");
  LogLine(IsServersFault(status) ? spdlog::level::err
          : routine              ? spdlog::level::debug
                                 : spdlog::level::info,
          fields);
  return answer;
}

}  // namespace antiphon::server
