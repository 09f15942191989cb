// Snapshots in a directory, each a folder of its own and a bundle (docs/formats.md).
//
// Safe from any thread, and beside other processes that use the directory likewise.
#ifndef ANTIPHON_SERVER_SNAPSHOTS_DIRECTORY_STORAGE_H_
#define ANTIPHON_SERVER_SNAPSHOTS_DIRECTORY_STORAGE_H_

#include <string>
#include <utility>
#include <vector>

#include "server/snapshots/snapshot_storage.h"

namespace antiphon::server {

// Folders that hold nothing of a bundle are taken for somebody else's: they are neither listed nor
// removed. FailedPrecondition, from every call, while the directory is not there.
class DirectoryStorage final : public SnapshotStorage {
 public:
  explicit DirectoryStorage(std::string directory) : directory_(std::move(directory)) {}

  absl::StatusOr<std::vector<StoredSnapshot>> List(const KeepGoing& keep_going) override;
  absl::StatusOr<bundle::Manifest> Keep(const std::string& name, const Write& write,
                                        const KeepGoing& keep_going) override;
  absl::StatusOr<bundle::Manifest> Fetch(const std::string& name, const Load& load,
                                         const KeepGoing& keep_going) override;
  absl::StatusOr<int64_t> Remove(const std::string& name, const KeepGoing& keep_going) override;

 private:
  std::string PathOf(const std::string& name) const;

  const std::string directory_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SNAPSHOTS_DIRECTORY_STORAGE_H_
