// The server's certificate, and whose clients' certificates it takes, from files that may change
// while it runs: each new connection gets what is in force then.
//
// Files are checked before they come into force (a key that does not belong to the certificate, or
// a certificate that has expired, would lock everybody out), and those before stay until then. Safe
// from any thread.
#ifndef ANTIPHON_SERVER_ACCESS_TLS_H_
#define ANTIPHON_SERVER_ACCESS_TLS_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace grpc {
class ServerCredentials;
}

namespace antiphon::server {

inline constexpr size_t kMaxPemBytes = 1 << 20;  // of each file

struct TlsFiles {
  std::string certificate;  // PEM: the server's, then those between it and the authority
  std::string key;          // PEM, not encrypted
  std::string client_ca;    // PEM: authorities; clients must show a certificate by one of them.
                            // Empty: none is asked for

  bool enabled() const { return !certificate.empty(); }  // without it there is no TLS
};

class TlsIdentity {
 public:
  // Reads the files. InvalidArgument, NotFound or PermissionDenied, naming the option and not the
  // path.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<TlsIdentity>> Open(TlsFiles files);

  // Reads them again; on failure what was in force stays so.
  [[nodiscard]] absl::Status Reload();

  const TlsFiles& files() const { return files_; }

  // When the certificate in force expires.
  absl::Time expires() const;

  // For a server; this object must outlive it.
  std::shared_ptr<grpc::ServerCredentials> Credentials();

 private:
  friend class TlsFetcher;

  struct Contents {
    std::string certificate;
    std::string key;
    std::string client_ca;
    absl::Time expires;
  };

  explicit TlsIdentity(TlsFiles files) : files_(std::move(files)) {}
  [[nodiscard]] absl::StatusOr<Contents> Read() const;

  const TlsFiles files_;
  mutable absl::Mutex mutex_;
  Contents contents_ ABSL_GUARDED_BY(mutex_);
  bool handed_out_ ABSL_GUARDED_BY(mutex_) = false;  // gRPC has these contents
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_ACCESS_TLS_H_
