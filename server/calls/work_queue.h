// A bounded queue of tasks and the threads that work it off. Full means refused at once: the caller
// hears it now instead of waiting in a line that it will not live to see the end of.
//
// Safe from any thread.
#ifndef ANTIPHON_SERVER_CALLS_WORK_QUEUE_H_
#define ANTIPHON_SERVER_CALLS_WORK_QUEUE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/base/check_range.h"

namespace antiphon::server {

struct WorkQueueOptions {
  static constexpr Range<int> kWorkersRange = {0, 1024};
  int workers = 0;  // threads; 0: twice the number of cores
  static constexpr Range<int> kCapacityRange = {1, 1'000'000};
  int capacity = 256;  // tasks waiting
  static constexpr Range<int> kCapacityMibRange = {1, 1 << 20};
  int capacity_mib = 1024;  // their total size; a single task is always taken when nothing waits

  int threads() const;  // that `workers` asks for, at least 1
};

class WorkQueue {
 public:
  explicit WorkQueue(const WorkQueueOptions& options);
  ~WorkQueue();  // as Stop

  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Tasks run in the order they came in, each on one of the workers, and must not throw. `bytes` is
  // what the task keeps in memory while it waits. ResourceExhausted when the queue is full,
  // Unavailable once it is stopping; the task does not run then.
  [[nodiscard]] absl::Status Push(std::function<void()> task, int64_t bytes = 0);

  // Takes nothing new, runs what waits, joins the workers. Must not be called from a task.
  void Stop();

  int depth() const;  // tasks waiting, without those being run

  // How long what waits now will keep the workers busy, judged by how long tasks took of late; 0.1
  // to 30 s. What to tell a caller who was refused.
  absl::Duration RetryDelay() const;

  int capacity() const { return options_.capacity; }

 private:
  struct Item {
    std::function<void()> task;
    int64_t bytes = 0;
  };

  void Work();

  const WorkQueueOptions options_;
  mutable absl::Mutex mutex_;
  std::deque<Item> items_ ABSL_GUARDED_BY(mutex_);
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // sum over items_
  // Seconds that a task takes: a mean of recent ones, weights falling off by age.
  double mean_s_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> workers_;  // changed by the constructor and Stop only
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CALLS_WORK_QUEUE_H_
