// The order of a publication's steps, and what a crash after each leaves behind:
//   1. Files and MANIFEST are written and synced in tmp-XXXXXX: remains, which the next writer
//      removes.
//   2. tmp-XXXXXX is renamed to gen-N and ROOT synced: a whole generation that was never in force.
//      Readers ignore what is newer than CURRENT says.
//   3. `check` has accepted it, and tmp-CURRENT is written and synced: the same.
//   4. tmp-CURRENT is renamed to CURRENT and ROOT synced: the generation is in force.
// Contents are synced before the rename that relies on them: a file system may otherwise make the
// name durable first, and a power cut would leave a named, empty file.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle.h"
#include "core/bundle/files.h"
#include "core/bundle/generations.h"

namespace antiphon::bundle {
namespace {

namespace fs = std::filesystem;

absl::Status Failed(const std::error_code& error, absl::string_view doing) {
  return absl::ErrnoToStatus(error.value(), absl::StrCat("bundle: ", doing, " failed"));
}

// Renames within a folder, then makes the new name durable.
absl::Status RenameDurably(const std::string& folder, const std::string& from,
                           const std::string& to) {
  if (rename(absl::StrCat(folder, "/", from).c_str(), absl::StrCat(folder, "/", to).c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("bundle: renaming to ", to, " failed"));
  }
  return SyncFolder(folder);
}

// Held by one writer per root, in this and any other process, until its descriptor is closed. The
// kernel drops the lock of a process that dies, so the file itself may stay where it is.
absl::StatusOr<Descriptor> Lock(const std::string& root) {
  Descriptor lock(open(absl::StrCat(root, "/", kLockFile).c_str(),
                       O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (lock.get() < 0) return absl::ErrnoToStatus(errno, "bundle: the lock file cannot be opened");
  if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK)
    return absl::AbortedError("bundle: another publication into this folder is under way");
  return absl::ErrnoToStatus(errno, "bundle: locking failed");
}

// What crashed publications left. Only under the lock: without it, the temporary folder of a living
// writer would look the same.
absl::Status RemoveTemporaries(const std::string& root) {
  std::error_code error;
  std::vector<fs::path> stray;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    if (absl::StartsWith(it->path().filename().string(), kTemporaryPrefix))
      stray.push_back(it->path());
  }
  for (const fs::path& path : stray) {
    if (!error) fs::remove_all(path, error);
  }
  return error ? Failed(error, "removing remains of an earlier publication") : absl::OkStatus();
}

// One more than any there is, in force or not: what a crash left between steps 2 and 4 keeps its
// number, and a rename onto it would fail.
absl::StatusOr<int64_t> NextGeneration(const std::string& root) {
  int64_t newest = 0;
  std::error_code error;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    newest = std::max(newest, ParseGenerationName(it->path().filename().string()).value_or(0));
  }
  if (error) return Failed(error, "listing the generations");
  if (newest == kMaxGeneration)
    return absl::ResourceExhaustedError("bundle: there are no generation numbers left");
  return newest + 1;
}

// A file that can't be part of a generation.
absl::Status Unfit(const absl::Status& failure) {
  return absl::InvalidArgumentError(absl::StrCat("bundle: ", failure.message()));
}

// The table of contents of a folder; makes the contents durable on the way.
absl::StatusOr<std::vector<FileEntry>> ListFiles(const std::string& folder) {
  std::vector<FileEntry> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    FileEntry entry;
    entry.name = it->path().filename().string();
    if (!IsPlainName(entry.name) || entry.name == kManifestFile) {
      return absl::InvalidArgumentError(
          absl::StrCat("bundle: \"", entry.name, "\" cannot be a file's name in it"));
    }
    ASSIGN_OR_RETURN(const Descriptor file, MapError(OpenPlainFile(folder, entry.name), Unfit));
    RETURN_IF_ERROR(Sync(file));
    ASSIGN_OR_RETURN(entry.size, SizeOf(file));
    ASSIGN_OR_RETURN(entry.sha256, Sha256(file));
    files.push_back(std::move(entry));
  }
  if (error) return Failed(error, "listing the files");
  std::sort(files.begin(), files.end(),
            [](const FileEntry& a, const FileEntry& b) { return a.name < b.name; });
  return files;
}

}  // namespace

struct BundleWriter::Impl {
  ~Impl() {
    std::error_code ignored;  // the next publication tries again
    if (!published) fs::remove_all(directory, ignored);
  }

  std::string root;
  Descriptor lock;
  std::string directory;  // of what is not yet published
  bool started = false;
  bool published = false;
  Manifest manifest;                  // that was published
  int64_t previous = kMaxGeneration;  // that CURRENT named before, where that could be told
};

BundleWriter::BundleWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BundleWriter::~BundleWriter() = default;

const std::string& BundleWriter::directory() const { return impl_->directory; }

absl::StatusOr<std::unique_ptr<BundleWriter>> BundleWriter::Create(const std::string& root) {
  std::error_code error;
  fs::create_directories(root, error);
  if (error) return Failed(error, "creating the folder");
  ASSIGN_OR_RETURN(Descriptor lock, Lock(root));
  RETURN_IF_ERROR(RemoveTemporaries(root));
  std::string directory = absl::StrCat(root, "/", kTemporaryPrefix, "XXXXXX");
  if (mkdtemp(directory.data()) == nullptr)
    return absl::ErrnoToStatus(errno, "bundle: creating a folder failed");
  auto impl = std::make_unique<Impl>();
  impl->root = root;
  impl->lock = std::move(lock);
  impl->directory = directory;
  // mkdtemp makes the folder private, but a server may run as another user.
  fs::permissions(directory, static_cast<fs::perms>(0755), error);
  if (error) return Failed(error, "opening the folder to readers");
  return std::unique_ptr<BundleWriter>(new BundleWriter(std::move(impl)));
}

absl::StatusOr<Manifest> BundleWriter::Publish(Manifest manifest, const Check& check) {
  if (impl_->started) return absl::FailedPreconditionError("bundle: publishing was already tried");
  impl_->started = true;
  ASSIGN_OR_RETURN(const int64_t generation, NextGeneration(impl_->root));
  ASSIGN_OR_RETURN(manifest.files, ListFiles(impl_->directory));
  manifest.format_version = kBundleFormatVersion;
  manifest.generation = generation;
  manifest.created = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone());
  if (manifest.origin.empty()) {
    ASSIGN_OR_RETURN(manifest.origin, NewOrigin());
  }
  const std::string text = ManifestToJson(manifest);
  // Written means readable: a field out of range must fail here, not when the bundle is opened.
  RETURN_IF_ERROR(MapError(ParseManifest(text).status(), [](const absl::Status& unreadable) {
    return absl::InvalidArgumentError(unreadable.message());
  }));
  RETURN_IF_ERROR(WriteNewFile(impl_->directory, kManifestFile, text));
  RETURN_IF_ERROR(SyncFolder(impl_->directory));

  const std::string name = GenerationName(generation);
  const std::string temporary = fs::path(impl_->directory).filename().string();
  RETURN_IF_ERROR(RenameDurably(impl_->root, temporary, name));
  impl_->directory = absl::StrCat(impl_->root, "/", name);
  if (check) {
    // From the disk, not from memory: this is what the next start will read.
    ASSIGN_OR_RETURN(const Manifest read, CheckGeneration(impl_->directory, generation));
    RETURN_IF_ERROR(check({impl_->directory, read, {}}));
  }
  impl_->previous = CurrentGeneration(impl_->root).value_or(kMaxGeneration);
  const std::string pointer = absl::StrCat(kTemporaryPrefix, kCurrentFile);
  RETURN_IF_ERROR(WriteNewFile(impl_->root, pointer, name + "\n"));
  // From here on the generation may be in force, whatever the rename reports, so the destructor
  // must not remove it any more.
  impl_->published = true;
  impl_->manifest = manifest;
  const absl::Status named = RenameDurably(impl_->root, pointer, kCurrentFile);
  // If only the sync failed, readers find the new name: it is in force and must be reported as
  // such, though a power cut may still undo it.
  if (!named.ok() && CurrentGeneration(impl_->root).value_or(0) != generation) return named;
  return manifest;
}

absl::StatusOr<std::vector<Manifest>> BundleWriter::Prune(int keep) {
  if (!impl_->published) return absl::FailedPreconditionError("bundle: nothing was published");
  std::vector<Manifest> kept = {impl_->manifest};
  for (const int64_t generation : ListGenerations(impl_->root)) {
    if (generation == impl_->manifest.generation) continue;
    const std::string name = GenerationName(generation);
    // A crash may have left a generation between the previous one in force and this one. It was
    // never checked, so it does not count as one to fall back to.
    const bool was_in_force =
        generation < impl_->manifest.generation && generation <= impl_->previous;
    if (was_in_force && kept.size() < static_cast<size_t>(keep)) {
      absl::StatusOr<Manifest> manifest =
          CheckGeneration(absl::StrCat(impl_->root, "/", name), generation);
      if (manifest.ok()) kept.push_back(*std::move(manifest));
      continue;
    }
    // Renamed first: half of a generation must not look like one. A crash after the rename leaves
    // remains, which the next writer removes.
    const std::string doomed = absl::StrCat(kTemporaryPrefix, name);
    RETURN_IF_ERROR(RenameDurably(impl_->root, name, doomed));
    std::error_code error;
    fs::remove_all(absl::StrCat(impl_->root, "/", doomed), error);
    if (error) return Failed(error, "removing an old generation");
  }
  return kept;
}

}  // namespace antiphon::bundle
