// A collection for tests of the services: two pieces and two recordings to begin with, answers made
// up from the query, and a gate at which requests can be held.
#ifndef ANTIPHON_SERVER_SERVING_FAKE_COLLECTION_H_
#define ANTIPHON_SERVER_SERVING_FAKE_COLLECTION_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/retrieval/collection.h"

namespace antiphon::server {

// A C major scale in quarter notes at 120 to the minute, 3/4: `notes` beats of half a second.
music::Score ScaleScore(int notes);

// What a FakeCollection holds.
struct FakeSources {
  std::vector<catalog::Piece> pieces;
  std::vector<std::shared_ptr<const music::Score>> scores;  // of each piece
  std::vector<std::string> files;  // of each piece; empty: made up, a MIDI file of its score
  std::vector<catalog::Recording> recordings;
  std::vector<std::string>
      sounds;  // of each recording, encoded; empty: made up, as long as the recording
};

class FakeCollection final : public retrieval::Collection {
 private:
  // Shared by a collection and all that are made from it.
  struct Shared {
    std::function<void()> on_query;
    absl::Status failure;
    std::atomic<int> queries = 0;
    std::atomic<int> searches = 0;
    absl::Mutex mutex;
    matching::SearchOptions last_search ABSL_GUARDED_BY(mutex);
    matching::IdentifyOptions last_identify ABSL_GUARDED_BY(mutex);
  };

 public:
  FakeCollection();
  // Of another moment: other contents, the same model, hooks and counts.
  FakeCollection(const FakeCollection& before, FakeSources sources, int64_t generation);

  const FakeSources& sources() const { return sources_; }

  const bundle::Manifest& manifest() const override { return manifest_; }
  const std::vector<std::string>& rejected_generations() const override { return rejected_; }
  const matching::ConfidenceModel& confidence() const override { return confidence_; }
  const std::vector<catalog::Piece>& pieces() const override { return sources_.pieces; }
  const std::vector<catalog::Recording>& recordings() const override { return sources_.recordings; }
  int64_t vector_count(
      catalog::Side side) const override;  // 50 for each piece, 25 for each recording
  std::optional<int> FindPiece(std::string_view id) const override;
  std::optional<int> FindRecording(std::string_view id) const override;
  absl::StatusOr<std::shared_ptr<const music::Score>> ReadScore(int piece) const override;
  absl::StatusOr<std::string> ReadAudio(int recording) const override;
  absl::StatusOr<std::string> ReadScoreFile(int piece) const override;

  // Every window is (1, 0).
  const encoder::WindowEncoder& audio_encoder() const override;
  // kInsufficientInput for no windows; otherwise the favourite piece with confidence 0.75, heard in
  // every window, from 1.5 s on at the start of the stream.
  absl::StatusOr<matching::Identification> IdentifyEmbedded(
      matching::EmbeddingSequence windows, double duration_s,
      const matching::IdentifyOptions& options,
      const matching::RequestContext& context) const override;

  // One hit per query: the second piece or recording (the first, where there is but one), from 1.5
  // s on, the query's whole length.
  absl::StatusOr<std::vector<matching::Hit>> SearchScores(
      const audio::Waveform& query, const matching::SearchOptions& options,
      const matching::RequestContext& context) const override;
  absl::StatusOr<std::vector<matching::Hit>> SearchRecordings(
      const music::Score& query, const matching::SearchOptions& options,
      const matching::RequestContext& context) const override;
  // kInsufficientInput for silence or no notes; otherwise one candidate with confidence 0.75. Sound
  // is another performance of every recording.
  absl::StatusOr<matching::Identification> IdentifyAudio(
      const audio::Waveform& query, const matching::IdentifyOptions& options,
      const matching::RequestContext& context) const override;
  absl::StatusOr<matching::Identification> IdentifyScore(
      const music::Score& query, const matching::IdentifyOptions& options,
      const matching::RequestContext& context) const override;
  // The last piece and the first, where there are two, over their first ten seconds.
  absl::StatusOr<std::vector<matching::SharedMusic>> FindSameMusic(
      int piece, const matching::RequestContext& context) const override;
  // Windows at every hop, (1, 0) each.
  absl::StatusOr<matching::EmbeddingSequence> EmbedAudio(
      const audio::Waveform& query, const matching::WindowPlan& plan,
      const matching::RequestContext& context) const override;
  absl::StatusOr<matching::EmbeddingSequence> EmbedScore(
      const music::Score& query, double tempo_ratio, const matching::WindowPlan& plan,
      const matching::RequestContext& context) const override;

  // Of the search and the identification that began last.
  matching::SearchOptions last_search() const;
  matching::IdentifyOptions last_identify() const;

 private:
  // A piece and a recording of it.
  void AddScale(const std::string& number, const std::string& title, int notes, double recording_s);
  absl::Status Start(const matching::RequestContext& context) const;
  matching::Identification Answer(bool empty, catalog::Side side,
                                  const matching::IdentifyOptions& options) const;
  std::vector<matching::Hit> Hits(double duration_s, catalog::Side side,
                                  const matching::SearchOptions& options) const;
  int SourceCount(catalog::Side side) const;
  // The first part of a piece that is indexed by parts.
  int PartOf(catalog::Side side, int source) const;

  std::shared_ptr<Shared> shared_;
  bundle::Manifest manifest_;
  std::vector<std::string> rejected_ = {"gen-000008: catalog.sqlite is damaged"};
  matching::ConfidenceModel confidence_;
  FakeSources sources_;

 public:
  // Called by every query above once it has started, before it is asked whether to keep going.
  std::function<void()>& on_query = shared_->on_query;
  absl::Status& failure = shared_->failure;        // of every query, unless OK
  std::atomic<int>& queries = shared_->queries;    // started
  std::atomic<int>& searches = shared_->searches;  // went on to the expensive part
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVING_FAKE_COLLECTION_H_
