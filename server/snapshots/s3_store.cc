#include "server/snapshots/s3_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/status_macros.h"
#include "core/bundle/files.h"
#include "core/hash/sha256.h"
#include "server/snapshots/http_client.h"
#include "server/snapshots/s3_answers.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

using Method = HttpRequest::Method;

constexpr int kMaxPages = 200;  // of a list; 1,000 objects each
constexpr absl::Duration kLongestPause = absl::Seconds(10);
constexpr char kUnreachable[] = "the object storage cannot be reached";

bool MayPass(int status) { return status == 429 || status >= 500; }

const char* NameOf(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kPut:
      return "PUT";
    case Method::kDelete:
      return "DELETE";
  }
  return "";
}

// What an answer other than of success means.
absl::Status ToStatus(const HttpAnswer& answer) {
  const std::string code = ParseS3ErrorCode(answer.error);
  const std::string reason = code.empty() ? absl::StrCat("status ", answer.status) : code;
  if (MayPass(answer.status)) {
    return absl::UnavailableError(absl::StrCat("the object storage fails: ", reason));
  }
  if (answer.status == 404 && code != "NoSuchBucket") return absl::NotFoundError("no such object");
  if (answer.status == 404)
    return absl::FailedPreconditionError("the object storage has no such bucket");
  if (answer.status == 401 || answer.status == 403) {
    return absl::FailedPreconditionError(
        absl::StrCat("the object storage refuses the server's credentials: ", reason));
  }
  if (answer.status >= 300 && answer.status < 400) {
    return absl::FailedPreconditionError(
        "the object storage refers to another address: its endpoint or region is not right");
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the object storage refuses the request: ", reason));
}

}  // namespace

struct S3Store::Impl {
  Impl(const S3Options& options, S3Location location, const S3Timing& timing)
      : credentials_file(options.credentials_file),
        location(std::move(location)),
        timing(timing),
        client(this->location.endpoint, options.region, options.ca_file, timing.connect,
               timing.stall) {}

  std::string PathOf(const std::string& key) const {
    return absl::StrCat("/", location.bucket, "/", UriEncode(key, /*keep_slashes=*/true));
  }

  // Until an answer comes that asking again would not change. `again` is called before each attempt
  // but the first.
  absl::StatusOr<HttpAnswer> Send(const HttpRequest& request, const std::function<void()>& again,
                                  const KeepGoing& keep_going);

  // Send, and OK only for an answer of success.
  absl::Status Do(const HttpRequest& request, const std::function<void()>& again,
                  const KeepGoing& keep_going);

  const std::string credentials_file;
  const S3Location location;
  const S3Timing timing;
  HttpClient client;
};

absl::StatusOr<HttpAnswer> S3Store::Impl::Send(const HttpRequest& request,
                                               const std::function<void()>& again,
                                               const KeepGoing& keep_going) {
  absl::Duration pause = timing.first_pause;
  for (int attempt = 1;; ++attempt) {
    RETURN_IF_ERROR(keep_going());
    const absl::StatusOr<S3Credentials> credentials = ReadS3Credentials(credentials_file);
    if (!credentials.ok()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the server's credentials for the object storage: ", credentials.status().message()));
    }
    ASSIGN_OR_RETURN(HttpAnswer answer, client.Send(request, *credentials, keep_going));
    const bool may_pass =
        (answer.status == 0 && !answer.refused && !answer.untrusted) || MayPass(answer.status);
    if (!may_pass) return answer;
    spdlog::warn("object storage: {} {}: {}{}", NameOf(request.method), request.path,
                 answer.status == 0 ? answer.failure : absl::StrCat("status ", answer.status),
                 attempt < timing.attempts ? "; trying again" : "");
    if (attempt >= timing.attempts) return answer;
    // In slices, so that who wants to stop does not wait.
    const absl::Time until = absl::Now() + pause;
    while (absl::Now() < until) {
      RETURN_IF_ERROR(keep_going());
      absl::SleepFor(std::min(until - absl::Now(), absl::Milliseconds(50)));
    }
    pause = std::min(2 * pause, kLongestPause);
    if (again) again();
  }
}

absl::Status S3Store::Impl::Do(const HttpRequest& request, const std::function<void()>& again,
                               const KeepGoing& keep_going) {
  ASSIGN_OR_RETURN(const HttpAnswer answer, Send(request, again, keep_going));
  if (answer.status >= 200 && answer.status < 300) return absl::OkStatus();
  if (answer.untrusted) {
    spdlog::error("object storage: {}", answer.failure);
    return absl::FailedPreconditionError("the object storage's certificate is not trusted");
  }
  if (answer.status == 0) return absl::UnavailableError(kUnreachable);
  return ToStatus(answer);
}

absl::StatusOr<std::unique_ptr<S3Store>> S3Store::Open(const S3Options& options,
                                                       const S3Timing& timing) {
  ASSIGN_OR_RETURN(S3Location location, ParseS3Location(options.location));
  if (const auto credentials = ReadS3Credentials(options.credentials_file); !credentials.ok()) {
    return absl::InvalidArgumentError(
        options.credentials_file.empty()
            ? absl::StrCat("snapshot-s3: credentials from the environment: ",
                           credentials.status().message())
            : absl::StrCat("snapshot-s3-credentials-file: ", credentials.status().message()));
  }
  return std::unique_ptr<S3Store>(
      new S3Store(std::make_unique<Impl>(options, std::move(location), timing)));
}

S3Store::S3Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
S3Store::~S3Store() = default;

absl::StatusOr<std::vector<StoredObject>> S3Store::List(const std::string& prefix,
                                                        const KeepGoing& keep_going) {
  std::vector<StoredObject> objects;
  std::string token;
  for (int pages = 0; pages < kMaxPages; ++pages) {
    HttpRequest request;
    request.path = absl::StrCat("/", impl_->location.bucket);
    // In the order of their names, as they are signed.
    if (!token.empty())
      request.query = absl::StrCat("continuation-token=", UriEncode(token, false), "&");
    absl::StrAppend(&request.query, "list-type=2&prefix=", UriEncode(prefix, false));
    request.body_sha256 = hash::HexSha256("");
    std::string xml;
    bool too_long = false;
    request.take = [&](std::string_view piece) {
      too_long = xml.size() + piece.size() > kMaxS3ListBytes;
      if (!too_long) xml.append(piece);
      return !too_long;
    };
    const absl::Status sent = impl_->Do(
        request, [&xml] { xml.clear(); }, keep_going);
    if (too_long) return absl::DataLossError("the object storage's list is too long");
    if (absl::IsNotFound(sent))
      return absl::FailedPreconditionError("the object storage has no such bucket");
    RETURN_IF_ERROR(sent);
    ASSIGN_OR_RETURN(S3Page page, ParseS3Page(xml));
    std::move(page.objects.begin(), page.objects.end(), std::back_inserter(objects));
    if (page.next.empty()) return objects;
    token = std::move(page.next);
  }
  return absl::FailedPreconditionError(
      "the object storage holds too much below its prefix: give the snapshots one of their own");
}

absl::Status S3Store::Put(const std::string& key, const std::string& contents,
                          const KeepGoing& keep_going) {
  HttpRequest request;
  request.method = Method::kPut;
  request.path = impl_->PathOf(key);
  request.body_sha256 = hash::HexSha256(contents);
  request.body_size = static_cast<int64_t>(contents.size());
  request.read_body = [&contents](int64_t offset, char* data, size_t size) -> int64_t {
    const size_t left = contents.size() - static_cast<size_t>(offset);
    return static_cast<int64_t>(contents.copy(data, std::min(size, left), offset));
  };
  return impl_->Do(request, nullptr, keep_going);
}

absl::Status S3Store::PutFile(const std::string& key, const std::string& path, int64_t size,
                              const std::string& sha256, const KeepGoing& keep_going) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return absl::ErrnoToStatus(errno, "a file to upload cannot be opened");
  ASSIGN_OR_RETURN(const int64_t found, bundle::SizeOf(file));
  if (found != size) return absl::DataLossError("a file to upload has changed");
  HttpRequest request;
  request.method = Method::kPut;
  request.path = impl_->PathOf(key);
  request.body_sha256 = sha256;
  request.body_size = size;
  request.read_body = [&file](int64_t offset, char* data, size_t bytes) -> int64_t {
    return pread(file.get(), data, bytes, offset);
  };
  return impl_->Do(request, nullptr, keep_going);
}

absl::StatusOr<std::string> S3Store::Get(const std::string& key, size_t max_bytes,
                                         const KeepGoing& keep_going) {
  HttpRequest request;
  request.path = impl_->PathOf(key);
  request.body_sha256 = hash::HexSha256("");
  std::string contents;
  bool too_long = false;
  request.take = [&](std::string_view piece) {
    too_long = contents.size() + piece.size() > max_bytes;
    if (!too_long) contents.append(piece);
    return !too_long;
  };
  const absl::Status sent = impl_->Do(
      request, [&contents] { contents.clear(); }, keep_going);
  if (too_long) return absl::DataLossError(absl::StrCat("is larger than ", max_bytes, " bytes"));
  RETURN_IF_ERROR(sent);
  return contents;
}

absl::Status S3Store::GetFile(const std::string& key, const std::string& path, int64_t size,
                              const std::string& sha256, const KeepGoing& keep_going) {
  const Descriptor file(
      open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (file.get() < 0) return absl::ErrnoToStatus(errno, "cannot be created");
  int64_t written = 0;
  int failure = 0;
  bool too_long = false;
  HttpRequest request;
  request.path = impl_->PathOf(key);
  request.body_sha256 = hash::HexSha256("");
  request.take = [&](std::string_view piece) {
    too_long = written + static_cast<int64_t>(piece.size()) > size;
    while (!too_long && !piece.empty()) {
      const ssize_t n = pwrite(file.get(), piece.data(), piece.size(), written);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) failure = errno;
      if (n < 0) return false;
      written += n;
      piece.remove_prefix(static_cast<size_t>(n));
    }
    return !too_long;
  };
  const absl::Status sent = impl_->Do(
      request, [&written] { written = 0; }, keep_going);
  if (failure != 0) return absl::ErrnoToStatus(failure, "cannot be written");
  if (too_long) return absl::DataLossError("is longer than MANIFEST says");
  RETURN_IF_ERROR(sent);
  if (written != size) {
    return absl::DataLossError(absl::StrCat("has ", written, " bytes where MANIFEST says ", size));
  }
  // Read back: what counts is what the disk holds, also of an attempt that was cut off.
  if (ftruncate(file.get(), size) != 0) return absl::ErrnoToStatus(errno, "cannot be written");
  ASSIGN_OR_RETURN(const std::string hash, bundle::Sha256(file));
  if (hash != sha256) return absl::DataLossError("its SHA-256 is not what MANIFEST says");
  return absl::OkStatus();
}

absl::Status S3Store::Delete(const std::string& key, const KeepGoing& keep_going) {
  HttpRequest request;
  request.method = Method::kDelete;
  request.path = impl_->PathOf(key);
  request.body_sha256 = hash::HexSha256("");
  const absl::Status sent = impl_->Do(request, nullptr, keep_going);
  return absl::IsNotFound(sent) ? absl::OkStatus() : sent;
}

}  // namespace antiphon::server
