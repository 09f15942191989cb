// From absl::Status, which everything below the wire speaks, to grpc::Status, in one place.
//
// A status may carry the field of the request that it is about, the limit it broke, and when to ask
// again, as payloads; ToGrpc puts them into the status details (antiphon.v1.ErrorStatus).
// Stateless; safe from any thread.
#ifndef ANTIPHON_SERVER_WIRE_STATUS_MAP_H_
#define ANTIPHON_SERVER_WIRE_STATUS_MAP_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "antiphon/v1/types.pb.h"
#include "core/base/status_macros.h"
#include "grpcpp/support/status.h"

namespace antiphon::server {

// "FIELD: WHAT (LIMIT)", with both as a payload. `code` must not be kOk.
absl::Status FieldError(absl::StatusCode code, absl::string_view field, absl::string_view what,
                        absl::string_view limit = "");

// A failure that no field is to blame for and whose message is meant for the caller, whatever the
// code. `code` must not be kOk.
absl::Status CallerError(absl::StatusCode code, absl::string_view message);

// Whether a failure names a field or is marked as CallerError does.
bool IsForCaller(const absl::Status& status);

// The same failure, which asking again after `delay` may cure. `delay` must not be negative.
absl::Status WithRetry(absl::Status status, absl::Duration delay);

// Blames `field` for a failure that came from below while it was being read: "FIELD: message", same
// code. OK stays OK; a status that names a field already, or whose code is not about what was sent,
// stays as it is.
absl::Status AtField(const absl::Status& status, absl::string_view field);

// Likewise for the failure of a result.
template <typename T>
absl::StatusOr<T> AtField(absl::StatusOr<T> result, absl::string_view field) {
  return MapError(std::move(result),
                  [field](const absl::Status& status) { return AtField(status, field); });
}

// DeadlineExceeded or Cancelled: nobody waits for an answer any more.
bool IsCallersDoing(const absl::Status& status);

grpc::StatusCode ToGrpcCode(absl::StatusCode code);

// Statuses that tell of the server's inside (Internal, DataLoss, and whatever names no field where
// only a field can be meant) keep their code and lose their message: that one is for the log.
// ResourceExhausted that blames no field and says not when to ask again is given half a minute.
grpc::Status ToGrpc(const absl::Status& status);

// What ToGrpc puts into the status details: for answers that carry the failures of their parts.
// Requires a failure.
v1::ErrorStatus ToErrorStatus(const absl::Status& status);

// "INVALID_ARGUMENT"
const char* CodeName(grpc::StatusCode code);

// The other direction, for clients and tests: what a failed call says about a field, if anything.
std::optional<v1::ErrorDetail> DetailOf(const grpc::Status& status);

// Likewise: after how long to ask again.
std::optional<absl::Duration> RetryDelayOf(const grpc::Status& status);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_WIRE_STATUS_MAP_H_
