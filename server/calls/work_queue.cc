#include "server/calls/work_queue.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/steady_time.h"
#include "core/threads/cores.h"

namespace antiphon::server {

namespace {

// Of the latest task in the mean. Ten tasks or so decide: a change of load shows within seconds,
// and a single slow request does not make RetryDelay jump.
constexpr double kWeightOfLatest = 0.1;

}  // namespace

int WorkQueueOptions::threads() const {
  if (workers > 0) return workers;
  return 2 * threads::Cores();
}

WorkQueue::WorkQueue(const WorkQueueOptions& options) : options_(options) {
  const int workers = options.threads();
  workers_.reserve(workers);
  for (int i = 0; i < workers; ++i) workers_.emplace_back([this] { Work(); });
}

WorkQueue::~WorkQueue() { Stop(); }

absl::Status WorkQueue::Push(std::function<void()> task, int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return absl::UnavailableError("the server is shutting down");
  if (static_cast<int>(items_.size()) >= options_.capacity) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the server is busy: ", options_.capacity, " requests are waiting already"));
  }
  // A task larger than the whole limit must run some time, so it is taken when nothing waits.
  if (!items_.empty() && bytes > (int64_t{options_.capacity_mib} << 20) - bytes_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the server is busy: requests of ", bytes_ >> 20, " MiB are waiting already"));
  }
  items_.push_back({std::move(task), bytes});
  bytes_ += bytes;
  return absl::OkStatus();
}

void WorkQueue::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  // Without the lock, which the workers need to finish. Cleared, so that the destructor may stop
  // again.
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

int WorkQueue::depth() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<int>(items_.size());
}

absl::Duration WorkQueue::RetryDelay() const {
  absl::MutexLock lock(&mutex_);
  const double seconds = mean_s_ * static_cast<double>(items_.size() + 1) / options_.threads();
  return absl::Seconds(std::clamp(seconds, 0.1, 30.0));
}

void WorkQueue::Work() {
  while (true) {
    Item item;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](WorkQueue* queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue->mutex_) {
            return queue->stopping_ || !queue->items_.empty();
          },
          this));
      if (items_.empty()) return;  // stopping, and everything that was accepted has run
      item = std::move(items_.front());
      items_.pop_front();
      bytes_ -= item.bytes;
    }
    // With no lock held: a task may take seconds.
    const SteadyTime start = SteadyNow();
    item.task();
    item.task = nullptr;  // what it holds on to goes now, not when the next one comes
    const double seconds = SecondsSince(start);
    absl::MutexLock lock(&mutex_);
    mean_s_ = mean_s_ == 0 ? seconds : mean_s_ + kWeightOfLatest * (seconds - mean_s_);
  }
}

}  // namespace antiphon::server
