#include "server/wire/status_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(StatusMap, EveryCodeKeepsItsNumberAndName) {
  // The two enumerations share their numbers by design; the map must agree with that for each.
  for (int i = 1; i <= 16; ++i) {
    const auto code = static_cast<absl::StatusCode>(i);
    EXPECT_EQ(static_cast<int>(ToGrpcCode(code)), i);
    EXPECT_EQ(CodeName(ToGrpcCode(code)), absl::StatusCodeToString(code));
    EXPECT_EQ(ToGrpc(absl::Status(code, "x")).error_code(), ToGrpcCode(code));
  }
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
}

TEST(StatusMap, FieldAndLimitTravelInTheDetails) {
  const grpc::Status status = ToGrpc(FieldError(absl::StatusCode::kInvalidArgument, "options.top_k",
                                                "0 is out of range", "1 to 1000"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "options.top_k: 0 is out of range (allowed: 1 to 1000)");
  const auto detail = DetailOf(status);
  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->field(), "options.top_k");
  EXPECT_EQ(detail->limit(), "1 to 1000");

  v1::ErrorStatus details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), 3);
  EXPECT_EQ(details.message(), status.error_message());
}

TEST(StatusMap, SaysWhenToAskAgain) {
  const grpc::Status status = ToGrpc(
      WithRetry(absl::ResourceExhaustedError("the server is busy"), absl::Milliseconds(1250)));
  EXPECT_EQ(RetryDelayOf(status), absl::Milliseconds(1250));
  EXPECT_FALSE(DetailOf(status).has_value());

  // As any client of google.rpc reads it: RetryInfo{retry_delay: Duration{seconds: 1, nanos:
  // 250'000'000}}.
  v1::ErrorStatus details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  ASSERT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/google.rpc.RetryInfo");
  EXPECT_EQ(details.details(0).value(), std::string("\x0a\x07\x08\x01\x10\x80\xe5\x9a\x77", 9));
}

TEST(StatusMap, WhatIsExhaustedWithoutAFieldMayBeAskedForAgain) {
  EXPECT_EQ(RetryDelayOf(ToGrpc(absl::ResourceExhaustedError("the disk is full"))),
            absl::Seconds(30));
  const absl::Status too_long =
      FieldError(absl::StatusCode::kResourceExhausted, "audio.file", "too long", "60 s");
  EXPECT_FALSE(RetryDelayOf(ToGrpc(too_long)).has_value()) << "the same request would fail again";
  EXPECT_FALSE(RetryDelayOf(ToGrpc(absl::InternalError("x"))).has_value());
}

TEST(StatusMap, BlamesAFieldForWhatCameFromBelow) {
  const absl::Status status =
      AtField(absl::InvalidArgumentError("not a known audio format"), "audio.file");
  EXPECT_EQ(status.message(), "audio.file: not a known audio format");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(AtField(absl::OkStatus(), "audio.file").ok());
  EXPECT_EQ(AtField(status, "audio"), status) << "the nearer field counts";
  for (const absl::Status& other :
       {absl::InternalError("x"), absl::DataLossError("x"), absl::DeadlineExceededError("x"),
        absl::CancelledError("x"), absl::UnavailableError("x")}) {
    EXPECT_EQ(AtField(other, "audio"), other);
  }
}

TEST(StatusMap, KeepsTheInsideOfTheServerToItself) {
  for (const absl::StatusCode code :
       {absl::StatusCode::kInternal, absl::StatusCode::kDataLoss, absl::StatusCode::kUnknown,
        absl::StatusCode::kNotFound, absl::StatusCode::kFailedPrecondition,
        absl::StatusCode::kPermissionDenied}) {
    const grpc::Status status = ToGrpc(absl::Status(code, "/var/lib/secret: no such file"));
    EXPECT_EQ(status.error_code(), ToGrpcCode(code));
    EXPECT_THAT(status.error_message(), Not(HasSubstr("secret")));
    EXPECT_THAT(status.error_details(), Not(HasSubstr("secret")));
  }
}

TEST(StatusMap, SaysWhyACallWasNotTaken) {
  EXPECT_EQ(ToGrpc(absl::ResourceExhaustedError("the server is busy")).error_message(),
            "the server is busy");
  EXPECT_EQ(ToGrpc(absl::UnavailableError("shutting down")).error_message(), "shutting down");
}

TEST(StatusMap, TellsTheCallerWhatIsMarkedForHim) {
  const grpc::Status status =
      ToGrpc(CallerError(absl::StatusCode::kFailedPrecondition, "there is no newer one"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), "there is no newer one");
  EXPECT_FALSE(DetailOf(status).has_value());
}

TEST(StatusMap, KnowsWhatIsMeantForTheCaller) {
  EXPECT_TRUE(IsForCaller(CallerError(absl::StatusCode::kInternal, "x")));
  EXPECT_TRUE(IsForCaller(FieldError(absl::StatusCode::kAborted, "expected_version", "x")));
  EXPECT_FALSE(IsForCaller(absl::AbortedError("x")));
  EXPECT_FALSE(IsForCaller(absl::OkStatus()));
}

TEST(StatusMap, AnErrorWithinAnAnswerReadsAsThatOfACall) {
  const absl::Status blamed = FieldError(absl::StatusCode::kNotFound, "piece_id", "no such piece");
  EXPECT_EQ(ToErrorStatus(blamed).SerializeAsString(), ToGrpc(blamed).error_details());
  EXPECT_EQ(ToErrorStatus(absl::InternalError("/secret")).message().find("secret"),
            std::string::npos);
}

TEST(StatusMap, TellsTheCallersDoingFromOtherFailures) {
  EXPECT_TRUE(IsCallersDoing(absl::CancelledError("x")));
  EXPECT_TRUE(IsCallersDoing(absl::DeadlineExceededError("x")));
  EXPECT_FALSE(IsCallersDoing(absl::OkStatus()));
  EXPECT_FALSE(IsCallersDoing(absl::UnavailableError("x")));
}

TEST(StatusMap, FindsNoDetailWhereThereIsNone) {
  EXPECT_FALSE(DetailOf(grpc::Status(grpc::StatusCode::UNAVAILABLE, "no connection")).has_value());
  EXPECT_FALSE(DetailOf(grpc::Status(grpc::StatusCode::INTERNAL, "x", "\xff\xff not a message"))
                   .has_value());
}

}  // namespace
}  // namespace antiphon::server
