#include "server/wire/status_map.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace antiphon::server {
namespace {

constexpr char kDetailUrl[] = "type.googleapis.com/antiphon.v1.ErrorDetail";
constexpr char kRetryUrl[] = "type.googleapis.com/google.rpc.RetryInfo";
// When to ask again where nothing better is known: what is exhausted then (memory, disk) takes a
// while to come back.
constexpr absl::Duration kRetryDelay = absl::Seconds(30);
constexpr char kForCallerMark[] = "antiphon/for-caller";  // never leaves the process

// Codes that can be about what a field holds; the others are about the server, or about time.
bool MayBlameField(absl::StatusCode code) {
  return code == absl::StatusCode::kInvalidArgument ||
         code == absl::StatusCode::kResourceExhausted || code == absl::StatusCode::kOutOfRange ||
         code == absl::StatusCode::kNotFound || code == absl::StatusCode::kAlreadyExists ||
         code == absl::StatusCode::kUnimplemented;
}

// Codes whose messages are meant for the caller even when they blame no field.
bool SpeaksToCaller(absl::StatusCode code) {
  return code == absl::StatusCode::kCancelled || code == absl::StatusCode::kDeadlineExceeded ||
         code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kResourceExhausted ||
         code == absl::StatusCode::kUnimplemented || code == absl::StatusCode::kInvalidArgument;
}

// The payload of `status` under that URL as a detail of `error`.
void CopyDetail(const absl::Status& status, const char* url, v1::ErrorStatus* error) {
  const auto payload = status.GetPayload(url);
  if (!payload.has_value()) return;
  google::protobuf::Any* any = error->add_details();
  any->set_type_url(url);
  any->set_value(std::string(*payload));
}

template <typename Detail>
std::optional<Detail> FindDetail(const grpc::Status& status, const char* url) {
  v1::ErrorStatus error;
  if (!error.ParseFromString(status.error_details())) return std::nullopt;
  for (const google::protobuf::Any& any : error.details()) {
    Detail detail;
    if (any.type_url() == url && detail.ParseFromString(any.value())) return detail;
  }
  return std::nullopt;
}

}  // namespace

absl::Status FieldError(absl::StatusCode code, absl::string_view field, absl::string_view what,
                        absl::string_view limit) {
  absl::Status status(code, limit.empty()
                                ? absl::StrCat(field, ": ", what)
                                : absl::StrCat(field, ": ", what, " (allowed: ", limit, ")"));
  v1::ErrorDetail detail;
  detail.set_field(std::string(field));
  detail.set_limit(std::string(limit));
  status.SetPayload(kDetailUrl, absl::Cord(detail.SerializeAsString()));
  return status;
}

absl::Status CallerError(absl::StatusCode code, absl::string_view message) {
  absl::Status status(code, message);
  status.SetPayload(kForCallerMark, absl::Cord());
  return status;
}

bool IsForCaller(const absl::Status& status) {
  return status.GetPayload(kDetailUrl).has_value() || status.GetPayload(kForCallerMark).has_value();
}

absl::Status WithRetry(absl::Status status, absl::Duration delay) {
  v1::RetryInfo info;
  const int64_t seconds = absl::ToInt64Seconds(delay);
  info.mutable_retry_delay()->set_seconds(seconds);
  info.mutable_retry_delay()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(delay - absl::Seconds(seconds))));
  status.SetPayload(kRetryUrl, absl::Cord(info.SerializeAsString()));
  return status;
}

absl::Status AtField(const absl::Status& status, absl::string_view field) {
  if (!MayBlameField(status.code()) || status.GetPayload(kDetailUrl).has_value()) return status;
  return FieldError(status.code(), field, status.message());
}

bool IsCallersDoing(const absl::Status& status) {
  return status.code() == absl::StatusCode::kDeadlineExceeded ||
         status.code() == absl::StatusCode::kCancelled;
}

grpc::StatusCode ToGrpcCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return grpc::StatusCode::OK;
    case absl::StatusCode::kCancelled:
      return grpc::StatusCode::CANCELLED;
    case absl::StatusCode::kUnknown:
      return grpc::StatusCode::UNKNOWN;
    case absl::StatusCode::kInvalidArgument:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case absl::StatusCode::kDeadlineExceeded:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    case absl::StatusCode::kNotFound:
      return grpc::StatusCode::NOT_FOUND;
    case absl::StatusCode::kAlreadyExists:
      return grpc::StatusCode::ALREADY_EXISTS;
    case absl::StatusCode::kPermissionDenied:
      return grpc::StatusCode::PERMISSION_DENIED;
    case absl::StatusCode::kResourceExhausted:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case absl::StatusCode::kFailedPrecondition:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case absl::StatusCode::kAborted:
      return grpc::StatusCode::ABORTED;
    case absl::StatusCode::kOutOfRange:
      return grpc::StatusCode::OUT_OF_RANGE;
    case absl::StatusCode::kUnimplemented:
      return grpc::StatusCode::UNIMPLEMENTED;
    case absl::StatusCode::kInternal:
      return grpc::StatusCode::INTERNAL;
    case absl::StatusCode::kUnavailable:
      return grpc::StatusCode::UNAVAILABLE;
    case absl::StatusCode::kDataLoss:
      return grpc::StatusCode::DATA_LOSS;
    case absl::StatusCode::kUnauthenticated:
      return grpc::StatusCode::UNAUTHENTICATED;
    case absl::StatusCode::kDoNotUseReservedForFutureExpansionUseDefaultInSwitchInstead_:
      break;
  }
  return grpc::StatusCode::UNKNOWN;
}

v1::ErrorStatus ToErrorStatus(const absl::Status& given) {
  const bool exhausted = given.code() == absl::StatusCode::kResourceExhausted;
  const bool explained =
      given.GetPayload(kDetailUrl).has_value() || given.GetPayload(kRetryUrl).has_value();
  const absl::Status status = exhausted && !explained ? WithRetry(given, kRetryDelay) : given;
  const bool for_caller = IsForCaller(status) || SpeaksToCaller(status.code());
  v1::ErrorStatus error;
  error.set_code(static_cast<int>(ToGrpcCode(status.code())));
  error.set_message(for_caller ? std::string(status.message())
                               : "a fault of the server; its log says more");
  CopyDetail(status, kDetailUrl, &error);
  CopyDetail(status, kRetryUrl, &error);
  return error;
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const v1::ErrorStatus error = ToErrorStatus(status);
  return grpc::Status(ToGrpcCode(status.code()), error.message(), error.SerializeAsString());
}

const char* CodeName(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK:
      return "OK";
    case grpc::StatusCode::CANCELLED:
      return "CANCELLED";
    case grpc::StatusCode::UNKNOWN:
      return "UNKNOWN";
    case grpc::StatusCode::INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "DEADLINE_EXCEEDED";
    case grpc::StatusCode::NOT_FOUND:
      return "NOT_FOUND";
    case grpc::StatusCode::ALREADY_EXISTS:
      return "ALREADY_EXISTS";
    case grpc::StatusCode::PERMISSION_DENIED:
      return "PERMISSION_DENIED";
    case grpc::StatusCode::UNAUTHENTICATED:
      return "UNAUTHENTICATED";
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    case grpc::StatusCode::FAILED_PRECONDITION:
      return "FAILED_PRECONDITION";
    case grpc::StatusCode::ABORTED:
      return "ABORTED";
    case grpc::StatusCode::OUT_OF_RANGE:
      return "OUT_OF_RANGE";
    case grpc::StatusCode::UNIMPLEMENTED:
      return "UNIMPLEMENTED";
    case grpc::StatusCode::INTERNAL:
      return "INTERNAL";
    case grpc::StatusCode::UNAVAILABLE:
      return "UNAVAILABLE";
    case grpc::StatusCode::DATA_LOSS:
      return "DATA_LOSS";
    case grpc::StatusCode::DO_NOT_USE:
      break;
  }
  return "UNKNOWN";
}

std::optional<v1::ErrorDetail> DetailOf(const grpc::Status& status) {
  return FindDetail<v1::ErrorDetail>(status, kDetailUrl);
}

std::optional<absl::Duration> RetryDelayOf(const grpc::Status& status) {
  const auto info = FindDetail<v1::RetryInfo>(status, kRetryUrl);
  if (!info.has_value()) return std::nullopt;
  return absl::Seconds(info->retry_delay().seconds()) +
         absl::Nanoseconds(info->retry_delay().nanos());
}

}  // namespace antiphon::server
