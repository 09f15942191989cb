// Where the snapshots of a server lie. A directory (directory_storage.h) and object storage
// (object_storage.h) are the two kinds; who takes, lists or restores snapshots knows this one only.
//
// Safe from any thread. A snapshot appears whole or not at all, and goes whole. Messages hold no
// paths and no credentials. Taking, loading and removing one name at the same time is the caller's
// to prevent (snapshot_keeper.h does).
#ifndef ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_STORAGE_H_
#define ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_STORAGE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/bundle/manifest.h"

namespace antiphon::server {

struct StoredSnapshot {
  std::string name;
  bundle::Manifest manifest;  // as far as it can be read; `created` is empty where it cannot
  int64_t bytes = 0;
  std::string problem;  // why it cannot be restored; empty where nothing is known against it
};

// OK, or why to stop: asked before each step and while files are sent and received.
using KeepGoing = std::function<absl::Status()>;

class SnapshotStorage {
 public:
  virtual ~SnapshotStorage() = default;

  // What there is, the newest first, and last what has no date. Looks at manifests and at sizes of
  // files, not into them. What is unfinished, or no snapshot, is left out.
  [[nodiscard]] virtual absl::StatusOr<std::vector<StoredSnapshot>> List(
      const KeepGoing& keep_going) = 0;

  // Has `write` make a bundle in the directory that it is given, which does not exist, and keeps it
  // under `name`. AlreadyExists; ResourceExhausted where there is no room.
  using Write = std::function<absl::StatusOr<bundle::Manifest>(const std::string& directory)>;
  [[nodiscard]] virtual absl::StatusOr<bundle::Manifest> Keep(const std::string& name,
                                                              const Write& write,
                                                              const KeepGoing& keep_going) = 0;

  // Has `load` read the snapshot's bundle, which may go when it returns. NotFound; DataLoss, with
  // the reason, when the snapshot is damaged.
  using Load = std::function<absl::StatusOr<bundle::Manifest>(const std::string& directory)>;
  [[nodiscard]] virtual absl::StatusOr<bundle::Manifest> Fetch(const std::string& name,
                                                               const Load& load,
                                                               const KeepGoing& keep_going) = 0;

  // NotFound. Returns the bytes that it took.
  [[nodiscard]] virtual absl::StatusOr<int64_t> Remove(const std::string& name,
                                                       const KeepGoing& keep_going) = 0;
};

// 1 to 100 letters, digits, '.', '-' and '_', not beginning with '.' or '-': a file of a directory
// on any system, nothing hidden, no option of a command.
bool IsSnapshotName(std::string_view name);

// When a snapshot was taken, by its own account; the infinite past where that is no date.
absl::Time DateOf(const bundle::Manifest& manifest);

// As List orders them.
void SortNewestFirst(std::vector<StoredSnapshot>& snapshots);

// The sizes that a manifest claims, bounded where their sum would wrap.
int64_t TotalBytes(const bundle::Manifest& manifest);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SNAPSHOTS_SNAPSHOT_STORAGE_H_
