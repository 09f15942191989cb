#include "core/retrieval/path_match.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "core/base/status_macros.h"
#include "core/index/inner_products.h"
#include "core/matching/tempo.h"
#include "core/retrieval/path_rows.h"
#include "core/threads/thread_scope.h"

// A path is found by dynamic programming over rows (windows of the query) and cells (moments of the
// run). It is local on both sides: it may begin and end anywhere, and begins anew where what came
// before is worth nothing (Smith & Waterman 1981), so that what a query holds besides the piece
// costs its own windows only. No path has a negative score.
//
// A stretch of R rows against a run of C cells takes O(R C) time, or, where cells lie closer than
// the query's windows, O(R C A) for A ways to advance. PathScore keeps two rows of
// cells; TracePath, asked for the best run only, keeps all of them, and finds the way back through
// the scores.
//
// Scores of a vote and of a path are on one scale, 0 at the similarity floor and 1 at similarity 1:
// the confidence model is one for both, and so is the ranking where a source has no path.

namespace antiphon::retrieval {
namespace {

using catalog::SnippetRun;

// Windows of the query so far apart leave room for tempo to give and take between them.
constexpr double kFarApart_s = 0.75;
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
// Factor by which a run's tempo may be off the one that is known: the tempi that scores are indexed
// at lie 1.41 apart, so that the nearest is looked at, and from 9 % off it on the next, too.
constexpr double kTempoFactor = 1.3;
// Of the source, as fast as it goes by, around where a path at a neighbouring tempo lies.
constexpr double kMargin_s = 3.0;
constexpr Range<double> kEverywhere = {-std::numeric_limits<double>::infinity(),
                                       std::numeric_limits<double>::infinity()};

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

bool IsNear(double nominal, double slope) {
  return Range<double>{slope / kTempoFactor, slope * kTempoFactor}.Contains(nominal);
}

// Of the runs that go by about as fast as `slope` says for one of the query's sequences.
Range<double> TempoRatiosOf(const EmbeddedQuery& query, std::optional<double> slope) {
  if (!slope.has_value() || query.sequences.empty()) return collection::RunFilter().tempo_ratios;
  const auto [slowest, fastest] = std::minmax_element(
      query.sequences.begin(), query.sequences.end(),
      [](const auto& a, const auto& b) { return a.tempo_ratio < b.tempo_ratio; });
  return {slowest->tempo_ratio * *slope / kTempoFactor,
          fastest->tempo_ratio * *slope * kTempoFactor};
}

// Cells stand so far apart that the tempi of both sides ask for a whole number of them from one
// window of the query to the next, the diagonal: a path along it keeps to the tempo.
//
// No player keeps to it, or waits or hurries for all of the time, between windows that lie far
// apart: between those, cells are about as far apart as the run's windows.
int DiagonalFor(double hop_s, double step) {
  if (hop_s < kFarApart_s) return 1;
  return static_cast<int>(std::lround(std::clamp(step, 1.0, kMostCells / 2.0)));
}

Advance AdvanceAlong(int diagonal) {
  if (diagonal == 1) return {0, {kDetourPrice, 0, kDetourPrice}};
  return AdvanceFor(diagonal, /*pause=*/false);
}

// How many cells the path comes from behind this one, given the row before; none where it begins
// here. Of equals, keeping up comes before waiting, and that before hurrying.
std::optional<int> CameBy(int diagonal, const Advance& advance, const float* before, int cell) {
  std::optional<int> cells;
  float score = 0;
  const auto consider = [&](int behind, float price) {
    if (before[cell - behind] - price <= score) return;
    score = before[cell - behind] - price;
    cells = behind;
  };
  consider(diagonal, 0);
  for (int i = 0; i < std::ssize(advance.prices); ++i)
    consider(advance.least + i, advance.prices[i]);
  return cells;
}

// Room for the work on one run after another.
struct Workspace {
  int diagonal = 1;
  Advance advance;
  Cells cells = Cells(1, 1);
  ScoreRows scores;
  std::vector<float> weights;

  void Set(int rows, int columns, double step, int cells_per_step) {
    diagonal = cells_per_step;
    advance = AdvanceAlong(diagonal);
    cells.Set(columns, step / diagonal);
    scores.Set(rows, cells.count());
    weights.resize(cells.count() + ScoreRows::kLanes);
  }

  // From the row before to the one whose windows are alike so much. Returns the best of it.
  float Extend(const float* similarities, const float* before, float* now) {
    const RowKernels& kernels = RowKernels::Best();
    kernels.weigh(cells, similarities, weights.data());
    if (diagonal == 1)
      return kernels.follow(before, weights.data(), cells.count(), kDetourPrice, now);
    return kernels.advance(before, weights.data(), cells.count(), advance.least, advance.prices,
                           /*jump=*/0, /*baseline=*/0, now);
  }
};

float PathScore(std::span<const float> similarities, int rows, int columns, double step, int cells,
                Workspace& work) {
  work.Set(2, columns, step, cells);
  float best = 0;
  for (int row = 0; row < rows; ++row) {
    best = std::max(best, work.Extend(similarities.data() + static_cast<size_t>(row) * columns,
                                      work.scores.row(row == 0 ? -1 : (row - 1) % 2),
                                      work.scores.row(row % 2)));
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
  float score = 0;
  const Run* run = nullptr;
  int first = 0, columns = 0;  // of the run that it was looked for in
  double step = 0;
  int diagonal = 1;
  std::vector<float> similarities;  // [stretch.rows(), columns]

  // Its rows and the run's columns, one by one.
  std::vector<PathStep> Trace(const Stretch& stretch) const {
    std::vector<PathStep> steps = TracePath(similarities, stretch.rows(), columns, step, diagonal);
    for (PathStep& one : steps) one.column += first;
    return steps;
  }
};

// Puts the path's ends, its middle and its slope into `found`. Tempo gives and takes, so that the
// middle is read off the steps around it, and not off its ends.
void Locate(const matching::EmbeddingSequence& sequence, const Stretch& stretch,
            const RunPath& best, const std::vector<PathStep>& steps, PathMatch& found) {
  const SnippetRun& run = best.run->run;
  const double nominal = run.tempo_ratio / sequence.tempo_ratio;
  const PathStep &first = steps.front(), &last = steps.back();
  const double middle_row = 0.5 * (first.row + last.row);
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
    column = 0.5 * (first.column + last.column);
  }
  const double query_start_s = sequence.start_s[stretch.first];
  found.place = {query_start_s + row / weight * sequence.hop_s + sequence.window_s / 2,
                 run.start_s + column / weight * run.hop_s + run.window_s / 2};
  found.match.query = {query_start_s + first.row * sequence.hop_s,
                       query_start_s + last.row * sequence.hop_s + sequence.window_s};
  found.match.reference = {run.start_s + first.column * run.hop_s,
                           run.start_s + last.column * run.hop_s + run.window_s};
  found.similarity = static_cast<float>(similarity / static_cast<double>(steps.size()));
  const double span_s = (last.row - first.row) * sequence.hop_s;
  const double travelled =
      span_s >= kMinFit_s ? ColumnsPerRow(steps) * run.hop_s / sequence.hop_s : nominal;
  found.match.slope = matching::IsPlausibleTempo(travelled, nominal) ? travelled : nominal;
}

// Finds the best paths of one query through one source after another.
class Matcher {
 public:
  Matcher(const matching::EmbeddingSequence& sequence,
          const std::function<absl::Status()>& keep_going)
      : sequence_(sequence), keep_going_(keep_going), stretches_(StretchesOf(sequence)) {}

  absl::StatusOr<PathMatch> Match(const std::vector<Run>& runs, std::optional<double> slope) {
    PathMatch match;
    float best_stretch = 0;
    double sum = 0;
    for (const Stretch& stretch : stretches_) {
      RETURN_IF_ERROR(keep_going_ ? keep_going_() : absl::OkStatus());
      FindBestRun(stretch, runs, slope);
      if (best_.score <= 0) continue;
      const std::vector<PathStep> steps = best_.Trace(stretch);
      // Stretches add up as segments do in VoteInTime; the place is that of the best.
      sum += best_.score;
      match.windows += steps.back().row - steps.front().row + 1;
      if (best_.score <= best_stretch) continue;
      best_stretch = best_.score;
      Locate(sequence_, stretch, best_, steps, match);
    }
    if (!sequence_.start_s.empty())
      match.score = std::min(1.0, sum / static_cast<double>(sequence_.start_s.size()));
    return match;
  }

 private:
  // Seconds of the source per second of the query.
  double NominalOf(const Run& run) const { return run.run.tempo_ratio / sequence_.tempo_ratio; }

  // Into best_: the run that the stretch goes along with best; a score of 0 where nothing is alike.
  // A score has a run for each tempo, so that this also chooses the tempo. Where it is about known,
  // only the nearest is followed all along, and its neighbours where that one leads.
  void FindBestRun(const Stretch& stretch, const std::vector<Run>& runs,
                   std::optional<double> slope) {
    best_.score = 0;
    if (!slope.has_value()) {
      for (const Run& run : runs) Follow(stretch, run, kEverywhere);
      return;
    }
    std::vector<const Run*> near;
    for (const Run& run : runs) {
      if (IsNear(NominalOf(run), *slope)) near.push_back(&run);
    }
    if (near.empty()) return;
    const auto off = [&](const Run* run) { return std::abs(std::log(NominalOf(*run) / *slope)); };
    const double nearest =
        (*std::min_element(near.begin(), near.end(), [&](const Run* a, const Run* b) {
          return off(a) < off(b);
        }))->run.tempo_ratio;
    for (const Run* run : near) {
      if (run->run.tempo_ratio == nearest) Follow(stretch, *run, kEverywhere);
    }
    const Range<double> there = best_.score > 0 ? Surroundings(stretch) : kEverywhere;
    for (const Run* run : near) {
      if (run->run.tempo_ratio != nearest) Follow(stretch, *run, there);
    }
  }

  // Of the source, seconds: where the stretch lies if best_ is near its path.
  Range<double> Surroundings(const Stretch& stretch) const {
    const std::vector<PathStep> steps = best_.Trace(stretch);
    const SnippetRun& run = best_.run->run;
    const double row_s = sequence_.hop_s * NominalOf(*best_.run) * kTempoFactor;
    const double margin_s = kMargin_s * NominalOf(*best_.run);
    const PathStep &first = steps.front(), &last = steps.back();
    return {
        run.start_s + first.column * run.hop_s - first.row * row_s - margin_s,
        run.start_s + last.column * run.hop_s + (stretch.rows() - 1 - last.row) * row_s + margin_s};
  }

  // Keeps the best path along the run's windows that begin within `range`, if it is better than
  // best_.
  void Follow(const Stretch& stretch, const Run& run, const Range<double>& range) {
    if (!(run.run.hop_s > 0)) return;  // a catalogue lets a run of one window have no hop
    if (range.high < run.run.start_s) return;
    const auto column_at = [&run](double start_s) {
      return std::clamp((start_s - run.run.start_s) / run.run.hop_s, 0.0,
                        static_cast<double>(run.run.count));
    };
    next_.run = &run;
    next_.first = static_cast<int>(std::ceil(column_at(range.low)));
    next_.columns = static_cast<int>(std::min(std::floor(column_at(range.high)) + 1,
                                              static_cast<double>(run.run.count))) -
                    next_.first;
    if (next_.columns < 1) return;
    next_.step = std::max(kLeastStep, sequence_.hop_s * NominalOf(run) / run.run.hop_s);
    next_.diagonal = DiagonalFor(sequence_.hop_s, next_.step);
    next_.similarities.resize(static_cast<size_t>(stretch.rows()) * next_.columns);
    const auto values_before = [this](int row) {
      return static_cast<ptrdiff_t>(row) * sequence_.dimension;
    };
    index::InnerProducts(sequence_.embeddings.data() + values_before(stretch.first), stretch.rows(),
                         run.vectors.data() + values_before(next_.first), next_.columns,
                         sequence_.dimension, next_.similarities.data());
    next_.score = PathScore(next_.similarities, stretch.rows(), next_.columns, next_.step,
                            next_.diagonal, work_);
    if (next_.score > best_.score) std::swap(best_, next_);
  }

  const matching::EmbeddingSequence& sequence_;
  const std::function<absl::Status()>& keep_going_;
  const std::vector<Stretch> stretches_;
  Workspace work_;
  RunPath best_, next_;
};

}  // namespace

float PathScore(std::span<const float> similarities, int rows, int columns, double step,
                int cells) {
  Workspace work;
  return PathScore(similarities, rows, columns, step, cells, work);
}

std::vector<PathStep> TracePath(std::span<const float> similarities, int rows, int columns,
                                double step, int cells_per_step) {
  Workspace work;
  work.Set(rows, columns, step, cells_per_step);
  const Cells& cells = work.cells;
  const auto similarities_of = [&](int row) {
    return similarities.data() + static_cast<size_t>(row) * columns;
  };
  float best = 0;
  int last_row = -1;
  for (int row = 0; row < rows; ++row) {
    const float score =
        work.Extend(similarities_of(row), work.scores.row(row - 1), work.scores.row(row));
    if (score <= best) continue;
    best = score;
    last_row = row;
  }
  std::vector<PathStep> steps;
  if (last_row < 0) return steps;
  int cell = CellWith(work.scores.row(last_row), cells.count(), best);
  for (int row = last_row;; --row) {
    const float value = cells.SimilarityAt(similarities_of(row), cell);
    steps.push_back({row, cells.ColumnOf(cell), WeightOf(value), value});
    const std::optional<int> behind =
        CameBy(work.diagonal, work.advance, work.scores.row(row - 1), cell);
    if (!behind) break;
    cell -= *behind;
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
  std::vector<Matcher> matchers;
  for (const matching::EmbeddingSequence& sequence : query.sequences)
    matchers.emplace_back(sequence, keep_going);
  std::vector<PathMatch> matches;
  for (const Reading& reading : readings) {
    ASSIGN_OR_RETURN(
        const std::vector<Run> runs,
        space.read_runs(reading.source, {reading.part, TempoRatiosOf(query, reading.slope)}));
    PathMatch best;
    for (Matcher& matcher : matchers) {
      ASSIGN_OR_RETURN(const PathMatch match, matcher.Match(runs, reading.slope));
      if (match.score > best.score) best = match;
    }
    matches.push_back(best);
  }
  return matches;
}

}  // namespace antiphon::retrieval
