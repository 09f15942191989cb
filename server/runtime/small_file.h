// Files of the configuration: reading them whole, and noticing that they have changed. Stateless;
// safe from any thread.
#ifndef ANTIPHON_SERVER_RUNTIME_SMALL_FILE_H_
#define ANTIPHON_SERVER_RUNTIME_SMALL_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace antiphon::server {

// NotFound, PermissionDenied or InvalidArgument (no plain file, or more than `max_bytes`); messages
// do not name it.
[[nodiscard]] absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t max_bytes);

// Which state of a file was looked at. Two are equal unless the file has been written to, replaced,
// or has come or gone in between; links are followed.
struct FileStamp {
  bool exists = false;
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;

  bool operator==(const FileStamp&) const = default;
};
FileStamp StampOf(const std::string& path);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_RUNTIME_SMALL_FILE_H_
