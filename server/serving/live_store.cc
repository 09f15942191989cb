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
#include "core/retrieval/bundle_collection.h"
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

collection::CollectionOptions CollectionOptionsOf(const LiveStoreOptions& options,
                                                  Metrics& metrics) {
  collection::CollectionOptions collection = options.collection;
  collection.encoder.batch_size = options.batching.max_windows;
  collection.encoder.on_fall_back = [](const std::string& what) { spdlog::warn("{}", what); };
  collection.scores = std::make_shared<collection::ScoreCache>(kCachedNotes);
  collection.wrap_encoder = [batching = options.batching,
                             &metrics](std::unique_ptr<encoder::WindowEncoder> inner) {
    const std::string modality =
        inner->info().modality == encoder::Modality::kAudio ? "audio" : "score";
    BatchingOptions own = batching;
    own.max_windows = std::max(own.max_windows, inner->batch_size());
    own.on_batch = [&metrics, modality](int windows) { metrics.RecordBatch(modality, windows); };
    return std::make_unique<BatchingEncoder>(std::move(inner), std::move(own));
  };
  return collection;
}

absl::Status SelfCheck(const retrieval::BundleCollection& collection, bool warm_up) {
  RETURN_IF_ERROR(CheckFindsItself(collection));
  return warm_up ? WarmUp(collection) : absl::OkStatus();
}

bool MayWrite(const std::string& directory) { return access(directory.c_str(), W_OK) == 0; }

class LiveStore final : public Store {
 public:
  static absl::StatusOr<std::unique_ptr<Store>> Open(const LiveStoreOptions& options,
                                                     Metrics& metrics);

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
  absl::StatusOr<bundle::Manifest> WriteSnapshot(const std::string& directory) override {
    return WithoutPaths(live_->Snapshot(directory), directory);
  }
  absl::StatusOr<bundle::Manifest> Restore(const std::string& directory) override {
    return WithoutPaths(live_->Restore(directory), directory);
  }

 private:
  explicit LiveStore(const LiveStoreOptions& options) : bundle_(options.bundle) {}

  // What a failure says goes to clients; where the files lie does not concern them. `snapshot` is a
  // directory, too, unless it is empty.
  template <typename T>
  absl::StatusOr<T> WithoutPaths(absl::StatusOr<T> result, const std::string& snapshot = "") const {
    return MapError(std::move(result), [&](const absl::Status& status) {
      std::vector<std::pair<std::string, std::string>> paths = {{bundle_ + "/", ""},
                                                                {bundle_, "the bundle"}};
      if (!snapshot.empty()) {
        const std::string parent = std::filesystem::path(snapshot).parent_path().string();
        paths.insert(paths.begin(),
                     {{absl::StrCat(snapshot, "/"), ""}, {snapshot, "the snapshot"}});
        if (!parent.empty()) paths.emplace_back(absl::StrCat(parent, "/"), "");
      }
      return absl::Status(status.code(), absl::StrReplaceAll(status.message(), paths));
    });
  }

  const std::string bundle_;
  std::unique_ptr<CollectionStore> live_;
};

absl::StatusOr<std::unique_ptr<Store>> LiveStore::Open(const LiveStoreOptions& options,
                                                       Metrics& metrics) {
  std::unique_ptr<LiveStore> store(new LiveStore(options));
  editing::StoreOptions editing;
  editing.collection = CollectionOptionsOf(options, metrics);
  editing.self_check = [warm_up = options.warm_up](const retrieval::BundleCollection& tried) {
    return SelfCheck(tried, warm_up);
  };
  editing.on_background_failure = [&metrics](const absl::Status& status) {
    metrics.RecordBackgroundFailure();
    spdlog::error("in the background: {}", status.ToString());
  };
  ASSIGN_OR_RETURN(store->live_, CollectionStore::Open(options.bundle, std::move(editing)));
  return store;
}

absl::StatusOr<std::unique_ptr<Store>> OpenReadOnly(const LiveStoreOptions& options,
                                                    Metrics& metrics) {
  spdlog::warn("{} is served read only: what is in its generations, and no change to it",
               options.bundle);
  return ReadOnlyStore::Open([bundle = options.bundle, warm_up = options.warm_up,
                              opening = CollectionOptionsOf(options, metrics)]()
                                 -> absl::StatusOr<std::shared_ptr<const retrieval::Collection>> {
    ASSIGN_OR_RETURN(auto collection, retrieval::BundleCollection::Open(bundle, opening));
    RETURN_IF_ERROR(SelfCheck(*collection, warm_up));
    return collection;
  });
}

}  // namespace

absl::StatusOr<std::shared_ptr<index::DevicePool>> OpenIndexDevices(
    const LiveStoreOptions& options) {
  const index::IndexOptions& indexes = options.collection.index;
  return index::DevicePool::Open(
      {.device =
           options.index_device.empty() ? options.collection.encoder.device : options.index_device,
       .precision = indexes.device_precision,
       .memory_bytes = int64_t{indexes.device_memory_mib} << 20,
       .on_change = [](const std::string& what) { spdlog::warn("{}", what); }});
}

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
