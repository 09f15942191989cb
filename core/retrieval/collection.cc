#include "core/retrieval/collection.h"

#include <utility>

#include "core/retrieval/collection_parts.h"
#include "core/retrieval/search.h"

namespace antiphon::retrieval {

struct Collection::Impl {
  std::unique_ptr<CollectionParts> parts;
};

Collection::Collection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Collection::~Collection() = default;

absl::StatusOr<std::unique_ptr<const Collection>> Collection::Open(const std::string& bundle_root,
                                                                   const CollectionOptions& options) {
  absl::StatusOr<std::unique_ptr<CollectionParts>> parts = OpenParts(bundle_root, options);
  if (!parts.ok()) return parts.status();
  return std::unique_ptr<const Collection>(new Collection(std::make_unique<Impl>(Impl{*std::move(parts)})));
}

const bundle::Manifest& Collection::manifest() const { return impl_->parts->manifest; }
const ConfidenceModel& Collection::confidence() const { return impl_->parts->confidence; }

const std::vector<std::string>& Collection::rejected_generations() const { return impl_->parts->rejected_generations; }
const catalog::Catalog& Collection::catalog() const { return *impl_->parts->catalog; }
const encoder::EncoderInfo& Collection::encoder_info() const { return impl_->parts->audio_encoder->info(); }

const encoder::WindowEncoder& Collection::audio_encoder() const { return *impl_->parts->audio_encoder; }
const features::AudioFrontEnd& Collection::front_end() const { return *impl_->parts->front_end; }

absl::StatusOr<std::vector<Hit>> Collection::SearchScores(const audio::Waveform& query, const SearchOptions& options,
                                                          const RequestContext& context) const {
  return retrieval::SearchScores(*impl_->parts, query, options, context);
}

absl::StatusOr<std::vector<Hit>> Collection::SearchRecordings(const music::Score& query, const SearchOptions& options,
                                                              const RequestContext& context) const {
  return retrieval::SearchRecordings(*impl_->parts, query, options, context);
}

absl::StatusOr<Identification> Collection::IdentifyAudio(const audio::Waveform& query, const IdentifyOptions& options,
                                                         const RequestContext& context) const {
  return retrieval::IdentifyAudio(*impl_->parts, query, options, context);
}

absl::StatusOr<Identification> Collection::IdentifyScore(const music::Score& query, catalog::Side side,
                                                         const IdentifyOptions& options,
                                                         const RequestContext& context) const {
  return retrieval::IdentifyScore(*impl_->parts, query, side, options, context);
}

absl::StatusOr<Identification> Collection::IdentifyEmbedded(EmbeddingSequence windows, double duration_s,
                                                            const IdentifyOptions& options,
                                                            const RequestContext& context) const {
  return retrieval::IdentifyEmbedded(*impl_->parts, std::move(windows), duration_s, options, context);
}

absl::StatusOr<EmbeddingSequence> Collection::EmbedAudio(const audio::Waveform& query, const WindowPlan& plan,
                                                         const RequestContext& context) const {
  return retrieval::EmbedAudio(*impl_->parts, query, plan, context);
}

absl::StatusOr<EmbeddingSequence> Collection::EmbedScore(const music::Score& query, double tempo_ratio,
                                                         const WindowPlan& plan, const RequestContext& context) const {
  return retrieval::EmbedScore(*impl_->parts, query, tempo_ratio, plan, context);
}

}  // namespace antiphon::retrieval
