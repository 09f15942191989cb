// Who may call what: API keys from a file that may change while the server runs, what each allows,
// and how often.
//
// A caller shows his key in the metadata, as "authorization: Bearer KEY" or "x-api-key: KEY". Safe
// from any thread.
#ifndef ANTIPHON_SERVER_ACCESS_AUTHENTICATOR_H_
#define ANTIPHON_SERVER_ACCESS_AUTHENTICATOR_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/base/steady_time.h"
#include "server/access/api_keys.h"
#include "server/access/caller.h"
#include "server/access/token_bucket.h"
#include "server/telemetry/metrics.h"

namespace antiphon::server {

// What a method such as "Catalog.GetPiece" needs: administration, unless it is known to change
// nothing.
Role RoleFor(std::string_view method);

struct AuthenticatorOptions {
  std::string keys_file;  // see api_keys.h; empty: no keys are asked for
  Quota quota;            // of a key whose line says nothing else, and of a certificate

  bool enabled() const { return !keys_file.empty(); }
};

class Authenticator {
 public:
  // Reads the keys. InvalidArgument, NotFound or PermissionDenied, without the path, when that
  // fails. `metrics` is told of every caller who is turned away, and outlives this object.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Authenticator>> Open(
      const AuthenticatorOptions& options, Metrics& metrics);

  // Whose key it is; `key` is empty when none was shown. Unauthenticated when it is not known.
  [[nodiscard]] absl::StatusOr<Caller> Recognise(std::string_view key);

  // Whether he may call the method now: PermissionDenied, or ResourceExhausted with the time until
  // his rate allows another call.
  [[nodiscard]] absl::Status Permit(const Caller& caller, std::string_view method, SteadyTime now);

  // Reads the file again. Keys whose limit has not changed keep what they have left of it. On
  // failure everything stays as it was.
  [[nodiscard]] absl::Status Reload();

  int keys() const;
  const std::string& file() const { return file_; }

 private:
  struct Ring {
    std::vector<ApiKey> keys;
    // One for each key, null where there is no limit.
    std::vector<std::shared_ptr<TokenBucket>> buckets;
  };

  Authenticator(const AuthenticatorOptions& options, Metrics& metrics)
      : file_(options.keys_file), quota_(options.quota), metrics_(metrics) {}

  std::shared_ptr<const Ring> ring() const;

  const std::string file_;
  const Quota quota_;
  Metrics& metrics_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Ring> ring_ ABSL_GUARDED_BY(mutex_) = std::make_shared<Ring>();
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_ACCESS_AUTHENTICATOR_H_
