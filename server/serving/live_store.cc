#include "server/serving/live_store.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/status_macros.h"
#include "server/serving/batching_encoder.h"
#include "server/serving/read_only_store.h"
#include "server/serving/self_check.h"
#include "server/wire/status_map.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

using editing::CollectionStore;

// Of the scores that are kept parsed; about 60 bytes each.
constexpr int64_t kCachedNotes = 2'000'000;

encoder::Precision ParsePrecision(const std::string& name) {
  if (name == "float32") return encoder::Precision::kFloat32;
  if (name == "bfloat16") return encoder::Precision::kBFloat16;
  return encoder::Precision::kAuto;
}

collection::CollectionOptions OptionsOf(const Config& config, Metrics& metrics) {
  collection::CollectionOptions options;
  options.encoder.device = config.device;
  options.encoder.precision = ParsePrecision(config.precision);
  options.encoder.batch_size = config.batch_windows;
  options.index.device = config.device;
  options.index.threads = config.index_threads;
  options.index.hnsw_search_breadth = config.hnsw_search_breadth;
  options.index.ivf_probes = config.ivf_probes;
  options.scores = std::make_shared<collection::ScoreCache>(kCachedNotes);
  options.wrap_encoder = [&config, &metrics](std::unique_ptr<encoder::WindowEncoder> inner) {
    const std::string modality =
        inner->info().modality == encoder::Modality::kAudio ? "audio" : "score";
    BatchingOptions batching;
    batching.max_windows = config.batch_windows;
    batching.max_delay = absl::Milliseconds(config.batch_delay_ms);
    batching.on_batch = [&metrics, modality](int windows) {
      metrics.RecordBatch(modality, windows);
    };
    return std::make_unique<BatchingEncoder>(std::move(inner), std::move(batching));
  };
  return options;
}

absl::Status SelfCheck(const retrieval::BundleCollection& collection, bool warm_up) {
  RETURN_IF_ERROR(CheckFindsItself(collection));
  return warm_up ? WarmUp(collection) : absl::OkStatus();
}

bool MayWrite(const std::string& directory) { return access(directory.c_str(), W_OK) == 0; }

class LiveStore final : public Store {
 public:
  static absl::StatusOr<std::unique_ptr<Store>> Open(const Config& config, Metrics& metrics,
                                                     collection::CollectionOptions collection);

  std::shared_ptr<const retrieval::Collection> Current() const override { return live_->Current(); }

  absl::StatusOr<editing::EditResult> Apply(const editing::EditRequest& request,
                                            const matching::RequestContext& context) override {
    return live_->Apply(request, context);
  }

  absl::StatusOr<CollectionStore::Reloaded> Reload() override {
    return WithoutPaths(live_->Reload());
  }
  absl::StatusOr<CollectionStore::Merged> Merge() override { return WithoutPaths(live_->Merge()); }
  CollectionStore::EditStatus edit_status() const override { return live_->edit_status(); }
  absl::StatusOr<Snapshot> TakeSnapshot(const std::string& name) override;
  absl::StatusOr<bundle::Manifest> Restore(const std::string& name) override;

 private:
  explicit LiveStore(const Config& config)
      : bundle_(config.bundle), snapshots_(config.snapshot_dir) {}

  // What a failure says goes to clients; where the files lie does not concern them.
  template <typename T>
  absl::StatusOr<T> WithoutPaths(absl::StatusOr<T> result) const {
    return MapError(std::move(result), [this](const absl::Status& status) {
      std::vector<std::pair<std::string, std::string>> paths = {{bundle_ + "/", ""},
                                                                {bundle_, "the bundle"}};
      if (!snapshots_.empty()) {
        paths.insert(paths.begin(),
                     {{snapshots_ + "/", ""}, {snapshots_, "the snapshot directory"}});
      }
      return absl::Status(status.code(), absl::StrReplaceAll(status.message(), paths));
    });
  }

  absl::Status CheckSnapshotDirectory() const;

  const std::string bundle_;
  const std::string snapshots_;  // directory; empty: none
  std::unique_ptr<CollectionStore> live_;
};

absl::StatusOr<std::unique_ptr<Store>> LiveStore::Open(const Config& config, Metrics& metrics,
                                                       collection::CollectionOptions collection) {
  std::unique_ptr<LiveStore> store(new LiveStore(config));
  editing::StoreOptions options;
  options.collection = std::move(collection);
  options.self_check = [warm_up = config.warmup](const retrieval::BundleCollection& tried) {
    return SelfCheck(tried, warm_up);
  };
  options.on_background_failure = [&metrics](const absl::Status& status) {
    metrics.RecordBackgroundFailure();
    spdlog::error("in the background: {}", status.ToString());
  };
  ASSIGN_OR_RETURN(store->live_, CollectionStore::Open(config.bundle, std::move(options)));
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
  ASSIGN_OR_RETURN(bundle::Manifest manifest,
                   WithoutPaths(live_->Snapshot(absl::StrCat(snapshots_, "/", name))));
  Snapshot snapshot;
  snapshot.version = manifest.last_change;
  for (const bundle::FileEntry& file : manifest.files) snapshot.bytes += file.size;
  snapshot.manifest = std::move(manifest);
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

absl::StatusOr<std::unique_ptr<Store>> OpenReadOnly(const Config& config,
                                                    const collection::CollectionOptions& options) {
  spdlog::warn("{} is served read only: what is in its generations, and no change to it",
               config.bundle);
  return ReadOnlyStore::Open(
      [&config, options]() -> absl::StatusOr<std::shared_ptr<const retrieval::Collection>> {
        ASSIGN_OR_RETURN(auto collection,
                         retrieval::BundleCollection::Open(config.bundle, options));
        RETURN_IF_ERROR(SelfCheck(*collection, config.warmup));
        return collection;
      });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenLiveStore(const Config& config, Metrics& metrics) {
  encoder::SetComputeThreads(config.compute_threads);
  collection::CollectionOptions options = OptionsOf(config, metrics);
  std::error_code error;
  const bool read_only = config.read_only || (std::filesystem::is_directory(config.bundle, error) &&
                                              !MayWrite(config.bundle));
  return read_only ? OpenReadOnly(config, options)
                   : LiveStore::Open(config, metrics, std::move(options));
}

}  // namespace antiphon::server
