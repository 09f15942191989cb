#include "server/serving/fake_collection.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/audio/encoder.h"
#include "core/base/status_macros.h"
#include "core/music/midi_file.h"

namespace antiphon::server {
namespace {

// The source that every answer names, if there is one.
constexpr int kFavourite = 1;

matching::EmbeddingSequence Windows(double duration_s, double tempo_ratio,
                                    const matching::WindowPlan& plan) {
  matching::EmbeddingSequence sequence;
  sequence.dimension = 2;
  sequence.tempo_ratio = tempo_ratio;
  sequence.window_s = 2;
  for (double start = 0; start < duration_s; start += plan.hop_s * tempo_ratio) {
    sequence.start_s.push_back(start);
    sequence.embeddings.insert(sequence.embeddings.end(), {1.0f, 0.0f});
  }
  return sequence;
}

// Hears no difference between one window and another.
class FakeWindowEncoder final : public encoder::WindowEncoder {
 public:
  FakeWindowEncoder() {
    info_.model_id = "fake-model";
    info_.dimension = 2;
    info_.channels = 1;
    info_.bands = info_.settings.bands;
  }
  const encoder::EncoderInfo& info() const override { return info_; }
  absl::StatusOr<std::vector<float>> Encode(std::span<const uint8_t> windows) const override {
    std::vector<float> rows;
    const size_t window_bytes = static_cast<size_t>(info_.settings.window_frames) * info_.bands;
    for (size_t i = 0; i < windows.size() / window_bytes; ++i)
      rows.insert(rows.end(), {1.0f, 0.0f});
    return rows;
  }

 private:
  encoder::EncoderInfo info_;
};

matching::Evidence Window(double query_start_s, double reference_start_s) {
  matching::Evidence evidence;
  evidence.match = {.query = {query_start_s, query_start_s + 2},
                    .reference = {reference_start_s, reference_start_s + 2},
                    .slope = 1.25};
  evidence.similarity = 0.875f;
  return evidence;
}

template <typename Source>
std::optional<int> Find(const std::vector<Source>& sources, std::string_view id) {
  const auto found =
      std::find_if(sources.begin(), sources.end(), [&](const Source& s) { return s.id == id; });
  if (found == sources.end()) return std::nullopt;
  return static_cast<int>(found - sources.begin());
}

}  // namespace

music::Score ScaleScore(int notes) {
  constexpr int kScale[] = {60, 62, 64, 65, 67, 69, 71, 72};
  music::Score score;
  score.title = "Scale";
  score.parts = {{.name = "Recorder", .program = 74}};
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

FakeCollection::FakeCollection() : shared_(std::make_shared<Shared>()) {
  manifest_.generation = 7;
  manifest_.model_id = "fake-model";
  manifest_.created = "2024-05-06T07:08:09Z";
  manifest_.origin = std::string(32, 'a');
  manifest_.query_hop_s = manifest_.score_hop_s = manifest_.recording_hop_s = 0.5;
  manifest_.tempo_ratios = {1};
  manifest_.dimension = 2;
  manifest_.feature_settings = "{}";
  manifest_.pieces = manifest_.recordings = 2;
  manifest_.score_vectors = 100;
  manifest_.recording_vectors = 50;
  confidence_.threshold = 0.625;
  confidence_.false_accept_rate = 0.01;
  confidence_.queries = 1234;
  AddScale("0", "First Scale", 8, 100);
  AddScale("1", "Second Scale", 24, 5);
  for (const catalog::Piece& piece : sources_.pieces) {
    sources_.scores.push_back(std::make_shared<const music::Score>(ScaleScore(piece.notes)));
  }
  sources_.sounds.resize(2);
}

void FakeCollection::AddScale(const std::string& number, const std::string& title, int notes,
                              double recording_s) {
  catalog::Piece piece;
  piece.id = "p" + number;
  piece.title = title;
  piece.composer = "Anon";
  piece.collection = "exercises";
  piece.work_id = "scale " + number;
  piece.duration_s = notes / 2.0;
  piece.beats = notes;
  piece.bars = (notes + 2) / 3;
  piece.notes = notes;
  sources_.pieces.push_back(piece);
  catalog::Recording recording;
  recording.id = "r" + number;
  recording.title = title;
  recording.composer = "Anon";
  recording.collection = "tapes";
  recording.piece_id = piece.id;
  recording.duration_s = recording_s;
  sources_.recordings.push_back(recording);
}

FakeCollection::FakeCollection(const FakeCollection& before, FakeSources sources,
                               int64_t generation)
    : shared_(before.shared_),
      manifest_(before.manifest_),
      confidence_(before.confidence_),
      sources_(std::move(sources)) {
  manifest_.generation = generation;
}

int64_t FakeCollection::vector_count(catalog::Side side) const {
  return SourceCount(side) * (side == catalog::Side::kScores ? int64_t{50} : int64_t{25});
}

int FakeCollection::SourceCount(catalog::Side side) const {
  return static_cast<int>(side == catalog::Side::kScores ? sources_.pieces.size()
                                                         : sources_.recordings.size());
}

std::optional<int> FakeCollection::FindPiece(std::string_view id) const {
  return Find(sources_.pieces, id);
}

std::optional<int> FakeCollection::FindRecording(std::string_view id) const {
  return Find(sources_.recordings, id);
}

absl::StatusOr<std::shared_ptr<const music::Score>> FakeCollection::ReadScore(int piece) const {
  return sources_.scores.at(piece);
}

absl::StatusOr<std::string> FakeCollection::ReadScoreFile(int piece) const {
  const auto& files = sources_.files;
  const auto place = static_cast<size_t>(piece);
  if (place < files.size() && !files[place].empty()) return files[place];
  return music::WriteMidi(*sources_.scores.at(place));
}

absl::StatusOr<std::string> FakeCollection::ReadAudio(int recording) const {
  if (!sources_.sounds.at(recording).empty()) return sources_.sounds[recording];
  audio::Waveform waveform;
  waveform.samples.resize(
      static_cast<size_t>(sources_.recordings[recording].duration_s * waveform.sample_rate));
  for (size_t i = 0; i < waveform.samples.size(); ++i)
    waveform.samples[i] = 0.5f * std::sin(0.1f * static_cast<float>(i % 5000));
  return audio::EncodeAudio(waveform, audio::AudioFormat::kFlac);
}

absl::Status FakeCollection::Start(const matching::RequestContext& context) const {
  ++queries;
  if (on_query) on_query();
  RETURN_IF_ERROR(failure);
  if (context.keep_going) {
    RETURN_IF_ERROR(context.keep_going());
  }
  ++searches;
  if (context.on_stage) context.on_stage(matching::Stage::kSearch, 0.001);
  return absl::OkStatus();
}

int FakeCollection::PartOf(catalog::Side side, int source) const {
  return side == catalog::Side::kScores && pieces()[source].with_parts ? 0 : catalog::kWhole;
}

std::vector<matching::Hit> FakeCollection::Hits(double duration_s, catalog::Side side,
                                                const matching::SearchOptions& options) const {
  {
    absl::MutexLock lock(&shared_->mutex);
    shared_->last_search = options;
  }
  if (SourceCount(side) == 0) return {};
  matching::Hit hit;
  hit.source = std::min(kFavourite, SourceCount(side) - 1);
  hit.match = {.query = {0, duration_s}, .reference = {1.5, 1.5 + duration_s}, .slope = 1.25};
  hit.similarity = 0.9f;
  hit.part = PartOf(side, hit.source);
  if (options.evidence) hit.evidence = {Window(0, 1.5), Window(0.5, 2.0)};
  return {hit};
}

matching::Identification FakeCollection::Answer(bool empty, catalog::Side side,
                                                const matching::IdentifyOptions& options) const {
  {
    absl::MutexLock lock(&shared_->mutex);
    shared_->last_identify = options;
  }
  matching::Identification identification;
  if (empty) {
    identification.verdict = matching::Verdict::kInsufficientInput;
    return identification;
  }
  identification.windows = 5;
  if (SourceCount(side) == 0) return identification;
  matching::Candidate candidate;
  candidate.source = std::min(kFavourite, SourceCount(side) - 1);
  candidate.confidence = 0.75;
  candidate.score = 0.5;
  candidate.votes = 4;
  candidate.place = {.query_s = 0.25, .reference_s = 2.0};
  candidate.match = {.query = {0, 2.5}, .reference = {1.5, 3.5}, .slope = 0.8};
  candidate.transposition = options.max_transposition;
  candidate.similarity = 0.625f;
  candidate.part = PartOf(side, candidate.source);
  if (options.evidence) candidate.evidence = {Window(0, 1.5), Window(0.5, 2.0), Window(1.0, 2.5)};
  identification.candidates.push_back(candidate);
  identification.verdict =
      candidate.confidence >= options.min_confidence.value_or(confidence_.threshold)
          ? matching::Verdict::kMatch
          : matching::Verdict::kNoMatch;
  return identification;
}

const encoder::WindowEncoder& FakeCollection::audio_encoder() const {
  static const FakeWindowEncoder encoder;
  return encoder;
}

absl::StatusOr<matching::Identification> FakeCollection::IdentifyEmbedded(
    matching::EmbeddingSequence windows, double /*duration_s*/,
    const matching::IdentifyOptions& options, const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Start(context));
  matching::Identification answer = Answer(windows.start_s.empty(), options.against, options);
  answer.windows = static_cast<int>(windows.start_s.size());
  for (matching::Candidate& candidate : answer.candidates) {
    candidate.match.slope = 1.25;
    candidate.place.query_s = windows.start_s.front();
    candidate.place.reference_s = 1.5 + 1.25 * candidate.place.query_s;
    candidate.evidence.clear();
    for (const double start_s : windows.start_s)
      candidate.evidence.push_back(Window(start_s, 1.5 + 1.25 * start_s));
  }
  return answer;
}

absl::StatusOr<std::vector<matching::Hit>> FakeCollection::SearchScores(
    const audio::Waveform& query, const matching::SearchOptions& options,
    const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Start(context));
  return Hits(query.duration_s(), catalog::Side::kScores, options);
}

absl::StatusOr<std::vector<matching::Hit>> FakeCollection::SearchRecordings(
    const music::Score& query, const matching::SearchOptions& options,
    const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Start(context));
  return Hits(query.duration_s, catalog::Side::kRecordings, options);
}

absl::StatusOr<matching::Identification> FakeCollection::IdentifyAudio(
    const audio::Waveform& query, const matching::IdentifyOptions& options,
    const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Start(context));
  const bool silent = std::all_of(query.samples.begin(), query.samples.end(),
                                  [](float x) { return std::abs(x) < 1e-4f; });
  matching::Identification answer = Answer(silent, options.against, options);
  for (matching::Candidate& candidate : answer.candidates) {
    if (options.against == catalog::Side::kRecordings)
      candidate.performance = matching::Performance::kOther;
  }
  return answer;
}

absl::StatusOr<matching::Identification> FakeCollection::IdentifyScore(
    const music::Score& query, const matching::IdentifyOptions& options,
    const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Start(context));
  return Answer(query.notes.empty(), options.against, options);
}

absl::StatusOr<std::vector<matching::SharedMusic>> FakeCollection::FindSameMusic(
    int piece, const matching::RequestContext&) const {
  const int last = static_cast<int>(pieces().size()) - 1;
  if (last < 1 || (piece != 0 && piece != last)) return std::vector<matching::SharedMusic>();
  const matching::Span stretch = {0, 10};
  return std::vector<matching::SharedMusic>{{piece, last - piece, stretch, stretch}};
}

absl::StatusOr<matching::EmbeddingSequence> FakeCollection::EmbedAudio(
    const audio::Waveform& query, const matching::WindowPlan& plan,
    const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Start(context));
  return Windows(query.duration_s(), 1.0, plan);
}

absl::StatusOr<matching::EmbeddingSequence> FakeCollection::EmbedScore(
    const music::Score& query, double tempo_ratio, const matching::WindowPlan& plan,
    const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Start(context));
  return Windows(query.duration_s, tempo_ratio, plan);
}

matching::SearchOptions FakeCollection::last_search() const {
  absl::MutexLock lock(&shared_->mutex);
  return shared_->last_search;
}

matching::IdentifyOptions FakeCollection::last_identify() const {
  absl::MutexLock lock(&shared_->mutex);
  return shared_->last_identify;
}

}  // namespace antiphon::server
