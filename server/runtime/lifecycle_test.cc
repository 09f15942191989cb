#include "server/runtime/lifecycle.h"

#include <gtest/gtest.h>

#include <thread>

namespace antiphon::server {
namespace {

using enum ServerState;

TEST(Lifecycle, AllowsExactlyTheArrowsOfItsPicture) {
  const auto legal = [](ServerState from, ServerState to) {
    return (from == kStarting && (to == kServing || to == kStopped)) ||
           (from == kServing && to == kLameDuck) || (from == kLameDuck && to == kDraining) ||
           (from == kDraining && to == kStopped);
  };
  for (const ServerState from : {kStarting, kServing, kLameDuck, kDraining, kStopped}) {
    for (const ServerState to : {kStarting, kServing, kLameDuck, kDraining, kStopped}) {
      EXPECT_EQ(IsLegalTransition(from, to), legal(from, to))
          << ServerStateName(from) << " to " << ServerStateName(to);
    }
  }
}

TEST(Lifecycle, AnIllegalMoveChangesNothing) {
  Lifecycle lifecycle;
  EXPECT_EQ(lifecycle.MoveTo(kDraining).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(lifecycle.state(), kStarting);
}

TEST(Lifecycle, LetsCallsInOnlyWhileServingAndAsALameDuck) {
  Lifecycle lifecycle;
  EXPECT_EQ(lifecycle.Enter().code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(lifecycle.MoveTo(kServing).ok());
  EXPECT_TRUE(lifecycle.Enter().ok());
  ASSERT_TRUE(lifecycle.MoveTo(kLameDuck).ok());
  EXPECT_TRUE(lifecycle.Enter().ok());
  ASSERT_TRUE(lifecycle.MoveTo(kDraining).ok());
  EXPECT_EQ(lifecycle.Enter().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(lifecycle.in_flight(), 2);
}

TEST(Lifecycle, WaitsForCallsUnderWay) {
  Lifecycle lifecycle;
  ASSERT_TRUE(lifecycle.MoveTo(kServing).ok());
  ASSERT_TRUE(lifecycle.Enter().ok());
  EXPECT_FALSE(lifecycle.WaitIdle(After(absl::Milliseconds(10))));
  std::thread leaver([&] { lifecycle.Leave(); });
  EXPECT_TRUE(lifecycle.WaitIdle(kNever));
  leaver.join();
}

}  // namespace
}  // namespace antiphon::server
