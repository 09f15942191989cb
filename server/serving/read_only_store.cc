#include "server/serving/read_only_store.h"

#include <utility>

#include "core/base/status_macros.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

using editing::CollectionStore;

absl::Status Refuse() {
  return CallerError(absl::StatusCode::kFailedPrecondition,
                     "this server may only read its collection");
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReadOnlyStore>> ReadOnlyStore::Open(Opener opener) {
  ASSIGN_OR_RETURN(std::shared_ptr<const retrieval::Collection> collection, opener());
  return std::unique_ptr<ReadOnlyStore>(
      new ReadOnlyStore(std::move(opener), std::move(collection)));
}

ReadOnlyStore::ReadOnlyStore(Opener opener, std::shared_ptr<const retrieval::Collection> collection)
    : opener_(std::move(opener)), collection_(std::move(collection)) {}

std::shared_ptr<const retrieval::Collection> ReadOnlyStore::Current() const {
  absl::MutexLock lock(&mutex_);
  return collection_;
}

absl::StatusOr<editing::EditResult> ReadOnlyStore::Apply(const editing::EditRequest&,
                                                         const matching::RequestContext&) {
  return Refuse();
}

absl::StatusOr<CollectionStore::Reloaded> ReadOnlyStore::Reload() {
  absl::MutexLock reload(&reload_mutex_);
  ASSIGN_OR_RETURN(std::shared_ptr<const retrieval::Collection> opened, opener_());
  CollectionStore::Reloaded reloaded;
  reloaded.generation = opened->manifest().generation;
  reloaded.rejected_generations = opened->rejected_generations();
  absl::MutexLock lock(&mutex_);
  reloaded.previous_generation = collection_->manifest().generation;
  collection_ = std::move(opened);
  return reloaded;
}

absl::StatusOr<CollectionStore::Merged> ReadOnlyStore::Merge() { return Refuse(); }

absl::StatusOr<bundle::Manifest> ReadOnlyStore::WriteSnapshot(const std::string&) {
  return Refuse();
}

absl::StatusOr<bundle::Manifest> ReadOnlyStore::Restore(const std::string&) { return Refuse(); }

}  // namespace antiphon::server
