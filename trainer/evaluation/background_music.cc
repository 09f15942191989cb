#include "trainer/evaluation/background_music.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/manifest.h"
#include "core/collection/embedder.h"
#include "core/features/audio_front_end.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/performance.h"
#include "trainer/data/renderer.h"
#include "trainer/data/soundfonts.h"
#include "trainer/datasets/test_set.h"

namespace antiphon::trainer::evaluation {
namespace {

using collection::Background;

struct Encoders {
  std::unique_ptr<encoder::WindowEncoder> audio, score;
  std::unique_ptr<const features::AudioFrontEnd> front_end;
};

absl::StatusOr<Encoders> LoadEncoders(const BackgroundOptions& options) {
  Encoders encoders;
  const std::string folder = options.model + "/";
  ASSIGN_OR_RETURN(encoders.audio,
                   encoder::LoadEncoder(folder + bundle::kAudioEncoderFile,
                                        encoder::Modality::kAudio, options.encoder));
  ASSIGN_OR_RETURN(encoders.score,
                   encoder::LoadEncoder(folder + bundle::kScoreEncoderFile,
                                        encoder::Modality::kScore, options.encoder));
  ASSIGN_OR_RETURN(encoders.front_end,
                   features::AudioFrontEnd::Create(encoders.audio->info().settings));
  return encoders;
}

// Appends the runs of the sequence, with their vectors.
void AppendRuns(const matching::EmbeddingSequence& sequence, Background::Passage& passage) {
  for (const catalog::SnippetRun& run : collection::RunsOf(sequence, 0, 0)) {
    const auto* const first = sequence.embeddings.data() + run.first_vector * sequence.dimension;
    passage.push_back({run, {first, first + run.count * sequence.dimension}});
  }
}

// A passage of the piece, from a place that the seed says; empty where the piece has no notes
// there.
music::Score DrawPassage(const datasets::PartPiece& piece, const BackgroundOptions& options) {
  std::mt19937_64 random(HashOf(absl::StrCat(options.seed, "/background/", piece.name)));
  const double latest_s = std::max(0.0, data::MusicEnd(piece.score) - options.passage_s);
  const double start_s = std::uniform_real_distribution<double>(0, latest_s + 1e-9)(random);
  const music::Score cut = music::Excerpt(piece.score, start_s, start_s + options.passage_s);
  return options.backwards ? Backwards(cut) : cut;
}

absl::StatusOr<Background::Passage> EmbedScorePassage(const music::Score& score,
                                                      const Encoders& encoders,
                                                      const BackgroundOptions& options) {
  Background::Passage passage;
  for (const double ratio : options.tempo_ratios) {
    ASSIGN_OR_RETURN(
        const matching::EmbeddingSequence sequence,
        collection::EmbedScore(*encoders.score, score, ratio, {.hop_s = options.score_hop_s}));
    AppendRuns(sequence, passage);
  }
  return passage;
}

absl::StatusOr<Background::Passage> EmbedPerformance(const music::Score& score, uint64_t seed,
                                                     const Encoders& encoders,
                                                     const BackgroundOptions& options,
                                                     data::Renderer& renderer) {
  const data::VariationOptions varied;
  const data::Variation variation = data::DrawVariation(varied, options.soundfonts, seed);
  ASSIGN_OR_RETURN(const audio::Waveform sound, renderer.Render(score, varied, variation));
  ASSIGN_OR_RETURN(const matching::EmbeddingSequence sequence,
                   collection::EmbedAudio(*encoders.audio, *encoders.front_end, sound,
                                          {.hop_s = options.recording_hop_s}));
  Background::Passage passage;
  AppendRuns(sequence, passage);
  return passage;
}

// As many pieces of each corpus as of any other, as far as they go.
absl::StatusOr<std::vector<datasets::PartPiece>> DrawPieces(const BackgroundOptions& options) {
  std::vector<datasets::PartPiece> drawn;
  size_t corpora_left = options.corpora.size();
  std::vector<std::vector<datasets::PartPiece>> read;
  for (const BackgroundCorpus& corpus : options.corpora) {
    ASSIGN_OR_RETURN(std::vector<datasets::PartPiece> pieces,
                     datasets::ReadPart(corpus.midi_dir, corpus.split, data::Part::kTrain,
                                        datasets::Unusable::kPassedOver));
    std::erase_if(pieces, [](const auto& piece) { return !IsBackgroundPiece(piece.name); });
    std::shuffle(pieces.begin(), pieces.end(), std::mt19937_64(options.seed));
    read.push_back(std::move(pieces));
  }
  std::stable_sort(read.begin(), read.end(),
                   [](const auto& a, const auto& b) { return a.size() < b.size(); });
  for (std::vector<datasets::PartPiece>& pieces : read) {
    const size_t wanted = (options.passages - drawn.size()) / corpora_left--;
    pieces.resize(std::min(pieces.size(), wanted));
    std::move(pieces.begin(), pieces.end(), std::back_inserter(drawn));
  }
  if (drawn.empty()) return absl::NotFoundError("the corpora hold no piece for the background");
  return drawn;
}

}  // namespace

bool IsBackgroundPiece(std::string_view name) {
  return HashOf("background/" + std::string(name)) % 2 == 0;
}

music::Score Backwards(const music::Score& score) {
  music::Score result = score;
  const double end_s = data::MusicEnd(score);
  for (music::Note& note : result.notes) {
    const double onset_s = end_s - note.offset_s;
    note.offset_s = note.sounding_offset_s = end_s - note.onset_s;
    note.onset_s = std::max(0.0, onset_s);
  }
  std::stable_sort(result.notes.begin(), result.notes.end(),
                   [](const music::Note& a, const music::Note& b) {
                     return std::tie(a.onset_s, a.pitch) < std::tie(b.onset_s, b.pitch);
                   });
  return result;
}

absl::StatusOr<std::shared_ptr<const collection::Background>> MakeBackground(
    const BackgroundOptions& options, Progress& progress) {
  if (options.corpora.empty() || options.soundfonts.empty())
    return absl::InvalidArgumentError("a corpus and a soundfont are needed");
  for (const std::string& soundfont : options.soundfonts) {
    RETURN_IF_ERROR(data::CheckTrainingSoundfont(soundfont));
  }
  ASSIGN_OR_RETURN(const std::vector<datasets::PartPiece> pieces, DrawPieces(options));
  ASSIGN_OR_RETURN(const Encoders encoders, LoadEncoders(options));
  data::Renderer renderer(encoders.audio->info().settings.sample_rate);
  std::vector<Background::Passage> scores, recordings;
  progress.Start("embed", std::ssize(pieces));
  for (const datasets::PartPiece& piece : pieces) {
    progress.Advance();
    const music::Score passage = DrawPassage(piece, options);
    if (passage.notes.empty()) continue;
    ASSIGN_OR_RETURN(Background::Passage score, EmbedScorePassage(passage, encoders, options));
    if (!score.empty()) scores.push_back(std::move(score));
    const uint64_t seed = HashOf(absl::StrCat(options.seed, "/performed/", piece.name));
    ASSIGN_OR_RETURN(Background::Passage recording,
                     EmbedPerformance(passage, seed, encoders, options, renderer));
    if (!recording.empty()) recordings.push_back(std::move(recording));
  }
  progress.Finish();
  const encoder::EncoderInfo& info = encoders.score->info();
  return Background::Make(info.model_id, info.dimension, std::move(scores), std::move(recordings));
}

}  // namespace antiphon::trainer::evaluation
