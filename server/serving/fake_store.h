// A Store for tests of the services: a FakeCollection that can be edited, in memory, with gates at
// which edits and administration can be held or made to fail.
//
// Safe from any thread, but for the hooks: they are set while no call is under way.
#ifndef ANTIPHON_SERVER_SERVING_FAKE_STORE_H_
#define ANTIPHON_SERVER_SERVING_FAKE_STORE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/serving/fake_collection.h"
#include "server/serving/store.h"

namespace antiphon::server {

class FakeStore final : public Store {
 public:
  explicit FakeStore(std::shared_ptr<const FakeCollection> collection);

  std::shared_ptr<const retrieval::Collection> Current() const override;

  absl::StatusOr<catalog::Piece> AddPiece(catalog::Piece piece, std::string midi,
                                          const matching::RequestContext& context) override;
  absl::StatusOr<catalog::Piece> UpdatePiece(const std::string& id,
                                             const editing::PieceUpdate& update,
                                             std::optional<int64_t> expected_version,
                                             const matching::RequestContext& context) override;
  absl::StatusOr<editing::CollectionStore::Deleted> DeletePiece(
      const std::string& id, std::optional<int64_t> expected_version,
      bool with_recordings) override;
  absl::StatusOr<catalog::Recording> AddRecording(catalog::Recording recording, std::string audio,
                                                  const matching::RequestContext& context) override;
  absl::StatusOr<catalog::Recording> UpdateRecording(
      const std::string& id, const editing::RecordingUpdate& update,
      std::optional<int64_t> expected_version, const matching::RequestContext& context) override;
  absl::StatusOr<editing::CollectionStore::Deleted> DeleteRecording(
      const std::string& id, std::optional<int64_t> expected_version) override;

  // The generation counts up by one.
  absl::StatusOr<editing::CollectionStore::Reloaded> Reload() override;
  absl::StatusOr<editing::CollectionStore::Merged> Merge() override;
  editing::CollectionStore::EditStatus edit_status() const override;
  absl::StatusOr<Snapshot> TakeSnapshot(const std::string& name) override;
  absl::StatusOr<bundle::Manifest> Restore(const std::string& name) override;

  std::function<void()>
      on_embed;  // between the questions whether to go on, before and after the work of an edit
  std::function<void()> on_administer;  // at the start of Reload, Merge, TakeSnapshot and Restore
  absl::Status failure;                 // of every edit and administration, unless OK
  bool has_snapshot_directory = true;
  std::atomic<int> embedded = 0;  // edits that went on to the expensive part
  std::atomic<int> durable = 0;   // changes made

 private:
  // What an edit with contents goes through before it is made.
  absl::Status Embed(const matching::RequestContext& context);
  absl::Status Administer();
  // Puts the sources in place, as a change; returns its number.
  int64_t Put(FakeSources sources) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::shared_ptr<const FakeCollection> collection_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, FakeSources> snapshots_ ABSL_GUARDED_BY(mutex_);
  int64_t last_change_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t unmerged_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVING_FAKE_STORE_H_
