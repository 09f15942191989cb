#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/bundle/manifest.h"
#include "trainer/base/fingerprint.h"
#include "trainer/data/passage.h"
#include "trainer/evaluation/snippet_windows.h"
#include "trainer/evaluation/suites.h"
#include "trainer/metrics/ranking.h"
#include "trainer/metrics/repeats.h"

namespace antiphon::trainer::evaluation {
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

// What surrounds each place: equal where the same notes do, whatever the onset's fraction of a
// frame.
std::vector<uint64_t> NotesOf(const std::vector<datasets::TestPiece>& pieces,
                              const SnippetWindows& windows, double reach_s) {
  constexpr double kGrid_s = 0.005;
  std::vector<uint64_t> notes;
  for (const SnippetPlace& place : windows.places) {
    notes.push_back(
        data::HashPassage(pieces[place.piece].score.notes, place.onset_s, reach_s, kGrid_s));
  }
  return notes;
}

// Windows as numbers: equal where they are, bit for bit. `cells` is [places, …].
std::vector<uint64_t> NumbersOf(const std::vector<uint8_t>& cells, size_t places) {
  const size_t width = cells.size() / places;
  std::vector<uint64_t> numbers;
  for (size_t row = 0; row < places; ++row) {
    numbers.push_back(HashOf({reinterpret_cast<const char*>(cells.data()) + row * width, width}));
  }
  return numbers;
}

std::vector<metrics::RepeatablePlace> RepeatablePlacesOf(
    const std::vector<datasets::TestPiece>& pieces, const SnippetWindows& windows, double reach_s) {
  const size_t count = windows.places.size();
  const std::vector<uint64_t> notes = NotesOf(pieces, windows, reach_s);
  const std::vector<uint64_t> scores = NumbersOf(windows.score, count),
                              audio = NumbersOf(windows.audio, count);
  std::vector<metrics::RepeatablePlace> places;
  for (size_t row = 0; row < count; ++row) {
    places.push_back({notes[row], scores[row], audio[row],
                      windows.places[row].onset_s - windows.places[row].start_s});
  }
  return places;
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

// One number of each place.
std::vector<uint64_t> Numbers(std::span<const metrics::RepeatablePlace> places,
                              uint64_t metrics::RepeatablePlace::*number) {
  std::vector<uint64_t> numbers;
  for (const metrics::RepeatablePlace& place : places) numbers.push_back(place.*number);
  return numbers;
}

// FluidSynth starts notes at multiples of 64 samples.
constexpr double kHeard_s = 64 / 22050.0;

// What nobody can tell apart among these places.
void NoteRepeats(std::span<const metrics::RepeatablePlace> places, const std::string& which,
                 metrics::Report& report) {
  const metrics::Ceiling ceiling = metrics::AllowedByRepeats(places, kHeard_s);
  const auto share = [&](uint64_t metrics::RepeatablePlace::*number) {
    return absl::StrCat(metrics::RepeatedShare(Numbers(places, number)));
  };
  report.settings["R@1 that repeats allow, " + which] =
      absl::StrCat(ceiling.to_score, " / ", ceiling.to_audio);
  report.settings["repeated notes, " + which] = share(&metrics::RepeatablePlace::notes);
  report.settings["repeated score windows, " + which] =
      share(&metrics::RepeatablePlace::score_window);
}

metrics::ReportRow Row(std::string name, const metrics::RankingFigures& figures) {
  return {std::move(name),
          {figures.recall_at_1, figures.recall_at_5, figures.recall_at_10, figures.recall_at_25,
           figures.mean_reciprocal_rank, figures.median_rank}};
}

// Of each sound's score among all scores, and of each score's sound among all sounds.
struct Ranks {
  std::vector<int64_t> to_score, to_audio;
};

// Ranks among the pairs of these rows: as defined, which it returns, and with repeats of the same
// notes counted as right. `places` are those of the rows.
Ranks AddRows(const std::string& name, const SnippetEmbeddings& embeddings,
              std::span<const metrics::RepeatablePlace> places, const Rows& rows,
              metrics::ReportTable& table) {
  const int dimension = embeddings.dimension;
  const std::vector<float> audio = Take(embeddings.audio, dimension, rows);
  const std::vector<float> score = Take(embeddings.score, dimension, rows);
  const auto add = [&](const std::string& what, std::span<const uint64_t> no_rivals) {
    Ranks ranks{metrics::RanksOfCounterparts(audio, score, dimension, no_rivals),
                metrics::RanksOfCounterparts(score, audio, dimension, no_rivals)};
    table.rows.push_back(
        Row(absl::StrCat(name, what, ", audio→score"), metrics::Summarise(ranks.to_score)));
    table.rows.push_back(
        Row(absl::StrCat(name, what, ", score→audio"), metrics::Summarise(ranks.to_audio)));
    return ranks;
  };
  Ranks ranks = add("", {});
  add(", same notes", Numbers(places, &metrics::RepeatablePlace::notes));
  return ranks;
}

// How many are wrong, by how far off in its frame the nearest repeat of the same notes is: nearer
// than kHeard_s nothing tells them apart.
metrics::ReportTable WrongByRepeat(const std::string& which, const std::string& name,
                                   const Ranks& ranks,
                                   std::span<const metrics::RepeatablePlace> places,
                                   double frame_rate) {
  const std::array<double, 3> edges = {kHeard_s * frame_rate, 0.15, 0.3};  // frames
  metrics::ReportTable table{absl::StrCat("wrong, by nearest repeat, ", which), {}, {}};
  for (const double edge : edges) table.columns.push_back(absl::StrFormat("< %.2f", edge));
  table.columns.insert(table.columns.end(), {"further", "none"});
  metrics::ReportRow all{"places", std::vector<double>(table.columns.size())};
  metrics::ReportRow to_score{name + ", audio→score", all.figures},
      to_audio{name + ", score→audio", all.figures};
  const std::vector<double> nearest_s = metrics::NearestRepeats(places);
  for (size_t i = 0; i < places.size(); ++i) {
    const auto edge = std::upper_bound(edges.begin(), edges.end(), nearest_s[i] * frame_rate);
    const auto column =
        std::isinf(nearest_s[i]) ? edges.size() + 1 : static_cast<size_t>(edge - edges.begin());
    all.figures[column] += 1;
    to_score.figures[column] += ranks.to_score[i] > 1;
    to_audio.figures[column] += ranks.to_audio[i] > 1;
  }
  table.rows = {std::move(all), std::move(to_score), std::move(to_audio)};
  return table;
}

constexpr double kMoves[] = {0, 0.25, 0.5, 1, 2, 4};  // frames

// The mean cosine of each sound with its own score moved by so much: how exactly the encoders hear
// where something is.
absl::StatusOr<metrics::ReportRow> MovedRow(const std::string& name, const std::string& model,
                                            const SnippetsOptions& options,
                                            const std::vector<datasets::TestPiece>& pieces,
                                            const features::FeatureSettings& settings,
                                            const SnippetWindows& windows,
                                            const SnippetEmbeddings& embeddings, const Rows& rows,
                                            Progress& progress) {
  SnippetWindows moved;
  moved.places = Take(windows.places, 1, rows);
  const std::vector<float> audio = Take(embeddings.audio, embeddings.dimension, rows);
  metrics::ReportRow row{name, {}};
  for (const double frames : kMoves) {
    moved.score = ScoreWindows(pieces, settings, moved.places, frames / settings.frame_rate());
    ASSIGN_OR_RETURN(const SnippetEmbeddings scores,
                     EmbedSnippets(model, options.models.encoder, moved, progress));
    const double sum = std::inner_product(audio.begin(), audio.end(), scores.score.begin(), 0.0);
    row.figures.push_back(sum / static_cast<double>(rows.size()));
  }
  return row;
}

// Places among which counterparts are looked for, and the figures of that.
struct Contest {
  std::string which, in_settings;  // names of them
  Rows rows;
  std::vector<metrics::RepeatablePlace> places;
  metrics::ReportTable table;
};

// Those drawn, and all where the options say so.
std::vector<Contest> ContestsOf(const SnippetsOptions& options,
                                const std::vector<datasets::TestPiece>& pieces,
                                const SnippetWindows& windows, double reach_s) {
  const auto places = RepeatablePlacesOf(pieces, windows, reach_s);
  std::vector<Contest> contests(options.all_onsets ? 2 : 1);
  Contest& drawn = contests.front();
  drawn.which = drawn.in_settings = "drawn";
  drawn.rows = DrawnBefore(windows, options.snippets);
  drawn.table.title = absl::StrCat(drawn.rows.size(), " candidates");
  if (options.all_onsets) {
    Contest& all = contests.back();
    all.which = "all";
    all.in_settings = "all onsets";
    all.rows = DrawnBefore(windows, std::numeric_limits<int64_t>::max());
    all.table.title = absl::StrCat("all ", all.rows.size(), " onsets");
  }
  for (Contest& contest : contests) {
    contest.places = Take(places, 1, contest.rows);
    contest.table.columns = {"R@1", "R@5", "R@10", "R@25", "MRR", "median"};
  }
  return contests;
}

}  // namespace

absl::StatusOr<metrics::Report> EvaluateSnippets(const SnippetsOptions& options,
                                                 Progress& progress) {
  RETURN_IF_ERROR(options.Check());
  ASSIGN_OR_RETURN(
      const auto encoder,
      encoder::LoadEncoder(absl::StrCat(options.models.model, "/", bundle::kScoreEncoderFile),
                           encoder::Modality::kScore, options.models.encoder));
  const encoder::EncoderInfo info = encoder->info();
  ASSIGN_OR_RETURN(const std::vector<datasets::TestPiece> pieces,
                   datasets::LoadTestSet(options.test_set, progress));
  ASSIGN_OR_RETURN(
      const SnippetWindows windows,
      DrawSnippets(pieces, info.settings,
                   options.all_onsets ? std::numeric_limits<int64_t>::max() : options.snippets,
                   options.seed, options.centre_scores, progress));
  std::vector<Contest> contests =
      ContestsOf(options, pieces, windows, info.settings.window_s() / 2);
  std::vector<metrics::ReportTable> wrong;
  metrics::ReportTable moves{"similarity, score moved", {}, {}};
  for (const double frames : kMoves) moves.columns.push_back(absl::StrCat(frames, " frames"));
  for (const auto& [name, model, measured] : ModelsOf(options.models)) {
    ASSIGN_OR_RETURN(const SnippetEmbeddings embeddings,
                     EmbedSnippets(model, options.models.encoder, windows, progress));
    for (Contest& contest : contests) {
      const Ranks ranks = AddRows(name, embeddings, contest.places, contest.rows, contest.table);
      if (!measured) continue;
      wrong.push_back(
          WrongByRepeat(contest.which, name, ranks, contest.places, info.settings.frame_rate()));
    }
    ASSIGN_OR_RETURN(metrics::ReportRow moved,
                     MovedRow(name, model, options, pieces, info.settings, windows, embeddings,
                              contests.front().rows, progress));
    moves.rows.push_back(std::move(moved));
  }
  metrics::Report report{"snippets", {}, {}};
  for (Contest& contest : contests) {
    const auto candidates = static_cast<int64_t>(contest.rows.size());
    contest.table.rows.push_back(Row("random", metrics::RandomFigures(candidates)));
    report.tables.push_back(std::move(contest.table));
    NoteRepeats(contest.places, contest.in_settings, report);
  }
  std::move(wrong.begin(), wrong.end(), std::back_inserter(report.tables));
  report.tables.push_back(std::move(moves));
  report.settings["score windows"] =
      options.centre_scores ? "centred on the onset" : "on the frames of the sound";
  report.settings["model"] = info.model_id;
  report.settings["pieces"] = absl::StrCat(pieces.size());
  report.settings["seed"] = absl::StrCat(options.seed);
  report.settings["soundfont"] = options.test_set.soundfont;
  return report;
}

}  // namespace antiphon::trainer::evaluation
