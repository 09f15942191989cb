#include "server/live_store.h"

#include <string>
#include <utility>

#include "server/batching_encoder.h"
#include "server/collection_engine.h"

namespace antiphon::server {
namespace {

encoder::Precision ParsePrecision(const std::string& name) {
  if (name == "float32") return encoder::Precision::kFloat32;
  if (name == "bfloat16") return encoder::Precision::kBFloat16;
  return encoder::Precision::kAuto;
}

retrieval::CollectionOptions OptionsOf(const Config& config, Metrics& metrics) {
  retrieval::CollectionOptions options;
  options.encoder.device = config.device;
  options.encoder.precision = ParsePrecision(config.precision);
  options.encoder.batch_size = config.batch_windows;
  options.index.device = config.device;
  options.index.threads = config.index_threads;
  options.index.hnsw_search_breadth = config.hnsw_search_breadth;
  options.index.ivf_probes = config.ivf_probes;
  options.wrap_encoder = [&config, &metrics](std::unique_ptr<encoder::WindowEncoder> inner) {
    const std::string modality = inner->info().modality == encoder::Modality::kAudio ? "audio" : "score";
    BatchingOptions batching;
    batching.max_windows = config.batch_windows;
    batching.max_delay = absl::Milliseconds(config.batch_delay_ms);
    batching.on_batch = [&metrics, modality](int windows) { metrics.RecordBatch(modality, windows); };
    return std::make_unique<BatchingEncoder>(std::move(inner), std::move(batching));
  };
  return options;
}

absl::Status ReadOnly() { return absl::UnimplementedError("this server serves a bundle that it cannot change"); }

// Serves what it was opened with.
class ReadOnlyStore final : public Store {
 public:
  explicit ReadOnlyStore(std::shared_ptr<const Engine> engine) : engine_(std::move(engine)) {}

  std::shared_ptr<const Engine> Current() const override { return engine_; }
  absl::StatusOr<catalog::Piece> AddPiece(catalog::Piece, std::string, const retrieval::RequestContext&) override {
    return ReadOnly();
  }
  absl::StatusOr<catalog::Piece> UpdatePiece(const std::string&, const retrieval::PieceUpdate&, std::optional<int64_t>,
                                             const retrieval::RequestContext&) override {
    return ReadOnly();
  }
  absl::StatusOr<retrieval::LiveCollection::Deleted> DeletePiece(const std::string&, std::optional<int64_t>,
                                                                 bool) override {
    return ReadOnly();
  }
  absl::StatusOr<catalog::Recording> AddRecording(catalog::Recording, std::string,
                                                  const retrieval::RequestContext&) override {
    return ReadOnly();
  }
  absl::StatusOr<catalog::Recording> UpdateRecording(const std::string&, const retrieval::RecordingUpdate&,
                                                     std::optional<int64_t>,
                                                     const retrieval::RequestContext&) override {
    return ReadOnly();
  }
  absl::StatusOr<retrieval::LiveCollection::Deleted> DeleteRecording(const std::string&,
                                                                     std::optional<int64_t>) override {
    return ReadOnly();
  }
  absl::StatusOr<retrieval::LiveCollection::Reloaded> Reload() override { return ReadOnly(); }
  absl::StatusOr<retrieval::LiveCollection::Merged> Merge() override { return ReadOnly(); }
  retrieval::LiveCollection::Standing standing() const override { return {}; }
  absl::StatusOr<Snapshot> TakeSnapshot(const std::string&) override { return ReadOnly(); }
  absl::StatusOr<bundle::Manifest> Restore(const std::string&) override { return ReadOnly(); }

 private:
  const std::shared_ptr<const Engine> engine_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenLiveStore(const Config& config, Metrics& metrics) {
  encoder::SetComputeThreads(config.compute_threads);
  auto collection = retrieval::Collection::Open(config.bundle, OptionsOf(config, metrics));
  if (!collection.ok()) return collection.status();
  return std::make_unique<ReadOnlyStore>(MakeCollectionEngine(*std::move(collection)));
}

}  // namespace antiphon::server
