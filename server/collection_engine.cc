#include "server/collection_engine.h"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <string_view>
#include <utility>

#include "core/music/midi_file.h"
#include "core/retrieval/contents.h"
#include "server/score_cache.h"

namespace antiphon::server {
namespace {

// About 60 bytes each.
constexpr int64_t kCachedNotes = 2'000'000;

class CollectionEngine final : public Engine {
 public:
  explicit CollectionEngine(std::shared_ptr<const retrieval::Collection> collection)
      : collection_(std::move(collection)), scores_([this](int piece) { return ParseScore(piece); }, kCachedNotes) {}

  const bundle::Manifest& manifest() const override { return collection_->manifest(); }
  const std::vector<std::string>& rejected_generations() const override { return collection_->rejected_generations(); }
  const features::FeatureSettings& feature_settings() const override { return collection_->encoder_info().settings; }

  const retrieval::ConfidenceModel& confidence() const override { return collection_->confidence(); }

  const std::vector<catalog::Piece>& pieces() const override { return collection_->contents().pieces(); }
  const std::vector<catalog::Recording>& recordings() const override { return collection_->contents().recordings(); }
  int64_t vector_count(catalog::Side side) const override { return collection_->contents().vector_count(side); }
  std::optional<int> FindPiece(std::string_view id) const override { return collection_->contents().FindPiece(id); }
  std::optional<int> FindRecording(std::string_view id) const override {
    return collection_->contents().FindRecording(id);
  }
  absl::StatusOr<std::shared_ptr<const music::Score>> ReadScore(int piece) const override { return scores_.Get(piece); }
  absl::StatusOr<std::string> ReadAudio(int recording) const override {
    return collection_->contents().ReadAudio(recording);
  }

  const encoder::WindowEncoder& audio_encoder() const override { return collection_->audio_encoder(); }
  absl::StatusOr<retrieval::Identification> IdentifyEmbedded(retrieval::EmbeddingSequence windows, double duration_s,
                                                             const retrieval::IdentifyOptions& options,
                                                             const retrieval::RequestContext& context) const override {
    return collection_->IdentifyEmbedded(std::move(windows), duration_s, options, context);
  }
  absl::StatusOr<std::vector<retrieval::Hit>> SearchScores(const audio::Waveform& query,
                                                           const retrieval::SearchOptions& options,
                                                           const retrieval::RequestContext& context) const override {
    return collection_->SearchScores(query, options, context);
  }
  absl::StatusOr<std::vector<retrieval::Hit>> SearchRecordings(
      const music::Score& query, const retrieval::SearchOptions& options,
      const retrieval::RequestContext& context) const override {
    return collection_->SearchRecordings(query, options, context);
  }
  absl::StatusOr<retrieval::Identification> IdentifyAudio(const audio::Waveform& query,
                                                          const retrieval::IdentifyOptions& options,
                                                          const retrieval::RequestContext& context) const override {
    return collection_->IdentifyAudio(query, options, context);
  }
  absl::StatusOr<retrieval::Identification> IdentifyScore(const music::Score& query, catalog::Side side,
                                                          const retrieval::IdentifyOptions& options,
                                                          const retrieval::RequestContext& context) const override {
    return collection_->IdentifyScore(query, side, options, context);
  }
  absl::StatusOr<retrieval::EmbeddingSequence> EmbedAudio(const audio::Waveform& query,
                                                          const retrieval::WindowPlan& plan,
                                                          const retrieval::RequestContext& context) const override {
    return collection_->EmbedAudio(query, plan, context);
  }
  absl::StatusOr<retrieval::EmbeddingSequence> EmbedScore(const music::Score& query, double tempo_ratio,
                                                          const retrieval::WindowPlan& plan,
                                                          const retrieval::RequestContext& context) const override {
    return collection_->EmbedScore(query, tempo_ratio, plan, context);
  }

 private:
  // Failures here are the collection's, not a client's.
  absl::StatusOr<music::Score> ParseScore(int piece) const {
    const absl::StatusOr<std::string> midi = collection_->contents().ReadMidi(piece);
    if (!midi.ok()) return midi.status();
    absl::StatusOr<music::Score> score = music::ReadMidi(*midi);
    if (!score.ok()) return absl::DataLossError(score.status().message());
    return score;
  }

  const std::shared_ptr<const retrieval::Collection> collection_;
  mutable ScoreCache scores_;
};

}  // namespace

std::shared_ptr<const Engine> MakeCollectionEngine(std::shared_ptr<const retrieval::Collection> collection) {
  return std::make_shared<const CollectionEngine>(std::move(collection));
}

absl::Status WarmUp(const Engine& engine) {
  const int rate = engine.feature_settings().sample_rate;
  const double length_s = 2 * engine.feature_settings().window_s();
  audio::Waveform sound;
  sound.sample_rate = rate;
  sound.samples.resize(static_cast<size_t>(length_s * rate));
  music::Score score;
  score.duration_s = length_s;
  constexpr int kPitches[] = {60, 64, 67, 72};
  for (int i = 0; i < 4; ++i) {
    const double onset_s = i * length_s / 4;
    const double hertz = 440.0 * std::exp2((kPitches[i] - 69) / 12.0);
    const auto first = static_cast<size_t>(onset_s * rate);
    for (size_t n = first; n < sound.samples.size(); ++n) {
      const double t = static_cast<double>(n - first) / rate;
      sound.samples[n] += static_cast<float>(0.2 * std::exp(-2 * t) * std::sin(2 * std::numbers::pi * hertz * t));
    }
    music::Note note;
    note.onset_s = onset_s;
    note.offset_s = note.sounding_offset_s = onset_s + length_s / 4;
    note.pitch = kPitches[i];
    score.notes.push_back(note);
  }
  if (auto answer = engine.IdentifyAudio(sound, {}, {}); !answer.ok()) return answer.status();
  return engine.SearchRecordings(score, {}, {}).status();
}

}  // namespace antiphon::server
