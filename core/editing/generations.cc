// How a CollectionStore opens, writes and replaces generations; the edits are in
// collection_store.cc.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <new>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle.h"
#include "core/bundle/files.h"
#include "core/collection/generation_writer.h"
#include "core/editing/collection_store_impl.h"

namespace antiphon::editing {
namespace {

namespace fs = std::filesystem;

constexpr char kJournalFile[] = "journal.sqlite";
constexpr char kSnapshotPrefix[] = ".snapshot-";  // of one that is being written
// After a merge in the background has failed, so long nothing is tried.
constexpr absl::Duration kRetryDelay = absl::Seconds(60);

absl::Status CheckOptions(const StoreOptions& options) {
  RETURN_IF_ERROR(
      CheckRange("merge_fraction", options.merge_fraction, StoreOptions::kMergeFractionRange));
  RETURN_IF_ERROR(CheckRange("keep_generations", options.keep_generations,
                             StoreOptions::kKeepGenerationsRange));
  return CheckRange("reload_memory_factor", options.reload_memory_factor,
                    StoreOptions::kReloadMemoryFactorRange);
}

// To write a generation takes all vectors and, beside them, the indexes that are built of them.
constexpr double kWritingMemory = 2;

// Whether there is so many times the memory that the generation and `more` bytes take.
absl::Status CheckMemory(const bundle::Manifest& manifest, double factor, int64_t more = 0) {
  const std::optional<int64_t> available = collection::AvailableMemory();
  const double needed =
      factor * (static_cast<double>(collection::LoadedBytes(manifest)) + static_cast<double>(more));
  if (!available.has_value() || needed <= static_cast<double>(*available)) return absl::OkStatus();
  constexpr double kMebibyte = 1 << 20;
  return absl::ResourceExhaustedError(
      absl::StrFormat("generation %d needs %.0f MiB of memory, there are %.0f", manifest.generation,
                      needed / kMebibyte, static_cast<double>(*available) / kMebibyte));
}

// The same for writing a generation of the base and what was added to it.
absl::Status CheckMemoryToWrite(const collection::LoadedCollection& loaded, double factor) {
  int64_t added = 0;
  for (const catalog::Side side : {catalog::Side::kScores, catalog::Side::kRecordings}) {
    added += loaded.view->added_vectors(side);
  }
  const auto vector_bytes = static_cast<int64_t>(loaded.manifest.dimension * sizeof(float));
  return CheckMemory(loaded.manifest, kWritingMemory * factor, added * vector_bytes);
}

// The changes that the generation does not contain.
struct Replayed {
  PendingEdits pending;
  std::vector<std::string> rejected;
};

absl::StatusOr<Replayed> Replay(catalog::ChangeJournal& journal, const bundle::Manifest& manifest) {
  // Numbers given out from now on must not be among those in it, even if the journal was lost
  // meanwhile.
  RETURN_IF_ERROR(journal.SkipTo(manifest.last_change));
  Replayed replayed;
  RETURN_IF_ERROR(journal.ReadAfter(
      manifest.origin, manifest.last_change,
      [&](catalog::Change change) {
        const int64_t number = change.sequence;
        absl::StatusOr<collection::Edit> edit = ToEdit(std::move(change), manifest.dimension);
        if (edit.ok()) {
          replayed.pending.Add(number, *std::move(edit));
        } else {
          replayed.rejected.push_back(
              absl::StrCat("change ", number, ": ", edit.status().message()));
        }
        return absl::OkStatus();
      },
      [&](int64_t, const std::string& what) { replayed.rejected.push_back(what); }));
  return replayed;
}

// Temporary folders of snapshots whose process has died. A living one holds the lock of the bundle
// in its folder.
void RemoveDeadSnapshots(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> dead;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!absl::StartsWith(it->path().filename().string(), kSnapshotPrefix)) continue;
    const int lock =
        open((it->path() / bundle::kLockFile).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (lock < 0) continue;
    if (flock(lock, LOCK_EX | LOCK_NB) == 0) dead.push_back(it->path());
    close(lock);
  }
  for (const fs::path& path : dead) fs::remove_all(path, error);
}

// Gives a folder its name unless something has it already.
absl::Status RenameToNew(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0)
    return absl::OkStatus();
  if (errno == EEXIST)
    return absl::AlreadyExistsError("snapshot: there is one of that name already");
  return absl::ErrnoToStatus(errno, "snapshot: cannot be given its name");
}

// A folder that is removed again unless it is kept.
struct TemporaryDirectory {
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path.empty()) fs::remove_all(path, ignored);
  }
  std::string path;
};

}  // namespace

CollectionStore::Impl::~Impl() {
  {
    absl::MutexLock lock(&state_mutex);
    stopping = true;
  }
  if (merger.joinable()) merger.join();
}

void CollectionStore::Impl::Report(const absl::Status& status) const {
  if (options.on_background_failure) options.on_background_failure(status);
}

absl::Status CollectionStore::Impl::KeepGoing() const {
  absl::MutexLock lock(&state_mutex);
  return stopping ? absl::CancelledError("the collection is being closed") : absl::OkStatus();
}

bool CollectionStore::Impl::IsMergeDue() const {
  if (options.merge_fraction == 0 || pending.count() == 0) return false;
  if (pending.bytes() >= options.merge_bytes) return true;
  const std::shared_ptr<const retrieval::BundleCollection> now = Now();
  const collection::CollectionView& view = now->view();
  double edited = 0, base = 0;
  for (const catalog::Side side : {catalog::Side::kScores, catalog::Side::kRecordings}) {
    edited += static_cast<double>(view.added_vectors(side) + view.removed_vectors(side));
    base += static_cast<double>(view.base_index(side).size());
  }
  return edited >= static_cast<double>(options.merge_vectors) &&
         edited >= options.merge_fraction * base;
}

absl::Status CollectionStore::Impl::TryToMerge() {
  try {
    return Merge().status();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("out of memory");
  }
}

void CollectionStore::Impl::MergeInBackground() {
  absl::Time not_before = absl::InfinitePast();
  while (true) {
    {
      absl::MutexLock lock(&state_mutex);
      const auto is_stopping = [this] {
        state_mutex.AssertHeld();
        return stopping;
      };
      const auto has_work = [this] {
        state_mutex.AssertHeld();
        return stopping || merge_due;
      };
      state_mutex.AwaitWithDeadline(absl::Condition(&is_stopping), not_before);
      state_mutex.Await(absl::Condition(&has_work));
      if (stopping) return;
    }
    const absl::Status status = TryToMerge();
    if (status.ok() || absl::IsCancelled(status)) continue;
    Report(absl::Status(status.code(),
                        absl::StrCat("merging changes into a new generation: ", status.message())));
    not_before = absl::Now() + kRetryDelay;
  }
}

absl::Status CollectionStore::Impl::Start() {
  RETURN_IF_ERROR(CheckOptions(options));
  if (absl::IsNotFound(bundle::CurrentGeneration(root).status())) {
    return absl::NotFoundError("bundle: nothing is published there");
  }
  // The journal first: who has it open may be writing another generation, and forgetting changes
  // that are in it.
  ASSIGN_OR_RETURN(auto journal_file,
                   catalog::ChangeJournal::Open(absl::StrCat(root, "/", kJournalFile)));
  journal = std::move(journal_file);
  ASSIGN_OR_RETURN(const bundle::OpenedBundle opened, bundle::OpenBundle(root));
  ASSIGN_OR_RETURN(std::unique_ptr<collection::LoadedCollection> loaded,
                   collection::OpenGeneration(opened, options.collection));
  if (options.self_check) {
    RETURN_IF_ERROR(options.self_check(retrieval::BundleCollection(
        std::make_shared<const collection::LoadedCollection>(*loaded))));
  }
  {
    absl::MutexLock generations(&generations_mutex);
    named = bundle::CurrentGeneration(root).value_or(0);
    RETURN_IF_ERROR(PutInPlace(*loaded, opened.directory));
  }
  if (options.merge_fraction > 0) merger = std::thread([this] { MergeInBackground(); });
  return absl::OkStatus();
}

absl::Status CollectionStore::Impl::PutInPlace(collection::LoadedCollection loaded,
                                               const std::string& directory) {
  std::vector<std::string> rejected;
  {
    absl::MutexLock edits(&edits_mutex);
    ASSIGN_OR_RETURN(Replayed replayed, Replay(*journal, loaded.manifest));
    rejected = std::move(replayed.rejected);
    pending = std::move(replayed.pending);
    loaded.view = loaded.view->With(pending.After(0));
    {
      absl::MutexLock lock(&state_mutex);
      edit_status.rejected_changes = rejected;
    }
    Swap(std::move(loaded));
  }
  base_directory = directory;
  for (const std::string& what : rejected)
    Report(absl::DataLossError(absl::StrCat("journal: ", what)));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<collection::LoadedCollection>> CollectionStore::Impl::OpenBeside(
    const bundle::OpenedBundle& opened) const {
  RETURN_IF_ERROR(CheckMemory(opened.manifest, options.reload_memory_factor));
  const std::shared_ptr<const retrieval::BundleCollection> now = Now();
  absl::StatusOr<std::unique_ptr<collection::LoadedCollection>> loaded =
      collection::OpenGeneration(opened, options.collection, &now->loaded());
  if (!loaded.ok() || !options.self_check) return loaded;
  RETURN_IF_ERROR(options.self_check(
      retrieval::BundleCollection(std::make_shared<const collection::LoadedCollection>(**loaded))));
  return loaded;
}

absl::Status CollectionStore::Impl::ForgetOld(bundle::BundleWriter& writer) {
  ASSIGN_OR_RETURN(const std::vector<bundle::Manifest> kept,
                   writer.Prune(options.keep_generations));
  // What the oldest of the kept generations of an origin lacks must stay.
  std::map<std::string, int64_t> contained;
  for (const bundle::Manifest& manifest : kept) {
    const auto [entry, is_first] = contained.try_emplace(manifest.origin, manifest.last_change);
    if (!is_first) entry->second = std::min(entry->second, manifest.last_change);
  }
  std::vector<std::string> origins;
  for (const auto& [origin, last_change] : contained) origins.push_back(origin);
  for (const auto& [origin, last_change] : contained) {
    RETURN_IF_ERROR(journal->Prune(origin, last_change, origins));
  }
  return absl::OkStatus();
}

absl::StatusOr<CollectionStore::Impl::Published> CollectionStore::Impl::Publish(
    bundle::BundleWriter& writer, bundle::Manifest manifest, const bundle::Manifest& original,
    bool all) const {
  Published published;
  const auto open = [&](const bundle::OpenedBundle& opened) {
    RETURN_IF_ERROR(collection::CheckCopies(original, opened.manifest, all));
    ASSIGN_OR_RETURN(std::unique_ptr<collection::LoadedCollection> loaded, OpenBeside(opened));
    published = {std::move(loaded), opened.directory};
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(writer.Publish(std::move(manifest), open).status());
  return published;
}

absl::StatusOr<CollectionStore::Merged> CollectionStore::Impl::Merge() {
  absl::MutexLock generations(&generations_mutex);
  std::shared_ptr<const retrieval::BundleCollection> before;
  int64_t through = 0, changes = 0;
  {
    absl::MutexLock edits(&edits_mutex);
    before = Now();
    through = pending.last();
    changes = pending.count();
  }
  if (changes == 0) return Merged{before->manifest().generation, 0};
  const struct Merging {
    explicit Merging(Impl& live) : live(live) { Set(true); }
    ~Merging() { Set(false); }
    void Set(bool merging) const {
      absl::MutexLock lock(&live.state_mutex);
      live.edit_status.merging = merging;
    }
    Impl& live;
  } merging(*this);

  RETURN_IF_ERROR(CheckMemoryToWrite(before->loaded(), options.reload_memory_factor));
  ASSIGN_OR_RETURN(std::unique_ptr<bundle::BundleWriter> writer,
                   bundle::BundleWriter::Create(root));
  // What somebody else has published must not be buried under what serves.
  if (bundle::CurrentGeneration(root).value_or(0) != named) {
    return absl::FailedPreconditionError("another generation has been published: reload first");
  }
  ASSIGN_OR_RETURN(
      bundle::Manifest manifest,
      collection::WriteGeneration(before->loaded(), base_directory, writer->directory(),
                                  options.collection.index, [this] { return KeepGoing(); }));
  manifest.last_change = through;
  ASSIGN_OR_RETURN(Published merged,
                   Publish(*writer, std::move(manifest), before->manifest(), /*all=*/false));
  const int64_t generation = merged.loaded->manifest.generation;
  {
    absl::MutexLock edits(&edits_mutex);
    merged.loaded->view = merged.loaded->view->With(pending.After(through));
    pending.Forget(through);
    Swap(std::move(*merged.loaded));
  }
  named = generation;
  base_directory = merged.directory;
  if (absl::Status status = ForgetOld(*writer); !status.ok()) Report(status);
  return Merged{named, changes};
}

absl::StatusOr<CollectionStore::Reloaded> CollectionStore::Impl::Reload() {
  absl::MutexLock generations(&generations_mutex);
  const int64_t names = bundle::CurrentGeneration(root).value_or(0);
  ASSIGN_OR_RETURN(const bundle::OpenedBundle opened, bundle::OpenBundle(root));
  const std::shared_ptr<const retrieval::BundleCollection> before = Now();
  const int64_t serving = before->manifest().generation;
  const int64_t found = opened.manifest.generation;
  const bool same =
      bundle::ManifestToJson(opened.manifest) == bundle::ManifestToJson(before->manifest());
  if (same && (names == named || opened.rejected.empty())) {
    named = names;
    return Reloaded{serving, serving, opened.rejected};
  }
  if (same || (found != names && found < serving)) {
    // CURRENT names what cannot be used, and there is nothing better than what serves.
    named = names;
    return absl::FailedPreconditionError(absl::StrJoin(opened.rejected, "; "));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<collection::LoadedCollection> loaded, OpenBeside(opened));
  RETURN_IF_ERROR(PutInPlace(std::move(*loaded), opened.directory));
  named = names;
  return Reloaded{found, serving, opened.rejected};
}

absl::StatusOr<bundle::Manifest> CollectionStore::Impl::Snapshot(const std::string& directory) {
  fs::path target = fs::path(directory).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  const fs::path parent = target.parent_path().empty() ? "." : target.parent_path();
  if (absl::StartsWith(target.filename().string(), kSnapshotPrefix)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "snapshot: a name that begins with ", kSnapshotPrefix, " is kept for what is unfinished"));
  }
  std::error_code error;
  if (fs::exists(fs::symlink_status(target, error))) {
    return absl::AlreadyExistsError("snapshot: there is one of that name already");
  }
  if (!fs::is_directory(parent, error))
    return absl::NotFoundError("snapshot: there is no folder to put it into");
  RemoveDeadSnapshots(parent);
  TemporaryDirectory temporary;
  temporary.path = (parent / absl::StrCat(kSnapshotPrefix, "XXXXXX")).string();
  if (mkdtemp(temporary.path.data()) == nullptr)
    return absl::ErrnoToStatus(errno, "snapshot: no folder can be made");
  fs::permissions(temporary.path, static_cast<fs::perms>(0755), error);

  absl::MutexLock generations(&generations_mutex);
  std::shared_ptr<const retrieval::BundleCollection> now;
  int64_t through = 0;
  {
    absl::MutexLock edits(&edits_mutex);
    now = Now();
    through = std::max(now->manifest().last_change, pending.last());
  }
  RETURN_IF_ERROR(CheckMemoryToWrite(now->loaded(), options.reload_memory_factor));
  // The writer holds the lock of the folder until that has its name.
  ASSIGN_OR_RETURN(std::unique_ptr<bundle::BundleWriter> writer,
                   bundle::BundleWriter::Create(temporary.path));
  ASSIGN_OR_RETURN(
      bundle::Manifest manifest,
      collection::WriteGeneration(now->loaded(), base_directory, writer->directory(),
                                  options.collection.index, [this] { return KeepGoing(); }));
  manifest.last_change = through;
  ASSIGN_OR_RETURN(manifest, writer->Publish(manifest, [&](const bundle::OpenedBundle& opened) {
    return collection::CheckCopies(now->manifest(), opened.manifest, /*all=*/false);
  }));
  RETURN_IF_ERROR(RenameToNew(temporary.path, target.string()));
  temporary.path.clear();
  RETURN_IF_ERROR(bundle::SyncFolder(parent.string()));
  return manifest;
}

absl::StatusOr<bundle::Manifest> CollectionStore::Impl::Restore(const std::string& directory) {
  absl::MutexLock generations(&generations_mutex);
  ASSIGN_OR_RETURN(const bundle::OpenedBundle snapshot, bundle::OpenBundle(directory));
  ASSIGN_OR_RETURN(std::unique_ptr<bundle::BundleWriter> writer,
                   bundle::BundleWriter::Create(root));
  RETURN_IF_ERROR(
      collection::CopyFiles(snapshot.manifest, snapshot.directory, writer->directory()));
  bundle::Manifest manifest = snapshot.manifest;
  manifest.origin
      .clear();  // a new one: edits made before, and those made after the snapshot, are not of it
  // What fails about the journal must do so now: once CURRENT names what does not serve, edits are
  // of the wrong origin.
  RETURN_IF_ERROR(Replay(*journal, manifest).status());
  ASSIGN_OR_RETURN(Published published,
                   Publish(*writer, std::move(manifest), snapshot.manifest, /*all=*/true));
  const bundle::Manifest restored = published.loaded->manifest;
  // An edit that is acknowledged from here on until it is in place is one made before.
  RETURN_IF_ERROR(PutInPlace(std::move(*published.loaded), published.directory));
  named = restored.generation;
  if (absl::Status status = ForgetOld(*writer); !status.ok()) Report(status);
  return restored;
}

}  // namespace antiphon::editing
