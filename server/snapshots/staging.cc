#include "server/snapshots/staging.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon::server {
namespace {

namespace fs = std::filesystem;

constexpr char kStagingPrefix[] = ".staging-";
constexpr char kRemovedPrefix[] = ".removed-";

absl::StatusOr<std::string> MakeHiddenFolder(const std::string& directory, const char* prefix) {
  std::string path = absl::StrCat(directory, "/", prefix, "XXXXXX");
  if (mkdtemp(path.data()) == nullptr)
    return absl::ErrnoToStatus(errno, "the snapshot directory: no folder can be made in it");
  return path;
}

// The lock file of a staging folder, locked; none when somebody else has it.
Descriptor Lock(const fs::path& folder, int flags) {
  Descriptor file(
      open((folder / bundle::kLockFile).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0644));
  if (file.get() >= 0 && flock(file.get(), LOCK_EX | LOCK_NB) != 0) return Descriptor();
  return file;
}

}  // namespace

StagingFolder::StagingFolder(std::string path, Descriptor lock)
    : path_(std::move(path)), lock_(std::move(lock)) {}

StagingFolder::~StagingFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

absl::StatusOr<std::unique_ptr<StagingFolder>> StagingFolder::Create(const std::string& directory) {
  RemoveLeftovers(directory);
  ASSIGN_OR_RETURN(std::string path, MakeHiddenFolder(directory, kStagingPrefix));
  Descriptor lock = Lock(path, O_CREAT);
  const int failure = lock.get() < 0 ? errno : 0;
  std::unique_ptr<StagingFolder> folder(new StagingFolder(std::move(path), std::move(lock)));
  if (failure != 0)
    return absl::ErrnoToStatus(failure, "the snapshot directory: no file can be made in it");
  return folder;
}

absl::Status RemoveAtOnce(const std::string& directory, const std::string& name) {
  RemoveLeftovers(directory);
  ASSIGN_OR_RETURN(const std::string grave, MakeHiddenFolder(directory, kRemovedPrefix));
  std::error_code ignored;
  if (std::rename(absl::StrCat(directory, "/", name).c_str(),
                  absl::StrCat(grave, "/", name).c_str()) != 0) {
    const int failure = errno;
    fs::remove_all(grave, ignored);
    return absl::ErrnoToStatus(failure, "the snapshot cannot be removed");
  }
  RETURN_IF_ERROR(bundle::SyncFolder(directory));
  fs::remove_all(grave, ignored);  // the next one removes what is left
  return absl::OkStatus();
}

void RemoveLeftovers(const std::string& directory) {
  std::error_code error;
  std::vector<fs::path> dead;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool removed = absl::StartsWith(name, kRemovedPrefix);
    if (!removed && !absl::StartsWith(name, kStagingPrefix)) continue;
    // The kernel drops the lock of a dead process. A folder without a lock file is left alone: its
    // owner may be about to make one. So is one that is to take what is removed, while it is empty.
    std::error_code unread;
    const bool is_dead =
        removed ? !fs::is_empty(it->path(), unread) : Lock(it->path(), 0).get() >= 0;
    if (is_dead) dead.push_back(it->path());
  }
  for (const fs::path& path : dead) fs::remove_all(path, error);
}

absl::Status CheckSnapshotDirectory(const std::string& directory) {
  std::error_code error;
  if (fs::is_directory(directory, error)) return absl::OkStatus();
  return absl::FailedPreconditionError("the server's snapshot directory is not there");
}

absl::Status CheckRoom(const std::string& directory, int64_t bytes) {
  std::error_code error;
  const fs::space_info space = fs::space(directory, error);
  if (error || space.available >= static_cast<uintmax_t>(bytes)) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("there is not enough room in the server's snapshot directory: it takes ",
                   bytes >> 20, " MiB, and ", space.available >> 20, " MiB are free"));
}

}  // namespace antiphon::server
