// The collection as its callers see it: its sources, and the requests it answers. Which pieces or
// recordings match this sound or this score; which piece is it, and where in it.
//
// An interface only, free of LibTorch and FAISS. BundleCollection (bundle_collection.h) is the real
// one; tests of the server have their own. Implementations are immutable and safe from any thread:
// an edit makes another collection, and a request holds on to the one it started on.
#ifndef ANTIPHON_CORE_RETRIEVAL_COLLECTION_H_
#define ANTIPHON_CORE_RETRIEVAL_COLLECTION_H_

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
#include "core/encoder/window_encoder.h"
#include "core/features/settings.h"
#include "core/matching/answer.h"
#include "core/matching/confidence.h"
#include "core/matching/embedding_sequence.h"
#include "core/matching/request.h"
#include "core/music/score.h"

namespace antiphon::retrieval {

class Collection {
 public:
  virtual ~Collection() = default;

  virtual const bundle::Manifest& manifest() const = 0;
  virtual const std::vector<std::string>& rejected_generations() const = 0;
  virtual const matching::ConfidenceModel& confidence() const = 0;

  // Encodes windows of sound. The score encoder has the same dimension, settings and model.
  virtual const encoder::WindowEncoder& audio_encoder() const = 0;
  const encoder::EncoderInfo& encoder_info() const { return audio_encoder().info(); }
  const features::FeatureSettings& feature_settings() const { return encoder_info().settings; }

  // The sources. Hits and candidates name them by their positions in these lists.
  virtual const std::vector<catalog::Piece>& pieces() const = 0;
  virtual const std::vector<catalog::Recording>& recordings() const = 0;
  virtual int64_t vector_count(catalog::Side side) const = 0;  // that can be found
  virtual std::optional<int> FindPiece(std::string_view id) const = 0;
  virtual std::optional<int> FindRecording(std::string_view id) const = 0;

  // The contents of the source at a valid position: a parsed score, encoded audio. DataLoss when
  // they cannot be read.
  [[nodiscard]] virtual absl::StatusOr<std::shared_ptr<const music::Score>> ReadScore(
      int piece) const = 0;
  [[nodiscard]] virtual absl::StatusOr<std::string> ReadAudio(int recording) const = 0;
  // A score's file as it was given, byte by byte.
  [[nodiscard]] virtual absl::StatusOr<std::string> ReadScoreFile(int piece) const = 0;

  // All of the following: sound must have encoder_info().settings.sample_rate. InvalidArgument
  // names the option or input that is out of range; ResourceExhausted is a score too large to read;
  // Internal an encoder's or index's failure. Overriders repeat no default argument.

  // The scores that sound like the query; the recordings that sound like the score, which is tried
  // at all DefaultTempoRatios(). Silence (nothing above -70 dBFS), no notes, or less than half a
  // window has no hits.
  [[nodiscard]] virtual absl::StatusOr<std::vector<matching::Hit>> SearchScores(
      const audio::Waveform& query, const matching::SearchOptions& options,
      const matching::RequestContext& context = {}) const = 0;
  [[nodiscard]] virtual absl::StatusOr<std::vector<matching::Hit>> SearchRecordings(
      const music::Score& query, const matching::SearchOptions& options,
      const matching::RequestContext& context = {}) const = 0;

  // Against the scores or the recordings. Sound finds the recording that it is from, and others of
  // the same music at about the same tempo: which it is says Candidate::performance.
  [[nodiscard]] virtual absl::StatusOr<matching::Identification> IdentifyAudio(
      const audio::Waveform& query, const matching::IdentifyOptions& options,
      const matching::RequestContext& context = {}) const = 0;
  [[nodiscard]] virtual absl::StatusOr<matching::Identification> IdentifyScore(
      const music::Score& query, const matching::IdentifyOptions& options,
      const matching::RequestContext& context = {}) const = 0;

  // What goes with sound whose windows have been embedded by audio_encoder(), for callers
  // that keep embeddings from one question to the next. Times in the answer are those of `windows`;
  // `duration_s` is where the sound ends by them. The options' hop, number of windows, excerpt and
  // transposition do not matter. No windows are kInsufficientInput; whether they are silent the
  // caller must know (core/features/audible.h). InvalidArgument unless `windows` is finite and of
  // the encoder's dimension.
  [[nodiscard]] virtual absl::StatusOr<matching::Identification> IdentifyEmbedded(
      matching::EmbeddingSequence windows, double duration_s,
      const matching::IdentifyOptions& options,
      const matching::RequestContext& context = {}) const = 0;

  // Where the other pieces hold the same music as the one at a valid position, for 8 s or more; the
  // longest first. It costs about as much as an identification of a long recording.
  [[nodiscard]] virtual absl::StatusOr<std::vector<matching::SharedMusic>> FindSameMusic(
      int piece, const matching::RequestContext& context = {}) const = 0;

  [[nodiscard]] virtual absl::StatusOr<matching::EmbeddingSequence> EmbedAudio(
      const audio::Waveform& query, const matching::WindowPlan& plan,
      const matching::RequestContext& context = {}) const = 0;
  [[nodiscard]] virtual absl::StatusOr<matching::EmbeddingSequence> EmbedScore(
      const music::Score& query, double tempo_ratio, const matching::WindowPlan& plan,
      const matching::RequestContext& context = {}) const = 0;
};

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_COLLECTION_H_
