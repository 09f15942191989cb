#include "server/call_gate.h"

#include <exception>
#include <new>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/status_map.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

bool IsServersFault(grpc::StatusCode code) {
  return code == grpc::StatusCode::INTERNAL || code == grpc::StatusCode::DATA_LOSS ||
         code == grpc::StatusCode::UNKNOWN || code == grpc::StatusCode::FAILED_PRECONDITION;
}

}  // namespace

CallGate::CallGate(const Store& store, Lifecycle& lifecycle, Metrics& metrics)
    : store_(store), lifecycle_(lifecycle), metrics_(metrics) {}

absl::StatusOr<Admission> CallGate::Admit(const Call& call, Door door) {
  if (door == Door::kAlways) return Admission();
  if (absl::Status status = lifecycle_.Enter(); !status.ok()) return status;
  return Admission(lifecycle_);
}

absl::Status CallGate::Work(Call& call, const std::function<absl::Status(Call&)>& handler) {
  if (absl::Status status = call.KeepGoing(); !status.ok()) return status;
  try {
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
  spdlog::log(IsServersFault(answer.error_code()) ? spdlog::level::err : spdlog::level::info,
              "method={} code={} ms={:.1f} request_bytes={} response_bytes={}{}{}", call.method(),
              CodeName(answer.error_code()), seconds * 1000, sizes.request_bytes, sizes.response_bytes,
              status.ok() ? "" : " message=", std::string(status.message()));
  return answer;
}

}  // namespace antiphon::server
