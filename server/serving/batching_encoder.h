// Runs windows of concurrent requests through an encoder together.
//
// A decorator: Encode gives each caller exactly the rows of its own windows. One thread feeds the
// inner encoder, so that concurrent requests share the cores instead of competing for them.
// Requests take turns: one with many windows is spread over several batches and does not hold up
// the small ones behind it. What nobody waits for any more is not run. Safe from any thread.
#ifndef ANTIPHON_SERVER_SERVING_BATCHING_ENCODER_H_
#define ANTIPHON_SERVER_SERVING_BATCHING_ENCODER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "core/base/steady_mutex.h"
#include "core/encoder/window_encoder.h"

namespace antiphon::server {

struct BatchingOptions {
  static constexpr Range<int> kMaxWindowsRange = encoder::EncoderOptions::kBatchSizeRange;
  int max_windows = 64;  // in a batch
  static constexpr Range<double> kMaxDelayRange = {0, 1000};
  // Milliseconds that an incomplete batch waits for others, from its oldest request. With 0,
  // whatever arrives while a batch runs still forms the next one.
  double max_delay_ms = 0;
  std::function<void(int)> on_batch;  // told the size of every batch; may be empty
};

class BatchingEncoder : public encoder::WindowEncoder {
 public:
  BatchingEncoder(std::unique_ptr<encoder::WindowEncoder> inner, BatchingOptions options);

  // As Shutdown; no Encode may be under way.
  ~BatchingEncoder() override;

  // Requests that wait, and later ones, fail with Unavailable; a batch that runs is finished.
  void Shutdown();

  const encoder::EncoderInfo& info() const override { return inner_->info(); }

  // As WindowEncoder. Blocks until the batches that hold these windows have run. A failure of the
  // inner encoder is returned to every request that had windows in the batch.
  [[nodiscard]] absl::StatusOr<std::vector<float>> Encode(
      std::span<const uint8_t> windows) const override;

  // `keep_going` is asked on the encoder's thread, with its lock held, whenever windows of this
  // request are about to go into a batch: it must be quick and call nothing here.
  [[nodiscard]] absl::StatusOr<std::vector<float>> EncodeWhile(
      const std::function<absl::Status()>& keep_going,
      std::span<const uint8_t> windows) const override;

 private:
  // One request. Lives on the caller's stack until done.
  struct Job {
    std::span<const uint8_t> windows;
    const std::function<absl::Status()>* keep_going = nullptr;
    int64_t total = 0;  // windows
    int64_t taken = 0;  // windows put into batches
    SteadyTime arrived;
    std::vector<float> embeddings;  // [total, dimension]
    absl::Status status;
    absl::Notification done;
  };

  // A stretch of a job inside a batch.
  struct Slice {
    Job* job = nullptr;
    int64_t first = 0;  // window of the job
    int64_t count = 0;
  };

  void Dispatch() const;
  // Waits for a batch worth running; nothing when stopping. It is empty when nobody waits for its
  // windows any more.
  std::optional<std::vector<Slice>> TakeBatch() const;
  std::vector<Slice> FillBatch() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RunBatch(const std::vector<Slice>& slices) const;

  const std::unique_ptr<encoder::WindowEncoder> inner_;
  const BatchingOptions options_;
  const int64_t window_size_;  // bytes

  mutable SteadyMutex mutex_;
  mutable std::deque<Job*> pending_ ABSL_GUARDED_BY(mutex_);     // with windows not yet taken
  mutable int64_t pending_windows_ ABSL_GUARDED_BY(mutex_) = 0;  // not yet taken, over pending_
  mutable bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread dispatcher_;  // last: it uses the members above
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVING_BATCHING_ENCODER_H_
