#include "server/runtime/shutdown_guard.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "absl/time/clock.h"

namespace antiphon::server {
namespace {

TEST(ShutdownGuardDeathTest, EndsTheProcessInTime) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto hang = [] {
    const ShutdownGuard guard(After(absl::Milliseconds(20)));
    absl::SleepFor(absl::Hours(1));
    std::exit(1);
  };
  EXPECT_EXIT(hang(), ::testing::ExitedWithCode(0), "");
}

TEST(ShutdownGuardDeathTest, DoesNothingOnceItIsGone) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto in_time = [] {
    { const ShutdownGuard guard(After(absl::Milliseconds(200))); }
    absl::SleepFor(absl::Milliseconds(400));
    std::exit(7);
  };
  EXPECT_EXIT(in_time(), ::testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace antiphon::server
