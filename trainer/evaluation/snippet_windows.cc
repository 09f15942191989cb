#include "trainer/evaluation/snippet_windows.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <span>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/manifest.h"
#include "core/decoding/decoder.h"
#include "core/features/audio_front_end.h"
#include "core/features/pianoroll.h"

namespace antiphon::trainer::evaluation {
namespace {

constexpr size_t kWindowsPerPart = 2048;  // encoded at once, so that memory stays bounded

absl::StatusOr<std::vector<float>> Encode(const std::string& path, encoder::Modality modality,
                                          const encoder::EncoderOptions& options,
                                          const std::vector<uint8_t>& windows, int& dimension,
                                          Progress& progress) {
  ASSIGN_OR_RETURN(const auto encoder, encoder::LoadEncoder(path, modality, options));
  const encoder::EncoderInfo& info = encoder->info();
  dimension = info.dimension;
  const size_t part = kWindowsPerPart * info.settings.window_frames * info.channels * info.bands;
  std::vector<float> embeddings;
  for (size_t begin = 0; begin < windows.size(); begin += part) {
    ASSIGN_OR_RETURN(
        const std::vector<float> some,
        encoder->Encode(std::span(windows).subspan(begin, std::min(part, windows.size() - begin))));
    embeddings.insert(embeddings.end(), some.begin(), some.end());
    progress.Advance(static_cast<int64_t>(some.size()) / info.dimension);
  }
  return embeddings;
}

}  // namespace

absl::StatusOr<SnippetWindows> DrawSnippets(const std::vector<datasets::TestPiece>& pieces,
                                            const features::FeatureSettings& settings,
                                            int64_t count, uint64_t seed, bool centre_scores,
                                            Progress& progress) {
  ASSIGN_OR_RETURN(const auto front_end, features::AudioFrontEnd::Create(settings));
  const double half_s = settings.window_frames / 2 / settings.frame_rate();
  SnippetWindows windows;
  for (size_t piece = 0; piece < pieces.size(); ++piece) {
    for (const double onset_s : music::DistinctOnsets(pieces[piece].score.notes)) {
      const auto first = std::llround(onset_s * settings.frame_rate()) - settings.window_frames / 2;
      const double start_s = static_cast<double>(first) / settings.frame_rate();
      const double score_start_s = centre_scores ? onset_s - half_s : start_s;
      windows.places.push_back({static_cast<int>(piece), onset_s, start_s, score_start_s});
    }
  }
  std::mt19937_64 random(seed);
  std::shuffle(windows.places.begin(), windows.places.end(), random);
  windows.places.resize(std::min<size_t>(windows.places.size(), static_cast<size_t>(count)));
  for (size_t i = 0; i < windows.places.size(); ++i)
    windows.places[i].draw = static_cast<int64_t>(i);
  // By piece, so that one spectrogram is held at a time.
  std::stable_sort(windows.places.begin(), windows.places.end(),
                   [](const SnippetPlace& a, const SnippetPlace& b) { return a.piece < b.piece; });
  audio::DecodeOptions decode;
  decode.sample_rate = settings.sample_rate;
  progress.Start("analyse test pieces", static_cast<int64_t>(windows.places.size()));
  features::FeatureSequence spectrogram;
  int of_piece = -1;
  const size_t cells = static_cast<size_t>(settings.window_frames) * settings.bands;
  for (const SnippetPlace& place : windows.places) {
    if (place.piece != of_piece) {
      ASSIGN_OR_RETURN(const audio::Waveform audio,
                       audio::DecodeFile(pieces[place.piece].audio_path, decode));
      spectrogram = features::ComputeSpectrogram(*front_end, audio.samples);
      of_piece = place.piece;
    }
    windows.audio.resize(windows.audio.size() + cells);
    spectrogram.CopyWindow(std::llround(place.start_s * settings.frame_rate()),
                           settings.window_frames,
                           windows.audio.data() + windows.audio.size() - cells);
    progress.Advance();
  }
  windows.score = ScoreWindows(pieces, settings, windows.places, 0);
  progress.Finish();
  return windows;
}

std::vector<uint8_t> ScoreWindows(const std::vector<datasets::TestPiece>& pieces,
                                  const features::FeatureSettings& settings,
                                  std::span<const SnippetPlace> places, double later_s) {
  std::vector<uint8_t> windows;
  for (const SnippetPlace& place : places) {
    const std::vector<uint8_t> window = features::ComputePianorollWindow(
        pieces[place.piece].score.notes, settings, 1.0, place.score_start_s + later_s);
    windows.insert(windows.end(), window.begin(), window.end());
  }
  return windows;
}

absl::StatusOr<SnippetEmbeddings> EmbedSnippets(const std::string& model,
                                                const encoder::EncoderOptions& options,
                                                const SnippetWindows& windows, Progress& progress) {
  SnippetEmbeddings embeddings;
  progress.Start("encode windows", 2 * static_cast<int64_t>(windows.places.size()));
  ASSIGN_OR_RETURN(embeddings.audio, Encode(absl::StrCat(model, "/", bundle::kAudioEncoderFile),
                                            encoder::Modality::kAudio, options, windows.audio,
                                            embeddings.dimension, progress));
  ASSIGN_OR_RETURN(embeddings.score, Encode(absl::StrCat(model, "/", bundle::kScoreEncoderFile),
                                            encoder::Modality::kScore, options, windows.score,
                                            embeddings.dimension, progress));
  progress.Finish();
  return embeddings;
}

}  // namespace antiphon::trainer::evaluation
