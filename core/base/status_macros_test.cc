#include "core/base/status_macros.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace antiphon {
namespace {

absl::StatusOr<std::unique_ptr<int>> Make(bool ok) {
  if (!ok) return absl::NotFoundError("none");
  return std::make_unique<int>(7);
}

absl::StatusOr<int> Twice(bool ok) {
  ASSIGN_OR_RETURN(const std::unique_ptr<int> value, Make(ok));
  ASSIGN_OR_RETURN(const auto pair, absl::StatusOr<std::pair<int, int>>({*value, *value}));
  return pair.first + pair.second;
}

absl::Status Checked(int& calls, absl::Status status) {
  RETURN_IF_ERROR((++calls, status));
  if (calls > 0) RETURN_IF_ERROR(absl::OkStatus());
  return absl::AlreadyExistsError("passed");
}

TEST(StatusMacros, AValueIsAssignedAndAFailureReturned) {
  EXPECT_EQ(*Twice(true), 14);
  EXPECT_EQ(Twice(false).status(), absl::NotFoundError("none"));
}

TEST(StatusMacros, TheExpressionIsEvaluatedOnceAndOnlyFailuresReturn) {
  int calls = 0;
  EXPECT_EQ(Checked(calls, absl::OkStatus()), absl::AlreadyExistsError("passed"));
  EXPECT_EQ(Checked(calls, absl::InternalError("broken")), absl::InternalError("broken"));
  EXPECT_EQ(calls, 2);
}

TEST(StatusMacros, MapErrorReplacesFailuresOnly) {
  const auto data_loss = [](const absl::Status& status) {
    return absl::DataLossError(std::string(status.message()));
  };
  EXPECT_EQ(**MapError(Make(true), data_loss), 7);
  EXPECT_EQ(MapError(Make(false), data_loss).status(), absl::DataLossError("none"));
  EXPECT_TRUE(MapError(absl::OkStatus(), data_loss).ok());
  EXPECT_EQ(MapError(absl::NotFoundError("it"), data_loss), absl::DataLossError("it"));
}

}  // namespace
}  // namespace antiphon
