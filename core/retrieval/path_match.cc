#include "core/retrieval/path_match.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace antiphon::retrieval {
namespace {

using catalog::SnippetRun;

constexpr double kSimilarityFloor = 0.3;  // counts nothing, as in VoteInTime
constexpr float kDetourPrice = 0.1f;      // of waiting, or of going twice as far
constexpr double kMinFit_s = 2.0;         // of the query that a path must span for a slope of its own

// Windows [first, last) of one sequence that follow one another at its hop.
struct Stretch {
  int first = 0, last = 0;
};

std::vector<Stretch> StretchesOf(const EmbeddingSequence& sequence) {
  std::vector<Stretch> stretches;
  const auto count = static_cast<int>(sequence.start_s.size());
  for (int first = 0, last = 0; first < count; first = last) {
    last = first + 1;
    while (last < count &&
           std::abs(sequence.start_s[last] - sequence.start_s[last - 1] - sequence.hop_s) < 0.01 * sequence.hop_s) {
      ++last;
    }
    stretches.push_back({first, last});
  }
  return stretches;
}

// [rows, columns] from [rows, dimension] and [columns, dimension]; the inner loop runs over columns, which compilers
// turn into vector instructions.
std::vector<float> InnerProducts(std::span<const float> rows, std::span<const float> columns, int dimension) {
  const size_t row_count = rows.size() / dimension, column_count = columns.size() / dimension;
  std::vector<float> transposed(columns.size()), products(row_count * column_count, 0);
  for (size_t c = 0; c < column_count; ++c) {
    for (int d = 0; d < dimension; ++d) transposed[d * column_count + c] = columns[c * dimension + d];
  }
  for (size_t r = 0; r < row_count; ++r) {
    float* out = products.data() + r * column_count;
    for (int d = 0; d < dimension; ++d) {
      const float factor = rows[r * dimension + d];
      const float* column = transposed.data() + d * column_count;
      for (size_t c = 0; c < column_count; ++c) out[c] += factor * column[c];
    }
  }
  return products;
}

// A run of a source with its vectors.
struct Run {
  const SnippetRun* run = nullptr;
  std::vector<float> vectors;
};

absl::StatusOr<std::map<int, std::vector<Run>>> RunsOf(const CollectionParts& parts, catalog::Side side,
                                                       std::span<const int> sources) {
  std::map<int, std::vector<Run>> runs;
  for (const int source : sources) runs[source];
  for (const SnippetRun& run : parts.catalog->runs(side)) {
    const auto it = runs.find(run.source);
    if (it == runs.end()) continue;
    absl::StatusOr<std::vector<float>> vectors = parts.index(side).Reconstruct(run.first_vector, run.count);
    if (!vectors.ok()) return vectors.status();
    it->second.push_back({&run, *std::move(vectors)});
  }
  return runs;
}

PathMatch MatchSequence(const EmbeddingSequence& sequence, const std::vector<Run>& runs) {
  PathMatch match;
  double best_stretch = 0, sum = 0;
  for (const Stretch& stretch : StretchesOf(sequence)) {
    const int rows = stretch.last - stretch.first;
    const auto embeddings = std::span(sequence.embeddings)
                                .subspan(static_cast<size_t>(stretch.first) * sequence.dimension,
                                         static_cast<size_t>(rows) * sequence.dimension);
    WindowPath best;
    const SnippetRun* best_run = nullptr;
    for (const Run& candidate : runs) {
      const SnippetRun& run = *candidate.run;
      const double nominal = run.tempo_ratio / sequence.tempo_ratio;  // seconds of the source per second of the query
      const WindowPath path = BestPath(InnerProducts(embeddings, candidate.vectors, sequence.dimension), rows,
                                       static_cast<int>(candidate.vectors.size()) / sequence.dimension,
                                       sequence.hop_s * nominal / run.hop_s);
      if (path.score > best.score) {
        best = path;
        best_run = &run;
      }
    }
    if (best_run == nullptr) continue;
    sum += best.score;
    match.windows += best.last_row - best.first_row + 1;
    if (best.score <= best_stretch) continue;
    best_stretch = best.score;
    const double query_middle_row = stretch.first + 0.5 * (best.first_row + best.last_row);
    const double first_s = sequence.start_s[stretch.first];
    match.query_s = first_s + (query_middle_row - stretch.first) * sequence.hop_s + sequence.window_s / 2;
    match.reference_s =
        best_run->start_s + 0.5 * (best.first_column + best.last_column) * best_run->hop_s + best_run->window_s / 2;
    const double query_span_s = (best.last_row - best.first_row) * sequence.hop_s;
    match.slope = best_run->tempo_ratio / sequence.tempo_ratio;
    if (query_span_s >= kMinFit_s && best.last_column > best.first_column) {
      match.slope = (best.last_column - best.first_column) * best_run->hop_s / query_span_s;
    }
  }
  if (!sequence.start_s.empty()) match.score = std::min(1.0, sum / static_cast<double>(sequence.start_s.size()));
  return match;
}

}  // namespace

WindowPath BestPath(std::span<const float> similarities, int rows, int columns, double step) {
  // Cells stand `step` windows of the run apart, so that a path along the diagonal keeps to the tempo.
  const int cells = static_cast<int>((columns - 1) / step) + 1;
  struct Cell {
    float score = 0;
    int first_row = 0, first_cell = 0;
  };
  std::vector<Cell> before(cells), now(cells);
  WindowPath best;
  for (int row = 0; row < rows; ++row) {
    const float* similarity = similarities.data() + static_cast<size_t>(row) * columns;
    for (int cell = 0; cell < cells; ++cell) {
      const double column = cell * step;
      const int left = std::min(static_cast<int>(column), columns - 1), right = std::min(left + 1, columns - 1);
      const auto part = static_cast<float>(column - left);
      const float value = similarity[left] * (1 - part) + similarity[right] * part;
      const float weight =
          std::max(0.0f, (value - static_cast<float>(kSimilarityFloor)) / static_cast<float>(1 - kSimilarityFloor));
      Cell next{0, row, cell};
      const auto consider = [&next](const Cell& from, float price) {
        if (from.score - price > next.score) next = {from.score - price, from.first_row, from.first_cell};
      };
      if (row > 0) {
        if (cell > 0) consider(before[cell - 1], 0);
        consider(before[cell], kDetourPrice);
        if (cell > 1) consider(before[cell - 2], kDetourPrice);
      }
      next.score += weight;
      now[cell] = next;
      if (next.score > static_cast<float>(best.score)) {
        best = {next.score, next.first_row, row, next.first_cell * step, column};
      }
    }
    std::swap(before, now);
  }
  return best;
}

absl::StatusOr<std::vector<PathMatch>> MatchPaths(const CollectionParts& parts, catalog::Side side,
                                                  const EmbeddedQuery& query, std::span<const int> sources) {
  const absl::StatusOr<std::map<int, std::vector<Run>>> runs = RunsOf(parts, side, sources);
  if (!runs.ok()) return runs.status();
  std::vector<PathMatch> matches;
  for (const int source : sources) {
    PathMatch best;
    for (const EmbeddingSequence& sequence : query.sequences) {
      const PathMatch match = MatchSequence(sequence, runs->at(source));
      if (match.score > best.score) best = match;
    }
    matches.push_back(best);
  }
  return matches;
}

}  // namespace antiphon::retrieval
