#include "server/snapshots/snapshot_keeper.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "server/snapshots/staging.h"
#include "server/wire/status_map.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
class SnapshotKeeper::Claim {
 public:
  static absl::StatusOr<std::unique_ptr<Claim>> Make(SnapshotKeeper& snapshots,
                                                     const std::string& name) {
    absl::MutexLock lock(&snapshots.mutex_);
    if (snapshots.in_use_.insert(name).second)
      return std::unique_ptr<Claim>(new Claim(snapshots, name));
    return CallerError(
        absl::StatusCode::kAborted,
        "this snapshot is being taken, restored or removed; ask again when that is done");
  }
  ~Claim() {
    absl::MutexLock lock(&snapshots_.mutex_);
    snapshots_.in_use_.erase(name_);
  }

 private:
  Claim(SnapshotKeeper& snapshots, std::string name)
      : snapshots_(snapshots), name_(std::move(name)) {}

  SnapshotKeeper& snapshots_;
  const std::string name_;
};

SnapshotKeeper::SnapshotKeeper(std::unique_ptr<SnapshotStorage> storage, std::string directory,
                               Store& store, OneAtATime& turns, Metrics& metrics)
    : storage_(std::move(storage)),
      directory_(std::move(directory)),
      store_(store),
      turns_(turns),
      metrics_(metrics) {
  if (enabled()) metrics_.SetNewestSnapshot(std::nullopt);
}

absl::Status SnapshotKeeper::CheckEnabled() const {
  if (enabled()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this server has no snapshot directory; its operator can give it one");
}

// Statuses marked for the caller, and those that carry payloads, stay what they are.
template <typename T>
absl::StatusOr<T> SnapshotKeeper::WithoutPaths(absl::StatusOr<T> result) const {
  return MapError(std::move(result), [this](const absl::Status& status) {
    if (IsForCaller(status)) return status;
    return absl::Status(
        status.code(),
        absl::StrReplaceAll(status.message(), {{absl::StrCat(directory_, "/"), ""},
                                               {directory_, "the snapshot directory"}}));
  });
}

absl::StatusOr<bundle::Manifest> SnapshotKeeper::Take(const std::string& name,
                                                      const KeepGoing& keep_going) {
  absl::StatusOr<bundle::Manifest> taken = WithoutPaths(Write(name, keep_going));
  metrics_.RecordSnapshot(taken.status());
  if (taken.ok()) SetNewest(name, DateOf(*taken), TotalBytes(*taken));
  return taken;
}

absl::StatusOr<bundle::Manifest> SnapshotKeeper::Write(const std::string& name,
                                                       const KeepGoing& keep_going) {
  RETURN_IF_ERROR(CheckEnabled());
  ASSIGN_OR_RETURN(const OneAtATime::Turn move, moves_.Enter());
  ASSIGN_OR_RETURN(const std::unique_ptr<Claim> claim, Claim::Make(*this, name));
  return storage_->Keep(
      name,
      [&](const std::string& directory) -> absl::StatusOr<bundle::Manifest> {
        // Only while the collection is read: what is uploaded then needs it no more.
        ASSIGN_OR_RETURN(const OneAtATime::Turn turn, turns_.Enter());
        RETURN_IF_ERROR(CheckRoom(directory_, TotalBytes(store_.Current()->manifest())));
        return store_.WriteSnapshot(directory);
      },
      keep_going);
}

absl::StatusOr<bundle::Manifest> SnapshotKeeper::Restore(const std::string& name,
                                                         const KeepGoing& keep_going) {
  RETURN_IF_ERROR(CheckEnabled());
  ASSIGN_OR_RETURN(const OneAtATime::Turn move, moves_.Enter());
  // While it is on its way as well: what it is about to replace need not be reloaded or merged.
  ASSIGN_OR_RETURN(const OneAtATime::Turn turn, turns_.Enter());
  ASSIGN_OR_RETURN(const std::unique_ptr<Claim> claim, Claim::Make(*this, name));
  return WithoutPaths(storage_->Fetch(
      name, [&](const std::string& directory) { return store_.Restore(directory); }, keep_going));
}

absl::StatusOr<std::vector<StoredSnapshot>> SnapshotKeeper::List(const KeepGoing& keep_going) {
  RETURN_IF_ERROR(CheckEnabled());
  return WithoutPaths(storage_->List(keep_going));
}

absl::StatusOr<int64_t> SnapshotKeeper::Remove(const std::string& name,
                                               const KeepGoing& keep_going) {
  RETURN_IF_ERROR(CheckEnabled());
  ASSIGN_OR_RETURN(const std::unique_ptr<Claim> claim, Claim::Make(*this, name));
  absl::StatusOr<int64_t> removed = WithoutPaths(storage_->Remove(name, keep_going));
  if (!removed.ok()) return removed;
  bool was_newest = false;
  {
    absl::MutexLock lock(&mutex_);
    was_newest = name == newest_;
  }
  if (was_newest) {
    if (const auto left = storage_->List(keep_going); left.ok()) Measure(*left);
  }
  return removed;
}

bool SnapshotKeeper::IsUnchangedSince(const StoredSnapshot& snapshot) const {
  // In this order: a merge in between moves the number of the last change from one to the other.
  const editing::CollectionStore::EditStatus edits = store_.edit_status();
  const std::shared_ptr<const retrieval::Collection> now = store_.Current();
  const bundle::Manifest& then = snapshot.manifest;
  const int64_t last_change = edits.unmerged > 0 ? edits.last_change : now->manifest().last_change;
  return snapshot.problem.empty() && then.origin == now->manifest().origin &&
         then.model_id == now->manifest().model_id && then.last_change == last_change;
}

void SnapshotKeeper::CountAsFresh(const StoredSnapshot& snapshot) {
  metrics_.RecordUnchangedSnapshot();
  SetNewest(snapshot.name, absl::Now(), snapshot.bytes);
}

void SnapshotKeeper::Measure(const std::vector<StoredSnapshot>& snapshots) {
  const auto newest = std::find_if(snapshots.begin(), snapshots.end(), [](const auto& snapshot) {
    return snapshot.problem.empty() && DateOf(snapshot.manifest) != absl::InfinitePast();
  });
  if (newest == snapshots.end()) {
    metrics_.SetNewestSnapshot(std::nullopt);
  } else {
    SetNewest(newest->name, DateOf(newest->manifest), newest->bytes);
  }
}

void SnapshotKeeper::SetNewest(const std::string& name, absl::Time at, int64_t bytes) {
  {
    absl::MutexLock lock(&mutex_);
    newest_ = name;
  }
  metrics_.SetNewestSnapshot({{at, bytes}});
}

}  // namespace antiphon::server
