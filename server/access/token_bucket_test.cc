#include "server/access/token_bucket.h"

#include <gtest/gtest.h>

namespace antiphon::server {
namespace {

class Clock {
 public:
  SteadyTime now() const { return now_; }
  void Advance(absl::Duration by) { now_ = After(by, now_); }

 private:
  SteadyTime now_{std::chrono::hours(1000)};
};

TEST(TokenBucket, GivesASecondsWorthAtOnceAndThenTheRate) {
  Clock clock;
  TokenBucket bucket(10);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(bucket.Take(clock.now()), absl::ZeroDuration());
  EXPECT_EQ(bucket.Take(clock.now()), absl::Milliseconds(100));
  for (int i = 0; i < 50; ++i) {
    clock.Advance(absl::Milliseconds(101));
    EXPECT_EQ(bucket.Take(clock.now()), absl::ZeroDuration());
  }
}

TEST(TokenBucket, SaysHowLongItIsUntilTheNextToken) {
  Clock clock;
  TokenBucket bucket(0.5);
  EXPECT_EQ(bucket.Take(clock.now()), absl::ZeroDuration()) << "one at least";
  EXPECT_EQ(bucket.Take(clock.now()), absl::Seconds(2));
  clock.Advance(absl::Seconds(1.5));
  const absl::Duration wait = bucket.Take(clock.now());
  EXPECT_NEAR(absl::ToDoubleSeconds(wait), 0.5, 1e-6);
  clock.Advance(wait + absl::Nanoseconds(10));
  EXPECT_EQ(bucket.Take(clock.now()), absl::ZeroDuration());
}

TEST(TokenBucket, ARefusalCostsNothing) {
  Clock clock;
  TokenBucket bucket(1);
  EXPECT_EQ(bucket.Take(clock.now()), absl::ZeroDuration());
  for (int i = 0; i < 100; ++i) EXPECT_GT(bucket.Take(clock.now()), absl::ZeroDuration());
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(bucket.Take(clock.now()), absl::ZeroDuration());
}

TEST(TokenBucket, SavesUpNoMoreThanASecondsWorth) {
  Clock clock;
  TokenBucket bucket(3);
  clock.Advance(absl::Hours(24));
  int taken = 0;
  while (bucket.Take(clock.now()) == absl::ZeroDuration()) ++taken;
  EXPECT_EQ(taken, 3);
}

TEST(TokenBucket, ATimeBeforeTheLastNeitherGivesNorTakes) {
  Clock clock;
  TokenBucket bucket(1);
  EXPECT_EQ(bucket.Take(clock.now()), absl::ZeroDuration());
  EXPECT_EQ(bucket.Take(clock.now() - std::chrono::hours(1)), absl::Seconds(1));
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(bucket.Take(clock.now()), absl::ZeroDuration());
}

}  // namespace
}  // namespace antiphon::server
