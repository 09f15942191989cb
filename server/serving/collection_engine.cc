#include "server/serving/collection_engine.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/collection/collection_view.h"
#include "core/music/midi_file.h"

namespace antiphon::server {
namespace {

class CollectionEngine final : public Engine {
 public:
  CollectionEngine(std::shared_ptr<const retrieval::Collection> collection,
                   std::shared_ptr<ScoreCache> scores)
      : collection_(std::move(collection)), scores_(std::move(scores)) {}

  const bundle::Manifest& manifest() const override { return collection_->manifest(); }
  const std::vector<std::string>& rejected_generations() const override {
    return collection_->rejected_generations();
  }
  const features::FeatureSettings& feature_settings() const override {
    return collection_->encoder_info().settings;
  }

  const matching::ConfidenceModel& confidence() const override { return collection_->confidence(); }

  const std::vector<catalog::Piece>& pieces() const override {
    return collection_->view().pieces();
  }
  const std::vector<catalog::Recording>& recordings() const override {
    return collection_->view().recordings();
  }
  int64_t vector_count(catalog::Side side) const override {
    return collection_->view().vector_count(side);
  }
  std::optional<int> FindPiece(std::string_view id) const override {
    return collection_->view().FindPiece(id);
  }
  std::optional<int> FindRecording(std::string_view id) const override {
    return collection_->view().FindRecording(id);
  }
  absl::StatusOr<std::shared_ptr<const music::Score>> ReadScore(int piece) const override {
    const catalog::Piece& named = pieces().at(piece);
    const std::string key = absl::StrCat(manifest().origin, "/", named.version, "/", named.id);
    return scores_->Get(key, [&] { return ParseScore(piece); });
  }
  absl::StatusOr<std::string> ReadAudio(int recording) const override {
    return collection_->view().ReadAudio(recording);
  }

  const encoder::WindowEncoder& audio_encoder() const override {
    return collection_->audio_encoder();
  }
  absl::StatusOr<matching::Identification> IdentifyEmbedded(
      matching::EmbeddingSequence windows, double duration_s,
      const matching::IdentifyOptions& options,
      const matching::RequestContext& context) const override {
    return collection_->IdentifyEmbedded(std::move(windows), duration_s, options, context);
  }
  absl::StatusOr<std::vector<matching::Hit>> SearchScores(
      const audio::Waveform& query, const matching::SearchOptions& options,
      const matching::RequestContext& context) const override {
    return collection_->SearchScores(query, options, context);
  }
  absl::StatusOr<std::vector<matching::Hit>> SearchRecordings(
      const music::Score& query, const matching::SearchOptions& options,
      const matching::RequestContext& context) const override {
    return collection_->SearchRecordings(query, options, context);
  }
  absl::StatusOr<matching::Identification> IdentifyAudio(
      const audio::Waveform& query, const matching::IdentifyOptions& options,
      const matching::RequestContext& context) const override {
    return collection_->IdentifyAudio(query, options, context);
  }
  absl::StatusOr<matching::Identification> IdentifyScore(
      const music::Score& query, catalog::Side side, const matching::IdentifyOptions& options,
      const matching::RequestContext& context) const override {
    return collection_->IdentifyScore(query, side, options, context);
  }
  absl::StatusOr<matching::EmbeddingSequence> EmbedAudio(
      const audio::Waveform& query, const matching::WindowPlan& plan,
      const matching::RequestContext& context) const override {
    return collection_->EmbedAudio(query, plan, context);
  }
  absl::StatusOr<matching::EmbeddingSequence> EmbedScore(
      const music::Score& query, double tempo_ratio, const matching::WindowPlan& plan,
      const matching::RequestContext& context) const override {
    return collection_->EmbedScore(query, tempo_ratio, plan, context);
  }

 private:
  // Failures here are the collection's, not a client's.
  absl::StatusOr<music::Score> ParseScore(int piece) const {
    ASSIGN_OR_RETURN(const std::string midi, collection_->view().ReadMidi(piece));
    absl::StatusOr<music::Score> score = music::ReadMidi(midi);
    if (!score.ok()) return absl::DataLossError(score.status().message());
    return score;
  }

  const std::shared_ptr<const retrieval::Collection> collection_;
  const std::shared_ptr<ScoreCache> scores_;
};

}  // namespace

std::shared_ptr<const Engine> MakeCollectionEngine(
    std::shared_ptr<const retrieval::Collection> collection, std::shared_ptr<ScoreCache> scores) {
  return std::make_shared<const CollectionEngine>(std::move(collection), std::move(scores));
}

}  // namespace antiphon::server
