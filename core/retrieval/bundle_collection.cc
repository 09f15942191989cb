#include "core/retrieval/bundle_collection.h"

#include <utility>

#include "core/base/status_macros.h"
#include "core/retrieval/read_score.h"

namespace antiphon::retrieval {

absl::StatusOr<std::unique_ptr<const BundleCollection>> BundleCollection::Open(
    const std::string& bundle_root, const collection::CollectionOptions& options) {
  ASSIGN_OR_RETURN(collection::OpenedCollection opened,
                   collection::OpenCollection(bundle_root, options));
  return std::make_unique<const BundleCollection>(std::move(opened.loaded));
}

BundleCollection::BundleCollection(std::shared_ptr<const collection::LoadedCollection> loaded)
    : loaded_(std::move(loaded)) {}

absl::StatusOr<std::shared_ptr<const music::Score>> BundleCollection::ReadScore(int piece) const {
  return retrieval::ReadScore(*loaded_, piece);
}

}  // namespace antiphon::retrieval
