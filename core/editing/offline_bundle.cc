#include "core/editing/offline_bundle.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/error_reason.h"
#include "core/base/status_macros.h"
#include "core/editing/journal_mark.h"

namespace antiphon::editing {
namespace {

namespace fs = std::filesystem;

// Neither a journal nor the mark of one that is lost.
bool HasNoJournal(const std::string& bundle_root) {
  std::error_code error;
  const fs::path root = bundle_root;
  return !fs::exists(fs::symlink_status(root / kJournalFile, error)) &&
         !fs::exists(fs::symlink_status(root / kJournalMarkFile, error));
}

}  // namespace

absl::Status OfOfflineBundle(const absl::Status& failure) {
  if (!absl::IsAborted(failure)) return failure;
  return absl::FailedPreconditionError(
      absl::StrCat(failure.message(),
                   ": stop the server that serves this bundle first, or work on "
                   "a snapshot of it"));
}

absl::StatusOr<OfflineBundle> OpenOffline(const std::string& bundle_root, OfflineUse use,
                                          const collection::CollectionOptions& options) {
  OfflineBundle opened;
  if (use == OfflineUse::kRead && HasNoJournal(bundle_root)) {
    ASSIGN_OR_RETURN(opened.collection, retrieval::BundleCollection::Open(bundle_root, options));
    opened.last_change = opened.collection->manifest().last_change;
  } else {
    StoreOptions store;
    store.collection = options;
    store.merge_fraction = 0;
    ASSIGN_OR_RETURN(opened.store,
                     MapError(CollectionStore::Open(bundle_root, store), OfOfflineBundle));
    opened.collection = opened.store->Current();
    const CollectionStore::EditStatus edits = opened.store->edit_status();
    opened.last_change = std::max(edits.last_change, opened.collection->manifest().last_change);
    opened.left_out = edits.rejected_changes;
  }
  const std::vector<std::string>& generations = opened.collection->rejected_generations();
  opened.left_out.insert(opened.left_out.begin(), generations.begin(), generations.end());
  return opened;
}

}  // namespace antiphon::editing
