#include "client/rpc/rpc_status.h"

#include <gmock/gmock.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include <string>

#include "antiphon/v1/types.pb.h"

namespace antiphon::client {
namespace {

using ::testing::HasSubstr;

constexpr char kServer[] = "example.org:50051";

// As the server sends it: a trailer always, an ErrorDetail in it where a field is to blame.
grpc::Status FromServer(grpc::StatusCode code, const std::string& message,
                        const std::string& field = "") {
  v1::ErrorStatus trailer;
  trailer.set_code(code);
  trailer.set_message(message);
  if (!field.empty()) {
    v1::ErrorDetail detail;
    detail.set_field(field);
    detail.set_limit("1 to 10");
    trailer.add_details()->PackFrom(detail);
  }
  return grpc::Status(code, message, trailer.SerializeAsString());
}

absl::Status Failure(const grpc::Status& status) { return FromGrpc(status, kServer, 7); }

TEST(RpcStatusTest, KeepsTheFieldAndItsLimit) {
  const absl::Status failure =
      Failure(FromServer(grpc::StatusCode::INVALID_ARGUMENT, "top_k: 0", "top_k"));
  ASSERT_TRUE(FieldOf(failure).has_value());
  EXPECT_EQ(FieldOf(failure)->field, "top_k");
  EXPECT_EQ(FieldOf(failure)->limit, "1 to 10");
  EXPECT_EQ(failure.message(), "top_k: 0");
}

TEST(RpcStatusTest, SaysHowToReachAServer) {
  const absl::Status failure =
      Failure(grpc::Status(grpc::StatusCode::UNAVAILABLE, "Connection refused"));
  EXPECT_THAT(std::string(failure.message()),
              HasSubstr("cannot reach the server at example.org:50051"));
  EXPECT_THAT(std::string(failure.message()), HasSubstr("antiphon-server --bundle DIR"));
  EXPECT_THAT(std::string(failure.message()), HasSubstr("--server"));
}

TEST(RpcStatusTest, TellsAServerThatDrainsFromNoServer) {
  const absl::Status failure = Failure(FromServer(grpc::StatusCode::UNAVAILABLE, "shutting down"));
  EXPECT_THAT(std::string(failure.message()), HasSubstr("takes no requests: shutting down"));
}

TEST(RpcStatusTest, NamesTheTimeout) {
  const absl::Status failure =
      Failure(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded"));
  EXPECT_THAT(std::string(failure.message()), HasSubstr("within 7 s"));
}

TEST(RpcStatusTest, TellsAMessageThatIsTooLargeFromAServerThatIsTooBusy) {
  EXPECT_TRUE(absl::IsInvalidArgument(Failure(
      grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "Received message larger than max"))));
  EXPECT_TRUE(absl::IsResourceExhausted(
      Failure(FromServer(grpc::StatusCode::RESOURCE_EXHAUSTED, "queue is full"))));
  EXPECT_TRUE(absl::IsResourceExhausted(
      Failure(FromServer(grpc::StatusCode::RESOURCE_EXHAUSTED, "m", "audio.file"))));
}

TEST(RpcStatusTest, KeepsEveryOtherCode) {
  for (int code = grpc::StatusCode::CANCELLED; code <= grpc::StatusCode::UNAUTHENTICATED; ++code) {
    const auto of = static_cast<grpc::StatusCode>(code);
    EXPECT_EQ(static_cast<int>(Failure(FromServer(of, "m")).code()), code);
    if (of != grpc::StatusCode::RESOURCE_EXHAUSTED) {
      EXPECT_EQ(static_cast<int>(Failure(grpc::Status(of, "m")).code()), code);
    }
  }
}

TEST(RpcStatusTest, TakesATrailerThatIsNotOursForNone) {
  const grpc::Status status(grpc::StatusCode::UNAVAILABLE, "proxy", "\xFF\xFF not a message");
  EXPECT_THAT(std::string(Failure(status).message()), HasSubstr("cannot reach"));
}

TEST(RpcStatusTest, KnowsWhenToAskAgain) {
  EXPECT_FALSE(RetryDelayOf(FromServer(grpc::StatusCode::RESOURCE_EXHAUSTED, "m")));
  EXPECT_FALSE(RetryDelayOf(grpc::Status(grpc::StatusCode::UNAVAILABLE, "m")));
  v1::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(2);
  retry.mutable_retry_delay()->set_nanos(250'000'000);
  v1::ErrorStatus trailer;
  trailer.add_details()->set_type_url("type.googleapis.com/google.rpc.RetryInfo");
  trailer.mutable_details(0)->set_value(retry.SerializeAsString());
  const auto delay =
      RetryDelayOf(grpc::Status(grpc::StatusCode::UNAVAILABLE, "m", trailer.SerializeAsString()));
  EXPECT_EQ(delay, 2.25);
}

TEST(RpcStatusTest, KeepsTheIdOfTheRequest) {
  const absl::Status failure = WithRequestId(absl::InternalError("m"), "r-1");
  EXPECT_EQ(RequestIdOf(failure), "r-1");
  EXPECT_FALSE(RequestIdOf(WithRequestId(absl::InternalError("m"), "")));
  EXPECT_TRUE(WithRequestId(absl::OkStatus(), "r-1").ok());
}

TEST(RpcStatusTest, ReadsTheFailureOfOneOfSeveral) {
  v1::ErrorStatus error;
  error.ParseFromString(
      FromServer(grpc::StatusCode::NOT_FOUND, "no such piece", "piece_id").error_details());
  const absl::Status failure = FromErrorStatus(error);
  EXPECT_TRUE(absl::IsNotFound(failure));
  EXPECT_EQ(failure.message(), "no such piece");
  EXPECT_EQ(FieldOf(failure)->field, "piece_id");
  EXPECT_FALSE(FromErrorStatus({}).ok());
}

}  // namespace
}  // namespace antiphon::client
