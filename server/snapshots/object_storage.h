// Snapshots in object storage: the files of a snapshot's bundle are objects under NAME/, as they
// would lie in a directory, so that a copy of them can be served. The generation's MANIFEST is
// written last and removed first: with it a snapshot is whole, without it there is none.
//
// Safe from any thread. Two servers must not share a prefix: nothing keeps them from one name.
#ifndef ANTIPHON_SERVER_SNAPSHOTS_OBJECT_STORAGE_H_
#define ANTIPHON_SERVER_SNAPSHOTS_OBJECT_STORAGE_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/snapshots/object_store.h"
#include "server/snapshots/snapshot_storage.h"

namespace antiphon::server {

class ObjectStorage final : public SnapshotStorage {
 public:
  // `prefix` is empty or ends with '/'. `staging` is a directory for snapshots on their way; it
  // must have room for one.
  ObjectStorage(std::unique_ptr<ObjectStore> store, std::string prefix, std::string staging);

  absl::StatusOr<std::vector<StoredSnapshot>> List(const KeepGoing& keep_going) override;
  // FailedPrecondition when a file is larger than an object may be. Also removes what uploads that
  // were interrupted more than a day ago have left.
  absl::StatusOr<bundle::Manifest> Keep(const std::string& name, const Write& write,
                                        const KeepGoing& keep_going) override;
  absl::StatusOr<bundle::Manifest> Fetch(const std::string& name, const Load& load,
                                         const KeepGoing& keep_going) override;
  absl::StatusOr<int64_t> Remove(const std::string& name, const KeepGoing& keep_going) override;

 private:
  // The objects of one name, by what follows NAME/.
  using Objects = std::map<std::string, StoredObject>;

  absl::StatusOr<std::map<std::string, Objects>> ListObjects(const std::string& prefix,
                                                             const KeepGoing& keep_going);
  // Those of `name` only.
  absl::StatusOr<Objects> ObjectsOf(const std::string& name, const KeepGoing& keep_going);
  absl::StatusOr<bundle::Manifest> ManifestOf(const StoredObject& object,
                                              const KeepGoing& keep_going);
  absl::StatusOr<StoredSnapshot> Look(const std::string& name, const Objects& objects,
                                      const KeepGoing& keep_going);
  absl::Status Upload(const std::string& name, const std::string& directory,
                      const bundle::Manifest& manifest, const KeepGoing& keep_going);
  absl::Status UploadFiles(const std::string& root, const std::string& directory,
                           const bundle::Manifest& manifest, const KeepGoing& keep_going);
  absl::Status Download(const std::string& root, const std::string& directory,
                        const bundle::Manifest& manifest, const KeepGoing& keep_going);
  absl::Status RemoveObjects(const Objects& objects, const KeepGoing& keep_going);
  void RemoveUnfinished(const std::map<std::string, Objects>& all, const KeepGoing& keep_going);

  const std::unique_ptr<ObjectStore> store_;
  const std::string prefix_;
  const std::string staging_;

  // Manifests that have been read, by key: reading all of them for every list would be slow.
  struct Known {
    std::string etag;
    bundle::Manifest manifest;
  };
  absl::Mutex mutex_;
  std::map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SNAPSHOTS_OBJECT_STORAGE_H_
