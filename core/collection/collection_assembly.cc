#include "core/collection/collection_assembly.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace antiphon::collection {
namespace {

// Queries are cut twice as densely as what they are compared with, so that some window falls close
// to one there.
constexpr double kQueryHopPerScoreHop = 0.5;

// As a bundle's manifest can say them.
absl::Status CheckOptions(const BuilderOptions& options) {
  if (options.tempo_ratios.empty())
    return absl::InvalidArgumentError("tempo_ratios must not be empty");
  if (options.tempo_ratios.size() > bundle::Manifest::kMaxTempoRatios) {
    return absl::InvalidArgumentError(absl::StrCat("tempo_ratios: there may be at most ",
                                                   bundle::Manifest::kMaxTempoRatios,
                                                   ", there are ", options.tempo_ratios.size()));
  }
  for (const double ratio : options.tempo_ratios) {
    RETURN_IF_ERROR(CheckRange("tempo_ratios", ratio, bundle::Manifest::kTempoRatioRange));
  }
  for (const double hop_s : {options.score_hop_s, options.recording_hop_s}) {
    if (hop_s > 0 && hop_s <= bundle::Manifest::kMaxHopS) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("score_hop_s and recording_hop_s must be above 0 and at most ",
                     bundle::Manifest::kMaxHopS, ", one is ", hop_s));
  }
  return absl::OkStatus();
}

absl::Status CheckModel(const encoder::EncoderInfo& audio, const encoder::EncoderInfo& score) {
  if (audio.modality == encoder::Modality::kAudio && score.modality == encoder::Modality::kScore &&
      audio.model_id == score.model_id && audio.dimension == score.dimension &&
      audio.settings == score.settings) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat("audio encoder ", audio.model_id,
                                                    " and score encoder ", score.model_id,
                                                    " are not two halves of one model"));
}

}  // namespace

CollectionAssembly::CollectionAssembly(const encoder::WindowEncoder& audio_encoder,
                                       const encoder::WindowEncoder& score_encoder,
                                       const BuilderOptions& options,
                                       std::unique_ptr<const features::AudioFrontEnd> front_end,
                                       std::unique_ptr<CollectionFiles> files)
    : audio_encoder_(audio_encoder),
      score_encoder_(score_encoder),
      plan_{options.tempo_ratios, options.score_hop_s, options.recording_hop_s},
      front_end_(std::move(front_end)),
      files_(std::move(files)) {}

absl::StatusOr<std::unique_ptr<CollectionAssembly>> CollectionAssembly::Create(
    const std::string& directory, const encoder::WindowEncoder& audio_encoder,
    const encoder::WindowEncoder& score_encoder, const BuilderOptions& options) {
  RETURN_IF_ERROR(CheckOptions(options));
  RETURN_IF_ERROR(CheckModel(audio_encoder.info(), score_encoder.info()));
  ASSIGN_OR_RETURN(auto front_end, features::AudioFrontEnd::Create(audio_encoder.info().settings));
  index::IndexOptions index_options = options.index;
  index_options.dimension = score_encoder.info().dimension;
  ASSIGN_OR_RETURN(auto files, CollectionFiles::Create(directory, index_options));
  return std::unique_ptr<CollectionAssembly>(new CollectionAssembly(
      audio_encoder, score_encoder, options, std::move(front_end), std::move(files)));
}

absl::Status CollectionAssembly::AddPiece(catalog::Piece piece, const std::string& midi) {
  ASSIGN_OR_RETURN(const catalog::SourceRecord record,
                   EmbedPiece(score_encoder_, plan_, std::move(piece), midi));
  return files_->Add(record);
}

absl::Status CollectionAssembly::AddRecording(catalog::Recording recording,
                                              const std::string& audio, audio::DamagedAudio damaged,
                                              audio::DecodeReport* report) {
  ASSIGN_OR_RETURN(const catalog::SourceRecord record,
                   EmbedRecording(audio_encoder_, *front_end_, plan_, std::move(recording), audio,
                                  damaged, report));
  return files_->Add(record);
}

absl::StatusOr<bundle::Manifest> CollectionAssembly::Finish() {
  const encoder::EncoderInfo& info = score_encoder_.info();
  bundle::Manifest manifest;
  manifest.model_id = info.model_id;
  manifest.feature_settings = features::SettingsToJson(info.settings);
  manifest.dimension = info.dimension;
  manifest.query_hop_s = plan_.score_hop_s * kQueryHopPerScoreHop;
  manifest.score_hop_s = plan_.score_hop_s;
  manifest.recording_hop_s = plan_.recording_hop_s;
  manifest.tempo_ratios = plan_.tempo_ratios;
  RETURN_IF_ERROR(files_->Finish(manifest));
  return manifest;
}

}  // namespace antiphon::collection
