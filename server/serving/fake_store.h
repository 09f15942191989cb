// A Store for tests of the services: a FakeCollection that can be edited, in memory, with gates at
// which edits and administration can be held or made to fail.
//
// Safe from any thread, but for the hooks: they are set while no call is under way.
#ifndef ANTIPHON_SERVER_SERVING_FAKE_STORE_H_
#define ANTIPHON_SERVER_SERVING_FAKE_STORE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/serving/fake_collection.h"
#include "server/serving/store.h"

namespace antiphon::server {

class FakeStore final : public Store {
 public:
  explicit FakeStore(std::shared_ptr<const FakeCollection> collection);

  std::shared_ptr<const retrieval::Collection> Current() const override;

  absl::StatusOr<editing::EditResult> Apply(const editing::EditRequest& request,
                                            const matching::RequestContext& context) override;

  // The generation counts up by one.
  absl::StatusOr<editing::CollectionStore::Reloaded> Reload() override;
  absl::StatusOr<editing::CollectionStore::Merged> Merge() override;
  editing::CollectionStore::EditStatus edit_status() const override;
  // A bundle whose one file, "contents", says which of this store's snapshots it is.
  absl::StatusOr<bundle::Manifest> WriteSnapshot(const std::string& directory) override;
  absl::StatusOr<bundle::Manifest> Restore(const std::string& directory) override;

  std::function<void()>
      on_embed;  // between the questions whether to go on, before and after the work of an edit
  std::function<void()> on_administer;  // at the start of Reload, Merge, WriteSnapshot and Restore
  absl::Status failure;                 // of every edit and administration, unless OK
  std::atomic<int> embedded = 0;        // edits that went on to the expensive part
  std::atomic<int> durable = 0;         // changes made

 private:
  // What an edit with contents goes through before it is made.
  absl::Status Embed(const matching::RequestContext& context);
  absl::Status Administer();
  absl::Status CheckPieceOf(const catalog::Recording& recording) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // One for each alternative of EditRequest.
  absl::StatusOr<editing::EditResult> Make(const editing::AddPiece& edit,
                                           const matching::RequestContext& context);
  absl::StatusOr<editing::EditResult> Make(const editing::UpdatePiece& edit,
                                           const matching::RequestContext& context);
  absl::StatusOr<editing::EditResult> Make(const editing::DeletePiece& edit,
                                           const matching::RequestContext& context);
  absl::StatusOr<editing::EditResult> Make(const editing::AddRecording& edit,
                                           const matching::RequestContext& context);
  absl::StatusOr<editing::EditResult> Make(const editing::UpdateRecording& edit,
                                           const matching::RequestContext& context);
  absl::StatusOr<editing::EditResult> Make(const editing::DeleteRecording& edit,
                                           const matching::RequestContext& context);
  // Puts the sources in place, as a change; returns its number.
  int64_t Put(FakeSources sources) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::shared_ptr<const FakeCollection> collection_ ABSL_GUARDED_BY(mutex_);
  std::vector<FakeSources> snapshots_ ABSL_GUARDED_BY(mutex_);
  int64_t last_change_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t unmerged_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVING_FAKE_STORE_H_
