// Taking, listing, restoring and removing the snapshots of the collection that is served, for
// whoever asks: an administrator (server/services/service_admin.h) or the schedule
// (snapshot_schedule.h). Counts and measures them.
//
// Safe from any thread. One snapshot is taken or restored at a time, and none while it is removed.
#ifndef ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_KEEPER_H_
#define ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_KEEPER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/serving/one_at_a_time.h"
#include "server/serving/store.h"
#include "server/snapshots/snapshot_storage.h"
#include "server/telemetry/metrics.h"

namespace antiphon::server {

// Failures, besides those of the storage (snapshot_storage.h, object_store.h) and of the store:
// FailedPrecondition where the server has no place for snapshots; Aborted while another one is at
// it. Their messages may be shown to an operator who is a client: they hold no paths.
class SnapshotKeeper {
 public:
  // `storage` may be null: there are no snapshots. `directory` is the one of the storage. `turns`
  // keeps the writing and reading of the collection apart from reloads and merges. References are
  // borrowed, and outlive this object.
  SnapshotKeeper(std::unique_ptr<SnapshotStorage> storage, std::string directory, Store& store,
                 OneAtATime& turns, Metrics& metrics);

  bool enabled() const { return storage_ != nullptr; }

  [[nodiscard]] absl::StatusOr<bundle::Manifest> Take(const std::string& name,
                                                      const KeepGoing& keep_going);
  [[nodiscard]] absl::StatusOr<bundle::Manifest> Restore(const std::string& name,
                                                         const KeepGoing& keep_going);
  // Newest first.
  [[nodiscard]] absl::StatusOr<std::vector<StoredSnapshot>> List(const KeepGoing& keep_going);
  // Aborted while it is being taken or restored. Returns the bytes that it took.
  [[nodiscard]] absl::StatusOr<int64_t> Remove(const std::string& name,
                                               const KeepGoing& keep_going);

  // Whether the collection is as it was when that snapshot was taken.
  bool IsUnchangedSince(const StoredSnapshot& snapshot) const;

  // For the metrics: `snapshot` is still as the collection is; and what there is, as a list says.
  void CountAsFresh(const StoredSnapshot& snapshot);
  void Measure(const std::vector<StoredSnapshot>& snapshots);

 private:
  // That nobody else uses that name, until this goes.
  class Claim;

  absl::Status CheckEnabled() const;
  absl::StatusOr<bundle::Manifest> Write(const std::string& name, const KeepGoing& keep_going);
  void SetNewest(const std::string& name, absl::Time at, int64_t bytes);
  template <typename T>
  absl::StatusOr<T> WithoutPaths(absl::StatusOr<T> result) const;

  const std::unique_ptr<SnapshotStorage> storage_;
  const std::string directory_;
  Store& store_;
  OneAtATime& turns_;  // of what works on the collection
  OneAtATime moves_;   // of snapshots that are taken or restored, on their way as well
  Metrics& metrics_;
  absl::Mutex mutex_;
  std::set<std::string> in_use_ ABSL_GUARDED_BY(mutex_);
  std::string newest_ ABSL_GUARDED_BY(mutex_);  // that the metrics tell of
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_KEEPER_H_
