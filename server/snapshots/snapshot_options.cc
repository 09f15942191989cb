#include "server/snapshots/snapshot_options.h"

#include <utility>

#include "core/base/status_macros.h"
#include "server/snapshots/directory_storage.h"
#include "server/snapshots/object_storage.h"
#include "server/snapshots/s3_store.h"

namespace antiphon::server {

absl::Status SnapshotOptions::Validate() const {
  if (every_h > 0 && directory.empty())
    return absl::InvalidArgumentError("snapshot-every: needs snapshot-dir as well");
  if (s3.enabled() && directory.empty()) {
    return absl::InvalidArgumentError(
        "snapshot-s3: needs snapshot-dir as well, for snapshots on their way");
  }
  return s3.Validate();
}

absl::StatusOr<std::unique_ptr<SnapshotStorage>> OpenSnapshotStorage(
    const SnapshotOptions& options) {
  if (options.directory.empty()) return nullptr;
  if (!options.s3.enabled()) return std::make_unique<DirectoryStorage>(options.directory);
  ASSIGN_OR_RETURN(S3Location location, ParseS3Location(options.s3.location));
  ASSIGN_OR_RETURN(std::unique_ptr<S3Store> store, S3Store::Open(options.s3));
  return std::make_unique<ObjectStorage>(std::move(store), std::move(location.prefix),
                                         options.directory);
}

}  // namespace antiphon::server
