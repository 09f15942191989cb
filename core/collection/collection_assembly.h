// Embeds pieces and recordings and writes catalogue and indexes into a folder: what a bundle holds
// besides encoders and manifest. Internal to core/collection; belongs to one thread; borrows the
// encoders.
#ifndef ANTIPHON_CORE_COLLECTION_COLLECTION_ASSEMBLY_H_
#define ANTIPHON_CORE_COLLECTION_COLLECTION_ASSEMBLY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/bundle/manifest.h"
#include "core/catalog/catalog.h"
#include "core/collection/bundle_builder.h"
#include "core/collection/collection_files.h"
#include "core/collection/embedding_log.h"
#include "core/collection/source_embedder.h"
#include "core/encoder/window_encoder.h"
#include "core/features/audio_front_end.h"

namespace antiphon::collection {

class CollectionAssembly {
 public:
  // Creates the catalogue in `directory`. InvalidArgument on options out of range;
  // FailedPrecondition when the encoders are not of one model. What `log` has need not be embedded
  // again, and what is embedded is kept in it; it may be null, and must have been opened for
  // SettingsOf.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<CollectionAssembly>> Create(
      const std::string& directory, const encoder::WindowEncoder& audio_encoder,
      const encoder::WindowEncoder& score_encoder, const BuilderOptions& options,
      EmbeddingLog* log = nullptr);
  // All that embeddings depend on besides their source.
  static std::string SettingsOf(const encoder::EncoderInfo& info, const BuilderOptions& options);

  // See BundleBuilder.
  [[nodiscard]] absl::Status AddPiece(catalog::Piece piece, const std::string& midi);
  [[nodiscard]] absl::Status AddRecording(
      catalog::Recording recording, const std::string& audio,
      audio::DamagedAudio damaged = audio::DamagedAudio::kRefuse,
      audio::DecodeReport* report = nullptr);

  // Writes the files. The manifest lacks only what BundleWriter::Publish fills in. No other call
  // may follow.
  [[nodiscard]] absl::StatusOr<bundle::Manifest> Finish();

 private:
  CollectionAssembly(const encoder::WindowEncoder& audio_encoder,
                     const encoder::WindowEncoder& score_encoder, const BuilderOptions& options,
                     std::unique_ptr<const features::AudioFrontEnd> front_end,
                     std::unique_ptr<CollectionFiles> files, EmbeddingLog* log);

  const encoder::WindowEncoder& audio_encoder_;
  const encoder::WindowEncoder& score_encoder_;
  const SourcePlan plan_;
  const bool with_parts_;
  const std::unique_ptr<const features::AudioFrontEnd> front_end_;
  const std::unique_ptr<CollectionFiles> files_;
  EmbeddingLog* const log_;
};

}  // namespace antiphon::collection

#endif  // ANTIPHON_CORE_COLLECTION_COLLECTION_ASSEMBLY_H_
