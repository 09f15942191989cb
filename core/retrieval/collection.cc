#include "core/retrieval/collection.h"

#include <utility>

#include "core/collection/loaded_collection.h"
#include "core/retrieval/search.h"

namespace antiphon::retrieval {

Collection::Collection(std::shared_ptr<const LoadedCollection> loaded)
    : loaded_(std::move(loaded)) {}
Collection::~Collection() = default;

absl::StatusOr<std::unique_ptr<const Collection>> Collection::Open(
    const std::string& bundle_root, const CollectionOptions& options) {
  absl::StatusOr<std::unique_ptr<LoadedCollection>> loaded = OpenParts(bundle_root, options);
  if (!loaded.ok()) return loaded.status();
  return std::unique_ptr<const Collection>(new Collection(*std::move(loaded)));
}

std::shared_ptr<const Collection> Collection::Make(std::shared_ptr<const LoadedCollection> loaded) {
  return std::shared_ptr<const Collection>(new Collection(std::move(loaded)));
}

const LoadedCollection& Collection::loaded() const { return *loaded_; }
const bundle::Manifest& Collection::manifest() const { return loaded_->manifest; }
const ConfidenceModel& Collection::confidence() const { return loaded_->confidence; }
const std::vector<std::string>& Collection::rejected_generations() const {
  return loaded_->rejected_generations;
}
const CollectionView& Collection::view() const { return *loaded_->view; }
const encoder::EncoderInfo& Collection::encoder_info() const {
  return loaded_->audio_encoder->info();
}
const encoder::WindowEncoder& Collection::audio_encoder() const { return *loaded_->audio_encoder; }
const features::AudioFrontEnd& Collection::front_end() const { return *loaded_->front_end; }

absl::StatusOr<std::vector<Hit>> Collection::SearchScores(const audio::Waveform& query,
                                                          const SearchOptions& options,
                                                          const RequestContext& context) const {
  return retrieval::SearchScores(*loaded_, query, options, context);
}

absl::StatusOr<std::vector<Hit>> Collection::SearchRecordings(const music::Score& query,
                                                              const SearchOptions& options,
                                                              const RequestContext& context) const {
  return retrieval::SearchRecordings(*loaded_, query, options, context);
}

absl::StatusOr<Identification> Collection::IdentifyAudio(const audio::Waveform& query,
                                                         const IdentifyOptions& options,
                                                         const RequestContext& context) const {
  return retrieval::IdentifyAudio(*loaded_, query, options, context);
}

absl::StatusOr<Identification> Collection::IdentifyScore(const music::Score& query,
                                                         catalog::Side side,
                                                         const IdentifyOptions& options,
                                                         const RequestContext& context) const {
  return retrieval::IdentifyScore(*loaded_, query, side, options, context);
}

absl::StatusOr<Identification> Collection::IdentifyEmbedded(EmbeddingSequence windows,
                                                            double duration_s,
                                                            const IdentifyOptions& options,
                                                            const RequestContext& context) const {
  return retrieval::IdentifyEmbedded(*loaded_, std::move(windows), duration_s, options, context);
}

absl::StatusOr<EmbeddingSequence> Collection::EmbedAudio(const audio::Waveform& query,
                                                         const WindowPlan& plan,
                                                         const RequestContext& context) const {
  return retrieval::EmbedAudio(*loaded_, query, plan, context);
}

absl::StatusOr<EmbeddingSequence> Collection::EmbedScore(const music::Score& query,
                                                         double tempo_ratio, const WindowPlan& plan,
                                                         const RequestContext& context) const {
  return retrieval::EmbedScore(*loaded_, query, tempo_ratio, plan, context);
}

}  // namespace antiphon::retrieval
