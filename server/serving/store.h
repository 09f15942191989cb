// The collection that the server serves, over time: a retrieval::Collection is one moment of it.
// LiveStore is the real one; tests have their own.
//
// Safe from any thread.
#ifndef ANTIPHON_SERVER_SERVING_STORE_H_
#define ANTIPHON_SERVER_SERVING_STORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/editing/collection_store.h"
#include "core/retrieval/collection.h"

namespace antiphon::server {

class Store {
 public:
  virtual ~Store() = default;

  // The collection that new calls start on. Calls under way keep the one they have.
  virtual std::shared_ptr<const retrieval::Collection> Current() const = 0;

  // As editing::CollectionStore.
  [[nodiscard]] virtual absl::StatusOr<editing::EditResult> Apply(
      const editing::EditRequest& request, const matching::RequestContext& context) = 0;

  virtual absl::StatusOr<editing::CollectionStore::Reloaded> Reload() = 0;
  virtual absl::StatusOr<editing::CollectionStore::Merged> Merge() = 0;
  virtual editing::CollectionStore::EditStatus edit_status() const = 0;

  // As CollectionStore's Snapshot and Restore. Messages do not name the directory, nor what lies
  // above it.
  virtual absl::StatusOr<bundle::Manifest> WriteSnapshot(const std::string& directory) = 0;
  virtual absl::StatusOr<bundle::Manifest> Restore(const std::string& directory) = 0;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVING_STORE_H_
