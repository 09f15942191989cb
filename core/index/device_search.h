// An index's place on a device, and the queue before it: who finds the device idle searches for all
// who wait, so that requests that come together share one run of the device, and nobody waits for
// others to come. Internal to core/index.
#ifndef ANTIPHON_CORE_INDEX_DEVICE_SEARCH_H_
#define ANTIPHON_CORE_INDEX_DEVICE_SEARCH_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/index/device.h"
#include "core/index/device_pool.h"

namespace antiphon::index {

// Safe from any thread.
class DeviceSearch {
 public:
  // Queries that one run of the device searches for at most, if there are several requests.
  static constexpr int64_t kMaxBatch = 4096;

  // Puts the source onto the pool's device, or tries again later: what the source borrows must
  // outlive this object.
  DeviceSearch(std::shared_ptr<DevicePool> pool, const DeviceSource& source);
  ~DeviceSearch();
  DeviceSearch(const DeviceSearch&) = delete;
  DeviceSearch& operator=(const DeviceSearch&) = delete;

  // Neighbours that a query may ask for.
  int most_neighbours() const { return most_neighbours_; }

  // Whether a search should be made here. Where there was no room for the source, the call tries
  // again to copy it, if the last time is a while ago.
  [[nodiscard]] bool Ready();

  // See DeviceIndex::Search; requires Ready. On failure nothing is written that counts, and the
  // search is to be made on the CPU; the pool has been told.
  [[nodiscard]] absl::Status Search(const DeviceQueries& queries, int64_t* ids,
                                    float* similarities);

 private:
  struct Waiting;
  using Place = DevicePool::Place;

  void TryToPut() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status SearchFor(const std::vector<Waiting*>& batch, Place& place);
  absl::Status SearchTogether(const std::vector<Waiting*>& batch, Place& place);
  void NoteFailure(const absl::Status& failure) ABSL_LOCKS_EXCLUDED(mutex_);
  void LeaveOut(const std::string& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeIn(bool gone) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<DevicePool> pool_;
  const DeviceSource source_;
  const int most_neighbours_;
  absl::Mutex mutex_;
  std::shared_ptr<Place> place_ ABSL_GUARDED_BY(mutex_);  // null: not on the device
  bool putting_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time paused_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool left_out_ ABSL_GUARDED_BY(mutex_) = false;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Waiting*> waiting_ ABSL_GUARDED_BY(mutex_);  // in the order they came
};

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_DEVICE_SEARCH_H_
