// Hidden folders of the snapshot directory, for what is under way: snapshots on their way to or
// from object storage, and those that are being removed. What a process that died left behind is
// removed by the next one.
//
// A StagingFolder belongs to one thread; the functions are safe from any.
#ifndef ANTIPHON_SERVER_SNAPSHOTS_STAGING_H_
#define ANTIPHON_SERVER_SNAPSHOTS_STAGING_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/bundle/files.h"

namespace antiphon::server {

class StagingFolder {
 public:
  // An empty folder of its own below `directory`. ResourceExhausted where there is no room.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<StagingFolder>> Create(
      const std::string& directory);
  ~StagingFolder();  // removes it with all that is in it
  StagingFolder(const StagingFolder&) = delete;
  StagingFolder& operator=(const StagingFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  StagingFolder(std::string path, Descriptor lock);

  const std::string path_;
  const Descriptor lock_;  // says that somebody lives here
};

// Makes directory/name vanish at once, then removes what was in it: a crash in between leaves
// nothing that could be taken for a snapshot. NotFound.
[[nodiscard]] absl::Status RemoveAtOnce(const std::string& directory, const std::string& name);

// Removes the hidden folders that processes which have died left in `directory`.
void RemoveLeftovers(const std::string& directory);

// FailedPrecondition unless `directory` is one that can be used for snapshots.
[[nodiscard]] absl::Status CheckSnapshotDirectory(const std::string& directory);

// ResourceExhausted when `directory` has room for fewer bytes.
[[nodiscard]] absl::Status CheckRoom(const std::string& directory, int64_t bytes);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SNAPSHOTS_STAGING_H_
