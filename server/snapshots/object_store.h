// Objects by their keys, as S3 and what is compatible with it keep them; s3_store.h is the real
// one, tests have their own.
//
// Safe from any thread. Messages hold neither credentials nor endpoints. Unavailable: it cannot be
// reached, or has failed again and again. FailedPrecondition: it refuses the credentials, the
// bucket is missing, or what else its operator has to set right.
#ifndef ANTIPHON_SERVER_SNAPSHOTS_OBJECT_STORE_H_
#define ANTIPHON_SERVER_SNAPSHOTS_OBJECT_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/snapshots/snapshot_storage.h"

namespace antiphon::server {

// Of one object: what every service takes in one request.
inline constexpr int64_t kMaxObjectBytes = int64_t{5} << 30;

struct StoredObject {
  std::string key;  // letters, digits, '.', '_', '-' and '/'; others are not listed
  int64_t size = 0;
  std::string etag;  // changes with the contents
  absl::Time modified;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Those whose key begins with `prefix`.
  [[nodiscard]] virtual absl::StatusOr<std::vector<StoredObject>> List(
      const std::string& prefix, const KeepGoing& keep_going) = 0;

  // An object of these contents, in place of any that there is.
  [[nodiscard]] virtual absl::Status Put(const std::string& key, const std::string& contents,
                                         const KeepGoing& keep_going) = 0;

  // Likewise of a file's; `sha256` is its hash, lower-case hexadecimal, against which the service
  // checks what arrives. DataLoss when the file is of another size.
  [[nodiscard]] virtual absl::Status PutFile(const std::string& key, const std::string& path,
                                             int64_t size, const std::string& sha256,
                                             const KeepGoing& keep_going) = 0;

  // NotFound; DataLoss when it is longer than `max_bytes`.
  [[nodiscard]] virtual absl::StatusOr<std::string> Get(const std::string& key, size_t max_bytes,
                                                        const KeepGoing& keep_going) = 0;

  // Into a new file. NotFound; DataLoss when it has another size or hash.
  [[nodiscard]] virtual absl::Status GetFile(const std::string& key, const std::string& path,
                                             int64_t size, const std::string& sha256,
                                             const KeepGoing& keep_going) = 0;

  // OK when there is none.
  [[nodiscard]] virtual absl::Status Delete(const std::string& key,
                                            const KeepGoing& keep_going) = 0;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SNAPSHOTS_OBJECT_STORE_H_
