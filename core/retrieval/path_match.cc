#include "core/retrieval/path_match.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/status_macros.h"
#include "core/index/inner_products.h"
#include "core/matching/tempo.h"
#include "core/retrieval/similarity_weight.h"
#include "core/threads/thread_scope.h"

// A path is found by dynamic programming over rows (windows of the query) and cells (moments of the
// run). It is local on both sides: it may begin and end anywhere, and begins anew where what came
// before is worth nothing (Smith & Waterman 1981), so that what a query holds besides the piece
// costs its own windows only. No path has a negative score.
//
// A stretch of R rows against a run of C cells takes O(R C) time. BestPath keeps two rows of cells
// and each path's beginning; TracePath, asked for the best run only, also keeps R C moves of a
// byte.
//
// Scores of a vote and of a path are on one scale, 0 at the similarity floor and 1 at similarity 1:
// the confidence model is one for both, and so is the ranking where a source has no path.

namespace antiphon::retrieval {
namespace {

using catalog::SnippetRun;

// Of a row in which a path waits, or goes twice as far. It is the weight of a similarity of 0.07
// above the floor: a seventh of what a right window weighs (0.7 at the mean similarity of 0.8,
// docs/quality.md), so that one right window pays for a step with the player's tempo, while noise
// hardly pays for any.
constexpr float kDetourPrice = 0.1f;
// Of the query, around the middle of a path, that says where it lies.
constexpr double kNear_s = 1.0;
// Of the query that a path must span for a slope of its own: below the length of a window all its
// windows overlap, and say much the same.
constexpr double kMinFit_s = 2.0;
// Of a stretch: its similarities to an hour of score (7,200 windows) then take 7 MB.
constexpr int kMostRows = 256;
// Of the run's windows per window of the query, likewise: a hop far below the run's must not make
// cells without end.
constexpr double kLeastStep = 0.01;

// Windows [first, last) of one sequence that follow one another at its hop: a path takes every row
// for a step of the same time.
struct Stretch {
  int first = 0, last = 0;

  int rows() const { return last - first; }
};

std::vector<Stretch> StretchesOf(const matching::EmbeddingSequence& sequence) {
  std::vector<Stretch> stretches;
  const auto count = static_cast<int>(sequence.start_s.size());
  for (int first = 0, last = 0; first < count; first = last) {
    last = first + 1;
    while (last < count && last - first < kMostRows &&
           std::abs(sequence.start_s[last] - sequence.start_s[last - 1] - sequence.hop_s) <
               0.01 * sequence.hop_s) {
      ++last;
    }
    stretches.push_back({first, last});
  }
  return stretches;
}

using Run = SearchSpace::Run;

// How a path comes to a cell: it begins there, or comes from the row before.
enum class Move : int8_t { kStart, kWait, kKeepUp, kHurry };

int CellsOf(Move move) { return move == Move::kHurry ? 2 : move == Move::kKeepUp ? 1 : 0; }

// Cells stand `step` windows of the run apart, as far as the tempi of both sides go from one window
// of the query to the next: a path along the diagonal keeps to the tempo. Between two windows of
// the run similarities are interpolated.
int CellCount(int columns, double step) { return static_cast<int>((columns - 1) / step) + 1; }

// `note` is told how the best path to each cell came there. Moves are considered in the order of
// keeping up, waiting and hurrying, and the first of equals stays: BestPath and TracePath find the
// same path.
template <typename Note>
WindowPath FindPath(std::span<const float> similarities, int rows, int columns, double step,
                    Note note) {
  const int cells = CellCount(columns, step);
  struct Cell {
    float score = 0;
    int first_row = 0, first_cell = 0;
  };
  std::vector<Cell> before(cells), now(cells);
  WindowPath best;
  for (int row = 0; row < rows; ++row) {
    const float* similarity = similarities.data() + static_cast<size_t>(row) * columns;
    for (int cell = 0; cell < cells; ++cell) {
      Cell next{0, row, cell};
      Move move = Move::kStart;
      const auto consider = [&](const Cell& from, float price, Move by) {
        if (from.score - price <= next.score) return;
        next = {from.score - price, from.first_row, from.first_cell};
        move = by;
      };
      if (row > 0) {
        if (cell > 0) consider(before[cell - 1], 0, Move::kKeepUp);
        consider(before[cell], kDetourPrice, Move::kWait);
        if (cell > 1) consider(before[cell - 2], kDetourPrice, Move::kHurry);
      }
      next.score += WeightOf(SimilarityAt(similarity, columns, cell * step));
      now[cell] = next;
      note(row, cell, move);
      if (next.score > static_cast<float>(best.score)) {
        best = {next.score, next.first_row, row, next.first_cell * step, cell * step};
      }
    }
    std::swap(before, now);
  }
  return best;
}

// The slope of the line that fits the steps best, by least squares with their weights; 0 where they
// do not tell. A path's ends would be a worse measure: that is where a query is cut.
double ColumnsPerRow(const std::vector<PathStep>& steps) {
  double weight = 0, row = 0, column = 0, covariance = 0, variance = 0;
  for (const PathStep& step : steps) {
    weight += step.weight;
    row += step.weight * step.row;
    column += step.weight * step.column;
  }
  if (weight <= 0) return 0;
  for (const PathStep& step : steps) {
    covariance += step.weight * (step.row - row / weight) * (step.column - column / weight);
    variance += step.weight * (step.row - row / weight) * (step.row - row / weight);
  }
  return variance > 0 ? covariance / variance : 0;
}

// How a stretch of the query goes along with a run.
struct RunPath {
  WindowPath path;
  const Run* run = nullptr;
  double step = 0;
  std::vector<float> similarities;  // [stretch.rows(), run->run.count]
};

// Puts the path's ends, its middle and its slope into `found`. Tempo gives and takes, so that the
// middle is read off the steps around it, and not off its ends.
void Locate(const matching::EmbeddingSequence& sequence, const Stretch& stretch,
            const RunPath& best, PathMatch& found) {
  const SnippetRun& run = best.run->run;
  const WindowPath& path = best.path;
  const double nominal = run.tempo_ratio / sequence.tempo_ratio;
  const std::vector<PathStep> steps =
      TracePath(best.similarities, stretch.rows(), static_cast<int>(run.count), best.step);
  const double middle_row = 0.5 * (path.first_row + path.last_row);
  double weight = 0, row = 0, column = 0, similarity = 0;
  for (const PathStep& step : steps) {
    similarity += step.similarity;
    if (std::abs(step.row - middle_row) * sequence.hop_s > kNear_s) continue;
    weight += step.weight;
    row += step.weight * step.row;
    column += step.weight * step.column;
  }
  if (weight <= 0) {  // nothing there is alike: the ends must do
    weight = 1;
    row = middle_row;
    column = 0.5 * (path.first_column + path.last_column);
  }
  const double query_start_s = sequence.start_s[stretch.first];
  found.place = {query_start_s + row / weight * sequence.hop_s + sequence.window_s / 2,
                 run.start_s + column / weight * run.hop_s + run.window_s / 2};
  found.match.query = {query_start_s + path.first_row * sequence.hop_s,
                       query_start_s + path.last_row * sequence.hop_s + sequence.window_s};
  found.match.reference = {run.start_s + path.first_column * run.hop_s,
                           run.start_s + path.last_column * run.hop_s + run.window_s};
  found.similarity = static_cast<float>(similarity / static_cast<double>(steps.size()));
  const double span_s = (path.last_row - path.first_row) * sequence.hop_s;
  const double travelled =
      span_s >= kMinFit_s ? ColumnsPerRow(steps) * run.hop_s / sequence.hop_s : nominal;
  found.match.slope = matching::IsPlausibleTempo(travelled, nominal) ? travelled : nominal;
}

// The run that the stretch goes along with best; none where nothing is alike. A score has a run for
// each tempo, so that this also chooses the tempo. Its similarities are kept for Locate.
RunPath BestRun(const matching::EmbeddingSequence& sequence, const Stretch& stretch,
                const std::vector<Run>& runs) {
  const float* const windows =
      sequence.embeddings.data() + static_cast<size_t>(stretch.first) * sequence.dimension;
  RunPath best, next;
  for (const Run& run : runs) {
    if (!(run.run.hop_s > 0)) continue;  // a catalogue lets a run of one window have no hop
    const double nominal = run.run.tempo_ratio /
                           sequence.tempo_ratio;  // seconds of the source per second of the query
    const auto columns = static_cast<int>(run.run.count);
    next.run = &run;
    next.step = std::max(kLeastStep, sequence.hop_s * nominal / run.run.hop_s);
    next.similarities.resize(static_cast<size_t>(stretch.rows()) * columns);
    index::InnerProducts(windows, stretch.rows(), run.vectors.data(), columns, sequence.dimension,
                         next.similarities.data());
    next.path = BestPath(next.similarities, stretch.rows(), columns, next.step);
    if (next.path.score > best.path.score) std::swap(best, next);
  }
  return best;
}

absl::StatusOr<PathMatch> MatchSequence(const matching::EmbeddingSequence& sequence,
                                        const std::vector<Run>& runs,
                                        const std::function<absl::Status()>& keep_going) {
  PathMatch match;
  double best_stretch = 0, sum = 0;
  for (const Stretch& stretch : StretchesOf(sequence)) {
    RETURN_IF_ERROR(keep_going ? keep_going() : absl::OkStatus());
    const RunPath best = BestRun(sequence, stretch, runs);
    if (best.path.score <= 0) continue;
    // Stretches add up as segments do in VoteInTime; the place is that of the best.
    sum += best.path.score;
    match.windows += best.path.last_row - best.path.first_row + 1;
    if (best.path.score <= best_stretch) continue;
    best_stretch = best.path.score;
    Locate(sequence, stretch, best, match);
  }
  if (!sequence.start_s.empty())
    match.score = std::min(1.0, sum / static_cast<double>(sequence.start_s.size()));
  return match;
}

}  // namespace

WindowPath BestPath(std::span<const float> similarities, int rows, int columns, double step) {
  return FindPath(similarities, rows, columns, step, [](int, int, Move) {});
}

std::vector<PathStep> TracePath(std::span<const float> similarities, int rows, int columns,
                                double step) {
  const int cells = CellCount(columns, step);
  std::vector<Move> moves(static_cast<size_t>(rows) * cells);
  const WindowPath path = FindPath(
      similarities, rows, columns, step,
      [&](int row, int cell, Move move) { moves[static_cast<size_t>(row) * cells + cell] = move; });
  std::vector<PathStep> steps;
  if (path.score <= 0) return steps;
  int cell = static_cast<int>(std::lround(path.last_column / step));
  for (int row = path.last_row; row >= path.first_row; --row) {
    const float* similarity = similarities.data() + static_cast<size_t>(row) * columns;
    const float value = SimilarityAt(similarity, columns, cell * step);
    steps.push_back({row, cell * step, WeightOf(value), value});
    cell -= CellsOf(moves[static_cast<size_t>(row) * cells + cell]);
  }
  std::reverse(steps.begin(), steps.end());
  return steps;
}

absl::StatusOr<std::vector<PathMatch>> MatchPaths(const SearchSpace& space,
                                                  const EmbeddedQuery& query,
                                                  std::span<const Reading> readings,
                                                  const std::function<absl::Status()>& keep_going) {
  // OpenBLAS computes in this thread: others of its own would spin beside those of other requests.
  const threads::ThreadScope thread_scope(0);
  std::vector<PathMatch> matches;
  for (const Reading& reading : readings) {
    ASSIGN_OR_RETURN(const std::vector<Run> runs, space.read_runs(reading));
    PathMatch best;
    for (const matching::EmbeddingSequence& sequence : query.sequences) {
      ASSIGN_OR_RETURN(const PathMatch match, MatchSequence(sequence, runs, keep_going));
      if (match.score > best.score) best = match;
    }
    matches.push_back(best);
  }
  return matches;
}

}  // namespace antiphon::retrieval
