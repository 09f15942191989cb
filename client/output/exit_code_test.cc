#include "client/output/exit_code.h"

#include <gtest/gtest.h>

#include <string>

#include "antiphon/v1/types.pb.h"
#include "client/rpc/rpc_status.h"

namespace antiphon::client {
namespace {

using absl::StatusCode;

// A failure that blames a field of the request.
absl::Status Blaming(StatusCode code, const std::string& field) {
  v1::ErrorDetail detail;
  detail.set_field(field);
  v1::ErrorStatus error;
  error.set_code(static_cast<int>(code));
  error.add_details()->PackFrom(detail);
  return FromErrorStatus(error);
}

TEST(ExitCodeTest, TellsTheRequestsFaultsFromTheServers) {
  EXPECT_EQ(ExitCodeOf(Blaming(StatusCode::kInvalidArgument, "audio.file")), ExitCode::kBadInput);
  EXPECT_EQ(ExitCodeOf(Blaming(StatusCode::kResourceExhausted, "audio.file")), ExitCode::kBadInput);
  EXPECT_EQ(ExitCodeOf(Blaming(StatusCode::kUnimplemented, "against")), ExitCode::kBadInput);
  EXPECT_EQ(ExitCodeOf(Blaming(StatusCode::kNotFound, "piece_id")), ExitCode::kNothing);
  const auto code = [](StatusCode of) { return ExitCodeOf(absl::Status(of, "m")); };
  EXPECT_EQ(code(StatusCode::kInvalidArgument), ExitCode::kBadInput);
  EXPECT_EQ(code(StatusCode::kUnavailable), ExitCode::kUnreachable);
  EXPECT_EQ(code(StatusCode::kDeadlineExceeded), ExitCode::kUnreachable);
  EXPECT_EQ(code(StatusCode::kResourceExhausted), ExitCode::kServerError);
  EXPECT_EQ(code(StatusCode::kUnimplemented), ExitCode::kServerError);
  for (const StatusCode refused :
       {StatusCode::kAlreadyExists, StatusCode::kAborted, StatusCode::kFailedPrecondition,
        StatusCode::kUnauthenticated, StatusCode::kPermissionDenied}) {
    EXPECT_EQ(code(refused), ExitCode::kBadInput) << refused;
  }
  EXPECT_EQ(code(StatusCode::kInternal), ExitCode::kServerError);
  EXPECT_EQ(code(StatusCode::kDataLoss), ExitCode::kServerError);
  EXPECT_EQ(code(StatusCode::kUnknown), ExitCode::kServerError);
}

TEST(ExitCodeTest, OfSeveralTheGraverCounts) {
  EXPECT_EQ(Worse(ExitCode::kOk, ExitCode::kNothing), ExitCode::kNothing);
  EXPECT_EQ(Worse(ExitCode::kBadInput, ExitCode::kNothing), ExitCode::kBadInput);
}

}  // namespace
}  // namespace antiphon::client
