#include "server/fake_engine.h"

#include <algorithm>
#include <cmath>

#include "core/audio/encoder.h"

namespace antiphon::server {
namespace {

constexpr int kNotes[] = {8, 24};

retrieval::Identification Answer(bool empty, double min_confidence) {
  retrieval::Identification identification;
  if (empty) {
    identification.verdict = retrieval::Verdict::kInsufficientInput;
    return identification;
  }
  identification.windows = 5;
  retrieval::Candidate candidate;
  candidate.source = 1;
  candidate.confidence = 0.75;
  candidate.score = 0.5;
  candidate.votes = 4;
  candidate.query_s = 0.25;
  candidate.reference_s = 2.0;
  candidate.tempo_ratio = 0.8;
  identification.candidates.push_back(candidate);
  identification.verdict =
      candidate.confidence >= min_confidence ? retrieval::Verdict::kMatch : retrieval::Verdict::kNoMatch;
  return identification;
}

retrieval::Hit HitFor(double duration_s) {
  retrieval::Hit hit;
  hit.source = 1;
  hit.query_end_s = duration_s;
  hit.reference_start_s = 1.5;
  hit.reference_end_s = 1.5 + duration_s;
  hit.tempo_ratio = 1.25;
  hit.similarity = 0.9f;
  return hit;
}

retrieval::EmbeddingSequence Windows(double duration_s, double tempo_ratio, const retrieval::WindowPlan& plan) {
  retrieval::EmbeddingSequence sequence;
  sequence.dimension = 2;
  sequence.tempo_ratio = tempo_ratio;
  sequence.window_s = 2;
  for (double start = 0; start < duration_s; start += plan.hop_s * tempo_ratio) {
    sequence.start_s.push_back(start);
    sequence.embeddings.insert(sequence.embeddings.end(), {1.0f, 0.0f});
  }
  return sequence;
}

}  // namespace

music::Score ScaleScore(int notes) {
  constexpr int kScale[] = {60, 62, 64, 65, 67, 69, 71, 72};
  music::Score score;
  score.title = "Scale";
  score.tempo_map = *music::TempoMap::Create({{0, 0.5}}, {{0, 3, 4}});
  for (int i = 0; i < notes; ++i) {
    music::Note note;
    note.onset_s = 0.5 * i;
    note.offset_s = note.sounding_offset_s = 0.5 * (i + 1);
    note.pitch = kScale[i % 8];
    score.notes.push_back(note);
  }
  score.duration_s = 0.5 * notes;
  return score;
}

FakeEngine::FakeEngine() {
  manifest_.generation = 7;
  manifest_.model_id = "fake-model";
  manifest_.created = "2024-05-06T07:08:09Z";
  manifest_.dimension = 2;
  manifest_.feature_settings = features::FeatureSettings() == settings_ ? "{}" : "";
  manifest_.pieces = manifest_.recordings = 2;
  manifest_.score_vectors = 100;
  manifest_.recording_vectors = 50;
  pieces_ = {
      {.id = "p0", .title = "First Scale", .composer = "Anon", .duration_s = 4, .beats = 8, .bars = 3, .notes = 8},
      {.id = "p1", .title = "Second Scale", .composer = "Anon", .duration_s = 12, .beats = 24, .bars = 8, .notes = 24}};
  recordings_ = {{.id = "r0", .title = "First Scale", .composer = "Anon", .piece_id = "p0", .duration_s = 100},
                 {.id = "r1", .title = "Second Scale", .composer = "Anon", .piece_id = "p1", .duration_s = 5}};
}

std::optional<int> FakeEngine::FindPiece(std::string_view id) const {
  if (id == "p0") return 0;
  if (id == "p1") return 1;
  return std::nullopt;
}

std::optional<int> FakeEngine::FindRecording(std::string_view id) const {
  if (id == "r0") return 0;
  if (id == "r1") return 1;
  return std::nullopt;
}

absl::StatusOr<std::shared_ptr<const music::Score>> FakeEngine::ReadScore(int piece) const {
  return std::make_shared<const music::Score>(ScaleScore(kNotes[piece]));
}

absl::StatusOr<std::string> FakeEngine::ReadAudio(int recording) const {
  audio::Waveform waveform;
  waveform.samples.resize(static_cast<size_t>(recordings_[recording].duration_s * waveform.sample_rate));
  for (size_t i = 0; i < waveform.samples.size(); ++i)
    waveform.samples[i] = 0.5f * std::sin(0.1f * static_cast<float>(i % 5000));
  return audio::EncodeAudio(waveform, audio::AudioFormat::kFlac);
}

absl::Status FakeEngine::Start(const retrieval::RequestContext& context) const {
  ++queries;
  if (on_query) on_query();
  if (!failure.ok()) return failure;
  if (context.keep_going) {
    if (absl::Status status = context.keep_going(); !status.ok()) return status;
  }
  ++searches;
  if (context.on_stage) context.on_stage(retrieval::Stage::kSearch, 0.001);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<retrieval::Hit>> FakeEngine::SearchScores(const audio::Waveform& query,
                                                                     const retrieval::SearchOptions& options,
                                                                     const retrieval::RequestContext& context) const {
  if (absl::Status status = Start(context); !status.ok()) return status;
  return std::vector<retrieval::Hit>{HitFor(query.duration_s())};
}

absl::StatusOr<std::vector<retrieval::Hit>> FakeEngine::SearchRecordings(
    const music::Score& query, const retrieval::SearchOptions& options,
    const retrieval::RequestContext& context) const {
  if (absl::Status status = Start(context); !status.ok()) return status;
  return std::vector<retrieval::Hit>{HitFor(query.duration_s)};
}

absl::StatusOr<retrieval::Identification> FakeEngine::IdentifyAudio(const audio::Waveform& query,
                                                                    const retrieval::IdentifyOptions& options,
                                                                    const retrieval::RequestContext& context) const {
  if (absl::Status status = Start(context); !status.ok()) return status;
  const bool silent =
      std::all_of(query.samples.begin(), query.samples.end(), [](float x) { return std::abs(x) < 1e-4f; });
  return Answer(silent, options.min_confidence.value_or(0.5));
}

absl::StatusOr<retrieval::Identification> FakeEngine::IdentifyScore(const music::Score& query, catalog::Side side,
                                                                    const retrieval::IdentifyOptions& options,
                                                                    const retrieval::RequestContext& context) const {
  if (absl::Status status = Start(context); !status.ok()) return status;
  return Answer(query.notes.empty(), options.min_confidence.value_or(0.5));
}

absl::StatusOr<retrieval::EmbeddingSequence> FakeEngine::EmbedAudio(const audio::Waveform& query,
                                                                    const retrieval::WindowPlan& plan,
                                                                    const retrieval::RequestContext& context) const {
  if (absl::Status status = Start(context); !status.ok()) return status;
  return Windows(query.duration_s(), 1.0, plan);
}

absl::StatusOr<retrieval::EmbeddingSequence> FakeEngine::EmbedScore(const music::Score& query, double tempo_ratio,
                                                                    const retrieval::WindowPlan& plan,
                                                                    const retrieval::RequestContext& context) const {
  if (absl::Status status = Start(context); !status.ok()) return status;
  return Windows(query.duration_s, tempo_ratio, plan);
}

}  // namespace antiphon::server
