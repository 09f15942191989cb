#include "server/calls/receive_monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;
using Limit = ReceiveMonitor::Limit;

constexpr int64_t kMib = 1 << 20;

class ReceiveMonitorTest : public ::testing::Test {
 protected:
  struct Message {
    absl::Notification given_up;
    absl::Status why;
    std::shared_ptr<ReceiveMonitor::Receipt> receipt;
  };

  void Start(const ReceiveOptions& options) {
    monitor_ = std::make_unique<ReceiveMonitor>(
        options,
        [this](const std::string& peer) -> std::optional<int64_t> {
          absl::MutexLock lock(&mutex_);
          return received_[peer];
        },
        [this](Limit limit) { ++limits_[static_cast<int>(limit)]; });
  }

  absl::Status Begin(Message& message, const std::string& peer, int64_t max_bytes,
                     const Caller& caller = {}) {
    auto begun = monitor_->Begin(peer, caller, max_bytes, [&message](const absl::Status& why) {
      message.why = why;
      message.given_up.Notify();
    });
    if (!begun.ok()) return begun.status();
    message.receipt = *std::move(begun);
    return absl::OkStatus();
  }

  void Receive(const std::string& peer, int64_t bytes) {
    absl::MutexLock lock(&mutex_);
    received_[peer] += bytes;
  }

  // Whether it is given up within some rounds of measuring.
  static bool GivenUp(Message& message) {
    return message.given_up.WaitForNotificationWithTimeout(absl::Seconds(5));
  }
  static void Settle() { absl::SleepFor(absl::Milliseconds(350)); }

  absl::Mutex mutex_;
  std::map<std::string, int64_t> received_ ABSL_GUARDED_BY(mutex_);
  std::atomic<int> limits_[5] = {};
  std::unique_ptr<ReceiveMonitor> monitor_;
};

TEST_F(ReceiveMonitorTest, AMessageThatGrowsBeyondItsLimitIsGivenUp) {
  Start({});
  Message message;
  Receive("a", 500 * kMib);
  ASSERT_TRUE(Begin(message, "a", 8 * kMib).ok());
  Receive("a", 8 * kMib);
  Settle();
  EXPECT_FALSE(message.given_up.HasBeenNotified()) << "as large as it may be";
  EXPECT_NEAR(static_cast<double>(monitor_->bytes_under_way()), 8 * kMib, kMib);
  Receive("a", 2 * kMib);
  ASSERT_TRUE(GivenUp(message));
  EXPECT_TRUE(absl::IsResourceExhausted(message.why));
  EXPECT_THAT(std::string(message.why.message()), HasSubstr("request: is too large"));
  EXPECT_FALSE(message.receipt->End(0)) << "it is over";
  EXPECT_EQ(limits_[static_cast<int>(Limit::kMessage)], 1);
  EXPECT_EQ(monitor_->messages_under_way(), 0);
}

TEST_F(ReceiveMonitorTest, WhatHasBeenHandedOverIsNotUnderWay) {
  Start({});
  Message slow;
  ASSERT_TRUE(Begin(slow, "a", 4 * kMib).ok());
  for (int i = 0; i < 20; ++i) {  // beside it, on the same connection
    Message quick;
    ASSERT_TRUE(Begin(quick, "a", 4 * kMib).ok());
    Receive("a", 2 * kMib);
    EXPECT_TRUE(quick.receipt->End(2 * kMib));
  }
  Settle();
  EXPECT_FALSE(slow.given_up.HasBeenNotified());
  EXPECT_EQ(monitor_->bytes_under_way(), 0);
  EXPECT_TRUE(slow.receipt->End(0));
}

TEST_F(ReceiveMonitorTest, AConnectionHasABoundOfItsOwn) {
  Start({.connection_mib = 10});
  std::vector<Message> messages(5);
  for (Message& message : messages) ASSERT_TRUE(Begin(message, "a", 8 * kMib).ok());
  Message other;
  ASSERT_TRUE(Begin(other, "b", 8 * kMib).ok());
  Receive("a", 13 * kMib);
  for (Message& message : messages) {
    ASSERT_TRUE(GivenUp(message));
    EXPECT_THAT(std::string(message.why.message()), HasSubstr("this connection"));
  }
  EXPECT_FALSE(other.given_up.HasBeenNotified());
  EXPECT_TRUE(other.receipt->End(0));
}

TEST_F(ReceiveMonitorTest, TheLargestConnectionsGoFirstWhenItIsTooMuchForTheServer) {
  Start({.server_mib = 20});
  Message large, small, refused;
  ASSERT_TRUE(Begin(large, "a", 64 * kMib).ok());
  ASSERT_TRUE(Begin(small, "b", 64 * kMib).ok());
  Receive("a", 15 * kMib);
  Receive("b", 6 * kMib);
  ASSERT_TRUE(GivenUp(large));
  Settle();
  EXPECT_FALSE(small.given_up.HasBeenNotified());
  Receive("b", 14 * kMib);
  Settle();
  EXPECT_TRUE(absl::IsResourceExhausted(Begin(refused, "c", 64 * kMib)));
  EXPECT_TRUE(small.receipt->End(20 * kMib));
  EXPECT_TRUE(Begin(refused, "c", 64 * kMib).ok()) << "there is room again";
  EXPECT_TRUE(refused.receipt->End(0));
  EXPECT_EQ(limits_[static_cast<int>(Limit::kServer)], 2);
}

TEST_F(ReceiveMonitorTest, ACallerIsBoundOverAllHisConnections) {
  Start({});
  Caller caller;
  caller.key = "greedy";
  caller.quota.mib = 10;
  Message first, second, other;
  ASSERT_TRUE(Begin(first, "a", 64 * kMib, caller).ok());
  ASSERT_TRUE(Begin(second, "b", 64 * kMib, caller).ok());
  ASSERT_TRUE(Begin(other, "c", 64 * kMib).ok());
  Receive("a", 7 * kMib);
  Receive("b", 6 * kMib);
  Receive("c", 30 * kMib);
  ASSERT_TRUE(GivenUp(first));
  EXPECT_THAT(std::string(first.why.message()), HasSubstr("key greedy"));
  Settle();
  EXPECT_FALSE(second.given_up.HasBeenNotified());
  EXPECT_FALSE(other.given_up.HasBeenNotified());
  EXPECT_TRUE(second.receipt->End(0));
  EXPECT_TRUE(other.receipt->End(0));
}

TEST_F(ReceiveMonitorTest, AMessageThatTricklesInIsGivenUpInTime) {
  Start({.timeout_s = 1});
  Message message;
  ASSERT_TRUE(Begin(message, "a", 8 * kMib).ok());
  for (int i = 0; i < 5; ++i) {
    Receive("a", 1);
    absl::SleepFor(absl::Milliseconds(100));
  }
  EXPECT_FALSE(message.given_up.HasBeenNotified());
  ASSERT_TRUE(GivenUp(message));
  EXPECT_TRUE(absl::IsDeadlineExceeded(message.why));
  EXPECT_EQ(limits_[static_cast<int>(Limit::kTime)], 1);
}

}  // namespace
}  // namespace antiphon::server
