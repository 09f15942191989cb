#include "client/rpc/rpc_status.h"

#include <grpcpp/support/status.h>

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "antiphon/v1/types.pb.h"

namespace antiphon::client {
namespace {

constexpr char kDetailUrl[] = "type.googleapis.com/antiphon.v1.ErrorDetail";
constexpr char kRetryUrl[] = "type.googleapis.com/google.rpc.RetryInfo";
constexpr char kRequestIdUrl[] =
    "antiphon.client/request_id";  // a payload of ours, that no server sends

// True when the server itself wrote the trailer, rather than gRPC on either side.
bool ParseTrailer(const grpc::Status& status, v1::ErrorStatus& trailer) {
  return !status.error_details().empty() && trailer.ParseFromString(status.error_details());
}

std::string Advice(const grpc::Status& status, bool from_server, const std::string& server,
                   double timeout_s) {
  const std::string& message = status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      if (from_server)
        return absl::StrCat("the server at ", server, " takes no requests: ", message,
                            "; try again later");
      return absl::StrCat("cannot reach the server at ", server,
                          ": start it with `antiphon-server --bundle DIR`, name another with "
                          "--server, or use --tls "
                          "where it speaks TLS (",
                          message, ")");
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return absl::StrCat(
          "no answer from the server at ", server, " within ", timeout_s,
          " s: give it longer with --timeout, or send less with --start and --length");
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      if (from_server)
        return absl::StrCat("the server at ", server, " is too busy: ", message,
                            "; try again later");
      return absl::StrCat("the request is too large for the server at ", server,
                          ": send less with --start and --length (", message, ")");
    case grpc::StatusCode::UNIMPLEMENTED:
      return absl::StrCat("what answers at ", server,
                          " does not know this call: is it an antiphon-server, and of this ",
                          "version? (", message, ")");
    case grpc::StatusCode::UNAUTHENTICATED:
      return absl::StrCat("the server at ", server,
                          " wants an API key that it knows: name its file with "
                          "--api-key-file, or put it into ANTIPHON_API_KEY (",
                          message, ")");
    case grpc::StatusCode::PERMISSION_DENIED:
      return absl::StrCat("the API key does not allow this at ", server, ": ", message);
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::FAILED_PRECONDITION:
      return message;
    default:
      return absl::StrCat("the server at ", server, " failed: ", message);
  }
}

}  // namespace

std::optional<BlamedField> FieldOf(const absl::Status& failure) {
  const auto payload = failure.GetPayload(kDetailUrl);
  v1::ErrorDetail detail;
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload)) ||
      detail.field().empty()) {
    return std::nullopt;
  }
  return BlamedField{detail.field(), detail.limit()};
}

namespace {

// The blamed field of the details becomes the failure's payload.
absl::Status WithField(absl::Status failure, const v1::ErrorStatus& error) {
  for (const google::protobuf::Any& any : error.details()) {
    v1::ErrorDetail detail;
    if (any.type_url() != kDetailUrl || !detail.ParseFromString(any.value()) ||
        detail.field().empty())
      continue;
    failure.SetPayload(kDetailUrl, absl::Cord(any.value()));
    break;
  }
  return failure;
}

}  // namespace

absl::Status FromGrpc(const grpc::Status& status, const std::string& server, double timeout_s) {
  if (status.ok()) return absl::OkStatus();
  v1::ErrorStatus trailer;
  const bool from_server = ParseTrailer(status, trailer);
  auto code = static_cast<absl::StatusCode>(status.error_code());
  const absl::Status blamed = WithField(absl::Status(code, status.error_message()), trailer);
  if (FieldOf(blamed)) return blamed;
  if (code == absl::StatusCode::kResourceExhausted && !from_server)
    code = absl::StatusCode::kInvalidArgument;
  return absl::Status(code, Advice(status, from_server, server, timeout_s));
}

absl::Status FromErrorStatus(const v1::ErrorStatus& error) {
  const auto code = static_cast<absl::StatusCode>(error.code());
  if (code == absl::StatusCode::kOk)
    return absl::InternalError("the server reports a failure without a code");
  return WithField(absl::Status(code, error.message()), error);
}

absl::Status WithRequestId(absl::Status failure, const std::string& id) {
  if (!failure.ok() && !id.empty()) failure.SetPayload(kRequestIdUrl, absl::Cord(id));
  return failure;
}

std::optional<std::string> RequestIdOf(const absl::Status& failure) {
  const auto payload = failure.GetPayload(kRequestIdUrl);
  if (!payload.has_value()) return std::nullopt;
  return std::string(*payload);
}

std::optional<double> RetryDelayOf(const grpc::Status& status) {
  v1::ErrorStatus trailer;
  if (!ParseTrailer(status, trailer)) return std::nullopt;
  for (const google::protobuf::Any& any : trailer.details()) {
    v1::RetryInfo retry;
    if (any.type_url() != kRetryUrl || !retry.ParseFromString(any.value())) continue;
    const auto& delay = retry.retry_delay();
    return std::max(0.0, static_cast<double>(delay.seconds()) + 1e-9 * delay.nanos());
  }
  return std::nullopt;
}

std::string CodeName(absl::StatusCode code) { return absl::StatusCodeToString(code); }

}  // namespace antiphon::client
