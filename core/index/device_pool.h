// The device that all indexes of a process share: how much of its memory they may have, what has
// become of it, and who is told. An index gets it through IndexOptions::devices.
//
// Whatever goes wrong with a device is no failure: the indexes concerned are searched on the CPU,
// and that is said (`on_change`, Status). An index for which there was no room is tried again from
// time to time, by a search. Safe from any thread.
#ifndef ANTIPHON_CORE_INDEX_DEVICE_POOL_H_
#define ANTIPHON_CORE_INDEX_DEVICE_POOL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/index/vector_index.h"

namespace antiphon::index {

class Device;
class DeviceIndex;
struct DeviceSource;

// Memory in use on that device ("cuda:0", or "auto"), by whomever, bytes; none where it is no GPU
// or cannot be told.
std::optional<int64_t> DeviceMemoryInUse(std::string_view name);

// OK for "cpu", "auto", "cuda:N" and several of these with commas between them, each once.
// InvalidArgument otherwise.
[[nodiscard]] absl::Status CheckDeviceName(std::string_view name);

struct DevicePoolOptions {
  std::string device = "cpu";  // as IndexOptions::device
  DevicePrecision precision = DevicePrecision::kFloat32;
  int64_t memory_bytes = 0;  // that indexes may take, over all of them; 0: what is free
  // How long it takes until an index for which there was no room is tried again.
  absl::Duration pause = absl::Seconds(10);
  // Told in a sentence each time that indexes leave the device or come back to it. Called from
  // threads that search; must not call back.
  std::function<void(const std::string&)> on_change = {};
};

// What has become of a device, at one moment.
struct DeviceStatus {
  std::string device = "cpu";   // that indexes are searched on: "cuda:0", or "cpu"
  bool wanted = false;          // whether another one than the CPU was asked for
  bool usable = false;          // whether it can be used, as far as is known
  int indexes = 0;              // on it
  int indexes_left_out = 0;     // that should be on it and are searched on the CPU
  int64_t bytes = 0;            // of memory that the indexes have, and searching them
  int64_t bytes_allowed = 0;    // 0: as much as there is
  int64_t searches = 0;         // answered by it
  int64_t batches = 0;          // in which they were; less where requests came together
  int64_t searches_on_cpu = 0;  // that were meant for it and were not answered by it
  std::string problem;          // why it is not used, or not by all; empty: nothing
};

class DevicePool : public std::enable_shared_from_this<DevicePool> {
 public:
  // Fails with InvalidArgument on a name that CheckDeviceName refuses; a device that is not there
  // is told of.
  [[nodiscard]] static absl::StatusOr<std::shared_ptr<DevicePool>> Open(DevicePoolOptions options);

  // Of a device that is open already; null: none. For tests, and Open.
  static std::shared_ptr<DevicePool> Over(std::unique_ptr<Device> device,
                                          DevicePoolOptions options);
  ~DevicePool();

  DeviceStatus Status() const;
  // Whether another device than the CPU was asked for.
  bool wanted() const { return wanted_; }
  DevicePrecision precision() const { return options_.precision; }

  // The rest is for core/index.

  // What an index has of the device; gives the memory back when it goes.
  class Place {
   public:
    Place(std::shared_ptr<DevicePool> pool, std::unique_ptr<DeviceIndex> index, int64_t bytes);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    DeviceIndex& index() { return *index_; }

   private:
    const std::shared_ptr<DevicePool> pool_;
    std::unique_ptr<DeviceIndex> index_;
    const int64_t bytes_;
  };

  // An index that belongs on the device and cannot be there, as long as this lives.
  class Absence {
   public:
    Absence(std::shared_ptr<DevicePool> pool, const std::string& why);
    ~Absence();
    Absence(const Absence&) = delete;
    Absence& operator=(const Absence&) = delete;

   private:
    const std::shared_ptr<DevicePool> pool_;
  };

  // Copies a source onto the device. ResourceExhausted where there is no room, checked before
  // anything is copied; Unavailable where there is no device any more.
  [[nodiscard]] absl::StatusOr<std::unique_ptr<Place>> Put(const DeviceSource& source);

  absl::Duration pause() const { return options_.pause; }

  bool usable() const { return usable_.load(); }
  // The device is gone: nothing is asked of it from now on.
  void Lose(const std::string& why);
  // An index that belongs on the device has come (1) or gone (-1).
  void CountIndex(int change);
  // One of these is left out, and why.
  void LeaveOut(const std::string& why);
  // It no longer is: it is on the device, or (`gone`) about to go.
  void TakeIn(bool gone);
  void Tell(const std::string& what) const;
  void CountBatch(int searches);
  void CountOnCpu() { searches_on_cpu_.fetch_add(1, std::memory_order_relaxed); }

 private:
  DevicePool(std::unique_ptr<Device> device, DevicePoolOptions options);
  absl::Status Reserve(int64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void Release(int64_t bytes, bool placed) ABSL_LOCKS_EXCLUDED(mutex_);

  const DevicePoolOptions options_;
  const std::unique_ptr<Device> device_;  // null where there is none
  const bool wanted_;
  std::atomic<bool> usable_;
  std::atomic<int64_t> searches_ = 0, batches_ = 0, searches_on_cpu_ = 0;
  mutable absl::Mutex mutex_;
  int indexes_ ABSL_GUARDED_BY(mutex_) = 0;    // that belong on the device
  int placed_ ABSL_GUARDED_BY(mutex_) = 0;     // that have memory there
  int left_out_ ABSL_GUARDED_BY(mutex_) = 0;   // of indexes_
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // reserved, without what searching takes
  std::string problem_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_DEVICE_POOL_H_
