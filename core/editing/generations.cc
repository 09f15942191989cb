// How a CollectionStore opens, writes and replaces generations. The edits are in
// collection_store.cc.
//
// Locks are taken in this order: generations_mutex, edits_mutex, state_mutex. generations_mutex may
// be held for minutes: it keeps merges, reloads, snapshots and restorations apart. edits_mutex is
// taken only for moments at both ends of that work, so edits go on meanwhile, and searches need
// neither.
//
// What holds whenever edits_mutex is free: the view that serves is the base (the generation that
// serves) with the pending edits, in the order of their numbers, and every pending edit is in the
// journal. Every acknowledged edit is thus in the journal or in the base, and stays in the journal
// until every generation that the bundle could fall back to contains it (ForgetOld). So a crash
// between any two steps below loses nothing: the next start opens what CURRENT names and replays
// the journal's later changes of the same origin.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <new>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/error_reason.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle.h"
#include "core/bundle/files.h"
#include "core/collection/generation_writer.h"
#include "core/editing/collection_store_impl.h"

namespace antiphon::editing {
namespace {

namespace fs = std::filesystem;

constexpr char kSnapshotPrefix[] = ".snapshot-";  // of one that is being written
// After a failed merge in the background, nothing is tried for this long. What makes merges fail (a
// full disk, too little memory) does not go away in seconds, and each try reads and writes the
// whole collection.
constexpr absl::Duration kRetryDelay = absl::Seconds(60);

absl::Status CheckOptions(const StoreOptions& options) {
  RETURN_IF_ERROR(
      CheckRange("merge_fraction", options.merge_fraction, StoreOptions::kMergeFractionRange));
  RETURN_IF_ERROR(CheckRange("keep_generations", options.keep_generations,
                             StoreOptions::kKeepGenerationsRange));
  return CheckRange("reload_memory_factor", options.reload_memory_factor,
                    StoreOptions::kReloadMemoryFactorRange);
}

// Writing a generation takes all vectors (CollectionFiles gathers them) and, beside them, the
// indexes that are built of them.
constexpr double kWritingMemory = 2;

// ResourceExhausted unless `factor` times the memory that the generation and `more` bytes take is
// available. This is an estimate made beforehand, because Linux overcommits: the allocation would
// succeed, and the kernel would kill the server later.
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

// The same for writing a generation made of the base and the sources added to it.
absl::Status CheckMemoryToWrite(const collection::LoadedCollection& loaded, double factor) {
  int64_t added = 0;
  for (const catalog::Side side : {catalog::Side::kScores, catalog::Side::kRecordings}) {
    added += loaded.view->added_vectors(side);
  }
  const auto vector_bytes = static_cast<int64_t>(loaded.manifest.dimension * sizeof(float));
  return CheckMemory(loaded.manifest, kWritingMemory * factor, added * vector_bytes);
}

// The journal's changes that a generation does not contain.
struct Replayed {
  PendingEdits pending;
  std::vector<std::string> rejected;  // damaged, or not of the collection's dimension; left out
  int64_t last = 0;                   // the last one that is not damaged, and its hash
  std::string last_sha256;
};

absl::StatusOr<Replayed> Replay(catalog::ChangeJournal& journal, const bundle::Manifest& manifest) {
  // Versions must only grow. If the journal was lost meanwhile, its successor would start at 1 and
  // give out numbers that the generation already contains; a later replay would then skip them.
  RETURN_IF_ERROR(journal.SkipTo(manifest.last_change));
  Replayed replayed;
  RETURN_IF_ERROR(journal.ReadAfter(
      manifest.origin, manifest.last_change,
      [&](catalog::Change change) {
        const int64_t number = change.sequence;
        replayed.last = number;
        replayed.last_sha256 = change.sha256;
        absl::StatusOr<collection::Edit> edit = ToEdit(std::move(change), manifest.dimension);
        if (edit.ok()) {
          replayed.pending.Add(number, *std::move(edit));
        } else {
          // One bad change is no reason not to serve the others.
          replayed.rejected.push_back(
              absl::StrCat("change ", number, ": ", edit.status().message()));
        }
        return absl::OkStatus();
      },
      [&](int64_t, const std::string& what) { replayed.rejected.push_back(what); }));
  return replayed;
}

// Removes the temporary folders of snapshots whose process has died. A living process holds the
// lock of the bundle in its folder (BundleWriter), and the kernel drops the lock of a dead one. A
// folder without a lock file is left alone: its snapshot may be about to make one.
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

absl::Status OfTheSnapshot(const absl::Status& failure) {
  return Reworded(failure, absl::IsAlreadyExists(failure)
                               ? "snapshot: there is one of that name already"
                               : absl::StrCat("snapshot: ", failure.message()));
}

}  // namespace

CollectionStore::Impl::~Impl() {
  {
    SteadyMutexLock lock(&state_mutex);
    stopping = true;
  }
  if (merger.joinable()) merger.join();
}

void CollectionStore::Impl::Report(const absl::Status& status) const {
  if (options.on_background_failure) options.on_background_failure(status);
}

absl::Status CollectionStore::Impl::KeepGoing() const {
  SteadyMutexLock lock(&state_mutex);
  return stopping ? absl::CancelledError("the collection is being closed") : absl::OkStatus();
}

// Both conditions on vectors must hold: a fraction alone would merge a small collection at every
// edit, a number alone would rewrite a large one for a few per mille. Bytes count by themselves,
// because pending scores and sound stay in memory until they are merged.
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
  // An exception would end the thread, and with it the process.
  try {
    return Merge(/*even_if_nothing=*/false).status();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("out of memory");
  }
}

void CollectionStore::Impl::MergeInBackground() {
  SteadyTime not_before = SteadyNow();
  while (true) {
    {
      SteadyMutexLock lock(&state_mutex);
      const auto is_stopping = [this] {
        state_mutex.AssertHeld();
        return stopping;
      };
      const auto has_work = [this] {
        state_mutex.AssertHeld();
        return stopping || merge_due;
      };
      // After a failure only the end of the process cuts the wait short, not one more edit.
      state_mutex.AwaitUntil(not_before, is_stopping);
      state_mutex.AwaitUntil(kNever, has_work);
      if (stopping) return;
    }
    const absl::Status status = TryToMerge();
    // Cancelled: the store is being closed, which the next turn of the loop sees.
    if (status.ok() || absl::IsCancelled(status)) continue;
    Report(absl::Status(status.code(),
                        absl::StrCat("merging changes into a new generation: ", status.message())));
    not_before = After(kRetryDelay);
  }
}

absl::StatusOr<collection::OpenedCollection> CollectionStore::Impl::OpenWithJournal() {
  const std::string path = absl::StrCat(root, "/", kJournalFile);
  const absl::StatusOr<JournalMark> read = JournalMark::Read(root);
  std::error_code error;
  if (read.ok() && !read->empty() && !fs::exists(fs::symlink_status(path, error))) {
    // Before a journal is made in the place of the one that is lost. What is opened is not used: no
    // lock is held yet.
    ASSIGN_OR_RETURN(const bundle::OpenedBundle opened, bundle::OpenBundle(root));
    RETURN_IF_ERROR(read->Check(opened.manifest, nullptr));
  }
  // The journal first: it is the lock on the bundle. Another process that has it open may be
  // publishing a generation right now and pruning the changes which that contains; opening the
  // generation before and the journal after would miss those.
  ASSIGN_OR_RETURN(auto journal_file, catalog::ChangeJournal::Open(path));
  journal = std::move(journal_file);
  ASSIGN_OR_RETURN(collection::OpenedCollection opened,
                   collection::OpenCollection(root, options.collection));
  absl::MutexLock edits(&edits_mutex);
  // Again, under the lock: the process that had it may have written since.
  absl::StatusOr<JournalMark> now = JournalMark::Read(root);
  if (now.ok()) {
    RETURN_IF_ERROR(now->Check(opened.bundle.manifest, journal.get()));
    mark = *std::move(now);
  } else if (journal->last_sequence() == 0) {
    // A mark is only made where there are changes, and this journal never had one.
    return absl::DataLossError(absl::StrCat(now.status().message(), ", and ", kJournalFile,
                                            " is missing or empty: ", kLostJournalHelp));
  } else {
    Report(now.status());
    WriteMark();  // anew; PutInPlace notes what the journal holds
  }
  // No number that the mark knows of is given out again.
  RETURN_IF_ERROR(journal->SkipTo(mark.last_sequence()));
  return opened;
}

absl::Status CollectionStore::Impl::Start() {
  RETURN_IF_ERROR(CheckOptions(options));
  if (absl::IsNotFound(bundle::CurrentGeneration(root).status())) {
    return absl::NotFoundError("bundle: nothing is published there");
  }
  ASSIGN_OR_RETURN(const collection::OpenedCollection opened, OpenWithJournal());
  if (options.self_check) {
    RETURN_IF_ERROR(options.self_check(retrieval::BundleCollection(
        std::make_shared<const collection::LoadedCollection>(*opened.loaded))));
  }
  {
    absl::MutexLock generations(&generations_mutex);
    // May differ from what was opened, where CURRENT names a damaged generation.
    named = bundle::CurrentGeneration(root).value_or(0);
    RETURN_IF_ERROR(PutInPlace(*opened.loaded, opened.bundle.directory));
  }
  // Last: the thread uses everything above.
  if (options.merge_fraction > 0) merger = std::thread([this] { MergeInBackground(); });
  return absl::OkStatus();
}

absl::Status CollectionStore::Impl::PutInPlace(collection::LoadedCollection loaded,
                                               const std::string& directory) {
  std::vector<std::string> rejected;
  {
    // Reading the journal, replacing the pending edits and swapping must be one step for edits: one
    // that came between would be acknowledged and then missing from what serves.
    absl::MutexLock edits(&edits_mutex);
    ASSIGN_OR_RETURN(Replayed replayed, Replay(*journal, loaded.manifest));
    rejected = std::move(replayed.rejected);
    pending = std::move(replayed.pending);
    // Of a bundle without a mark, or one that lags behind a crash.
    if (replayed.last > 0 &&
        mark.Note(loaded.manifest.origin, replayed.last, replayed.last_sha256)) {
      WriteMark();
    }
    loaded.view = loaded.view->With(pending.After(0));
    {
      SteadyMutexLock lock(&state_mutex);
      edit_status.rejected_changes = rejected;
    }
    Swap(std::move(loaded));
  }
  base_directory = directory;
  // With no lock that an edit needs, because the callback may write to a slow log.
  for (const std::string& what : rejected)
    Report(absl::DataLossError(absl::StrCat("journal: ", what)));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<collection::LoadedCollection>> CollectionStore::Impl::OpenBeside(
    const bundle::OpenedBundle& opened) const {
  RETURN_IF_ERROR(CheckMemory(opened.manifest, options.reload_memory_factor));
  // Encoders whose files are the same are shared with what serves, so a merge loads no network.
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
  // A change may be forgotten once the oldest kept generation of its origin contains it: if the
  // newer ones turn out to be damaged, that one and the journal still give every acknowledged edit.
  // Changes of origins of which no generation is left can never be replayed.
  std::map<std::string, int64_t> contained;
  for (const bundle::Manifest& manifest : kept) {
    const auto [entry, is_first] = contained.try_emplace(manifest.origin, manifest.last_change);
    if (!is_first) entry->second = std::min(entry->second, manifest.last_change);
  }
  // Each call also drops the changes of all origins not listed, so the list must be complete first.
  std::vector<std::string> origins;
  origins.reserve(contained.size());
  for (const auto& [origin, last_change] : contained) origins.push_back(origin);
  for (const auto& [origin, last_change] : contained) {
    RETURN_IF_ERROR(journal->Prune(origin, last_change, origins));
  }
  absl::MutexLock edits(&edits_mutex);
  if (mark.KeepOnly(origins)) WriteMark();
  return absl::OkStatus();
}

absl::StatusOr<CollectionStore::Impl::Published> CollectionStore::Impl::Publish(
    bundle::BundleWriter& writer, bundle::Manifest manifest, const bundle::Manifest& original,
    bool all) const {
  // BundleWriter shows the generation before CURRENT names it. A generation that can't be opened,
  // lost a byte in copying or fails the self-check is thus never in force, and nothing of it stays.
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

absl::StatusOr<CollectionStore::Merged> CollectionStore::Impl::Merge(bool even_if_nothing) {
  absl::MutexLock generations(&generations_mutex);
  std::shared_ptr<const retrieval::BundleCollection> before;
  int64_t through = 0, changes = 0;
  {
    // One moment for both: `before` contains exactly the changes up to `through`.
    absl::MutexLock edits(&edits_mutex);
    before = Now();
    changes = pending.count();
    through = std::max(before->manifest().last_change, pending.last());
  }
  if (changes == 0 && !even_if_nothing) return Merged{before->manifest().generation, 0};
  const struct Merging {
    explicit Merging(Impl& live) : live(live) { Set(true); }
    ~Merging() { Set(false); }
    void Set(bool merging) const {
      SteadyMutexLock lock(&live.state_mutex);
      live.edit_status.merging = merging;
    }
    Impl& live;
  } merging(*this);

  RETURN_IF_ERROR(CheckMemoryToWrite(before->loaded(), options.reload_memory_factor));
  ASSIGN_OR_RETURN(std::unique_ptr<bundle::BundleWriter> writer,
                   bundle::BundleWriter::Create(root));
  // Under the writer's lock no other process can publish any more. A generation published before
  // that (by an indexing, say) must not be buried under a merge of what served until then.
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
    // The new generation is in force. Edits made while it was written are put on top of it and stay
    // pending; those it contains are pending no longer.
    absl::MutexLock edits(&edits_mutex);
    merged.loaded->view = merged.loaded->view->With(pending.After(through));
    pending.Forget(through);
    Swap(std::move(*merged.loaded));
  }
  named = generation;
  base_directory = merged.directory;
  // Only now: until here a crash falls back to the generation before and the journal. That old
  // files stay behind is no failure of the merge; the next one tries again.
  if (absl::Status status = ForgetOld(*writer); !status.ok()) Report(status);
  return Merged{named, changes};
}

absl::StatusOr<CollectionStore::Reloaded> CollectionStore::Impl::Reload() {
  absl::MutexLock generations(&generations_mutex);
  // Read before the bundle is opened. If CURRENT changes in between, `named` is the older name and
  // the next reload finds a difference; the other way round it would miss the new generation.
  const int64_t names = bundle::CurrentGeneration(root).value_or(0);
  ASSIGN_OR_RETURN(const bundle::OpenedBundle opened, bundle::OpenBundle(root));
  const std::shared_ptr<const retrieval::BundleCollection> before = Now();
  const int64_t serving = before->manifest().generation;
  const int64_t found = opened.manifest.generation;
  // By the whole manifest: a folder that was deleted and indexed anew may reuse the number.
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
  // Said before the work begins; RenameToNew decides.
  std::error_code error;
  if (fs::exists(fs::symlink_status(target, error))) {
    return absl::AlreadyExistsError("snapshot: there is one of that name already");
  }
  if (!fs::is_directory(parent, error))
    return absl::NotFoundError("snapshot: there is no folder to put it into");
  RemoveDeadSnapshots(parent);
  // Beside the target, so that one rename within a file system makes it appear whole.
  ASSIGN_OR_RETURN(
      bundle::TemporaryFolder temporary,
      MapError(bundle::TemporaryFolder::Create(parent.string(), kSnapshotPrefix), OfTheSnapshot));

  absl::MutexLock generations(&generations_mutex);
  std::shared_ptr<const retrieval::BundleCollection> now;
  int64_t through = 0;
  {
    absl::MutexLock edits(&edits_mutex);
    now = Now();
    // `pending` is empty where the base contains every change.
    through = std::max(now->manifest().last_change, pending.last());
  }
  RETURN_IF_ERROR(CheckMemoryToWrite(now->loaded(), options.reload_memory_factor));
  // The writer holds the folder's lock until the folder has its name, so that no other snapshot
  // takes it for a dead one (RemoveDeadSnapshots).
  ASSIGN_OR_RETURN(std::unique_ptr<bundle::BundleWriter> writer,
                   bundle::BundleWriter::Create(temporary.path()));
  ASSIGN_OR_RETURN(
      bundle::Manifest manifest,
      collection::WriteGeneration(now->loaded(), base_directory, writer->directory(),
                                  options.collection.index, [this] { return KeepGoing(); }));
  manifest.last_change = through;
  ASSIGN_OR_RETURN(manifest, writer->Publish(manifest, [&](const bundle::OpenedBundle& opened) {
    return collection::CheckCopies(now->manifest(), opened.manifest, /*all=*/false);
  }));
  RETURN_IF_ERROR(MapError(bundle::RenameToNew(temporary.path(), target.string()), OfTheSnapshot));
  temporary.Keep();  // it is the snapshot now, and stays even if the next line fails
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
  // Publish gives it a new origin, to which no journalled change belongs: not the edits made before
  // the restoration, nor those made after the snapshot was taken.
  manifest.origin.clear();
  // The journal must fail now or not at all. If it failed after CURRENT names the restored
  // generation, the old one would go on serving, and its edits would have an origin that the next
  // start does not replay.
  RETURN_IF_ERROR(Replay(*journal, manifest).status());
  ASSIGN_OR_RETURN(Published published,
                   Publish(*writer, std::move(manifest), snapshot.manifest, /*all=*/true));
  const bundle::Manifest restored = published.loaded->manifest;
  // An edit acknowledged between here and the swap counts as made before the restoration.
  RETURN_IF_ERROR(PutInPlace(std::move(*published.loaded), published.directory));
  named = restored.generation;
  if (absl::Status status = ForgetOld(*writer); !status.ok()) Report(status);
  return restored;
}

}  // namespace antiphon::editing
