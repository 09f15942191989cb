#include "core/retrieval/path_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#define ANTIPHON_AVX2 __attribute__((target("avx2")))
#define ANTIPHON_WIDE __attribute__((target("avx512f")))
#else
#define ANTIPHON_AVX2
#define ANTIPHON_WIDE
#endif

// Products and sums are rounded one by one (-ffp-contract=off): fused, they would come out
// otherwise on processors that can.

namespace antiphon::retrieval {
namespace {

constexpr int kLanes = ScoreRows::kLanes;
constexpr float kNothing = -std::numeric_limits<float>::infinity();

int UpToLanes(int cells) { return (cells + kLanes - 1) / kLanes * kLanes; }

float Larger(float a, float b) { return a > b ? a : b; }

[[gnu::always_inline]] inline float LargestOf(const float* row, int cells) {
  float lanes[kLanes] = {};
  for (int cell = 0; cell < UpToLanes(cells); cell += kLanes) {
    for (int i = 0; i < kLanes; ++i) lanes[i] = Larger(row[cell + i], lanes[i]);
  }
  return *std::max_element(lanes, lanes + kLanes);
}

// Written for the compiler to turn into vector instructions, those of each of its callers.
[[gnu::always_inline]] inline float FollowRow(const float* before, const float* weights, int cells,
                                              float price, float* __restrict now) {
  for (int cell = 0; cell < UpToLanes(cells); ++cell) {
    const float kept_up = Larger(before[cell - 1], 0);
    const float detour = Larger(before[cell], before[cell - 2]) - price;
    now[cell] = Larger(kept_up, detour) + weights[cell];
  }
  return LargestOf(now, cells);
}

[[gnu::always_inline]] inline float AdvanceRow(const float* before, const float* weights, int cells,
                                               int least, std::span<const float> prices, float jump,
                                               float baseline, float* __restrict now) {
  const int count = UpToLanes(cells);
  std::fill_n(now, count, Larger(jump, 0));
  for (size_t i = 0; i < prices.size(); ++i) {
    const float* from = before - least - static_cast<int>(i);
    const float price = prices[i];
    for (int cell = 0; cell < count; ++cell) now[cell] = Larger(from[cell] - price, now[cell]);
  }
  for (int cell = 0; cell < count; ++cell)
    now[cell] = Larger(now[cell] + weights[cell] - baseline, 0);
  return LargestOf(now, cells);
}

float FollowPortable(const float* before, const float* weights, int cells, float price,
                     float* now) {
  return FollowRow(before, weights, cells, price, now);
}

ANTIPHON_AVX2 float FollowAvx2(const float* before, const float* weights, int cells, float price,
                               float* now) {
  return FollowRow(before, weights, cells, price, now);
}

ANTIPHON_WIDE float FollowWide(const float* before, const float* weights, int cells, float price,
                               float* now) {
  return FollowRow(before, weights, cells, price, now);
}

float AdvancePortable(const float* before, const float* weights, int cells, int least,
                      std::span<const float> prices, float jump, float baseline, float* now) {
  return AdvanceRow(before, weights, cells, least, prices, jump, baseline, now);
}

ANTIPHON_AVX2 float AdvanceAvx2(const float* before, const float* weights, int cells, int least,
                                std::span<const float> prices, float jump, float baseline,
                                float* now) {
  return AdvanceRow(before, weights, cells, least, prices, jump, baseline, now);
}

ANTIPHON_WIDE float AdvanceWide(const float* before, const float* weights, int cells, int least,
                                std::span<const float> prices, float jump, float baseline,
                                float* now) {
  return AdvanceRow(before, weights, cells, least, prices, jump, baseline, now);
}

}  // namespace

void Cells::Set(int columns, double spacing) {
  spacing_ = spacing;
  count_ = static_cast<int>((columns - 1) / spacing) + 1;
  const int room = UpToLanes(count_);
  left_.resize(room);
  right_.resize(room);
  part_.resize(room);
  for (int cell = 0; cell < room; ++cell) {
    const double column = std::min(cell, count_ - 1) * spacing;
    left_[cell] = std::min(static_cast<int>(column), columns - 1);
    right_[cell] = std::min(left_[cell] + 1, columns - 1);
    part_[cell] = static_cast<float>(column - left_[cell]);
  }
}

float Cells::SimilarityAt(const float* similarities, int cell) const {
  const float part = part_[cell];
  return similarities[left_[cell]] * (1 - part) + similarities[right_[cell]] * part;
}

void ScoreRows::Set(int rows, int cells) {
  stride_ = kMargin + UpToLanes(cells);
  scores_.resize((rows + 1) * stride_);
  std::fill_n(scores_.begin(), stride_, 0.0f);
  for (int i = 0; i < rows; ++i) std::fill_n(row(i) - kMargin, kMargin, 0.0f);
}

void RowKernels::Weigh(const Cells& cells, const float* similarities, float* weights) {
  const int32_t* left = cells.left_.data();
  const int32_t* right = cells.right_.data();
  const float* part = cells.part_.data();
  for (int cell = 0; cell < cells.count_; ++cell) {
    weights[cell] = WeightOf(similarities[left[cell]] * (1 - part[cell]) +
                             similarities[right[cell]] * part[cell]);
  }
  std::fill(weights + cells.count_, weights + UpToLanes(cells.count_), kNothing);
}

#if defined(__x86_64__)
// Cells next to one another lie between few windows, which one register or two hold: from there
// they are picked without going to memory for each.
ANTIPHON_AVX2 void RowKernels::WeighAvx2(const Cells& cells, const float* similarities,
                                         float* weights) {
  constexpr int kCells = 8;
  const int count = cells.count_;
  const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  for (int cell = 0; cell < count; cell += kCells) {
    const int32_t *left = cells.left_.data() + cell, *right = cells.right_.data() + cell;
    const float* part = cells.part_.data() + cell;
    const int first = left[0];
    const int reach = right[kCells - 1] - first;  // columns behind the first
    float before[kCells], after[kCells];
    if (reach < kCells) {
      const __m256i there = _mm256_cmpgt_epi32(_mm256_set1_epi32(reach + 1), places);
      const __m256 near = _mm256_maskload_ps(similarities + first, there);
      const __m256i from = _mm256_set1_epi32(first);
      const __m256i at_left = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(left));
      const __m256i at_right = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(right));
      _mm256_storeu_ps(before, _mm256_permutevar8x32_ps(near, _mm256_sub_epi32(at_left, from)));
      _mm256_storeu_ps(after, _mm256_permutevar8x32_ps(near, _mm256_sub_epi32(at_right, from)));
    } else {
      for (int i = 0; i < kCells; ++i) {
        before[i] = similarities[left[i]];
        after[i] = similarities[right[i]];
      }
    }
    for (int i = 0; i < kCells; ++i)
      weights[cell + i] = WeightOf(before[i] * (1 - part[i]) + after[i] * part[i]);
  }
  std::fill(weights + count, weights + UpToLanes(count), kNothing);
}

ANTIPHON_WIDE void RowKernels::WeighWide(const Cells& cells, const float* similarities,
                                         float* weights) {
  const int count = cells.count_;
  for (int cell = 0; cell < count; cell += kLanes) {
    const int32_t *left = cells.left_.data() + cell, *right = cells.right_.data() + cell;
    const float* part = cells.part_.data() + cell;
    const int first = left[0];
    const int reach = right[kLanes - 1] - first;  // columns behind the first
    float before[kLanes], after[kLanes];
    if (reach < 2 * kLanes) {
      const auto there = static_cast<uint32_t>((uint64_t{2} << reach) - 1);
      const __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(there), similarities + first);
      const __m512 high = _mm512_maskz_loadu_ps(static_cast<__mmask16>(there >> kLanes),
                                                similarities + first + kLanes);
      const __m512i from = _mm512_set1_epi32(first);
      const __m512i to_left = _mm512_sub_epi32(_mm512_loadu_si512(left), from);
      const __m512i to_right = _mm512_sub_epi32(_mm512_loadu_si512(right), from);
      _mm512_storeu_ps(before, _mm512_permutex2var_ps(low, to_left, high));
      _mm512_storeu_ps(after, _mm512_permutex2var_ps(low, to_right, high));
    } else {
      for (int i = 0; i < kLanes; ++i) {
        before[i] = similarities[left[i]];
        after[i] = similarities[right[i]];
      }
    }
    for (int i = 0; i < kLanes; ++i)
      weights[cell + i] = WeightOf(before[i] * (1 - part[i]) + after[i] * part[i]);
  }
  std::fill(weights + count, weights + UpToLanes(count), kNothing);
}
#endif

const RowKernels& RowKernels::Portable() {
  static constexpr RowKernels kKernels = {Weigh, FollowPortable, AdvancePortable};
  return kKernels;
}

const RowKernels* RowKernels::Avx2() {
#if defined(__x86_64__)
  static constexpr RowKernels kKernels = {WeighAvx2, FollowAvx2, AdvanceAvx2};
  static const bool there = __builtin_cpu_supports("avx2");
  if (there) return &kKernels;
#endif
  return nullptr;
}

const RowKernels& RowKernels::Best() {
#if defined(__x86_64__)
  static constexpr RowKernels kKernels = {WeighWide, FollowWide, AdvanceWide};
  static const bool wide = __builtin_cpu_supports("avx512f");
  if (wide) return kKernels;
#endif
  const RowKernels* const avx2 = Avx2();
  return avx2 == nullptr ? Portable() : *avx2;
}

Advance AdvanceFor(double expected_cells, bool pause) {
  Advance advance;
  advance.least = pause ? 0 : static_cast<int>(std::floor(expected_cells / 2));
  const auto most = static_cast<int>(std::ceil(std::min(2 * expected_cells, 1.0 * kMostCells)));
  for (int cells = advance.least; cells <= most; ++cells) {
    const double detour = std::abs(std::log2((cells + 0.5) / (expected_cells + 0.5)));
    const bool waits = pause && cells < expected_cells;
    advance.prices.push_back(waits ? 0.0f : kDetourPrice * static_cast<float>(detour));
  }
  return advance;
}

int CellWith(const float* row, int cells, float score) {
  return static_cast<int>(std::find(row, row + cells, score) - row);
}

}  // namespace antiphon::retrieval
