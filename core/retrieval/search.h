// The requests of a Collection, over its parts. Internal to core/retrieval; see collection.h for
// what they promise.
#ifndef ANTIPHON_CORE_RETRIEVAL_SEARCH_H_
#define ANTIPHON_CORE_RETRIEVAL_SEARCH_H_

#include <vector>

#include "absl/status/statusor.h"
#include "core/collection/loaded_collection.h"
#include "core/retrieval/collection.h"

namespace antiphon::retrieval {

[[nodiscard]] absl::StatusOr<std::vector<Hit>> SearchScores(const LoadedCollection& loaded,
                                                            const audio::Waveform& query,
                                                            const SearchOptions& options,
                                                            const RequestContext& context);
[[nodiscard]] absl::StatusOr<std::vector<Hit>> SearchRecordings(const LoadedCollection& loaded,
                                                                const music::Score& query,
                                                                const SearchOptions& options,
                                                                const RequestContext& context);
[[nodiscard]] absl::StatusOr<Identification> IdentifyAudio(const LoadedCollection& loaded,
                                                           const audio::Waveform& query,
                                                           const IdentifyOptions& options,
                                                           const RequestContext& context);
[[nodiscard]] absl::StatusOr<Identification> IdentifyScore(const LoadedCollection& loaded,
                                                           const music::Score& query,
                                                           catalog::Side side,
                                                           const IdentifyOptions& options,
                                                           const RequestContext& context);
[[nodiscard]] absl::StatusOr<Identification> IdentifyEmbedded(const LoadedCollection& loaded,
                                                              EmbeddingSequence windows,
                                                              double duration_s,
                                                              const IdentifyOptions& options,
                                                              const RequestContext& context);
[[nodiscard]] absl::StatusOr<EmbeddingSequence> EmbedAudio(const LoadedCollection& loaded,
                                                           const audio::Waveform& query,
                                                           const WindowPlan& plan,
                                                           const RequestContext& context);
[[nodiscard]] absl::StatusOr<EmbeddingSequence> EmbedScore(const LoadedCollection& loaded,
                                                           const music::Score& query,
                                                           double tempo_ratio,
                                                           const WindowPlan& plan,
                                                           const RequestContext& context);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_SEARCH_H_
