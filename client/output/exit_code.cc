#include "client/output/exit_code.h"

#include <algorithm>

#include "client/rpc/rpc_status.h"

namespace antiphon::client {

ExitCode ExitCodeOf(const absl::Status& failure) {
  switch (failure.code()) {
    case absl::StatusCode::kNotFound:
      return ExitCode::kNothing;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return ExitCode::kBadInput;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnimplemented:
      // Blaming a field, it is about the request; otherwise about the server.
      return FieldOf(failure).has_value() ? ExitCode::kBadInput : ExitCode::kServerError;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return ExitCode::kUnreachable;
    default:
      return ExitCode::kServerError;
  }
}

ExitCode Worse(ExitCode a, ExitCode b) { return std::max(a, b); }

}  // namespace antiphon::client
