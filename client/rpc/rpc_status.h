// Failed calls as absl::Status, with a message that says what to do. Free of state.
#ifndef ANTIPHON_CLIENT_RPC_RPC_STATUS_H_
#define ANTIPHON_CLIENT_RPC_RPC_STATUS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"

namespace grpc {
class Status;
}  // namespace grpc

namespace antiphon::v1 {
class ErrorStatus;
}  // namespace antiphon::v1

namespace antiphon::client {

// Which field of the request a failure blames, and what is allowed there (may be empty):
// ErrorDetail of the API.
struct BlamedField {
  std::string field;
  std::string limit;
};

std::optional<BlamedField> FieldOf(const absl::Status& failure);

// The failure of a call to `server` (as the user named it) that might take `timeout_s` seconds.
// Keeps the code, except that a message too large for the server becomes InvalidArgument.
absl::Status FromGrpc(const grpc::Status& status, const std::string& server, double timeout_s);

// The id of the request that failed, for its operator to find in the log. Nothing where it is not
// known.
absl::Status WithRequestId(absl::Status failure, const std::string& id);
std::optional<std::string> RequestIdOf(const absl::Status& failure);

// Seconds after which the server wants to be asked again, >= 0; nothing where it does not say.
std::optional<double> RetryDelayOf(const grpc::Status& status);

// What a server says of one of several things that it was asked for (Batch, AddPieces).
absl::Status FromErrorStatus(const v1::ErrorStatus& error);

// "INVALID_ARGUMENT": the name of the gRPC code, for programs.
std::string CodeName(absl::StatusCode code);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_RPC_RPC_STATUS_H_
