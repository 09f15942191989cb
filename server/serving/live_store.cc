#include "server/serving/live_store.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/synchronization/mutex.h"
#include "core/base/status_macros.h"
#include "server/serving/collection_engine.h"
#include "server/serving/read_only_store.h"
#include "server/serving/self_check.h"
#include "server/wire/status_map.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

using editing::CollectionStore;

// Of the scores that are kept parsed; about 60 bytes each.
constexpr int64_t kCachedNotes = 2'000'000;

collection::CollectionOptions CollectionOptionsOf(const LiveStoreOptions& options,
                                                  Metrics& metrics) {
  collection::CollectionOptions collection = options.collection;
  collection.index.device = collection.encoder.device;
  collection.encoder.batch_size = options.batching.max_windows;
  collection.wrap_encoder = [batching = options.batching,
                             &metrics](std::unique_ptr<encoder::WindowEncoder> inner) {
    const std::string modality =
        inner->info().modality == encoder::Modality::kAudio ? "audio" : "score";
    BatchingOptions own = batching;
    own.on_batch = [&metrics, modality](int windows) { metrics.RecordBatch(modality, windows); };
    return std::make_unique<BatchingEncoder>(std::move(inner), std::move(own));
  };
  return collection;
}

absl::Status SelfCheck(const retrieval::Collection& collection, bool warm_up) {
  RETURN_IF_ERROR(CheckFindsItself(collection));
  return warm_up ? WarmUp(collection) : absl::OkStatus();
}

bool MayWrite(const std::string& directory) { return access(directory.c_str(), W_OK) == 0; }

class LiveStore final : public Store {
 public:
  static absl::StatusOr<std::unique_ptr<Store>> Open(const LiveStoreOptions& options,
                                                     Metrics& metrics);

  std::shared_ptr<const Engine> Current() const override {
    absl::MutexLock lock(&mutex_);
    return engine_;
  }

  absl::StatusOr<catalog::Piece> AddPiece(catalog::Piece piece, std::string midi,
                                          const matching::RequestContext& context) override {
    return live_->AddPiece(std::move(piece), std::move(midi), context);
  }
  absl::StatusOr<catalog::Piece> UpdatePiece(const std::string& id,
                                             const editing::PieceUpdate& update,
                                             std::optional<int64_t> expected_version,
                                             const matching::RequestContext& context) override {
    return live_->UpdatePiece(id, update, expected_version, context);
  }
  absl::StatusOr<CollectionStore::Deleted> DeletePiece(const std::string& id,
                                                       std::optional<int64_t> expected_version,
                                                       bool with_recordings) override {
    return live_->DeletePiece(id, expected_version, with_recordings);
  }
  absl::StatusOr<catalog::Recording> AddRecording(
      catalog::Recording recording, std::string audio,
      const matching::RequestContext& context) override {
    return live_->AddRecording(std::move(recording), std::move(audio), context);
  }
  absl::StatusOr<catalog::Recording> UpdateRecording(
      const std::string& id, const editing::RecordingUpdate& update,
      std::optional<int64_t> expected_version, const matching::RequestContext& context) override {
    return live_->UpdateRecording(id, update, expected_version, context);
  }
  absl::StatusOr<CollectionStore::Deleted> DeleteRecording(
      const std::string& id, std::optional<int64_t> expected_version) override {
    return live_->DeleteRecording(id, expected_version);
  }

  absl::StatusOr<CollectionStore::Reloaded> Reload() override {
    return WithoutPaths(live_->Reload());
  }
  absl::StatusOr<CollectionStore::Merged> Merge() override { return WithoutPaths(live_->Merge()); }
  CollectionStore::EditStatus edit_status() const override { return live_->edit_status(); }
  absl::StatusOr<Snapshot> TakeSnapshot(const std::string& name) override;
  absl::StatusOr<bundle::Manifest> Restore(const std::string& name) override;

 private:
  explicit LiveStore(const LiveStoreOptions& options)
      : bundle_(options.bundle), snapshots_(options.snapshot_dir) {}

  // What serves first, unless something newer does already.
  void PutFirst(std::shared_ptr<const retrieval::Collection> collection) {
    auto engine = MakeCollectionEngine(std::move(collection), scores_);
    absl::MutexLock lock(&mutex_);
    if (engine_ == nullptr) engine_ = std::move(engine);
  }

  void PutInPlace(std::shared_ptr<const retrieval::Collection> collection) {
    auto engine = MakeCollectionEngine(std::move(collection), scores_);
    absl::MutexLock lock(&mutex_);
    engine_.swap(engine);  // the old one goes after the lock
  }

  // What a failure says goes to clients; where the files lie does not concern them.
  template <typename T>
  absl::StatusOr<T> WithoutPaths(absl::StatusOr<T> result) const {
    if (result.ok()) return result;
    std::vector<std::pair<std::string, std::string>> paths = {{bundle_ + "/", ""},
                                                              {bundle_, "the bundle"}};
    if (!snapshots_.empty()) {
      paths.insert(paths.begin(), {{snapshots_ + "/", ""}, {snapshots_, "the snapshot directory"}});
    }
    return absl::Status(result.status().code(),
                        absl::StrReplaceAll(std::string(result.status().message()), paths));
  }

  absl::Status CheckSnapshotDirectory() const;

  const std::string bundle_;
  const std::string snapshots_;  // directory; empty: none
  const std::shared_ptr<ScoreCache> scores_ = std::make_shared<ScoreCache>(kCachedNotes);
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Engine> engine_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<CollectionStore>
      live_;  // last: its threads put collections in place until it has gone
};

absl::StatusOr<std::unique_ptr<Store>> LiveStore::Open(const LiveStoreOptions& options,
                                                       Metrics& metrics) {
  std::unique_ptr<LiveStore> store(new LiveStore(options));
  editing::StoreOptions editing;
  editing.collection = CollectionOptionsOf(options, metrics);
  editing.self_check = [warm_up = options.warm_up](const retrieval::Collection& tried) {
    return SelfCheck(tried, warm_up);
  };
  editing.on_change = [store = store.get()](std::shared_ptr<const retrieval::Collection> changed) {
    store->PutInPlace(std::move(changed));
  };
  editing.on_background_failure = [&metrics](const absl::Status& status) {
    metrics.RecordBackgroundFailure();
    spdlog::error("in the background: {}", status.ToString());
  };
  ASSIGN_OR_RETURN(auto live, CollectionStore::Open(options.bundle, std::move(editing)));
  store->live_ = std::move(live);
  store->PutFirst(store->live_->Current());
  return store;
}

absl::Status LiveStore::CheckSnapshotDirectory() const {
  std::error_code error;
  if (snapshots_.empty()) {
    return absl::FailedPreconditionError(
        "this server has no snapshot directory; its operator can give it one");
  }
  if (!std::filesystem::is_directory(snapshots_, error)) {
    return absl::FailedPreconditionError("the server's snapshot directory is not there");
  }
  return absl::OkStatus();
}

absl::StatusOr<Store::Snapshot> LiveStore::TakeSnapshot(const std::string& name) {
  RETURN_IF_ERROR(CheckSnapshotDirectory());
  absl::StatusOr<bundle::Manifest> manifest = live_->Snapshot(absl::StrCat(snapshots_, "/", name));
  if (!manifest.ok()) return WithoutPaths(std::move(manifest)).status();
  Snapshot snapshot;
  snapshot.version = manifest->last_change;
  for (const bundle::FileEntry& file : manifest->files) snapshot.bytes += file.size;
  snapshot.manifest = *std::move(manifest);
  return snapshot;
}

absl::StatusOr<bundle::Manifest> LiveStore::Restore(const std::string& name) {
  RETURN_IF_ERROR(CheckSnapshotDirectory());
  const std::string directory = absl::StrCat(snapshots_, "/", name);
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error))
    return absl::NotFoundError("there is no such snapshot");
  absl::StatusOr<bundle::Manifest> restored = live_->Restore(directory);
  if (absl::IsNotFound(restored.status())) return absl::DataLossError("the snapshot is not whole");
  return WithoutPaths(std::move(restored));
}

absl::StatusOr<std::unique_ptr<Store>> OpenReadOnly(const LiveStoreOptions& options,
                                                    Metrics& metrics) {
  spdlog::warn("{} is served read only: what is in its generations, and no change to it",
               options.bundle);
  return ReadOnlyStore::Open([bundle = options.bundle, warm_up = options.warm_up,
                              opening = CollectionOptionsOf(options, metrics),
                              scores = std::make_shared<ScoreCache>(kCachedNotes)]()
                                 -> absl::StatusOr<std::shared_ptr<const Engine>> {
    ASSIGN_OR_RETURN(auto collection, retrieval::Collection::Open(bundle, opening));
    RETURN_IF_ERROR(SelfCheck(*collection, warm_up));
    return MakeCollectionEngine(std::move(collection), scores);
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenLiveStore(const LiveStoreOptions& options,
                                                     Metrics& metrics) {
  encoder::SetComputeThreads(options.compute_threads);
  std::error_code error;
  const bool read_only =
      options.read_only ||
      (std::filesystem::is_directory(options.bundle, error) && !MayWrite(options.bundle));
  return read_only ? OpenReadOnly(options, metrics) : LiveStore::Open(options, metrics);
}

}  // namespace antiphon::server
