// Rows of the dynamic programmes that find paths (path_match.h, whole_path.h): a row has a score
// for every cell, and each cell of the next depends on few of the row before, so that many cells
// are computed at a time, in the widest instructions that the processor has. Answers are the same
// in all of them. Internal to core/retrieval. Safe from any thread, as long as each has rows of its
// own.
#ifndef ANTIPHON_CORE_RETRIEVAL_PATH_ROWS_H_
#define ANTIPHON_CORE_RETRIEVAL_PATH_ROWS_H_

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace antiphon::retrieval {

// What a window's similarity weighs on a path: 0 at the floor, 1 at similarity 1, as in VoteInTime.
constexpr float kSimilarityFloor = 0.3f;
inline float WeightOf(float similarity) {
  return std::max(0.0f, (similarity - kSimilarityFloor) / (1 - kSimilarityFloor));
}

// Moments of a run, `spacing` of its windows apart, from its first window to its last. Between two
// windows similarities are interpolated.
class Cells {
 public:
  // Requires a column at least, and a spacing > 0.
  Cells(int columns, double spacing) { Set(columns, spacing); }

  void Set(int columns, double spacing);

  int count() const { return count_; }
  double ColumnOf(int cell) const { return cell * spacing_; }
  // `similarities` holds those of one window of the query to all columns, here and below.
  float SimilarityAt(const float* similarities, int cell) const;

 private:
  friend struct RowKernels;

  int count_ = 0;
  double spacing_ = 0;
  // By cell, up to a whole number of lanes: the windows on both sides, and how near the right one.
  std::vector<int32_t> left_, right_;
  std::vector<float> part_;
};

// Scores, row by row; row -1 and what lies before the first cell of any row are worth nothing, as
// is a path that has not begun.
class ScoreRows {
 public:
  static constexpr int kLanes = 16;
  static constexpr int kMargin = 32;  // cells before the first; a path advances by no more

  // Makes room, and puts zeros into row -1. Other rows hold anything until they are extended.
  void Set(int rows, int cells);

  float* row(int i) { return scores_.data() + (i + 1) * stride_ + kMargin; }
  const float* row(int i) const { return scores_.data() + (i + 1) * stride_ + kMargin; }

 private:
  int64_t stride_ = 0;
  std::vector<float> scores_;
};

// What is done to whole rows. Weights and rows have room for a whole number of lanes; beyond the
// last cell they hold what takes part in no path.
struct RowKernels {
  // weights[cell] = WeightOf(cells.SimilarityAt(similarities, cell)).
  void (*weigh)(const Cells& cells, const float* similarities, float* weights);
  // now[cell] = weights[cell] + the best of a new path, of one that keeps up, from
  // before[cell - 1], and at a price of one that waits or hurries, from before[cell] or
  // before[cell - 2]. Returns the best of the row.
  float (*follow)(const float* before, const float* weights, int cells, float price, float* now);
  // now[cell] = the best of a new path, of before[cell - least - i] - prices[i], and of `jump`, and
  // weights[cell] - baseline; at least 0. least + prices.size() - 1 <= ScoreRows::kMargin. Returns
  // the best of the row.
  float (*advance)(const float* before, const float* weights, int cells, int least,
                   std::span<const float> prices, float jump, float baseline, float* now);

  // Those for this processor, those for any, and those for AVX2: null where the processor lacks it.
  static const RowKernels& Best();
  static const RowKernels& Portable();
  static const RowKernels* Avx2();

 private:
  static void Weigh(const Cells& cells, const float* similarities, float* weights);
  static void WeighAvx2(const Cells& cells, const float* similarities, float* weights);
  static void WeighWide(const Cells& cells, const float* similarities, float* weights);
};

// A path that goes twice as far as the tempo asks for, or half. It is the weight of a similarity of
// 0.07 above the floor: a seventh of what a right window weighs (0.7 at the mean similarity of 0.8,
// docs/quality.md), so that one right window pays for a step with the player's tempo, while noise
// hardly pays for any.
constexpr float kDetourPrice = 0.1f;

// A path advances by no more cells at once.
constexpr int kMostCells = 24;
static_assert(kMostCells <= ScoreRows::kMargin);

// How a path may go on from one window of the query to the next: by so many cells, each at a price.
struct Advance {
  int least = 0;
  std::vector<float> prices;  // for least, least + 1, …
};

// Where the tempo asks for so many cells. At a pause it may also wait, for nothing.
Advance AdvanceFor(double expected_cells, bool pause);

// The first cell with this score, which must be there.
int CellWith(const float* row, int cells, float score);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_PATH_ROWS_H_
