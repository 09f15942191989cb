// The Collection of a bundle: answers from its encoders, indexes and catalogue.
//
// Immutable; every method is safe from any thread. Shares its parts with the collections made of
// the same ones: copies of loaded() with another view are collections of their own.
#ifndef ANTIPHON_CORE_RETRIEVAL_BUNDLE_COLLECTION_H_
#define ANTIPHON_CORE_RETRIEVAL_BUNDLE_COLLECTION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/collection/loaded_collection.h"
#include "core/retrieval/collection.h"

namespace antiphon::retrieval {

class BundleCollection : public Collection {
 public:
  // Opens the bundle's current generation (see OpenBundle) and warms the encoders up. Fails as its
  // parts do, or with DataLoss when they do not fit together.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<const BundleCollection>> Open(
      const std::string& bundle_root, const collection::CollectionOptions& options = {});

  // Requires parts that CheckParts accepts.
  explicit BundleCollection(std::shared_ptr<const collection::LoadedCollection> loaded);

  const collection::LoadedCollection& loaded() const { return *loaded_; }
  const collection::CollectionView& view() const { return *loaded_->view; }

  const bundle::Manifest& manifest() const override { return loaded_->manifest; }
  const std::vector<std::string>& rejected_generations() const override {
    return loaded_->rejected_generations;
  }
  const matching::ConfidenceModel& confidence() const override { return loaded_->confidence; }
  const encoder::WindowEncoder& audio_encoder() const override { return *loaded_->audio_encoder; }

  const std::vector<catalog::Piece>& pieces() const override { return view().pieces(); }
  const std::vector<catalog::Recording>& recordings() const override { return view().recordings(); }
  int64_t vector_count(catalog::Side side) const override { return view().vector_count(side); }
  std::optional<int> FindPiece(std::string_view id) const override { return view().FindPiece(id); }
  std::optional<int> FindRecording(std::string_view id) const override {
    return view().FindRecording(id);
  }
  // From the score cache, where the collection has one.
  absl::StatusOr<std::shared_ptr<const music::Score>> ReadScore(int piece) const override;
  absl::StatusOr<std::string> ReadAudio(int recording) const override {
    return view().ReadAudio(recording);
  }
  absl::StatusOr<std::string> ReadScoreFile(int piece) const override {
    return view().ReadMidi(piece);
  }

  absl::StatusOr<std::vector<matching::Hit>> SearchScores(
      const audio::Waveform& query, const matching::SearchOptions& options,
      const matching::RequestContext& context) const override;
  absl::StatusOr<std::vector<matching::Hit>> SearchRecordings(
      const music::Score& query, const matching::SearchOptions& options,
      const matching::RequestContext& context) const override;
  absl::StatusOr<matching::Identification> IdentifyAudio(
      const audio::Waveform& query, const matching::IdentifyOptions& options,
      const matching::RequestContext& context) const override;
  absl::StatusOr<matching::Identification> IdentifyScore(
      const music::Score& query, const matching::IdentifyOptions& options,
      const matching::RequestContext& context) const override;
  absl::StatusOr<matching::Identification> IdentifyEmbedded(
      matching::EmbeddingSequence windows, double duration_s,
      const matching::IdentifyOptions& options,
      const matching::RequestContext& context) const override;
  absl::StatusOr<std::vector<matching::SharedMusic>> FindSameMusic(
      int piece, const matching::RequestContext& context) const override;
  absl::StatusOr<matching::EmbeddingSequence> EmbedAudio(
      const audio::Waveform& query, const matching::WindowPlan& plan,
      const matching::RequestContext& context) const override;
  absl::StatusOr<matching::EmbeddingSequence> EmbedScore(
      const music::Score& query, double tempo_ratio, const matching::WindowPlan& plan,
      const matching::RequestContext& context) const override;

 private:
  const std::shared_ptr<const collection::LoadedCollection> loaded_;
};

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_BUNDLE_COLLECTION_H_
