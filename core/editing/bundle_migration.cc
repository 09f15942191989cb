#include "core/editing/bundle_migration.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle.h"
#include "core/bundle/files.h"
#include "core/catalog/change_journal.h"
#include "core/editing/journal_mark.h"
#include "core/editing/offline_bundle.h"

namespace antiphon::editing {
namespace {

namespace fs = std::filesystem;

// The last change of the generation's origin that the journal holds beyond it; sequence 0: none.
absl::StatusOr<catalog::Change> LastBeyond(catalog::ChangeJournal& journal,
                                           const bundle::Manifest& manifest) {
  catalog::Change last;
  const auto note = [&last](const catalog::Change& change) {
    last.sequence = change.sequence;
    last.sha256 = change.sha256;
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(journal.ReadAfter(manifest.origin, manifest.last_change, note, {}));
  return last;
}

// Renames the journal, with its log, to a name that is free: it may be the only copy of another
// bundle's changes. The name, or empty where there is no journal.
absl::StatusOr<std::string> PutAside(const std::string& bundle_root) {
  const fs::path root = bundle_root;
  std::error_code error;
  if (!fs::exists(fs::symlink_status(root / kJournalFile, error))) return "";
  for (int number = 1;; ++number) {
    const std::string name = absl::StrCat(kJournalFile, ".lost-", number);
    const absl::Status renamed =
        bundle::RenameToNew((root / kJournalFile).string(), (root / name).string());
    if (absl::IsAlreadyExists(renamed)) continue;
    RETURN_IF_ERROR(renamed);
    const std::string log = absl::StrCat(kJournalFile, "-wal");
    if (fs::exists(fs::symlink_status(root / log, error)))
      fs::rename(root / log, root / absl::StrCat(name, "-wal"), error);
    RETURN_IF_ERROR(bundle::SyncFolder(bundle_root));
    return name;
  }
}

}  // namespace

BundleVersions PresentVersions() {
  return {bundle::kBundleFormatVersion, catalog::Catalog::kVersion,
          catalog::ChangeJournal::kVersion};
}

absl::StatusOr<Migration> MigrateBundle(const std::string& bundle_root,
                                        const collection::CollectionOptions& options) {
  ASSIGN_OR_RETURN(const OfflineBundle opened,
                   OpenOffline(bundle_root, OfflineUse::kChange, options));
  const bundle::Manifest& manifest = opened.collection->manifest();
  Migration migration;
  migration.before = {manifest.format_version, opened.collection->view().base_catalog().version(),
                      opened.store->journal_version()};
  migration.former_generation = migration.generation = manifest.generation;
  migration.pieces = opened.collection->view().source_count(catalog::Side::kScores);
  migration.recordings = opened.collection->view().source_count(catalog::Side::kRecordings);
  migration.left_out = opened.left_out;
  const BundleVersions present = PresentVersions();
  if (migration.before == present) return migration;
  if (migration.before.bundle == present.bundle && migration.before.catalog == present.catalog) {
    RETURN_IF_ERROR(opened.store->BringJournalUpToDate());
    return migration;
  }
  ASSIGN_OR_RETURN(const CollectionStore::Merged merged, opened.store->Rewrite());
  migration.generation = merged.generation;
  migration.changes = merged.changes;
  return migration;
}

absl::StatusOr<std::optional<GivenUp>> GiveUpLostChanges(const std::string& bundle_root) {
  ASSIGN_OR_RETURN(const bundle::OpenedBundle opened, bundle::OpenBundle(bundle_root));
  const absl::StatusOr<JournalMark> mark = JournalMark::Read(bundle_root);
  const std::string path = absl::StrCat(bundle_root, "/", kJournalFile);
  std::error_code error;
  const bool is_there = fs::exists(fs::symlink_status(path, error));
  std::unique_ptr<catalog::ChangeJournal> journal;
  if (is_there) {
    absl::StatusOr<std::unique_ptr<catalog::ChangeJournal>> read =
        catalog::ChangeJournal::Open(path);
    if (!read.ok() && !absl::IsDataLoss(read.status())) return OfOfflineBundle(read.status());
    if (read.ok()) journal = *std::move(read);
  }
  const bool damaged = is_there && journal == nullptr;
  if (!damaged) {
    const absl::Status fits = mark.ok() ? mark->Check(opened.manifest, journal.get())
                              : journal != nullptr && journal->last_sequence() > 0
                                  ? absl::OkStatus()
                                  : mark.status();
    if (fits.ok()) return std::nullopt;
    if (!absl::IsDataLoss(fits)) return fits;
  }
  GivenUp given_up;
  given_up.after = opened.manifest.last_change;
  given_up.through = mark.ok() ? mark->last_sequence_of(opened.manifest.origin) : 0;
  JournalMark next;
  if (journal != nullptr) {
    ASSIGN_OR_RETURN(const catalog::Change last, LastBeyond(*journal, opened.manifest));
    if (last.sequence > 0) {
      given_up.after = last.sequence;
      next.Note(opened.manifest.origin, last.sequence, last.sha256);
    } else if (journal->changes() > 0) {
      journal.reset();  // closed, to be put aside
    }
  }
  // A kill between these steps leaves a bundle that is still refused, and this can be called again:
  // the mark is what refuses it, and it is replaced last.
  if (journal == nullptr) {
    ASSIGN_OR_RETURN(given_up.kept_as, PutAside(bundle_root));
    ASSIGN_OR_RETURN(journal, catalog::ChangeJournal::Open(path));
  }
  const int64_t given_out = mark.ok() ? mark->last_sequence() : 0;
  RETURN_IF_ERROR(journal->SkipTo(std::max(given_out, opened.manifest.last_change)));
  RETURN_IF_ERROR(next.Write(bundle_root));
  return given_up;
}

}  // namespace antiphon::editing
