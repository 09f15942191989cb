// The requests of a Collection, over its parts. Internal to core/retrieval; see collection.h for
// what they promise.
#ifndef ANTIPHON_CORE_RETRIEVAL_SEARCH_H_
#define ANTIPHON_CORE_RETRIEVAL_SEARCH_H_

#include <vector>

#include "absl/status/statusor.h"
#include "core/collection/loaded_collection.h"
#include "core/retrieval/collection.h"

namespace antiphon::retrieval {

[[nodiscard]] absl::StatusOr<std::vector<matching::Hit>> SearchScores(
    const collection::LoadedCollection& loaded, const audio::Waveform& query,
    const matching::SearchOptions& options, const matching::RequestContext& context);
[[nodiscard]] absl::StatusOr<std::vector<matching::Hit>> SearchRecordings(
    const collection::LoadedCollection& loaded, const music::Score& query,
    const matching::SearchOptions& options, const matching::RequestContext& context);
[[nodiscard]] absl::StatusOr<matching::Identification> IdentifyAudio(
    const collection::LoadedCollection& loaded, const audio::Waveform& query,
    const matching::IdentifyOptions& options, const matching::RequestContext& context);
[[nodiscard]] absl::StatusOr<matching::Identification> IdentifyScore(
    const collection::LoadedCollection& loaded, const music::Score& query, catalog::Side side,
    const matching::IdentifyOptions& options, const matching::RequestContext& context);
[[nodiscard]] absl::StatusOr<matching::Identification> IdentifyEmbedded(
    const collection::LoadedCollection& loaded, matching::EmbeddingSequence windows,
    double duration_s, const matching::IdentifyOptions& options,
    const matching::RequestContext& context);
[[nodiscard]] absl::StatusOr<matching::EmbeddingSequence> EmbedAudio(
    const collection::LoadedCollection& loaded, const audio::Waveform& query,
    const matching::WindowPlan& plan, const matching::RequestContext& context);
[[nodiscard]] absl::StatusOr<matching::EmbeddingSequence> EmbedScore(
    const collection::LoadedCollection& loaded, const music::Score& query, double tempo_ratio,
    const matching::WindowPlan& plan, const matching::RequestContext& context);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_SEARCH_H_
