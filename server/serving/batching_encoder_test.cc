#include "server/serving/batching_encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

#include "absl/synchronization/notification.h"

namespace antiphon::server {
namespace {

constexpr int kFrames = 3;
constexpr int kBands = 4;
constexpr int kWindow = kFrames * kBands;
constexpr int kDimension = 2;

// Embeds a window as its sum and its weighted sum, so that every row tells which window it came
// from.
class SumEncoder : public encoder::WindowEncoder {
 public:
  SumEncoder() {
    info_.dimension = kDimension;
    info_.channels = 1;
    info_.bands = kBands;
    info_.settings.window_frames = kFrames;
  }

  const encoder::EncoderInfo& info() const override { return info_; }

  absl::StatusOr<std::vector<float>> Encode(std::span<const uint8_t> windows) const override {
    ++runs;
    const int now = ++concurrent;
    if (now > 1) overlapped = true;
    const auto n = static_cast<int>(windows.size() / kWindow);
    largest = std::max(largest.load(), n);
    if (gate != nullptr) gate->WaitForNotification();
    std::vector<float> rows;
    for (int i = 0; i < n; ++i) {
      float sum = 0, weighted = 0;
      for (int k = 0; k < kWindow; ++k) {
        sum += windows[i * kWindow + k];
        weighted += static_cast<float>(k + 1) * windows[i * kWindow + k];
      }
      rows.insert(rows.end(), {sum, weighted});
      if (windows[i * kWindow] == 254) marked_run = runs.load();
      if (windows[i * kWindow] == 255) {
        --concurrent;
        return absl::InternalError("a window starts with 255");
      }
    }
    --concurrent;
    return rows;
  }

  mutable std::atomic<int> runs = 0;
  mutable std::atomic<int> largest = 0;
  mutable std::atomic<int> marked_run = 0;  // the last that had a window starting with 254
  mutable std::atomic<int> concurrent = 0;
  mutable std::atomic<bool> overlapped = false;
  absl::Notification* gate = nullptr;  // held back until notified

 private:
  encoder::EncoderInfo info_;
};

std::vector<uint8_t> Windows(int count, int seed) {
  std::vector<uint8_t> windows(count * kWindow);
  for (size_t i = 0; i < windows.size(); ++i)
    windows[i] = static_cast<uint8_t>((seed * 31 + i * 7) % 251);
  return windows;
}

struct Batched {
  explicit Batched(BatchingOptions options) {
    auto inner = std::make_unique<SumEncoder>();
    sum = inner.get();
    encoder = std::make_unique<BatchingEncoder>(std::move(inner), std::move(options));
  }
  SumEncoder* sum;
  std::unique_ptr<BatchingEncoder> encoder;
};

BatchingOptions Options(int max_windows, absl::Duration delay) {
  BatchingOptions options;
  options.max_windows = max_windows;
  options.max_delay_ms = absl::ToDoubleMilliseconds(delay);
  return options;
}

TEST(BatchingEncoder, GivesWhatTheEncoderGivesAtAnyBatchSize) {
  const SumEncoder reference;
  for (const int max_windows : {1, 2, 7, 64}) {
    const Batched batched(Options(max_windows, absl::ZeroDuration()));
    for (const int count : {1, 2, 6, 7, 8, 65, 200}) {
      const std::vector<uint8_t> windows = Windows(count, count);
      const auto rows = batched.encoder->Encode(windows);
      ASSERT_TRUE(rows.ok()) << rows.status();
      EXPECT_EQ(*rows, *reference.Encode(windows))
          << count << " windows, " << max_windows << " at once";
    }
    EXPECT_LE(batched.sum->largest, max_windows);
  }
}

TEST(BatchingEncoder, ConcurrentCallersEachGetTheirOwnRows) {
  const SumEncoder reference;
  const Batched batched(Options(16, absl::Microseconds(200)));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const std::vector<uint8_t> windows = Windows(1 + (t * 7 + i) % 40, t * 1000 + i);
        const auto rows = batched.encoder->Encode(windows);
        if (!rows.ok() || *rows != *reference.Encode(windows)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_FALSE(batched.sum->overlapped) << "one run of the network at a time";
  EXPECT_LE(batched.sum->largest, 16);
}

TEST(BatchingEncoder, CallersShareABatch) {
  std::vector<int> sizes;
  BatchingOptions options = Options(4, absl::Seconds(60));
  options.on_batch = [&](int windows) { sizes.push_back(windows); };
  const Batched batched(options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] { EXPECT_TRUE(batched.encoder->Encode(Windows(1, t)).ok()); });
  }
  for (std::thread& thread : threads)
    thread.join();  // would take a minute if they were not put together
  EXPECT_EQ(sizes, std::vector<int>({4}));
}

TEST(BatchingEncoder, AnIncompleteBatchRunsAfterTheDelay) {
  const Batched batched(Options(1000, absl::Milliseconds(5)));
  EXPECT_TRUE(batched.encoder->Encode(Windows(3, 1)).ok());
  EXPECT_EQ(batched.sum->runs, 1);
}

TEST(BatchingEncoder, AManyWindowedRequestDoesNotHoldUpASmallOne) {
  absl::Notification gate;
  auto inner = std::make_unique<SumEncoder>();
  inner->gate = &gate;
  const SumEncoder* sum = inner.get();
  const BatchingEncoder encoder(std::move(inner), Options(10, absl::ZeroDuration()));
  std::thread large([&] { EXPECT_TRUE(encoder.Encode(Windows(1000, 1)).ok()); });
  while (sum->runs == 0)
    std::this_thread::yield();  // the large one has been begun, and waits at the gate
  std::vector<uint8_t> marked = Windows(1, 2);
  marked[0] = 254;
  std::thread small([&] { EXPECT_TRUE(encoder.Encode(marked).ok()); });
  absl::SleepFor(absl::Milliseconds(50));  // for the small one to get in line
  gate.Notify();
  small.join();
  large.join();
  EXPECT_GE(sum->marked_run, 2);
  EXPECT_LE(sum->marked_run, 3) << "of the 101 runs in all";
}

TEST(BatchingEncoder, AFailureReachesEveryCallerOfTheBatchAndNoOther) {
  const Batched batched(Options(2, absl::Seconds(60)));
  std::vector<uint8_t> bad = Windows(1, 1);
  bad[0] = 255;
  std::thread other([&] {
    EXPECT_EQ(batched.encoder->Encode(Windows(1, 2)).status().message(),
              "a window starts with 255");
  });
  EXPECT_EQ(batched.encoder->Encode(bad).status().code(), absl::StatusCode::kInternal);
  other.join();
  EXPECT_TRUE(batched.encoder->Encode(Windows(2, 3)).ok());
}

TEST(BatchingEncoder, ALongRequestStopsAtItsFirstFailure) {
  const Batched batched(Options(2, absl::ZeroDuration()));
  std::vector<uint8_t> bad = Windows(100, 1);
  bad[0] = 255;
  EXPECT_FALSE(batched.encoder->Encode(bad).ok());
  EXPECT_EQ(batched.sum->runs, 1);
  EXPECT_TRUE(batched.encoder->Encode(Windows(5, 1)).ok());
}

TEST(BatchingEncoder, RunsNoWindowOfARequestThatHasGone) {
  const Batched batched(Options(10, absl::ZeroDuration()));
  std::atomic<int> asked = 0;
  const auto gone = [&] {
    ++asked;
    return absl::CancelledError("gone");
  };
  EXPECT_EQ(batched.encoder->EncodeWhile(gone, Windows(1000, 1)).status(),
            absl::CancelledError("gone"));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(batched.sum->runs, 0);
  EXPECT_TRUE(batched.encoder->Encode(Windows(5, 1)).ok()) << "the others go on";
}

TEST(BatchingEncoder, ARequestThatGoesHalfWayIsDroppedBeforeItsNextBatch) {
  const Batched batched(Options(10, absl::ZeroDuration()));
  std::atomic<int> asked = 0;
  const auto third_time = [&] {
    return ++asked < 3 ? absl::OkStatus() : absl::DeadlineExceededError("too late");
  };
  const auto rows = batched.encoder->EncodeWhile(third_time, Windows(1000, 1));
  EXPECT_EQ(rows.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(batched.sum->runs, 2) << "of 100";
}

TEST(BatchingEncoder, ARequestThatGoesLeavesItsCompanionsTheirRows) {
  const SumEncoder reference;
  absl::Notification gate;
  auto inner = std::make_unique<SumEncoder>();
  inner->gate = &gate;
  const SumEncoder* sum = inner.get();
  const BatchingEncoder encoder(std::move(inner), Options(10, absl::ZeroDuration()));
  std::atomic<bool> gone = false;
  const auto keep_going = [&] { return gone ? absl::CancelledError("gone") : absl::OkStatus(); };
  std::thread first([&] { EXPECT_FALSE(encoder.EncodeWhile(keep_going, Windows(15, 1)).ok()); });
  while (sum->runs == 0) std::this_thread::yield();  // 10 of its 15 windows wait at the gate
  const std::vector<uint8_t> windows = Windows(15, 2);
  std::thread second([&] {
    const auto rows = encoder.Encode(windows);
    ASSERT_TRUE(rows.ok());
    EXPECT_EQ(*rows, *reference.Encode(windows));
  });
  absl::SleepFor(absl::Milliseconds(20));  // for the second to get in line
  gone = true;
  gate.Notify();
  first.join();
  second.join();
  EXPECT_EQ(sum->runs, 3) << "one for the first, two for the second";
}

TEST(BatchingEncoder, RefusesPartsOfAWindowAndAcceptsNone) {
  const Batched batched(Options(2, absl::ZeroDuration()));
  EXPECT_EQ(batched.encoder->Encode(std::vector<uint8_t>(kWindow + 1)).status().code(),
            absl::StatusCode::kInvalidArgument);
  const auto none = batched.encoder->Encode({});
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->empty());
  EXPECT_EQ(batched.sum->runs, 0);
}

TEST(BatchingEncoder, ShutdownFailsThoseWhoWait) {
  const Batched batched(Options(1000, absl::Hours(1)));
  std::vector<std::thread> threads;
  std::atomic<int> unavailable = 0;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      if (batched.encoder->Encode(Windows(1, t)).status().code() == absl::StatusCode::kUnavailable)
        ++unavailable;
    });
  }
  absl::SleepFor(absl::Milliseconds(20));
  batched.encoder->Shutdown();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(unavailable, 3);
  EXPECT_EQ(batched.encoder->Encode(Windows(1, 1)).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace antiphon::server
