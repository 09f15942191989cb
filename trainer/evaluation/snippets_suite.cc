#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/bundle/manifest.h"
#include "trainer/data/passage.h"
#include "trainer/evaluation/ranking.h"
#include "trainer/evaluation/repeats.h"
#include "trainer/evaluation/snippet_windows.h"
#include "trainer/evaluation/suites.h"
#include "trainer/fingerprint.h"

namespace antiphon::trainer {
namespace {

// Which places are compared with one another, as rows of windows and embeddings.
using Rows = std::vector<size_t>;

Rows DrawnBefore(const SnippetWindows& windows, int64_t draw) {
  Rows rows;
  for (size_t row = 0; row < windows.places.size(); ++row) {
    if (windows.places[row].draw < draw) rows.push_back(row);
  }
  return rows;
}

// What surrounds each place: equal where the same notes do, whatever the onset's fraction of a frame.
std::vector<uint64_t> NotesOf(const std::vector<TestPiece>& pieces, const SnippetWindows& windows, double reach_s) {
  constexpr double kGrid_s = 0.005;
  std::vector<uint64_t> notes;
  for (const SnippetPlace& place : windows.places) {
    notes.push_back(HashPassage(pieces[place.piece].score.notes, place.onset_s, reach_s, kGrid_s));
  }
  return notes;
}

// The score windows as numbers: equal where they are, bit for bit.
std::vector<uint64_t> ScoresOf(const SnippetWindows& windows) {
  const size_t cells = windows.score.size() / windows.places.size();
  std::vector<uint64_t> scores;
  for (size_t row = 0; row < windows.places.size(); ++row) {
    scores.push_back(HashOf({reinterpret_cast<const char*>(windows.score.data()) + row * cells, cells}));
  }
  return scores;
}

// These rows of [n, width].
template <typename Value>
std::vector<Value> Take(const std::vector<Value>& values, size_t width, const Rows& rows) {
  std::vector<Value> taken;
  for (const size_t row : rows) {
    const auto first = values.begin() + static_cast<int64_t>(row * width);
    taken.insert(taken.end(), first, first + static_cast<int64_t>(width));
  }
  return taken;
}

// What nobody can tell apart among these rows.
void NoteRepeats(const SnippetWindows& windows, const std::vector<uint64_t>& notes, const std::vector<uint64_t>& scores,
                 const Rows& rows, const std::string& which, Report& report) {
  constexpr double kHeard_s = 64 / 22050.0;  // FluidSynth starts notes at multiples of 64 samples
  std::vector<RepeatablePlace> places;
  for (const size_t row : rows) {
    places.push_back({notes[row], scores[row], windows.places[row].onset_s - windows.places[row].start_s});
  }
  const Ceiling ceiling = AllowedByRepeats(places, kHeard_s);
  report.settings["R@1 that repeats allow, " + which] = absl::StrCat(ceiling.to_score, " / ", ceiling.to_audio);
  report.settings["repeated notes, " + which] = absl::StrCat(RepeatedShare(Take(notes, 1, rows)));
  report.settings["repeated score windows, " + which] = absl::StrCat(RepeatedShare(Take(scores, 1, rows)));
}

ReportRow Row(std::string name, const RankingFigures& figures) {
  return {std::move(name),
          {figures.recall_at_1, figures.recall_at_5, figures.recall_at_10, figures.recall_at_25,
           figures.mean_reciprocal_rank, figures.median_rank}};
}

// Ranks among the pairs of these rows: as defined, and with repeats of the same notes counted as right.
void AddRows(const std::string& name, const SnippetEmbeddings& embeddings, const std::vector<uint64_t>& notes,
             const Rows& rows, ReportTable& table) {
  const int dimension = embeddings.dimension;
  const std::vector<float> audio = Take(embeddings.audio, dimension, rows);
  const std::vector<float> score = Take(embeddings.score, dimension, rows);
  const std::vector<uint64_t> alike = Take(notes, 1, rows);
  const auto add = [&](const std::string& what, const auto& queries, const auto& candidates,
                       std::span<const uint64_t> no_rivals) {
    table.rows.push_back(Row(name + what, Summarise(RanksOfCounterparts(queries, candidates, dimension, no_rivals))));
  };
  add(", audio→score", audio, score, {});
  add(", score→audio", score, audio, {});
  add(", same notes, audio→score", audio, score, alike);
  add(", same notes, score→audio", score, audio, alike);
}

constexpr double kMoves[] = {0, 0.25, 0.5, 1, 2, 4};  // frames

// The mean cosine of each sound with its own score moved by so much: how exactly the encoders hear where something is.
absl::StatusOr<ReportRow> MovedRow(const std::string& name, const std::string& model, const SuiteOptions& options,
                                   const std::vector<TestPiece>& pieces, const features::FeatureSettings& settings,
                                   const SnippetWindows& windows, const SnippetEmbeddings& embeddings, const Rows& rows,
                                   Progress& progress) {
  SnippetWindows moved;
  moved.places = Take(windows.places, 1, rows);
  const std::vector<float> audio = Take(embeddings.audio, embeddings.dimension, rows);
  ReportRow row{name, {}};
  for (const double frames : kMoves) {
    moved.score = ScoreWindows(pieces, settings, moved.places, frames / settings.frame_rate());
    const absl::StatusOr<SnippetEmbeddings> scores = EmbedSnippets(model, options.encoder, moved, progress);
    if (!scores.ok()) return scores.status();
    const double sum = std::inner_product(audio.begin(), audio.end(), scores->score.begin(), 0.0);
    row.figures.push_back(sum / static_cast<double>(rows.size()));
  }
  return row;
}

}  // namespace

absl::StatusOr<Report> EvaluateSnippets(const SuiteOptions& options, Progress& progress) {
  const auto encoder = encoder::LoadEncoder(absl::StrCat(options.model, "/", bundle::kScoreEncoderFile),
                                            encoder::Modality::kScore, options.encoder);
  if (!encoder.ok()) return encoder.status();
  const encoder::EncoderInfo info = (*encoder)->info();
  const absl::StatusOr<std::vector<TestPiece>> pieces = LoadTestSet(options.test_set, progress);
  if (!pieces.ok()) return pieces.status();
  const absl::StatusOr<SnippetWindows> windows =
      DrawSnippets(*pieces, info.settings, options.all_onsets ? std::numeric_limits<int64_t>::max() : options.snippets,
                   options.seed, options.centre_scores, progress);
  if (!windows.ok()) return windows.status();
  const Rows drawn = DrawnBefore(*windows, options.snippets);
  const Rows all = DrawnBefore(*windows, std::numeric_limits<int64_t>::max());
  const std::vector<uint64_t> notes = NotesOf(*pieces, *windows, info.settings.window_s() / 2);
  const std::vector<uint64_t> scores = ScoresOf(*windows);
  const std::vector<std::string> columns = {"R@1", "R@5", "R@10", "R@25", "MRR", "median"};
  Report report{"snippets", {}, {}};
  ReportTable easy{absl::StrCat(drawn.size(), " candidates"), columns, {}};
  ReportTable hard{absl::StrCat("all ", all.size(), " onsets"), columns, {}};
  ReportTable moves{"similarity, score moved", {}, {}};
  for (const double frames : kMoves) moves.columns.push_back(absl::StrCat(frames, " frames"));
  for (const auto& [name, model] : {std::pair<std::string, std::string>("this model", options.model),
                                    std::pair<std::string, std::string>("untrained", options.untrained)}) {
    if (model.empty()) continue;
    const absl::StatusOr<SnippetEmbeddings> embeddings = EmbedSnippets(model, options.encoder, *windows, progress);
    if (!embeddings.ok()) return embeddings.status();
    AddRows(name, *embeddings, notes, drawn, easy);
    if (options.all_onsets) AddRows(name, *embeddings, notes, all, hard);
    absl::StatusOr<ReportRow> moved =
        MovedRow(name, model, options, *pieces, info.settings, *windows, *embeddings, drawn, progress);
    if (!moved.ok()) return moved.status();
    moves.rows.push_back(*std::move(moved));
  }
  easy.rows.push_back(Row("random", RandomFigures(static_cast<int64_t>(drawn.size()))));
  report.tables.push_back(std::move(easy));
  if (options.all_onsets) {
    hard.rows.push_back(Row("random", RandomFigures(static_cast<int64_t>(all.size()))));
    report.tables.push_back(std::move(hard));
    NoteRepeats(*windows, notes, scores, all, "all onsets", report);
  }
  report.tables.push_back(std::move(moves));
  NoteRepeats(*windows, notes, scores, drawn, "drawn", report);
  report.settings["score windows"] = options.centre_scores ? "centred on the onset" : "on the frames of the sound";
  report.settings["model"] = info.model_id;
  report.settings["pieces"] = absl::StrCat(pieces->size());
  report.settings["seed"] = absl::StrCat(options.seed);
  report.settings["soundfont"] = options.test_set.soundfont;
  return report;
}

}  // namespace antiphon::trainer
