// One HTTP request to an S3 service, signed and sent by libcurl, and its answer. Internal to
// server/snapshots: s3_store.cc says what to ask and what answers mean.
//
// HttpClient is safe from any thread.
#ifndef ANTIPHON_SERVER_SNAPSHOTS_HTTP_CLIENT_H_
#define ANTIPHON_SERVER_SNAPSHOTS_HTTP_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/snapshots/s3_options.h"
#include "server/snapshots/snapshot_storage.h"

namespace antiphon::server {

struct HttpRequest {
  enum class Method { kGet, kPut, kDelete } method = Method::kGet;
  std::string path;         // encoded, with the '/' in front
  std::string query;        // encoded, its parameters in order; may be empty
  std::string body_sha256;  // lower-case hexadecimal
  // Of kPut: fills up to `size` bytes, and returns how many there were; a negative number is a
  // failure. Begins anew where `offset` says.
  int64_t body_size = 0;
  std::function<int64_t(int64_t offset, char* data, size_t size)> read_body;
  // Takes the body of an answer of success, piece by piece; false ends the request. What other
  // answers hold goes into HttpAnswer::error.
  std::function<bool(std::string_view piece)> take;
};

struct HttpAnswer {
  int status = 0;          // 0: there was none
  std::string error;       // body of a status other than 2xx, its beginning
  bool refused = false;    // `take` or `read_body` has ended it
  std::string failure;     // why there was no answer, for the log; empty where there was one
  bool untrusted = false;  // ... the certificate
};

class HttpClient {
 public:
  HttpClient(std::string endpoint, std::string region, std::string ca_file, absl::Duration connect,
             absl::Duration stall);
  ~HttpClient();

  // Fails only as `keep_going` does.
  [[nodiscard]] absl::StatusOr<HttpAnswer> Send(const HttpRequest& request,
                                                const S3Credentials& credentials,
                                                const KeepGoing& keep_going);

 private:
  class Transfer;

  const std::string endpoint_;
  const std::string region_;
  const std::string ca_file_;
  const absl::Duration connect_;
  const absl::Duration stall_;
  absl::Mutex mutex_;
  std::vector<void*> idle_ ABSL_GUARDED_BY(mutex_);  // CURL handles, with their connections
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SNAPSHOTS_HTTP_CLIENT_H_
