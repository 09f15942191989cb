#include <chrono>
#include <numeric>
#include <random>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/manifest.h"
#include "trainer/evaluation/snippet_windows.h"
#include "trainer/evaluation/suites.h"
#include "trainer/metrics/note_match.h"

namespace antiphon::trainer::evaluation {
namespace {

constexpr double kTolerance_s = 0.05;  // of onsets

// For each sound the most similar score window but its own.
std::vector<size_t> NearestOthers(const SnippetEmbeddings& embeddings) {
  const size_t dimension = embeddings.dimension, count = embeddings.audio.size() / dimension;
  std::vector<size_t> nearest(count);
  for (size_t query = 0; query < count; ++query) {
    float best = -2;
    const auto row = embeddings.audio.begin() + static_cast<int64_t>(query * dimension);
    for (size_t other = 0; other < count; ++other) {
      if (other == query) continue;
      const float similarity = std::inner_product(
          row, row + embeddings.dimension,
          embeddings.score.begin() + static_cast<int64_t>(other * dimension), 0.0f);
      if (similarity > best) {
        best = similarity;
        nearest[query] = other;
      }
    }
  }
  return nearest;
}

std::vector<size_t> RandomOthers(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<size_t> others(count);
  for (size_t query = 0; query < count; ++query) {
    others[query] = random() % (count - 1);
    others[query] += others[query] >= query;
  }
  return others;
}

metrics::ReportRow Compare(std::string name, const std::vector<datasets::TestPiece>& pieces,
                           const SnippetWindows& windows, const features::FeatureSettings& settings,
                           const std::vector<size_t>& found) {
  const size_t frame = 2 * static_cast<size_t>(settings.pitches),
               size = frame * settings.window_frames;
  metrics::MatchCounts cells, onsets;
  double same_piece = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const std::span<const uint8_t> truth = std::span(windows.score).subspan(i * size, size);
    const std::span<const uint8_t> other = std::span(windows.score).subspan(found[i] * size, size);
    for (int f = 0; f < settings.window_frames; ++f) {  // the channel of what sounds
      cells.Add(
          metrics::CompareCells(truth.subspan(f * frame + settings.pitches, settings.pitches),
                                other.subspan(f * frame + settings.pitches, settings.pitches)));
    }
    const SnippetPlace &a = windows.places[i], &b = windows.places[found[i]];
    const auto onsets_at = [&](const SnippetPlace& place) {
      return metrics::OnsetsWithin(pieces[place.piece].score.notes, place.start_s,
                                   settings.window_s());
    };
    onsets.Add(metrics::MatchOnsets(onsets_at(a), onsets_at(b), kTolerance_s));
    same_piece += a.piece == b.piece;
  }
  return {std::move(name),
          {cells.hits_per_error(), cells.f1(), onsets.f1(),
           same_piece / static_cast<double>(found.size())}};
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluateTranscription(const TranscriptionOptions& options,
                                                      Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  const auto started = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(
      const auto encoder,
      encoder::LoadEncoder(absl::StrCat(options.models.model, "/", bundle::kScoreEncoderFile),
                           encoder::Modality::kScore, options.models.encoder));
  const encoder::EncoderInfo info = encoder->info();
  ASSIGN_OR_RETURN(const std::vector<datasets::TestPiece> pieces,
                   datasets::LoadTestSet(options.test_set, progress));
  ASSIGN_OR_RETURN(const auto windows,
                   DrawSnippets(pieces, info.settings, options.snippets, options.seed,
                                /*centre_scores=*/false, progress));
  if (windows.places.size() < 2) return absl::NotFoundError("there are fewer than two snippets");
  metrics::Report report{"transcription", {}, {}};
  metrics::ReportTable table{absl::StrCat("nearest of ", windows.places.size() - 1, " others"),
                             {"TM", "cell F1", "onset F1", "in piece"},
                             {}};
  for (const auto& [name, model, measured] : ModelsOf(options.models)) {
    ASSIGN_OR_RETURN(const auto embeddings,
                     EmbedSnippets(model, options.models.encoder, windows, progress));
    table.rows.push_back(Compare(name, pieces, windows, info.settings, NearestOthers(embeddings)));
  }
  table.rows.push_back(Compare("random", pieces, windows, info.settings,
                               RandomOthers(windows.places.size(), options.seed)));
  report.tables.push_back(std::move(table));
  report.settings["model"] = info.model_id;
  report.settings["pieces"] = absl::StrCat(pieces.size());
  report.settings["seed"] = absl::StrCat(options.seed);
  report.settings["soundfont"] = options.test_set.soundfont;
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
