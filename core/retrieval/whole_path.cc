#include "core/retrieval/whole_path.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/base/status_macros.h"
#include "core/index/inner_products.h"
#include "core/retrieval/path_rows.h"
#include "core/threads/thread_scope.h"

namespace antiphon::retrieval {
namespace {

using matching::Place;

// Taken off every window's weight: the best of all paths through other music weighs about so much,
// and must not lengthen a path. A right window weighs 0.7 (docs/quality.md).
constexpr float kBaseline = 0.2f;
// What a jump must be worth, seconds of right windows, and at least so many windows.
constexpr double kJump_s = 3.0;
constexpr double kJumpWindows = 1.5;
constexpr double kRightWeight = 0.5;  // of a right window, above the baseline
// Factor by which a run's tempo may be off the one that is looked for.
constexpr double kTempoFactor = 1.3;
// Part of the query's windows that a path must take for the other tempi to be left alone.
constexpr double kCovered = 0.8;
constexpr double kMostDetour = 3;  // of a slope, from the tempo that a run was read at
// Between windows of the query without sound between them: a player may have waited there.
constexpr double kPause_s = 1.0;
constexpr double kLeastStep = 0.01;  // cells must not be without number
// Of the query, around a moment, in which the path says where that is.
constexpr double kNear_s = 2.0;
constexpr double kMinFit_s = 2.0;  // of the query, for a slope of its own

bool IsWithin(double factor, double slope, double other) {
  return slope <= other * factor && slope >= other / factor;
}

// All windows of a source that were read at one tempo, on one grid: where runs end and begin anew,
// because nothing sounds between, there are columns without a window.
struct Track {
  double tempo_ratio = 1, start_s = 0, hop_s = 0, window_s = 0;
  int columns = 0;
  std::vector<const SearchSpace::Run*> runs;

  int ColumnOf(const SearchSpace::Run& run) const {
    return static_cast<int>(std::lround((run.run.start_s - start_s) / hop_s));
  }
};

std::vector<Track> TracksOf(const std::vector<SearchSpace::Run>& runs) {
  std::map<double, Track> tracks;
  for (const SearchSpace::Run& run : runs) {
    if (!(run.run.hop_s > 0)) continue;  // a catalogue lets a run of one window have no hop
    Track& track = tracks[run.run.tempo_ratio];
    if (track.runs.empty() || run.run.start_s < track.start_s) track.start_s = run.run.start_s;
    track.tempo_ratio = run.run.tempo_ratio;
    track.hop_s = run.run.hop_s;
    track.window_s = run.run.window_s;
    track.runs.push_back(&run);
  }
  std::vector<Track> result;
  for (auto& [ratio, track] : tracks) {
    for (const SearchSpace::Run* run : track.runs)
      track.columns =
          std::max(track.columns, track.ColumnOf(*run) + static_cast<int>(run->run.count));
    result.push_back(std::move(track));
  }
  return result;
}

// What each window of the query weighs at each column, [rows, columns]; 0 similarity where there is
// no window.
std::vector<float> SimilaritiesOf(const matching::EmbeddingSequence& sequence, const Track& track) {
  const auto rows = static_cast<int>(sequence.start_s.size());
  std::vector<float> all(static_cast<size_t>(rows) * track.columns), part;
  for (const SearchSpace::Run* run : track.runs) {
    const auto count = static_cast<int>(run->run.count);
    const int first = track.ColumnOf(*run);
    part.resize(static_cast<size_t>(rows) * count);
    index::InnerProducts(sequence.embeddings.data(), rows, run->vectors.data(), count,
                         sequence.dimension, part.data());
    for (int row = 0; row < rows; ++row) {
      std::copy_n(part.data() + static_cast<size_t>(row) * count, count,
                  all.data() + static_cast<size_t>(row) * track.columns + first);
    }
  }
  return all;
}

// Cells are moments of the source, so far apart that the tempo asks for a whole number of them from
// one window of the query to the next.
class Grid {
 public:
  Grid(const matching::EmbeddingSequence& sequence, const Track& track)
      : track_(track), similarities_(SimilaritiesOf(sequence, track)) {
    const double step =
        std::max(kLeastStep, sequence.hop_s * track.tempo_ratio / sequence.tempo_ratio /
                                 track.hop_s);  // columns from one window to the next
    spacing_ = step / std::max(1.0, std::round(step));
    cells_.Set(track.columns, spacing_);
  }

  const Cells& cells() const { return cells_; }
  double spacing_s() const { return spacing_ * track_.hop_s; }  // of the source
  double MiddleOf(int cell) const {
    return track_.start_s + cell * spacing_s() + track_.window_s / 2;
  }

  // Of a window of the query to all columns.
  const float* similarities(int row) const {
    return similarities_.data() + static_cast<size_t>(row) * track_.columns;
  }
  float SimilarityAt(int row, int cell) const {
    return cells_.SimilarityAt(similarities(row), cell);
  }

 private:
  const Track& track_;
  std::vector<float> similarities_;
  double spacing_ = 1;  // columns
  Cells cells_ = Cells(1, 1);
};

struct Step {
  int row = 0, cell = 0;
  bool jumped = false;  // to come here
  float similarity = 0;
};

// Forward over the rows, then back along the best path, which the scores show. Takes rows × cells ×
// 4 bytes.
class PathFinder {
 public:
  PathFinder(const matching::EmbeddingSequence& sequence, const Grid& grid, double nominal)
      : sequence_(sequence), grid_(grid), nominal_(nominal) {
    jump_price_ =
        static_cast<float>(kRightWeight * std::max(kJumpWindows, kJump_s / sequence.hop_s));
  }

  // In order of the rows; `score` is the path's.
  std::vector<Step> Find(double& score) {
    const RowKernels& kernels = RowKernels::Best();
    const auto rows = static_cast<int>(sequence_.start_s.size());
    const Cells& cells = grid_.cells();
    scores_.Set(rows, cells.count());
    best_.assign(rows, 0);
    std::vector<float> weights(cells.count() + ScoreRows::kLanes);
    int best_row = -1;
    for (int row = 0; row < rows; ++row) {
      kernels.weigh(cells, grid_.similarities(row), weights.data());
      const Advance advance = AdvanceTo(row);
      best_[row] =
          kernels.advance(scores_.row(row - 1), weights.data(), cells.count(), advance.least,
                          advance.prices, JumpTo(row), kBaseline, scores_.row(row));
      if (best_[row] > (best_row < 0 ? 0 : best_[best_row])) best_row = row;
    }
    score = best_row < 0 ? 0 : best_[best_row];
    return TraceBack(best_row);
  }

 private:
  // From the row before. A gap in which the music would go on by more cells than a path advances
  // by is crossed by a jump.
  Advance AdvanceTo(int row) const {
    if (row == 0) return {};
    const double gap_s = sequence_.start_s[row] - sequence_.start_s[row - 1];
    return AdvanceFor(gap_s * nominal_ / grid_.spacing_s(), gap_s > sequence_.hop_s + kPause_s);
  }

  // What a path is worth that comes from the best cell of the row before.
  float JumpTo(int row) const { return row == 0 ? 0 : best_[row - 1] - jump_price_; }

  int BestCell(int row) const {
    return CellWith(scores_.row(row), grid_.cells().count(), best_[row]);
  }

  std::vector<Step> TraceBack(int row) const {
    std::vector<Step> steps;
    if (row < 0) return steps;
    for (int cell = BestCell(row);; --row) {
      Step step{row, cell, false, grid_.SimilarityAt(row, cell)};
      bool begins = true;
      if (scores_.row(row)[cell] > 0) {
        // The moves in this order; of equals, the first.
        const float* before = scores_.row(row - 1);
        const Advance advance = AdvanceTo(row);
        float score = 0;
        for (int i = 0; i < std::ssize(advance.prices); ++i) {
          const int earlier = step.cell - advance.least - i;
          if (before[earlier] - advance.prices[i] <= score) continue;
          score = before[earlier] - advance.prices[i];
          cell = earlier;
          begins = false;
        }
        if (JumpTo(row) > score) {
          step.jumped = true;
          cell = BestCell(row - 1);
          begins = false;
        }
      }
      steps.push_back(step);
      if (begins) break;
    }
    std::reverse(steps.begin(), steps.end());
    return steps;
  }

  const matching::EmbeddingSequence& sequence_;
  const Grid& grid_;
  const double nominal_;  // seconds of the source per second of the query
  float jump_price_ = 0;
  ScoreRows scores_;
  std::vector<float> best_;  // by row
};

// Sums of a weighted least-squares line.
struct Line {
  double weight = 0, x = 0, y = 0, xx = 0, xy = 0;

  void Add(double w, double query_s, double reference_s) {
    weight += w;
    x += w * query_s;
    y += w * reference_s;
    xx += w * query_s * query_s;
    xy += w * query_s * reference_s;
  }
  double variance() const { return weight > 0 ? xx - x * x / weight : 0; }
  double covariance() const { return weight > 0 ? xy - x * y / weight : 0; }
};

// Where the path is at a moment of the query, by the steps around it.
double ReferenceAt(const std::vector<Place>& trace, double query_s, double slope) {
  double weight = 0, reference_s = 0;
  for (const Place& place : trace) {
    const double away_s = std::abs(place.query_s - query_s);
    if (away_s > kNear_s) continue;
    const double w = 1.001 - away_s / kNear_s;
    weight += w;
    reference_s += w * (place.reference_s + slope * (query_s - place.query_s));
  }
  if (weight > 0) return reference_s / weight;
  const auto nearest =
      std::min_element(trace.begin(), trace.end(), [&](const auto& a, const auto& b) {
        return std::abs(a.query_s - query_s) < std::abs(b.query_s - query_s);
      });
  return nearest->reference_s + slope * (query_s - nearest->query_s);
}

// The path as passages: stretches between jumps, which meet half way between their windows.
class Passages {
 public:
  Passages(const matching::EmbeddingSequence& sequence, const Grid& grid, double nominal)
      : sequence_(sequence), grid_(grid), nominal_(nominal) {}

  WholePath Describe(const std::vector<Step>& steps, double score) {
    WholePath path;
    path.score = std::clamp(score / static_cast<double>(sequence_.start_s.size()), 0.0, 1.0);
    path.windows = static_cast<int>(steps.size());
    double covariance = 0, variance = 0, similarity = 0;
    for (size_t begin = 0, end = 0; begin < steps.size(); begin = end) {
      end = begin + 1;
      while (end < steps.size() && !steps[end].jumped) ++end;
      TracedPassage passage;
      Line line;
      for (size_t i = begin; i < end; ++i) {
        const Place place = PlaceOf(steps[i]);
        const double weight = WeightOf(steps[i].similarity);
        line.Add(weight, place.query_s, place.reference_s);
        passage.weight += weight;
        passage.trace.push_back(place);
        similarity += steps[i].similarity;
      }
      covariance += line.covariance();
      variance += line.variance();
      path.passages.push_back(std::move(passage));
    }
    path.similarity = static_cast<float>(similarity / std::max(1.0, 1.0 * path.windows));
    const double span_s =
        path.passages.back().trace.back().query_s - path.passages.front().trace.front().query_s;
    const double fitted = variance > 0 ? covariance / variance : 0;
    // However far the fit is off the tempo that the run was read at, it is what was played.
    const bool fits = span_s >= kMinFit_s && IsWithin(kMostDetour, fitted, nominal_);
    path.match.slope = fits ? fitted : nominal_;
    Border(path);
    return path;
  }

 private:
  Place PlaceOf(const Step& step) const {
    return {sequence_.start_s[step.row] + sequence_.window_s / 2, grid_.MiddleOf(step.cell)};
  }

  // Where passages begin and end; the surest place; the whole.
  void Border(WholePath& path) const {
    std::vector<TracedPassage>& passages = path.passages;
    const double half_s = sequence_.window_s / 2, slope = path.match.slope;
    for (size_t i = 0; i < passages.size(); ++i) {
      TracedPassage& passage = passages[i];
      matching::Span& query = passage.match.query;
      const std::vector<Place>& trace = passage.trace;
      query.start_s = i == 0 ? trace.front().query_s - half_s
                             : (passages[i - 1].trace.back().query_s + trace.front().query_s) / 2;
      query.end_s = i + 1 == passages.size()
                        ? trace.back().query_s + half_s
                        : (trace.back().query_s + passages[i + 1].trace.front().query_s) / 2;
      passage.match.reference = {ReferenceAt(trace, query.start_s, slope),
                                 ReferenceAt(trace, query.end_s, slope)};
      passage.match.slope = slope;
    }
    path.match.query = {passages.front().match.query.start_s, passages.back().match.query.end_s};
    path.match.reference = {passages.front().match.reference.start_s,
                            passages.back().match.reference.end_s};
    const TracedPassage& surest =
        *std::max_element(passages.begin(), passages.end(),
                          [](const auto& a, const auto& b) { return a.weight < b.weight; });
    const double middle_s = surest.match.query.middle_s();
    path.place = {middle_s, ReferenceAt(surest.trace, middle_s, slope)};
  }

  const matching::EmbeddingSequence& sequence_;
  const Grid& grid_;
  const double nominal_;
};

}  // namespace

absl::StatusOr<WholePath> TraceWhole(const matching::EmbeddingSequence& sequence,
                                     const std::vector<SearchSpace::Run>& runs, double slope,
                                     const std::function<absl::Status()>& keep_going) {
  // OpenBLAS computes in this thread, as in MatchPaths.
  const threads::ThreadScope thread_scope(0);
  WholePath best;
  if (sequence.start_s.empty()) return best;
  std::vector<Track> near, far;
  for (Track& track : TracksOf(runs)) {
    const double nominal = track.tempo_ratio / sequence.tempo_ratio;
    (IsWithin(kTempoFactor, nominal, slope) ? near : far).push_back(std::move(track));
  }
  double best_nominal = 0;
  for (const std::vector<Track>* tracks : {&near, &far}) {
    // The tempo was that of a stretch, which need not be that of the rest: then the path leaves
    // much out, or hurries or waits most of the time.
    const bool covers = best.windows >= kCovered * static_cast<double>(sequence.start_s.size());
    if (covers && IsWithin(kTempoFactor, best.match.slope, best_nominal)) break;
    for (const Track& track : *tracks) {
      RETURN_IF_ERROR(keep_going ? keep_going() : absl::OkStatus());
      const double nominal = track.tempo_ratio / sequence.tempo_ratio;
      const Grid grid(sequence, track);
      double score = 0;
      const std::vector<Step> steps = PathFinder(sequence, grid, nominal).Find(score);
      if (steps.empty()) continue;
      WholePath path = Passages(sequence, grid, nominal).Describe(steps, score);
      if (path.score <= best.score) continue;
      best = std::move(path);
      best_nominal = nominal;
    }
  }
  return best;
}

}  // namespace antiphon::retrieval
