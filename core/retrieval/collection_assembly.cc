#include "core/retrieval/collection_assembly.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/audio/decoder.h"
#include "core/index/vector_index.h"
#include "core/music/midi_file.h"

namespace antiphon::retrieval {
namespace {

using catalog::Side;

constexpr size_t kMaxTempoRatios = 100;
constexpr double kMaxHopS = 3600;
// Queries are cut twice as densely as what they are compared with, so that some window falls close to one there.
constexpr double kQueryHopPerScoreHop = 0.5;

// As a bundle's manifest can say them.
absl::Status CheckOptions(const BuilderOptions& options) {
  if (options.tempo_ratios.empty()) return absl::InvalidArgumentError("tempo_ratios must not be empty");
  if (options.tempo_ratios.size() > kMaxTempoRatios) {
    return absl::InvalidArgumentError(absl::StrCat("tempo_ratios: there may be at most ", kMaxTempoRatios,
                                                   ", there are ", options.tempo_ratios.size()));
  }
  for (const double ratio : options.tempo_ratios) {
    if (!(ratio >= 0.25 && ratio <= 4)) {
      return absl::InvalidArgumentError(absl::StrCat("tempo_ratios must be from 0.25 to 4, one is ", ratio));
    }
  }
  for (const double hop_s : {options.score_hop_s, options.recording_hop_s}) {
    if (hop_s > 0 && hop_s <= kMaxHopS) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("score_hop_s and recording_hop_s must be above 0 and at most ", kMaxHopS, ", one is ", hop_s));
  }
  return absl::OkStatus();
}

absl::Status CheckModel(const encoder::EncoderInfo& audio, const encoder::EncoderInfo& score) {
  if (audio.modality == encoder::Modality::kAudio && score.modality == encoder::Modality::kScore &&
      audio.model_id == score.model_id && audio.dimension == score.dimension && audio.settings == score.settings) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat("audio encoder ", audio.model_id, " and score encoder ",
                                                    score.model_id, " are not two halves of one model"));
}

// What the score says of the piece.
void Describe(const music::Score& score, catalog::Piece& piece) {
  double end_s = 0;
  for (const music::Note& note : score.notes) end_s = std::max(end_s, note.offset_s);
  piece.duration_s = score.duration_s;
  piece.beats = score.tempo_map.BeatsAt(score.duration_s);
  // A note that ends on a bar line does not begin the next bar, however it is rounded.
  piece.bars = score.tempo_map.BarAt(std::max(0.0, score.tempo_map.BeatsAt(end_s) - 0.01)).bar;
  piece.notes = static_cast<int>(score.notes.size());
}

}  // namespace

std::vector<catalog::SnippetRun> RunsOf(const EmbeddingSequence& sequence, int source, int64_t first_vector) {
  std::vector<catalog::SnippetRun> runs;
  for (size_t i = 0; i < sequence.start_s.size(); ++i) {
    const bool adjoins =
        i > 0 && std::abs(sequence.start_s[i] - sequence.start_s[i - 1] - sequence.hop_s) < sequence.hop_s / 100;
    if (!adjoins) {
      runs.push_back({first_vector + static_cast<int64_t>(i), 0, source, sequence.tempo_ratio, sequence.start_s[i],
                      sequence.hop_s, sequence.window_s});
    }
    ++runs.back().count;
  }
  return runs;
}

CollectionAssembly::CollectionAssembly(std::string directory, const encoder::WindowEncoder& audio_encoder,
                                       const encoder::WindowEncoder& score_encoder, BuilderOptions options,
                                       std::unique_ptr<const features::AudioFrontEnd> front_end,
                                       std::unique_ptr<catalog::CatalogWriter> writer)
    : directory_(std::move(directory)),
      audio_encoder_(audio_encoder),
      score_encoder_(score_encoder),
      options_(std::move(options)),
      front_end_(std::move(front_end)),
      writer_(std::move(writer)) {}

absl::StatusOr<std::unique_ptr<CollectionAssembly>> CollectionAssembly::Create(
    const std::string& directory, const encoder::WindowEncoder& audio_encoder,
    const encoder::WindowEncoder& score_encoder, const BuilderOptions& options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  if (absl::Status status = CheckModel(audio_encoder.info(), score_encoder.info()); !status.ok()) return status;
  auto front_end = features::AudioFrontEnd::Create(audio_encoder.info().settings);
  if (!front_end.ok()) return front_end.status();
  auto writer = catalog::CatalogWriter::Create(directory + "/" + bundle::kCatalogFile);
  if (!writer.ok()) return writer.status();
  return std::unique_ptr<CollectionAssembly>(new CollectionAssembly(directory, audio_encoder, score_encoder, options,
                                                                    *std::move(front_end), *std::move(writer)));
}

absl::Status CollectionAssembly::AddPiece(catalog::Piece piece, const std::string& midi) {
  const absl::StatusOr<music::Score> score = music::ReadMidi(midi);
  if (!score.ok()) return score.status();
  if (score->notes.empty()) return absl::InvalidArgumentError("the score has no notes");
  // All of it is embedded before any of it is kept, so that a failure leaves nothing behind.
  std::vector<EmbeddingSequence> sequences;
  bool empty = true;
  for (const double tempo_ratio : options_.tempo_ratios) {
    auto sequence = EmbedScore(score_encoder_, *score, tempo_ratio, {.hop_s = options_.score_hop_s});
    if (!sequence.ok()) return sequence.status();
    empty = empty && sequence->start_s.empty();
    sequences.push_back(*std::move(sequence));
  }
  if (empty) return absl::InvalidArgumentError("the score has no notes that the model reads");
  Describe(*score, piece);
  const absl::StatusOr<int> source = writer_->AddPiece(piece, midi);
  if (!source.ok()) return source.status();
  ++pieces_;
  for (const EmbeddingSequence& sequence : sequences) {
    if (auto status = AddSequence(Side::kScores, *source, sequence, score_vectors_); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CollectionAssembly::AddRecording(catalog::Recording recording, const std::string& audio) {
  const absl::StatusOr<audio::Waveform> waveform =
      audio::DecodeMemory(audio, {.sample_rate = front_end_->settings().sample_rate});
  if (!waveform.ok()) return waveform.status();
  auto sequence = EmbedAudio(audio_encoder_, *front_end_, *waveform, {.hop_s = options_.recording_hop_s});
  if (!sequence.ok()) return sequence.status();
  if (sequence->start_s.empty()) return absl::InvalidArgumentError("the recording is silent");
  recording.duration_s = waveform->duration_s();
  const absl::StatusOr<int> source = writer_->AddRecording(recording, audio);
  if (!source.ok()) return source.status();
  ++recordings_;
  return AddSequence(Side::kRecordings, *source, *sequence, recording_vectors_);
}

absl::Status CollectionAssembly::AddSequence(Side side, int source, const EmbeddingSequence& sequence,
                                             std::vector<float>& vectors) {
  const auto first = static_cast<int64_t>(vectors.size()) / sequence.dimension;
  for (const catalog::SnippetRun& run : RunsOf(sequence, source, first)) {
    if (absl::Status status = writer_->AddRun(side, run); !status.ok()) return status;
  }
  vectors.insert(vectors.end(), sequence.embeddings.begin(), sequence.embeddings.end());
  return absl::OkStatus();
}

absl::Status CollectionAssembly::WriteIndex(const std::vector<float>& vectors, const char* name) const {
  index::IndexOptions options = options_.index;
  options.dimension = score_encoder_.info().dimension;
  const auto index = index::VectorIndex::Build(options, vectors);
  if (!index.ok()) return index.status();
  return (*index)->Save(directory_ + "/" + name);
}

absl::StatusOr<bundle::Manifest> CollectionAssembly::Finish() {
  if (absl::Status status = writer_->Finish(); !status.ok()) return status;
  if (absl::Status status = WriteIndex(score_vectors_, bundle::kScoreIndexFile); !status.ok()) return status;
  if (absl::Status status = WriteIndex(recording_vectors_, bundle::kRecordingIndexFile); !status.ok()) return status;
  const encoder::EncoderInfo& info = score_encoder_.info();
  bundle::Manifest manifest;
  manifest.model_id = info.model_id;
  manifest.feature_settings = features::SettingsToJson(info.settings);
  manifest.dimension = info.dimension;
  manifest.pieces = pieces_;
  manifest.recordings = recordings_;
  manifest.score_vectors = static_cast<int64_t>(score_vectors_.size()) / info.dimension;
  manifest.recording_vectors = static_cast<int64_t>(recording_vectors_.size()) / info.dimension;
  manifest.query_hop_s = options_.score_hop_s * kQueryHopPerScoreHop;
  manifest.score_hop_s = options_.score_hop_s;
  manifest.recording_hop_s = options_.recording_hop_s;
  manifest.tempo_ratios = options_.tempo_ratios;
  return manifest;
}

}  // namespace antiphon::retrieval
