// What the services need of a collection. CollectionEngine is the real one; tests have their own.
//
// Implementations are immutable and safe from any thread. A request holds on to the engine it
// started on.
#ifndef ANTIPHON_SERVER_SERVING_ENGINE_H_
#define ANTIPHON_SERVER_SERVING_ENGINE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/bundle/manifest.h"
#include "core/catalog/catalog.h"
#include "core/collection/embedder.h"
#include "core/features/settings.h"
#include "core/matching/confidence.h"
#include "core/music/score.h"
#include "core/retrieval/collection.h"

namespace antiphon::server {

class Engine {
 public:
  virtual ~Engine() = default;

  virtual const bundle::Manifest& manifest() const = 0;
  virtual const std::vector<std::string>& rejected_generations() const = 0;
  virtual const features::FeatureSettings& feature_settings() const = 0;

  virtual const matching::ConfidenceModel& confidence() const = 0;

  // As retrieval::Contents; positions are those of hits and candidates.
  virtual const std::vector<catalog::Piece>& pieces() const = 0;
  virtual const std::vector<catalog::Recording>& recordings() const = 0;
  virtual int64_t vector_count(catalog::Side side) const = 0;
  virtual std::optional<int> FindPiece(std::string_view id) const = 0;
  virtual std::optional<int> FindRecording(std::string_view id) const = 0;
  virtual absl::StatusOr<std::shared_ptr<const music::Score>> ReadScore(int piece) const = 0;
  virtual absl::StatusOr<std::string> ReadAudio(int recording) const = 0;

  // As retrieval::Collection.
  virtual const encoder::WindowEncoder& audio_encoder() const = 0;
  virtual absl::StatusOr<matching::Identification> IdentifyEmbedded(
      matching::EmbeddingSequence windows, double duration_s,
      const matching::IdentifyOptions& options, const matching::RequestContext& context) const = 0;
  virtual absl::StatusOr<std::vector<matching::Hit>> SearchScores(
      const audio::Waveform& query, const matching::SearchOptions& options,
      const matching::RequestContext& context) const = 0;
  virtual absl::StatusOr<std::vector<matching::Hit>> SearchRecordings(
      const music::Score& query, const matching::SearchOptions& options,
      const matching::RequestContext& context) const = 0;
  virtual absl::StatusOr<matching::Identification> IdentifyAudio(
      const audio::Waveform& query, const matching::IdentifyOptions& options,
      const matching::RequestContext& context) const = 0;
  virtual absl::StatusOr<matching::Identification> IdentifyScore(
      const music::Score& query, catalog::Side side, const matching::IdentifyOptions& options,
      const matching::RequestContext& context) const = 0;
  virtual absl::StatusOr<matching::EmbeddingSequence> EmbedAudio(
      const audio::Waveform& query, const matching::WindowPlan& plan,
      const matching::RequestContext& context) const = 0;
  virtual absl::StatusOr<matching::EmbeddingSequence> EmbedScore(
      const music::Score& query, double tempo_ratio, const matching::WindowPlan& plan,
      const matching::RequestContext& context) const = 0;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVING_ENGINE_H_
