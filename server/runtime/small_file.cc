#include "server/runtime/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace antiphon::server {
namespace {

absl::Status FromErrno(const char* what) {
  const std::string message = absl::StrCat(what, ": ", std::strerror(errno));
  if (errno == ENOENT || errno == ENOTDIR) return absl::NotFoundError(message);
  if (errno == EACCES || errno == EPERM) return absl::PermissionDeniedError(message);
  return absl::InvalidArgumentError(message);
}

// Owns the descriptor; reads at most one byte more than `max_bytes`.
absl::StatusOr<std::string> ReadFrom(int descriptor, size_t max_bytes) {
  struct stat facts {};
  if (fstat(descriptor, &facts) != 0) return FromErrno("cannot be read");
  if (!S_ISREG(facts.st_mode)) return absl::InvalidArgumentError("is not a plain file");
  std::string contents;
  char buffer[4096];
  while (contents.size() <= max_bytes) {
    const ssize_t n = read(descriptor, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FromErrno("cannot be read");
    if (n == 0) return contents;
    contents.append(buffer, static_cast<size_t>(n));
  }
  return absl::InvalidArgumentError(absl::StrCat("is larger than ", max_bytes, " bytes"));
}

int64_t Nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t max_bytes) {
  // A pipe must not hold us up.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return FromErrno("cannot be opened");
  absl::StatusOr<std::string> contents = ReadFrom(descriptor, max_bytes);
  close(descriptor);
  return contents;
}

FileStamp StampOf(const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return {};
  return {true,
          facts.st_dev,
          facts.st_ino,
          facts.st_size,
          Nanoseconds(facts.st_mtim),
          Nanoseconds(facts.st_ctim)};
}

}  // namespace antiphon::server
