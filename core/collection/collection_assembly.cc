#include "core/collection/collection_assembly.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/hash/sha256.h"

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
                                       std::unique_ptr<CollectionFiles> files, EmbeddingLog* log)
    : audio_encoder_(audio_encoder),
      score_encoder_(score_encoder),
      plan_{options.tempo_ratios, options.score_hop_s, options.recording_hop_s},
      with_parts_(options.with_parts),
      front_end_(std::move(front_end)),
      files_(std::move(files)),
      log_(log) {}

absl::StatusOr<std::unique_ptr<CollectionAssembly>> CollectionAssembly::Create(
    const std::string& directory, const encoder::WindowEncoder& audio_encoder,
    const encoder::WindowEncoder& score_encoder, const BuilderOptions& options, EmbeddingLog* log) {
  RETURN_IF_ERROR(CheckOptions(options));
  RETURN_IF_ERROR(CheckModel(audio_encoder.info(), score_encoder.info()));
  ASSIGN_OR_RETURN(auto front_end, features::AudioFrontEnd::Create(audio_encoder.info().settings));
  index::IndexOptions index_options = options.index;
  index_options.dimension = score_encoder.info().dimension;
  ASSIGN_OR_RETURN(auto files, CollectionFiles::Create(directory, index_options));
  return std::unique_ptr<CollectionAssembly>(new CollectionAssembly(
      audio_encoder, score_encoder, options, std::move(front_end), std::move(files), log));
}

std::string CollectionAssembly::SettingsOf(const encoder::EncoderInfo& info,
                                           const BuilderOptions& options) {
  return hash::HexSha256(absl::StrCat("format ", bundle::kBundleFormatVersion, " model ",
                                      info.model_id, " ratios ",
                                      absl::StrJoin(options.tempo_ratios, ","), " hops ",
                                      options.score_hop_s, ",", options.recording_hop_s));
}

absl::Status CollectionAssembly::AddPiece(catalog::Piece piece, const std::string& midi) {
  if (log_ != nullptr) {
    catalog::SourceRecord source;
    source.piece = piece;
    source.content = midi;
    const auto kept = log_->Take(source);
    if (kept.has_value()) return files_->Add(*kept);
  }
  ASSIGN_OR_RETURN(const catalog::SourceRecord record,
                   EmbedPiece(score_encoder_, plan_, std::move(piece), midi));
  if (log_ != nullptr) RETURN_IF_ERROR(log_->Keep(record));
  return files_->Add(record);
}

absl::Status CollectionAssembly::AddRecording(catalog::Recording recording,
                                              const std::string& audio, audio::DamagedAudio damaged,
                                              audio::DecodeReport* report) {
  if (log_ != nullptr) {
    catalog::SourceRecord source;
    source.side = catalog::Side::kRecordings;
    source.recording = recording;
    source.content = audio;
    const auto kept = log_->Take(source);
    if (kept.has_value()) return files_->Add(*kept);
  }
  audio::DecodeReport decoded;
  const absl::StatusOr<catalog::SourceRecord> record = EmbedRecording(
      audio_encoder_, *front_end_, plan_, std::move(recording), audio, damaged, &decoded);
  if (report != nullptr) *report = decoded;
  RETURN_IF_ERROR(record.status());
  // What there are warnings of is decoded again, so that they are given again.
  if (log_ != nullptr && decoded.Warnings().empty()) RETURN_IF_ERROR(log_->Keep(*record));
  return files_->Add(*record);
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
  manifest.with_parts = with_parts_;
  RETURN_IF_ERROR(files_->Finish(manifest));
  return manifest;
}

}  // namespace antiphon::collection
