#include "core/base/error_reason.h"

#include <gtest/gtest.h>

#include <set>

#include "absl/status/statusor.h"

namespace antiphon {
namespace {

TEST(ErrorReason, EachHasANameOfItsOwnAndTravelsWithTheStatus) {
  std::set<absl::string_view> names;
  for (int i = 0; i <= static_cast<int>(kLastErrorReason); ++i) {
    const auto reason = static_cast<ErrorReason>(i);
    EXPECT_FALSE(ErrorReasonName(reason).empty()) << i;
    EXPECT_TRUE(names.insert(ErrorReasonName(reason)).second) << ErrorReasonName(reason);
    const absl::Status status = WithReason(absl::AbortedError("why"), reason);
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
    EXPECT_EQ(status.message(), "why");
    EXPECT_EQ(ReasonOf(status), reason);
    EXPECT_EQ(ReasonOf(absl::StatusOr<int>(status).status()), reason);
  }
}

TEST(ErrorReason, TheLastOneIsTheLast) {
  EXPECT_TRUE(
      ErrorReasonName(static_cast<ErrorReason>(static_cast<int>(kLastErrorReason) + 1)).empty());
}

TEST(ErrorReason, WhatNothingWasSaidAboutHasNone) {
  EXPECT_EQ(ReasonOf(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(ReasonOf(absl::InternalError("x")), std::nullopt);
  EXPECT_TRUE(WithReason(absl::OkStatus(), ErrorReason::kIdTaken).ok());
  EXPECT_EQ(ReasonOf(WithReason(absl::OkStatus(), ErrorReason::kIdTaken)), std::nullopt);
  absl::Status unknown = absl::InternalError("x");
  unknown.SetPayload(kErrorReasonUrl, absl::Cord("OF_ANOTHER_VERSION"));
  EXPECT_EQ(ReasonOf(unknown), std::nullopt);
}

TEST(ErrorReason, OtherWordsKeepCodeAndReason) {
  const absl::Status full =
      WithReason(absl::ResourceExhaustedError("x"), ErrorReason::kStorageFull);
  const absl::Status status = Reworded(full, "journal: x");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "journal: x");
  EXPECT_EQ(ReasonOf(status), ErrorReason::kStorageFull);
  EXPECT_EQ(Reworded(absl::InternalError("x"), "y"), absl::InternalError("y"));
  EXPECT_TRUE(Reworded(absl::OkStatus(), "y").ok());
}

TEST(ErrorReason, TheLastOneSetCounts) {
  const absl::Status once = WithReason(absl::AbortedError("x"), ErrorReason::kStorageBusy);
  EXPECT_EQ(ReasonOf(WithReason(once, ErrorReason::kStorageFull)), ErrorReason::kStorageFull);
}

}  // namespace
}  // namespace antiphon
