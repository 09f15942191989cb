#include "server/snapshots/directory_storage.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle.h"
#include "core/bundle/files.h"
#include "server/snapshots/staging.h"

namespace antiphon::server {
namespace {

namespace fs = std::filesystem;

// Whether a folder holds anything of a bundle: what is damaged still does.
bool LooksLikeBundle(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name == bundle::kCurrentFile || bundle::ParseGenerationName(name).has_value()) return true;
  }
  return false;
}

int64_t BytesBelow(const fs::path& folder) {
  int64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code unread;
    const fs::file_status status = it->symlink_status(unread);
    if (unread || !fs::is_regular_file(status)) continue;
    const uintmax_t size = it->file_size(unread);
    if (!unread) bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

// Reads the manifest in force, and compares the sizes of the files with it.
absl::Status Look(const std::string& root, bundle::Manifest* manifest) {
  ASSIGN_OR_RETURN(const int64_t generation, bundle::CurrentGeneration(root));
  const std::string folder = absl::StrCat(root, "/", bundle::GenerationName(generation));
  ASSIGN_OR_RETURN(const Descriptor file, bundle::OpenPlainFile(folder, bundle::kManifestFile));
  ASSIGN_OR_RETURN(const std::string text, bundle::ReadAll(file, bundle::kMaxManifestBytes));
  ASSIGN_OR_RETURN(*manifest, bundle::ParseManifest(text));
  if (manifest->generation != generation) {
    return absl::DataLossError(
        absl::StrCat(bundle::kManifestFile, ": is of generation ", manifest->generation));
  }
  for (const bundle::FileEntry& entry : manifest->files) {
    ASSIGN_OR_RETURN(const Descriptor opened, bundle::OpenPlainFile(folder, entry.name));
    ASSIGN_OR_RETURN(const int64_t size, bundle::SizeOf(opened));
    if (size == entry.size) continue;
    return absl::DataLossError(
        absl::StrCat(entry.name, ": has ", size, " bytes where MANIFEST says ", entry.size));
  }
  return absl::OkStatus();
}

}  // namespace

std::string DirectoryStorage::PathOf(const std::string& name) const {
  return absl::StrCat(directory_, "/", name);
}

absl::StatusOr<std::vector<StoredSnapshot>> DirectoryStorage::List(const KeepGoing& keep_going) {
  RETURN_IF_ERROR(CheckSnapshotDirectory(directory_));
  std::vector<StoredSnapshot> snapshots;
  std::error_code error;
  for (fs::directory_iterator it(directory_, error), end; !error && it != end;
       it.increment(error)) {
    RETURN_IF_ERROR(keep_going());
    StoredSnapshot snapshot;
    snapshot.name = it->path().filename().string();
    std::error_code unread;
    if (!IsSnapshotName(snapshot.name) || !it->is_directory(unread) ||
        !LooksLikeBundle(it->path())) {
      continue;
    }
    const absl::Status whole = Look(it->path().string(), &snapshot.manifest);
    snapshot.problem = std::string(whole.message());
    snapshot.bytes = whole.ok() ? TotalBytes(snapshot.manifest) : BytesBelow(it->path());
    snapshots.push_back(std::move(snapshot));
  }
  if (error)
    return absl::ErrnoToStatus(error.value(), "the server's snapshot directory cannot be read");
  SortNewestFirst(snapshots);
  return snapshots;
}

absl::StatusOr<bundle::Manifest> DirectoryStorage::Keep(const std::string& name, const Write& write,
                                                        const KeepGoing& keep_going) {
  RETURN_IF_ERROR(CheckSnapshotDirectory(directory_));
  RETURN_IF_ERROR(keep_going());
  RemoveLeftovers(directory_);
  return write(PathOf(name));
}

absl::StatusOr<bundle::Manifest> DirectoryStorage::Fetch(const std::string& name, const Load& load,
                                                         const KeepGoing& keep_going) {
  RETURN_IF_ERROR(CheckSnapshotDirectory(directory_));
  RETURN_IF_ERROR(keep_going());
  std::error_code error;
  if (!fs::is_directory(PathOf(name), error))
    return absl::NotFoundError("there is no such snapshot");
  absl::StatusOr<bundle::Manifest> loaded = load(PathOf(name));
  if (absl::IsNotFound(loaded.status())) return absl::DataLossError("the snapshot is not whole");
  return loaded;
}

absl::StatusOr<int64_t> DirectoryStorage::Remove(const std::string& name,
                                                 const KeepGoing& keep_going) {
  RETURN_IF_ERROR(CheckSnapshotDirectory(directory_));
  RETURN_IF_ERROR(keep_going());
  const std::string path = PathOf(name);
  std::error_code error;
  if (!fs::is_directory(path, error) || !LooksLikeBundle(path))
    return absl::NotFoundError("there is no such snapshot");
  bundle::Manifest manifest;
  const int64_t bytes = Look(path, &manifest).ok() ? TotalBytes(manifest) : BytesBelow(path);
  RETURN_IF_ERROR(RemoveAtOnce(directory_, name));
  return bytes;
}

}  // namespace antiphon::server
