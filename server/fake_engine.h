// A collection for tests of the services: two pieces, two recordings, answers made up from the query, and a gate at
// which requests can be held.
#ifndef ANTIPHON_SERVER_FAKE_ENGINE_H_
#define ANTIPHON_SERVER_FAKE_ENGINE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/engine.h"

namespace antiphon::server {

// A C major scale in quarter notes at 120 to the minute, 3/4: `notes` beats of half a second.
music::Score ScaleScore(int notes);

class FakeEngine final : public Engine {
 public:
  FakeEngine();

  const bundle::Manifest& manifest() const override { return manifest_; }
  const std::vector<std::string>& rejected_generations() const override { return rejected_; }
  const features::FeatureSettings& feature_settings() const override { return settings_; }
  const std::vector<catalog::Piece>& pieces() const override { return pieces_; }
  const std::vector<catalog::Recording>& recordings() const override { return recordings_; }
  std::optional<int> FindPiece(std::string_view id) const override;
  std::optional<int> FindRecording(std::string_view id) const override;
  absl::StatusOr<std::shared_ptr<const music::Score>> ReadScore(int piece) const override;
  absl::StatusOr<std::string> ReadAudio(int recording) const override;

  // One hit per query: the second piece or recording, from 1.5 s on, the query's whole length.
  absl::StatusOr<std::vector<retrieval::Hit>> SearchScores(const audio::Waveform& query,
                                                           const retrieval::SearchOptions& options,
                                                           const retrieval::RequestContext& context) const override;
  absl::StatusOr<std::vector<retrieval::Hit>> SearchRecordings(const music::Score& query,
                                                               const retrieval::SearchOptions& options,
                                                               const retrieval::RequestContext& context) const override;
  // kInsufficientInput for silence or no notes; otherwise one candidate with confidence 0.75.
  absl::StatusOr<retrieval::Identification> IdentifyAudio(const audio::Waveform& query,
                                                          const retrieval::IdentifyOptions& options,
                                                          const retrieval::RequestContext& context) const override;
  absl::StatusOr<retrieval::Identification> IdentifyScore(const music::Score& query, catalog::Side side,
                                                          const retrieval::IdentifyOptions& options,
                                                          const retrieval::RequestContext& context) const override;
  // Windows at every hop, (1, 0) each.
  absl::StatusOr<retrieval::EmbeddingSequence> EmbedAudio(const audio::Waveform& query,
                                                          const retrieval::WindowPlan& plan,
                                                          const retrieval::RequestContext& context) const override;
  absl::StatusOr<retrieval::EmbeddingSequence> EmbedScore(const music::Score& query, double tempo_ratio,
                                                          const retrieval::WindowPlan& plan,
                                                          const retrieval::RequestContext& context) const override;

  // Called by every query above once it has started, before it is asked whether to keep going.
  std::function<void()> on_query;
  absl::Status failure;                   // of every query, unless OK
  mutable std::atomic<int> queries = 0;   // started
  mutable std::atomic<int> searches = 0;  // went on to the expensive part

 private:
  absl::Status Start(const retrieval::RequestContext& context) const;

  bundle::Manifest manifest_;
  std::vector<std::string> rejected_ = {"gen-000008: catalog.sqlite is damaged"};
  features::FeatureSettings settings_;
  std::vector<catalog::Piece> pieces_;
  std::vector<catalog::Recording> recordings_;
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_FAKE_ENGINE_H_
