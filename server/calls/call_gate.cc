#include "server/calls/call_gate.h"

#include <exception>
#include <new>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
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

// What an operator has to look into, logged as an error. Refused and cancelled calls are everyday
// business.
bool IsServersFault(grpc::StatusCode code) {
  return code == grpc::StatusCode::INTERNAL || code == grpc::StatusCode::DATA_LOSS ||
         code == grpc::StatusCode::UNKNOWN;
}

}  // namespace

CallGate::CallGate(const Store& store, Lifecycle& lifecycle, Metrics& metrics,
                   Authenticator* authenticator)
    : store_(store), lifecycle_(lifecycle), metrics_(metrics), authenticator_(authenticator) {}

absl::StatusOr<Admission> CallGate::Admit(Call& call, CallPolicy policy) {
  // Keys before the lifecycle: a call without a valid key is refused and counted as such in every
  // state, and shutting down never waits for one.
  if (authenticator_ != nullptr) {
    ASSIGN_OR_RETURN(std::string name,
                     authenticator_->Admit(call.origin().api_key, call.method(), absl::Now()));
    call.set_caller(std::move(name));
  }
  if (policy == CallPolicy::kInline) return Admission();
  RETURN_IF_ERROR(lifecycle_.Enter());
  return Admission(lifecycle_);
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

grpc::Status CallGate::Close(const Call& call, const absl::Status& status, const Sizes& sizes) {
  const double seconds = absl::ToDoubleSeconds(absl::Now() - call.arrived());
  grpc::Status answer = ToGrpc(status);
  metrics_.RecordCall(call.method(), answer.error_code(), seconds);
  LogFields fields;
  fields.Add("method", call.method())
      .Add("code", CodeName(answer.error_code()))
      .Add("ms", seconds * 1000)
      .Add("request_bytes", sizes.request_bytes)
      .Add("response_bytes", sizes.response_bytes)
      .Add("request_id", call.origin().request_id)
      .Add("key", call.caller())
      .Add("peer", call.origin().peer);
  for (const auto& [stage, stage_seconds] : call.stages())
    fields.Add(StageField(stage), stage_seconds * 1000);
  if (!status.ok()) fields.Add("message", std::string(status.message()));
  LogLine(IsServersFault(answer.error_code()) ? spdlog::level::err : spdlog::level::info, fields);
  return answer;
}

}  // namespace antiphon::server
