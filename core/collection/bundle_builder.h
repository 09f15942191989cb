// Makes a bundle: embeds every score at several tempo hypotheses and every recording, builds the
// indexes and the catalogue, publishes. One builder belongs to one thread; it uses several itself.
#ifndef ANTIPHON_CORE_COLLECTION_BUNDLE_BUILDER_H_
#define ANTIPHON_CORE_COLLECTION_BUNDLE_BUILDER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/decode_report.h"
#include "core/bundle/bundle.h"
#include "core/bundle/manifest.h"
#include "core/catalog/catalog.h"
#include "core/encoder/window_encoder.h"
#include "core/index/vector_index.h"

namespace antiphon::collection {

// Ratios of played to written tempo at which scores are indexed: geometric, about 1.41 apart, from
// half to twice the tempo.
std::vector<double> DefaultTempoRatios();

struct BuilderOptions {
  std::string model_directory = {};  // holds audio_encoder.pt and score_encoder.pt
  encoder::EncoderOptions encoder = {};
  index::IndexOptions index = {};  // kind and build settings; the dimension comes from the model
  // The ranges are those of bundle::Manifest.
  std::vector<double> tempo_ratios = DefaultTempoRatios();
  double score_hop_s = 0.5;        // between windows of a score, seconds as played
  double recording_hop_s = 0.125;  // between windows of a recording, seconds
  bool with_parts = false;         // what is added later is indexed by parts unless it says more
  // What has been embedded is kept beside the generations until Publish has succeeded: another
  // builder of the same bundle, with the same settings, need not embed it again (EmbeddingLog).
  // That it can't be removed afterwards is no failure.
  bool resumable = false;
};

class BundleBuilder {
 public:
  // Loads the model and opens a temporary generation under `bundle_root`.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<BundleBuilder>> Create(
      const std::string& bundle_root, const BuilderOptions& options);
  ~BundleBuilder();

  // `piece` needs id, title and composer and may have a collection, a work and a version; the rest
  // is filled in from the score. InvalidArgument for a score with no notes.
  [[nodiscard]] absl::Status AddPiece(catalog::Piece piece, const std::string& midi);

  // `recording` needs id, title, composer and piece_id and may have a collection and a version;
  // `audio` is encoded sound, kept as it is. Fails, and reports, as EmbedRecording
  // (source_embedder.h).
  [[nodiscard]] absl::Status AddRecording(
      catalog::Recording recording, const std::string& audio,
      audio::DamagedAudio damaged = audio::DamagedAudio::kRefuse,
      audio::DecodeReport* report = nullptr);

  // Writes and publishes what was added; returns the manifest. No other call may follow.
  // `last_change` is the last number of a change that the sources may have as their version, and
  // `check` as for BundleWriter::Publish.
  [[nodiscard]] absl::StatusOr<bundle::Manifest> Publish(
      int64_t last_change = 0, const bundle::BundleWriter::Check& check = {});

 private:
  struct Impl;
  explicit BundleBuilder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace antiphon::collection

#endif  // ANTIPHON_CORE_COLLECTION_BUNDLE_BUILDER_H_
