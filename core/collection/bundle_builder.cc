#include "core/collection/bundle_builder.h"

#include <cmath>
#include <filesystem>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/files.h"
#include "core/collection/collection_assembly.h"

namespace antiphon::collection {

// Members are destroyed from the last: the assembly closes its files before the writer removes
// them.
struct BundleBuilder::Impl {
  std::unique_ptr<encoder::WindowEncoder> audio_encoder;
  std::unique_ptr<encoder::WindowEncoder> score_encoder;
  std::unique_ptr<bundle::BundleWriter> writer;
  std::unique_ptr<EmbeddingLog> log;
  std::unique_ptr<CollectionAssembly> assembly;
};

std::vector<double> DefaultTempoRatios() {
  std::vector<double> ratios;
  for (int i = -2; i <= 2; ++i) ratios.push_back(std::exp2(i / 2.0));
  return ratios;
}

BundleBuilder::BundleBuilder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BundleBuilder::~BundleBuilder() = default;

absl::StatusOr<std::unique_ptr<BundleBuilder>> BundleBuilder::Create(
    const std::string& bundle_root, const BuilderOptions& options) {
  auto impl = std::make_unique<Impl>();
  const std::string folder = options.model_directory + "/";
  ASSIGN_OR_RETURN(impl->audio_encoder,
                   encoder::LoadEncoder(folder + bundle::kAudioEncoderFile,
                                        encoder::Modality::kAudio, options.encoder));
  ASSIGN_OR_RETURN(impl->score_encoder,
                   encoder::LoadEncoder(folder + bundle::kScoreEncoderFile,
                                        encoder::Modality::kScore, options.encoder));
  ASSIGN_OR_RETURN(impl->writer, bundle::BundleWriter::Create(bundle_root));
  if (options.resumable) {
    ASSIGN_OR_RETURN(impl->log,
                     EmbeddingLog::Open(bundle_root, CollectionAssembly::SettingsOf(
                                                         impl->score_encoder->info(), options)));
  }
  ASSIGN_OR_RETURN(impl->assembly,
                   CollectionAssembly::Create(impl->writer->directory(), *impl->audio_encoder,
                                              *impl->score_encoder, options, impl->log.get()));
  for (const char* name : {bundle::kAudioEncoderFile, bundle::kScoreEncoderFile}) {
    RETURN_IF_ERROR(bundle::CopyToNewFile(folder + name, impl->writer->directory(), name));
  }
  for (const char* name : {bundle::kConfidenceFile, bundle::kBackgroundFile}) {
    if (!std::filesystem::exists(folder + name)) continue;
    RETURN_IF_ERROR(bundle::CopyToNewFile(folder + name, impl->writer->directory(), name));
  }
  return std::unique_ptr<BundleBuilder>(new BundleBuilder(std::move(impl)));
}

absl::Status BundleBuilder::AddPiece(catalog::Piece piece, const std::string& midi) {
  return impl_->assembly->AddPiece(std::move(piece), midi);
}

absl::Status BundleBuilder::AddRecording(catalog::Recording recording, const std::string& audio,
                                         audio::DamagedAudio damaged, audio::DecodeReport* report) {
  return impl_->assembly->AddRecording(std::move(recording), audio, damaged, report);
}

absl::StatusOr<bundle::Manifest> BundleBuilder::Publish(int64_t last_change,
                                                        const bundle::BundleWriter::Check& check) {
  ASSIGN_OR_RETURN(bundle::Manifest manifest, impl_->assembly->Finish());
  manifest.last_change = last_change;
  ASSIGN_OR_RETURN(bundle::Manifest published, impl_->writer->Publish(std::move(manifest), check));
  // The generation is in force. A log that stays costs room: the next indexing takes from it what
  // is the same and forgets the rest.
  if (impl_->log != nullptr) impl_->log->Remove().IgnoreError();
  return published;
}

}  // namespace antiphon::collection
