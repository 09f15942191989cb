#include "core/retrieval/collection.h"

#include <utility>

#include "core/base/status_macros.h"
#include "core/collection/loaded_collection.h"
#include "core/retrieval/search.h"

namespace antiphon::retrieval {

Collection::Collection(std::shared_ptr<const collection::LoadedCollection> loaded)
    : loaded_(std::move(loaded)) {}
Collection::~Collection() = default;

absl::StatusOr<std::unique_ptr<const Collection>> Collection::Open(
    const std::string& bundle_root, const collection::CollectionOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<collection::LoadedCollection> loaded,
                   collection::OpenParts(bundle_root, options));
  return std::unique_ptr<const Collection>(new Collection(std::move(loaded)));
}

std::shared_ptr<const Collection> Collection::Make(
    std::shared_ptr<const collection::LoadedCollection> loaded) {
  return std::shared_ptr<const Collection>(new Collection(std::move(loaded)));
}

const collection::LoadedCollection& Collection::loaded() const { return *loaded_; }
const bundle::Manifest& Collection::manifest() const { return loaded_->manifest; }
const matching::ConfidenceModel& Collection::confidence() const { return loaded_->confidence; }
const std::vector<std::string>& Collection::rejected_generations() const {
  return loaded_->rejected_generations;
}
const collection::CollectionView& Collection::view() const { return *loaded_->view; }
const encoder::EncoderInfo& Collection::encoder_info() const {
  return loaded_->audio_encoder->info();
}
const encoder::WindowEncoder& Collection::audio_encoder() const { return *loaded_->audio_encoder; }
const features::AudioFrontEnd& Collection::front_end() const { return *loaded_->front_end; }

absl::StatusOr<std::vector<matching::Hit>> Collection::SearchScores(
    const audio::Waveform& query, const matching::SearchOptions& options,
    const matching::RequestContext& context) const {
  return retrieval::SearchScores(*loaded_, query, options, context);
}

absl::StatusOr<std::vector<matching::Hit>> Collection::SearchRecordings(
    const music::Score& query, const matching::SearchOptions& options,
    const matching::RequestContext& context) const {
  return retrieval::SearchRecordings(*loaded_, query, options, context);
}

absl::StatusOr<matching::Identification> Collection::IdentifyAudio(
    const audio::Waveform& query, const matching::IdentifyOptions& options,
    const matching::RequestContext& context) const {
  return retrieval::IdentifyAudio(*loaded_, query, options, context);
}

absl::StatusOr<matching::Identification> Collection::IdentifyScore(
    const music::Score& query, catalog::Side side, const matching::IdentifyOptions& options,
    const matching::RequestContext& context) const {
  return retrieval::IdentifyScore(*loaded_, query, side, options, context);
}

absl::StatusOr<matching::Identification> Collection::IdentifyEmbedded(
    matching::EmbeddingSequence windows, double duration_s,
    const matching::IdentifyOptions& options, const matching::RequestContext& context) const {
  return retrieval::IdentifyEmbedded(*loaded_, std::move(windows), duration_s, options, context);
}

absl::StatusOr<matching::EmbeddingSequence> Collection::EmbedAudio(
    const audio::Waveform& query, const matching::WindowPlan& plan,
    const matching::RequestContext& context) const {
  return retrieval::EmbedAudio(*loaded_, query, plan, context);
}

absl::StatusOr<matching::EmbeddingSequence> Collection::EmbedScore(
    const music::Score& query, double tempo_ratio, const matching::WindowPlan& plan,
    const matching::RequestContext& context) const {
  return retrieval::EmbedScore(*loaded_, query, tempo_ratio, plan, context);
}

}  // namespace antiphon::retrieval
