#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/manifest.h"
#include "trainer/datasets/maps_dataset.h"
#include "trainer/evaluation/asked_collection.h"
#include "trainer/evaluation/snippet_windows.h"
#include "trainer/evaluation/suites.h"
#include "trainer/evaluation/transcription/whole_pieces.h"
#include "trainer/metrics/note_match.h"

namespace antiphon::trainer::evaluation {
namespace {

constexpr double kTolerance_s = 0.05;    // of onsets
constexpr size_t kUntrainedPieces = 4;   // transcribed with the untrained network …
constexpr size_t kUntrainedScores = 40;  // … from so many scores at most, which flatters it

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

// Pieces, and the scores that they are transcribed with.
struct WholeSet {
  std::string name;
  std::vector<datasets::CollectionEntry> entries;
  std::vector<WholePiece> pieces;
};

struct Cost {
  double sound_s = 0, seconds = 0;

  void Add(std::span<const PieceFigures> pieces) {
    for (const PieceFigures& piece : pieces) sound_s += piece.sound_s, seconds += piece.seconds;
  }
};

struct WholeRow {
  std::string name;
  Known known;
  bool recognise;
  size_t pieces;  // the first so many
};

// One that can be told from drawing lots by any network: few pieces, few scores, theirs among them.
WholeSet Smaller(const WholeSet& set) {
  WholeSet small{set.name, {}, set.pieces};
  small.pieces.resize(std::min(small.pieces.size(), kUntrainedPieces));
  const auto asked = [&](const datasets::CollectionEntry& entry) {
    return std::any_of(small.pieces.begin(), small.pieces.end(),
                       [&](const WholePiece& piece) { return piece.id == entry.id; });
  };
  small.entries = set.entries;
  std::stable_partition(small.entries.begin(), small.entries.end(), asked);
  small.entries.resize(std::min(small.entries.size(), kUntrainedScores));
  return small;
}

absl::Status AddRows(const TranscriptionOptions& options, const NamedModel& model,
                     const WholeSet& set, std::span<const WholeRow> rows, Progress& progress,
                     metrics::ReportTable& table, Cost& cost) {
  ASSIGN_OR_RETURN(const auto collection, datasets::OpenReferenceCollection(
                                              set.entries,
                                              ReferenceCollectionFor(options.models, model.folder,
                                                                     options.reference_collections),
                                              progress));
  for (const WholeRow& row : rows) {
    transcription::TranscriptionOptions transcribe;
    transcribe.recognise = row.recognise;
    ASSIGN_OR_RETURN(
        const std::vector<PieceFigures> figures,
        TranscribeAll(*collection,
                      std::span(set.pieces).first(std::min(row.pieces, set.pieces.size())),
                      row.known, transcribe, progress));
    if (model.measured) cost.Add(figures);
    table.rows.push_back(FigureRow(absl::StrCat(model.name, ", ", row.name), figures));
  }
  if (!model.measured) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<PieceFigures> lots,
                   TranscribeByChance(*collection, set.pieces, options.seed, progress));
  table.rows.push_back(FigureRow("random", lots));
  return absl::OkStatus();
}

absl::Status AddWholePieces(const TranscriptionOptions& options, const WholeSet& set,
                            Progress& progress, metrics::Report& report) {
  const size_t every = set.pieces.size();
  const size_t some = options.pieces > 0 ? options.pieces : every;
  const std::vector<WholeRow> all = {{"known, matched", Known::kAll, true, every},
                                     {"own score told", Known::kOwn, true, some},
                                     {"known, nearest", Known::kAll, false, some},
                                     {"unknown, matched", Known::kOthers, true, some},
                                     {"unknown, nearest", Known::kOthers, false, some}};
  const std::vector<WholeRow> few = {{"known, matched", Known::kAll, true, every},
                                     {"known, nearest", Known::kAll, false, every}};
  metrics::ReportTable table{
      absl::StrCat(set.name, ", of ", set.entries.size(), " scores"), FigureNames(), {}};
  Cost cost;
  for (const NamedModel& model : ModelsOf(options.models)) {
    RETURN_IF_ERROR(model.measured
                        ? AddRows(options, model, set, all, progress, table, cost)
                        : AddRows(options, model, Smaller(set), few, progress, table, cost));
  }
  report.tables.push_back(std::move(table));
  report.settings[absl::StrCat(set.name, ", seconds of sound per second")] =
      absl::StrCat(cost.sound_s / std::max(cost.seconds, 1e-9));
  return absl::OkStatus();
}

// The pieces of the test set, in an order that the seed alone decides, transcribed with its scores.
absl::StatusOr<WholeSet> PerformedSet(const TranscriptionOptions& options) {
  WholeSet set;
  set.name = "performed";
  ASSIGN_OR_RETURN(std::vector<datasets::PartPiece> part,
                   datasets::ReadPart(options.test_set.midi_dir, options.test_set.split,
                                      options.test_set.part, datasets::Unusable::kFails));
  for (const datasets::PartPiece& piece : part)
    set.entries.push_back({piece.name, piece.name, "", piece.midi});
  std::mt19937_64 random(options.seed);
  std::shuffle(part.begin(), part.end(), random);
  if (options.pieces > 0 && std::ssize(part) > options.pieces) part.resize(options.pieces);
  set.pieces = PerformedPieces(part, options.test_set.soundfont, options.seed);
  return set;
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
  ASSIGN_OR_RETURN(const WholeSet performed, PerformedSet(options));
  RETURN_IF_ERROR(AddWholePieces(options, performed, progress, report));
  if (!options.recordings.empty()) {
    ASSIGN_OR_RETURN(datasets::MapsTestBed bed,
                     datasets::MakeMapsTestBed(options.recordings, options.scores));
    WholeSet maps;
    maps.name = "MAPS";
    ASSIGN_OR_RETURN(maps.pieces, MapsPieces(bed));
    maps.entries = std::move(bed.entries);
    RETURN_IF_ERROR(AddWholePieces(options, maps, progress, report));
  }
  report.settings["model"] = info.model_id;
  report.settings["pieces"] = absl::StrCat(pieces.size());
  report.settings["seed"] = absl::StrCat(options.seed);
  report.settings["soundfont"] = options.test_set.soundfont;
  metrics::NoteSeconds(started, report);
  return report;
}

}  // namespace antiphon::trainer::evaluation
