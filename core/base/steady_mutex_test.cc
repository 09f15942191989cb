#include "core/base/steady_mutex.h"

#include <gtest/gtest.h>

#include <thread>

namespace antiphon {
namespace {

TEST(SteadyTime, AddsUpAndStopsAtNever) {
  const SteadyTime now = SteadyNow();
  EXPECT_EQ(Between(now, After(absl::Seconds(3), now)), absl::Seconds(3));
  EXPECT_EQ(After(absl::InfiniteDuration(), now), kNever);
  EXPECT_EQ(After(absl::Seconds(1), kNever), kNever);
  EXPECT_EQ(After(-absl::Seconds(1), now), now - std::chrono::seconds(1));
  EXPECT_EQ(Between(now, kNever), absl::InfiniteDuration());
}

TEST(SteadyMutex, WaitsUntilItsConditionHoldsOrItsTimeIsUp) {
  SteadyMutex mutex;
  int value = 0;
  {
    SteadyMutexLock lock(&mutex);
    const SteadyTime before = SteadyNow();
    EXPECT_FALSE(mutex.AwaitUntil(After(absl::Milliseconds(20)), [&] { return value == 1; }));
    EXPECT_GE(Between(before, SteadyNow()), absl::Milliseconds(20));
  }
  std::thread other([&] {
    SteadyMutexLock lock(&mutex);
    value = 1;
  });
  {
    SteadyMutexLock lock(&mutex);
    EXPECT_TRUE(mutex.AwaitUntil(kNever, [&] { return value == 1; }));
  }
  other.join();
}

TEST(SteadyNotification, HappensOnce) {
  SteadyNotification notification;
  EXPECT_FALSE(notification.HasBeenNotified());
  EXPECT_FALSE(notification.WaitUntil(After(absl::Milliseconds(1))));
  std::thread other([&] { notification.Notify(); });
  EXPECT_TRUE(notification.WaitUntil(kNever));
  EXPECT_TRUE(notification.HasBeenNotified());
  other.join();
}

}  // namespace
}  // namespace antiphon
