#include "client/rpc_status.h"

#include <grpcpp/support/status.h>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "antiphon/v1/types.pb.h"

namespace antiphon::client {
namespace {

constexpr char kDetailUrl[] = "type.googleapis.com/antiphon.v1.ErrorDetail";

// True when the server itself wrote the trailer, rather than gRPC on either side.
bool ParseTrailer(const grpc::Status& status, v1::ErrorStatus& trailer) {
  return !status.error_details().empty() && trailer.ParseFromString(status.error_details());
}

std::string Advice(const grpc::Status& status, bool from_server, const std::string& server, double timeout_s) {
  const std::string& message = status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      if (from_server)
        return absl::StrCat("the server at ", server, " takes no requests: ", message, "; try again later");
      return absl::StrCat("cannot reach the server at ", server,
                          ": start it with `antiphon-server --bundle DIR`, or name another with --server (", message,
                          ")");
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return absl::StrCat("no answer from the server at ", server, " within ", timeout_s,
                          " s: give it longer with --timeout, or send less with --start and --length");
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      if (from_server) return absl::StrCat("the server at ", server, " is too busy: ", message, "; try again later");
      return absl::StrCat("the request is too large for the server at ", server,
                          ": send less with --start and --length (", message, ")");
    case grpc::StatusCode::UNIMPLEMENTED:
      return absl::StrCat("what answers at ", server,
                          " does not know this call: is it an antiphon-server, and of this ", "version? (", message,
                          ")");
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::INVALID_ARGUMENT:
      return message;
    default:
      return absl::StrCat("the server at ", server, " failed: ", message);
  }
}

}  // namespace

std::optional<BlamedField> FieldOf(const absl::Status& failure) {
  const auto payload = failure.GetPayload(kDetailUrl);
  v1::ErrorDetail detail;
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload)) || detail.field().empty()) {
    return std::nullopt;
  }
  return BlamedField{detail.field(), detail.limit()};
}

absl::Status FromGrpc(const grpc::Status& status, const std::string& server, double timeout_s) {
  if (status.ok()) return absl::OkStatus();
  v1::ErrorStatus trailer;
  const bool from_server = ParseTrailer(status, trailer);
  for (const google::protobuf::Any& any : trailer.details()) {
    v1::ErrorDetail detail;
    if (any.type_url() != kDetailUrl || !detail.ParseFromString(any.value()) || detail.field().empty()) continue;
    absl::Status blamed(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
    blamed.SetPayload(kDetailUrl, absl::Cord(any.value()));
    return blamed;
  }
  auto code = static_cast<absl::StatusCode>(status.error_code());
  if (code == absl::StatusCode::kResourceExhausted && !from_server) code = absl::StatusCode::kInvalidArgument;
  return absl::Status(code, Advice(status, from_server, server, timeout_s));
}

std::string CodeName(absl::StatusCode code) { return absl::StatusCodeToString(code); }

}  // namespace antiphon::client
