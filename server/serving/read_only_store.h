// The Store of a bundle that this process may read but not write, such as one on a volume that
// another server changes: it answers from the generation in force and follows it when told to
// reload. Every edit is FailedPrecondition.
//
// Safe from any thread.
#ifndef ANTIPHON_SERVER_SERVING_READ_ONLY_STORE_H_
#define ANTIPHON_SERVER_SERVING_READ_ONLY_STORE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/serving/store.h"

namespace antiphon::server {

class ReadOnlyStore final : public Store {
 public:
  // Opens the generation in force, checked and ready to answer. Called once for every generation.
  using Opener = std::function<absl::StatusOr<std::shared_ptr<const retrieval::Collection>>()>;

  // Fails as `opener` does.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ReadOnlyStore>> Open(Opener opener);

  std::shared_ptr<const retrieval::Collection> Current() const override;

  absl::StatusOr<editing::EditResult> Apply(const editing::EditRequest& request,
                                            const matching::RequestContext& context) override;

  absl::StatusOr<editing::CollectionStore::Reloaded> Reload() override;
  absl::StatusOr<editing::CollectionStore::Merged> Merge() override;
  editing::CollectionStore::EditStatus edit_status() const override { return {}; }
  absl::StatusOr<bundle::Manifest> WriteSnapshot(const std::string& directory) override;
  absl::StatusOr<bundle::Manifest> Restore(const std::string& directory) override;

 private:
  ReadOnlyStore(Opener opener, std::shared_ptr<const retrieval::Collection> collection);

  const Opener opener_;
  absl::Mutex reload_mutex_;  // one reload at a time
  mutable absl::Mutex mutex_;
  std::shared_ptr<const retrieval::Collection> collection_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVING_READ_ONLY_STORE_H_
