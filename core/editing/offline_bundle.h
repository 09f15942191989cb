// A bundle with all its edits, opened by a program that works on it alone: no server beside it, no
// merges in the background. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_EDITING_OFFLINE_BUNDLE_H_
#define ANTIPHON_CORE_EDITING_OFFLINE_BUNDLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/editing/collection_store.h"
#include "core/retrieval/bundle_collection.h"

namespace antiphon::editing {

struct OfflineBundle {
  // Holds the bundle's lock; null for a bundle that is only read and has no journal, a snapshot
  // say.
  std::unique_ptr<CollectionStore> store;
  std::shared_ptr<const retrieval::BundleCollection> collection;  // edits included
  int64_t last_change = 0;  // number of the last change that is part of it, or was given out
  // What is not in it because it is damaged: generations and changes, one a line.
  std::vector<std::string> left_out;
};

enum class OfflineUse {
  kRead,    // leaves a bundle without a journal as it is
  kChange,  // makes the journal where there is none
};

// Fails as CollectionStore::Open does; FailedPrecondition, saying so, when another process, such as
// a server, has the bundle open.
[[nodiscard]] absl::StatusOr<OfflineBundle> OpenOffline(
    const std::string& bundle_root, OfflineUse use,
    const collection::CollectionOptions& options = {});

// The collection that is there, of a failure to take the bundle's lock.
absl::Status OfOfflineBundle(const absl::Status& failure);

}  // namespace antiphon::editing

#endif  // ANTIPHON_CORE_EDITING_OFFLINE_BUNDLE_H_
