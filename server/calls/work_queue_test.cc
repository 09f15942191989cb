#include "server/calls/work_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "core/threads/cores.h"

namespace antiphon::server {
namespace {

constexpr int64_t kMib = 1 << 20;

WorkQueueOptions Options(int workers, int capacity, int mib = 1) {
  WorkQueueOptions options;
  options.workers = workers;
  options.capacity = capacity;
  options.capacity_mib = mib;
  return options;
}

// Keeps one worker busy until it goes.
class Blocker {
 public:
  explicit Blocker(WorkQueue& queue) {
    EXPECT_TRUE(queue
                    .Push([this] {
                      started_.Notify();
                      release_.WaitForNotification();
                      done_.Notify();
                    })
                    .ok());
    started_.WaitForNotification();
  }
  ~Blocker() {
    release_.Notify();
    done_.WaitForNotification();
  }

 private:
  absl::Notification started_, release_, done_;
};

TEST(WorkQueue, RunsEveryTaskOnce) {
  std::atomic<int> sum = 0;
  {
    WorkQueue queue(Options(4, 1000));
    for (int i = 1; i <= 500; ++i) ASSERT_TRUE(queue.Push([&sum, i] { sum += i; }).ok());
  }
  EXPECT_EQ(sum, 500 * 501 / 2);
}

TEST(WorkQueue, OneWorkerKeepsTheOrder) {
  std::vector<int> order;
  {
    WorkQueue queue(Options(1, 1000));
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(queue.Push([&order, i] { order.push_back(i); }).ok());
  }
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(WorkQueue, RefusesAtOnceWhenFull) {
  WorkQueue queue(Options(1, 2));
  std::atomic<int> ran = 0;
  {
    const Blocker blocker(queue);
    EXPECT_TRUE(queue.Push([&] { ++ran; }).ok());
    EXPECT_TRUE(queue.Push([&] { ++ran; }).ok());
    EXPECT_EQ(queue.depth(), 2);
    EXPECT_EQ(queue.Push([&] { ++ran; }).code(), absl::StatusCode::kResourceExhausted);
  }
  queue.Stop();
  EXPECT_EQ(ran, 2);
}

TEST(WorkQueue, BoundsTheMemoryThatWaits) {
  WorkQueue queue(Options(1, 100, 10));
  const Blocker blocker(queue);
  EXPECT_TRUE(queue.Push([] {}, 50 * kMib).ok()) << "a single large one must get through";
  EXPECT_EQ(queue.Push([] {}, 1).code(), absl::StatusCode::kResourceExhausted);
}

TEST(WorkQueue, HasTwoWorkersForEachCoreUnlessToldOtherwise) {
  EXPECT_EQ(WorkQueueOptions().threads(), 2 * threads::Cores());
  EXPECT_EQ(Options(3, 10).threads(), 3);
}

TEST(WorkQueue, RoomComesBackWhenWorkIsTaken) {
  WorkQueue queue(Options(1, 1, 10));
  for (int i = 0; i < 3; ++i) {
    {
      const Blocker blocker(queue);
      EXPECT_TRUE(queue.Push([] {}, 9 * kMib).ok());
      EXPECT_FALSE(queue.Push([] {}, 9 * kMib).ok());
    }
    while (queue.depth() > 0)
      std::this_thread::yield();  // until the worker has taken what was pushed
  }
}

TEST(WorkQueue, StoppingRunsWhatWaitsAndTakesNoMore) {
  WorkQueue queue(Options(1, 10));
  std::atomic<int> ran = 0;
  {
    const Blocker blocker(queue);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(queue.Push([&] { ++ran; }).ok());
  }
  queue.Stop();
  EXPECT_EQ(ran, 5);
  EXPECT_EQ(queue.Push([&] { ++ran; }).code(), absl::StatusCode::kUnavailable);
  queue.Stop();
  EXPECT_EQ(ran, 5);
}

TEST(WorkQueue, TellsHowLongWhatWaitsWillTake) {
  WorkQueue queue(Options(2, 1000));
  EXPECT_EQ(queue.RetryDelay(), absl::Milliseconds(100)) << "nothing is known yet";
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(queue.Push([] { absl::SleepFor(absl::Milliseconds(200)); }).ok());
  while (queue.depth() > 0) absl::SleepFor(absl::Milliseconds(1));  // two are done, two are running
  EXPECT_GE(queue.RetryDelay(), absl::Milliseconds(100)) << "a fifth would wait for half of 200 ms";
  EXPECT_LE(queue.RetryDelay(), absl::Milliseconds(400));
  const Blocker first(queue), second(queue);
  for (int i = 0; i < 39; ++i) ASSERT_TRUE(queue.Push([] {}).ok());
  EXPECT_GE(queue.RetryDelay(), absl::Seconds(4)) << "40 tasks of 200 ms for two workers";
  EXPECT_LE(queue.RetryDelay(), absl::Seconds(10));
  for (int i = 0; i < 900; ++i) ASSERT_TRUE(queue.Push([] {}).ok());
  EXPECT_EQ(queue.RetryDelay(), absl::Seconds(30)) << "and never more";
}

}  // namespace
}  // namespace antiphon::server
