// Takes a snapshot every so often, on a thread of its own, and removes its old ones.
//
// Its snapshots are called auto-YYYYMMDD-HHMMSS, in UTC, and no other is ever removed by it. One is
// taken at once when the newest of them is older than the interval, by the date that it holds, and
// none when the collection has not changed since. From then on the monotonic clock counts. What
// fails is logged, counted and tried again, with growing pauses.
//
// Safe from any thread. Owns its thread.
#ifndef ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_SCHEDULE_H_
#define ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_SCHEDULE_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/snapshots/snapshot_keeper.h"
#include "server/telemetry/metrics.h"

namespace antiphon::server {

// Whether a snapshot is one of the schedule's.
bool IsScheduledName(std::string_view name);
std::string ScheduledName(absl::Time at);

// Of the snapshots, newest first, those that the schedule is to remove: its own that are older than
// the newest `keep` of them that can be restored.
std::vector<std::string> OutOfDate(const std::vector<StoredSnapshot>& snapshots, int keep);

struct SnapshotScheduleOptions {
  absl::Duration every;  // a second at least; 0: only tells the metrics what there is
  int keep = 7;          // at least 1
  absl::Duration first_pause = absl::Seconds(30);  // after a failure; doubled from one to the next
};

class SnapshotSchedule {
 public:
  // Starts at once, unless there are no snapshots. References are borrowed, and outlive this
  // object.
  SnapshotSchedule(const SnapshotScheduleOptions& options, SnapshotKeeper& snapshots,
                   Metrics& metrics);
  ~SnapshotSchedule();  // waits for what is under way to stop

  // Begins nothing more, has what is under way stop at its next step, and waits for nothing.
  void Stop();

 private:
  using Clock = std::chrono::steady_clock;

  void Run();
  // Each does its part, and returns how long to wait then.
  absl::Duration Step();
  absl::Duration LookAround();  // once, at the beginning: what is there, and what is due when
  absl::Duration Take();
  absl::Duration Succeed();

  void RemoveOld();
  absl::Duration Fail(const absl::Status& status);
  absl::Duration PauseAfterFailure() const;
  void DueIn(absl::Duration wait);
  bool WaitFor(absl::Duration wait);  // false: it is to stop
  KeepGoing KeepGoingUntilStopped();

  const SnapshotScheduleOptions options_;
  SnapshotKeeper& snapshots_;
  Metrics& metrics_;
  // Of the thread alone.
  bool knows_what_is_there_ = false;
  Clock::time_point due_ = Clock::now();
  int failures_ = 0;  // since the last success

  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;  // std's: its condition variable waits by the monotonic clock
  std::condition_variable stop_;
  std::thread thread_;  // last: it uses the members above
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_SCHEDULE_H_
