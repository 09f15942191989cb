#include "core/retrieval/collection.h"

#include <utility>

#include "core/collection/loaded_collection.h"
#include "core/retrieval/search.h"

namespace antiphon::retrieval {

Collection::Collection(std::shared_ptr<const CollectionParts> parts) : parts_(std::move(parts)) {}
Collection::~Collection() = default;

absl::StatusOr<std::unique_ptr<const Collection>> Collection::Open(
    const std::string& bundle_root, const CollectionOptions& options) {
  absl::StatusOr<std::unique_ptr<CollectionParts>> parts = OpenParts(bundle_root, options);
  if (!parts.ok()) return parts.status();
  return std::unique_ptr<const Collection>(new Collection(*std::move(parts)));
}

std::shared_ptr<const Collection> Collection::Make(std::shared_ptr<const CollectionParts> parts) {
  return std::shared_ptr<const Collection>(new Collection(std::move(parts)));
}

const CollectionParts& Collection::parts() const { return *parts_; }
const bundle::Manifest& Collection::manifest() const { return parts_->manifest; }
const ConfidenceModel& Collection::confidence() const { return parts_->confidence; }
const std::vector<std::string>& Collection::rejected_generations() const {
  return parts_->rejected_generations;
}
const Contents& Collection::contents() const { return *parts_->contents; }
const encoder::EncoderInfo& Collection::encoder_info() const {
  return parts_->audio_encoder->info();
}
const encoder::WindowEncoder& Collection::audio_encoder() const { return *parts_->audio_encoder; }
const features::AudioFrontEnd& Collection::front_end() const { return *parts_->front_end; }

absl::StatusOr<std::vector<Hit>> Collection::SearchScores(const audio::Waveform& query,
                                                          const SearchOptions& options,
                                                          const RequestContext& context) const {
  return retrieval::SearchScores(*parts_, query, options, context);
}

absl::StatusOr<std::vector<Hit>> Collection::SearchRecordings(const music::Score& query,
                                                              const SearchOptions& options,
                                                              const RequestContext& context) const {
  return retrieval::SearchRecordings(*parts_, query, options, context);
}

absl::StatusOr<Identification> Collection::IdentifyAudio(const audio::Waveform& query,
                                                         const IdentifyOptions& options,
                                                         const RequestContext& context) const {
  return retrieval::IdentifyAudio(*parts_, query, options, context);
}

absl::StatusOr<Identification> Collection::IdentifyScore(const music::Score& query,
                                                         catalog::Side side,
                                                         const IdentifyOptions& options,
                                                         const RequestContext& context) const {
  return retrieval::IdentifyScore(*parts_, query, side, options, context);
}

absl::StatusOr<Identification> Collection::IdentifyEmbedded(EmbeddingSequence windows,
                                                            double duration_s,
                                                            const IdentifyOptions& options,
                                                            const RequestContext& context) const {
  return retrieval::IdentifyEmbedded(*parts_, std::move(windows), duration_s, options, context);
}

absl::StatusOr<EmbeddingSequence> Collection::EmbedAudio(const audio::Waveform& query,
                                                         const WindowPlan& plan,
                                                         const RequestContext& context) const {
  return retrieval::EmbedAudio(*parts_, query, plan, context);
}

absl::StatusOr<EmbeddingSequence> Collection::EmbedScore(const music::Score& query,
                                                         double tempo_ratio, const WindowPlan& plan,
                                                         const RequestContext& context) const {
  return retrieval::EmbedScore(*parts_, query, tempo_ratio, plan, context);
}

}  // namespace antiphon::retrieval
