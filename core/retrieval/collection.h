// A loaded bundle that answers: what in the collection matches this sound, this score; which piece
// is it, and where in it.
//
// Immutable once open; every method is safe from any thread. Shares encoders and contents with the
// collections made from it.
#ifndef ANTIPHON_CORE_RETRIEVAL_COLLECTION_H_
#define ANTIPHON_CORE_RETRIEVAL_COLLECTION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/bundle/bundle.h"
#include "core/catalog/catalog.h"
#include "core/collection/loaded_collection.h"
#include "core/encoder/window_encoder.h"
#include "core/features/audio_front_end.h"
#include "core/matching/answer.h"
#include "core/matching/confidence.h"
#include "core/matching/embedding_sequence.h"
#include "core/matching/request.h"
#include "core/music/score.h"

namespace antiphon::retrieval {

class Collection {
 public:
  // Opens the bundle's current generation (see OpenBundle) and warms the encoders up. Fails as its
  // parts do, or with DataLoss when they do not fit together.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<const Collection>> Open(
      const std::string& bundle_root, const collection::CollectionOptions& options = {});
  // Of parts that have been checked (loaded_collection.h), for retrieval itself.
  static std::shared_ptr<const Collection> Make(
      std::shared_ptr<const collection::LoadedCollection> loaded);
  ~Collection();

  const collection::LoadedCollection& loaded() const;

  const bundle::Manifest& manifest() const;
  const std::vector<std::string>& rejected_generations() const;
  const collection::CollectionView& view() const;
  const matching::ConfidenceModel& confidence() const;
  const encoder::EncoderInfo& encoder_info()
      const;  // of the audio encoder; the score encoder agrees with it
  const encoder::WindowEncoder& audio_encoder() const;
  const features::AudioFrontEnd& front_end() const;

  // All of the following: sound must have encoder_info().settings.sample_rate. InvalidArgument
  // names the option or input that is out of range; ResourceExhausted is a score too large to read;
  // Internal an encoder's or index's failure.

  // The scores that sound like the query; the recordings that sound like the score, which is tried
  // at all DefaultTempoRatios(). Silence (nothing above -70 dBFS), no notes, or less than half a
  // window has no hits.
  [[nodiscard]] absl::StatusOr<std::vector<matching::Hit>> SearchScores(
      const audio::Waveform& query, const matching::SearchOptions& options,
      const matching::RequestContext& context = {}) const;
  [[nodiscard]] absl::StatusOr<std::vector<matching::Hit>> SearchRecordings(
      const music::Score& query, const matching::SearchOptions& options,
      const matching::RequestContext& context = {}) const;

  // Against the scores (audio query, score query) or, for a score query, the recordings, as `side`
  // says; an audio query against recordings is Unimplemented.
  [[nodiscard]] absl::StatusOr<matching::Identification> IdentifyAudio(
      const audio::Waveform& query, const matching::IdentifyOptions& options,
      const matching::RequestContext& context = {}) const;
  [[nodiscard]] absl::StatusOr<matching::Identification> IdentifyScore(
      const music::Score& query, catalog::Side side, const matching::IdentifyOptions& options,
      const matching::RequestContext& context = {}) const;

  // The score that goes with sound whose windows have been embedded by audio_encoder(), for callers
  // that keep embeddings from one question to the next. Times in the answer are those of `windows`;
  // `duration_s` is where the sound ends by them. The options' hop, number of windows, excerpt and
  // transposition do not matter. No windows are kInsufficientInput; whether they are silent the
  // caller must know (core/features/audible.h). InvalidArgument unless `windows` is finite and of
  // the encoder's dimension.
  [[nodiscard]] absl::StatusOr<matching::Identification> IdentifyEmbedded(
      matching::EmbeddingSequence windows, double duration_s,
      const matching::IdentifyOptions& options, const matching::RequestContext& context = {}) const;

  [[nodiscard]] absl::StatusOr<matching::EmbeddingSequence> EmbedAudio(
      const audio::Waveform& query, const matching::WindowPlan& plan,
      const matching::RequestContext& context = {}) const;
  [[nodiscard]] absl::StatusOr<matching::EmbeddingSequence> EmbedScore(
      const music::Score& query, double tempo_ratio, const matching::WindowPlan& plan,
      const matching::RequestContext& context = {}) const;

 private:
  explicit Collection(std::shared_ptr<const collection::LoadedCollection> loaded);
  const std::shared_ptr<const collection::LoadedCollection> loaded_;
};

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_COLLECTION_H_
