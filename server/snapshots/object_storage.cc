#include "server/snapshots/object_storage.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/status_macros.h"
#include "core/bundle/files.h"
#include "server/snapshots/staging.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

namespace fs = std::filesystem;

// After which an upload without a manifest is taken for one whose server has died.
constexpr absl::Duration kUnfinishedFor = absl::Hours(24);
// For clearing away what a failed upload has left, when nobody may be waiting any more.
constexpr absl::Duration kCleanUpTime = absl::Seconds(5);

// "gen-000001/MANIFEST": its generation.
std::optional<int64_t> GenerationOfManifest(const std::string& path) {
  const size_t slash = path.find('/');
  if (slash == std::string::npos || path.substr(slash + 1) != bundle::kManifestFile)
    return std::nullopt;
  return bundle::ParseGenerationName(path.substr(0, slash));
}

// The newest one; null when the snapshot is not whole.
template <typename Objects>
const StoredObject* ManifestAmong(const Objects& objects, int64_t* generation) {
  const StoredObject* newest = nullptr;
  *generation = 0;
  for (const auto& [path, object] : objects) {
    const std::optional<int64_t> found = GenerationOfManifest(path);
    if (!found.has_value() || *found <= *generation) continue;
    newest = &object;
    *generation = *found;
  }
  return newest;
}

absl::Status CheckSizes(const bundle::Manifest& manifest) {
  for (const bundle::FileEntry& file : manifest.files) {
    if (file.size <= kMaxObjectBytes) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(file.name, ": has ", file.size >> 20,
                     " MiB, and object storage takes files of up to ", kMaxObjectBytes >> 20));
  }
  return absl::OkStatus();
}

}  // namespace

ObjectStorage::ObjectStorage(std::unique_ptr<ObjectStore> store, std::string prefix,
                             std::string staging)
    : store_(std::move(store)), prefix_(std::move(prefix)), staging_(std::move(staging)) {}

absl::StatusOr<std::map<std::string, ObjectStorage::Objects>> ObjectStorage::ListObjects(
    const std::string& prefix, const KeepGoing& keep_going) {
  ASSIGN_OR_RETURN(std::vector<StoredObject> objects, store_->List(prefix, keep_going));
  std::map<std::string, Objects> by_name;
  for (StoredObject& object : objects) {
    if (!absl::StartsWith(object.key, prefix_)) continue;
    const std::string path = object.key.substr(prefix_.size());
    const size_t slash = path.find('/');
    if (slash == std::string::npos || !IsSnapshotName(path.substr(0, slash))) continue;
    by_name[path.substr(0, slash)][path.substr(slash + 1)] = std::move(object);
  }
  return by_name;
}

absl::StatusOr<ObjectStorage::Objects> ObjectStorage::ObjectsOf(const std::string& name,
                                                                const KeepGoing& keep_going) {
  ASSIGN_OR_RETURN(auto all, ListObjects(absl::StrCat(prefix_, name, "/"), keep_going));
  return std::move(all[name]);
}

absl::StatusOr<bundle::Manifest> ObjectStorage::ManifestOf(const StoredObject& object,
                                                           const KeepGoing& keep_going) {
  {
    absl::MutexLock lock(&mutex_);
    const auto known = known_.find(object.key);
    if (known != known_.end() && known->second.etag == object.etag) return known->second.manifest;
  }
  ASSIGN_OR_RETURN(const std::string text,
                   store_->Get(object.key, bundle::kMaxManifestBytes, keep_going));
  ASSIGN_OR_RETURN(bundle::Manifest manifest, bundle::ParseManifest(text));
  absl::MutexLock lock(&mutex_);
  known_[object.key] = {object.etag, manifest};
  return manifest;
}

absl::StatusOr<StoredSnapshot> ObjectStorage::Look(const std::string& name, const Objects& objects,
                                                   const KeepGoing& keep_going) {
  StoredSnapshot snapshot;
  snapshot.name = name;
  for (const auto& [path, object] : objects) snapshot.bytes += object.size;
  int64_t generation = 0;
  const StoredObject* object = ManifestAmong(objects, &generation);
  absl::StatusOr<bundle::Manifest> manifest = ManifestOf(*object, keep_going);
  const bool is_damage = absl::IsDataLoss(manifest.status()) ||
                         absl::IsFailedPrecondition(manifest.status()) ||
                         absl::IsNotFound(manifest.status());
  if (!manifest.ok() && !is_damage) return manifest.status();
  if (!manifest.ok()) {
    snapshot.problem = std::string(manifest.status().message());
    return snapshot;
  }
  snapshot.manifest = *std::move(manifest);
  if (snapshot.manifest.generation != generation) {
    snapshot.problem = absl::StrCat("MANIFEST: is of generation ", snapshot.manifest.generation);
    return snapshot;
  }
  for (const bundle::FileEntry& file : snapshot.manifest.files) {
    const auto found =
        objects.find(absl::StrCat(bundle::GenerationName(generation), "/", file.name));
    if (found == objects.end()) {
      snapshot.problem = absl::StrCat(file.name, ": is missing");
    } else if (found->second.size != file.size) {
      snapshot.problem = absl::StrCat(file.name, ": has ", found->second.size,
                                      " bytes where MANIFEST says ", file.size);
    } else {
      continue;
    }
    return snapshot;
  }
  snapshot.bytes = TotalBytes(snapshot.manifest);
  return snapshot;
}

absl::StatusOr<std::vector<StoredSnapshot>> ObjectStorage::List(const KeepGoing& keep_going) {
  ASSIGN_OR_RETURN(const auto all, ListObjects(prefix_, keep_going));
  std::vector<StoredSnapshot> snapshots;
  std::set<std::string> manifests;
  for (const auto& [name, objects] : all) {
    int64_t generation = 0;
    const StoredObject* manifest = ManifestAmong(objects, &generation);
    if (manifest == nullptr) continue;  // on its way, there or away
    manifests.insert(manifest->key);
    ASSIGN_OR_RETURN(StoredSnapshot snapshot, Look(name, objects, keep_going));
    snapshots.push_back(std::move(snapshot));
  }
  SortNewestFirst(snapshots);
  absl::MutexLock lock(&mutex_);
  std::erase_if(known_, [&](const auto& known) { return !manifests.contains(known.first); });
  return snapshots;
}

absl::StatusOr<bundle::Manifest> ObjectStorage::Keep(const std::string& name, const Write& write,
                                                     const KeepGoing& keep_going) {
  RETURN_IF_ERROR(CheckSnapshotDirectory(staging_));
  // First, so that nothing is written in vain when the storage cannot be reached.
  ASSIGN_OR_RETURN(const auto all, ListObjects(prefix_, keep_going));
  if (const auto found = all.find(name); found != all.end()) {
    int64_t generation = 0;
    if (ManifestAmong(found->second, &generation) != nullptr)
      return absl::AlreadyExistsError("snapshot: there is one of that name already");
    // Of an upload that was interrupted: another generation's files would stay beside the new ones.
    RETURN_IF_ERROR(RemoveObjects(found->second, keep_going));
  }
  RemoveUnfinished(all, keep_going);
  ASSIGN_OR_RETURN(const std::unique_ptr<StagingFolder> folder, StagingFolder::Create(staging_));
  const std::string directory = absl::StrCat(folder->path(), "/", name);
  ASSIGN_OR_RETURN(const bundle::Manifest manifest, write(directory));
  RETURN_IF_ERROR(CheckSizes(manifest));
  if (const absl::Status sent = Upload(name, directory, manifest, keep_going); !sent.ok()) {
    const absl::Time until = absl::Now() + kCleanUpTime;
    const KeepGoing for_a_moment = [until] {
      return absl::Now() < until ? absl::OkStatus() : absl::DeadlineExceededError("no more time");
    };
    absl::StatusOr<Objects> left = ObjectsOf(name, for_a_moment);
    const absl::Status cleared =
        left.ok() ? RemoveObjects(*left, for_a_moment) : absl::Status(left.status());
    if (!cleared.ok()) {
      spdlog::warn(
          "snapshot {}: what was uploaded of it is left in the object storage for a day: {}", name,
          std::string(cleared.message()));
    }
    return sent;
  }
  return manifest;
}

absl::Status ObjectStorage::Upload(const std::string& name, const std::string& directory,
                                   const bundle::Manifest& manifest, const KeepGoing& keep_going) {
  const std::string generation = bundle::GenerationName(manifest.generation);
  const std::string root = absl::StrCat(prefix_, name, "/");
  RETURN_IF_ERROR(UploadFiles(root, directory, manifest, keep_going));
  RETURN_IF_ERROR(
      store_->Put(absl::StrCat(root, bundle::kCurrentFile), generation + "\n", keep_going));
  // What has arrived, as the storage itself sees it, before it becomes a snapshot.
  ASSIGN_OR_RETURN(const Objects arrived, ObjectsOf(name, keep_going));
  for (const bundle::FileEntry& file : manifest.files) {
    const auto found = arrived.find(absl::StrCat(generation, "/", file.name));
    if (found == arrived.end() || found->second.size != file.size) {
      return absl::UnavailableError(
          absl::StrCat(file.name, ": has not arrived in the object storage as it was sent"));
    }
  }
  ASSIGN_OR_RETURN(
      const Descriptor file,
      bundle::OpenPlainFile(absl::StrCat(directory, "/", generation), bundle::kManifestFile));
  ASSIGN_OR_RETURN(const std::string text, bundle::ReadAll(file, bundle::kMaxManifestBytes));
  return store_->Put(absl::StrCat(root, generation, "/", bundle::kManifestFile), text, keep_going);
}

absl::Status ObjectStorage::UploadFiles(const std::string& root, const std::string& directory,
                                        const bundle::Manifest& manifest,
                                        const KeepGoing& keep_going) {
  const std::string generation = bundle::GenerationName(manifest.generation);
  for (const bundle::FileEntry& file : manifest.files) {
    RETURN_IF_ERROR(keep_going());
    const std::string path = absl::StrCat(generation, "/", file.name);
    RETURN_IF_ERROR(store_->PutFile(absl::StrCat(root, path), absl::StrCat(directory, "/", path),
                                    file.size, file.sha256, keep_going));
  }
  return absl::OkStatus();
}

absl::StatusOr<bundle::Manifest> ObjectStorage::Fetch(const std::string& name, const Load& load,
                                                      const KeepGoing& keep_going) {
  RETURN_IF_ERROR(CheckSnapshotDirectory(staging_));
  ASSIGN_OR_RETURN(const Objects objects, ObjectsOf(name, keep_going));
  int64_t generation = 0;
  const StoredObject* object = ManifestAmong(objects, &generation);
  if (object == nullptr) return absl::NotFoundError("there is no such snapshot");
  ASSIGN_OR_RETURN(const StoredSnapshot snapshot, Look(name, objects, keep_going));
  if (!snapshot.problem.empty()) return absl::DataLossError(snapshot.problem);
  RETURN_IF_ERROR(CheckRoom(staging_, snapshot.bytes));
  // As it was written: a format before this one has other fields.
  ASSIGN_OR_RETURN(const std::string manifest,
                   store_->Get(object->key, bundle::kMaxManifestBytes, keep_going));
  ASSIGN_OR_RETURN(const std::unique_ptr<StagingFolder> folder, StagingFolder::Create(staging_));
  const std::string directory = absl::StrCat(folder->path(), "/", name);
  RETURN_IF_ERROR(
      Download(absl::StrCat(prefix_, name, "/"), directory, snapshot.manifest, keep_going));
  const std::string generation_name = bundle::GenerationName(generation);
  RETURN_IF_ERROR(bundle::WriteNewFile(absl::StrCat(directory, "/", generation_name),
                                       bundle::kManifestFile, manifest));
  RETURN_IF_ERROR(bundle::WriteNewFile(directory, bundle::kCurrentFile, generation_name + "\n"));
  absl::StatusOr<bundle::Manifest> loaded = load(directory);
  if (absl::IsNotFound(loaded.status())) return absl::DataLossError("the snapshot is not whole");
  return loaded;
}

absl::Status ObjectStorage::Download(const std::string& root, const std::string& directory,
                                     const bundle::Manifest& manifest,
                                     const KeepGoing& keep_going) {
  const std::string generation = bundle::GenerationName(manifest.generation);
  const std::string folder = absl::StrCat(directory, "/", generation);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return absl::ErrnoToStatus(error.value(), "no folder can be made for the snapshot");
  for (const bundle::FileEntry& file : manifest.files) {
    RETURN_IF_ERROR(keep_going());
    const absl::Status got =
        store_->GetFile(absl::StrCat(root, generation, "/", file.name),
                        absl::StrCat(folder, "/", file.name), file.size, file.sha256, keep_going);
    if (absl::IsNotFound(got)) return absl::DataLossError(absl::StrCat(file.name, ": is missing"));
    if (!got.ok()) return absl::Status(got.code(), absl::StrCat(file.name, ": ", got.message()));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ObjectStorage::Remove(const std::string& name,
                                              const KeepGoing& keep_going) {
  ASSIGN_OR_RETURN(const Objects objects, ObjectsOf(name, keep_going));
  int64_t generation = 0;
  if (ManifestAmong(objects, &generation) == nullptr)
    return absl::NotFoundError("there is no such snapshot");
  ASSIGN_OR_RETURN(const StoredSnapshot snapshot, Look(name, objects, keep_going));
  RETURN_IF_ERROR(RemoveObjects(objects, keep_going));
  return snapshot.bytes;
}

absl::Status ObjectStorage::RemoveObjects(const Objects& objects, const KeepGoing& keep_going) {
  // Without its manifest it is a snapshot no more.
  for (const bool manifests : {true, false}) {
    for (const auto& [path, object] : objects) {
      if (GenerationOfManifest(path).has_value() != manifests) continue;
      RETURN_IF_ERROR(store_->Delete(object.key, keep_going));
    }
  }
  return absl::OkStatus();
}

void ObjectStorage::RemoveUnfinished(const std::map<std::string, Objects>& all,
                                     const KeepGoing& keep_going) {
  const absl::Time old = absl::Now() - kUnfinishedFor;
  for (const auto& [name, objects] : all) {
    int64_t generation = 0;
    const bool recent = std::any_of(objects.begin(), objects.end(), [&](const auto& object) {
      return object.second.modified > old;
    });
    // Without anything of a bundle it is somebody else's.
    const bool of_a_bundle = std::any_of(objects.begin(), objects.end(), [](const auto& object) {
      return bundle::ParseGenerationName(object.first.substr(0, object.first.find('/')))
          .has_value();
    });
    if (recent || !of_a_bundle || ManifestAmong(objects, &generation) != nullptr) continue;
    const absl::Status removed = RemoveObjects(objects, keep_going);
    spdlog::info("snapshot {}: what an interrupted upload left is removed: {}", name,
                 removed.ok() ? "done" : std::string(removed.message()));
  }
}

}  // namespace antiphon::server
