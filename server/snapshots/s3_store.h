// Objects in an S3-compatible service: libcurl, which also signs (AWS Signature Version 4).
//
// Buckets are addressed by path (ENDPOINT/BUCKET/KEY). Certificates are checked, redirects are not
// followed, answers have limits, and the hash of what is sent is part of what is signed. A request
// that fails for the service's or the network's sake is made again a few times, with growing
// pauses. Nothing that is logged or returned holds a credential.
//
// Safe from any thread. Connections are kept between requests.
#ifndef ANTIPHON_SERVER_SNAPSHOTS_S3_STORE_H_
#define ANTIPHON_SERVER_SNAPSHOTS_S3_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/snapshots/object_store.h"
#include "server/snapshots/s3_options.h"

namespace antiphon::server {

struct S3Timing {
  int attempts = 5;                                 // of one request
  absl::Duration first_pause = absl::Seconds(0.5);  // doubled from attempt to attempt
  absl::Duration connect = absl::Seconds(10);
  absl::Duration stall = absl::Seconds(60);  // without a thousand bytes a second
};

class S3Store final : public ObjectStore {
 public:
  // `options` have been checked. Credentials are read anew for every request, so that they can be
  // replaced. InvalidArgument, naming the option, when there are none.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<S3Store>> Open(const S3Options& options,
                                                                     const S3Timing& timing = {});
  ~S3Store() override;

  absl::StatusOr<std::vector<StoredObject>> List(const std::string& prefix,
                                                 const KeepGoing& keep_going) override;
  absl::Status Put(const std::string& key, const std::string& contents,
                   const KeepGoing& keep_going) override;
  absl::Status PutFile(const std::string& key, const std::string& path, int64_t size,
                       const std::string& sha256, const KeepGoing& keep_going) override;
  absl::StatusOr<std::string> Get(const std::string& key, size_t max_bytes,
                                  const KeepGoing& keep_going) override;
  absl::Status GetFile(const std::string& key, const std::string& path, int64_t size,
                       const std::string& sha256, const KeepGoing& keep_going) override;
  absl::Status Delete(const std::string& key, const KeepGoing& keep_going) override;

 private:
  struct Impl;
  explicit S3Store(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SNAPSHOTS_S3_STORE_H_
