#include "core/alignment/warping.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace antiphon::alignment {
namespace {

constexpr float kNever = std::numeric_limits<float>::infinity();

enum class Came : uint8_t { kStart, kBoth, kA, kB };

// Several sums at once, which the compiler turns into vector instructions.
float Product(const float* a, const float* b, int width) {
  constexpr int kLanes = 8;
  std::array<float, kLanes> sums{};
  int i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  float sum = 0;
  for (; i < width; ++i) sum += a[i] * b[i];
  for (const float part : sums) sum += part;
  return sum;
}

std::vector<float> SquaredLengths(const FrameMatrix& matrix) {
  std::vector<float> lengths(matrix.rows());
  for (int64_t i = 0; i < matrix.rows(); ++i)
    lengths[i] = Product(matrix.row(i), matrix.row(i), matrix.width);
  return lengths;
}

// The table of the recursion, a row of it at a time.
class Warping {
 public:
  Warping(const FrameFeatures& a, const FrameFeatures& b, const WarpOptions& options)
      : a_(a),
        b_(b),
        options_(options),
        width_(options.band < 0 ? b.frames() : std::min(b.frames(), 2 * options.band + 1)),
        onset_lengths_a_(SquaredLengths(a.onsets)),
        onset_lengths_b_(SquaredLengths(b.onsets)),
        came_(a.frames() * width_) {}

  std::vector<WarpStep> Run() {
    std::vector<float> previous(b_.frames(), kNever);
    std::vector<float> current(b_.frames(), kNever);
    for (int64_t i = 0; i < a_.frames(); ++i) {
      FillRow(i, previous, current);
      std::swap(previous, current);
    }
    return Trace(BestEnd(previous));
  }

 private:
  int64_t First(int64_t i) const {
    if (options_.band < 0) return 0;
    return std::clamp<int64_t>(i * b_.frames() / a_.frames() - options_.band, 0,
                               b_.frames() - width_);
  }

  Came& CameAt(int64_t i, int64_t j) { return came_[i * width_ + j - First(i)]; }

  float Cost(int64_t i, int64_t j) const {
    const float energy = 1 - Product(a_.energies.row(i), b_.energies.row(j), a_.energies.width);
    const float squared = onset_lengths_a_[i] + onset_lengths_b_[j] -
                          2 * Product(a_.onsets.row(i), b_.onsets.row(j), a_.onsets.width);
    const auto weight = static_cast<float>(options_.onset_weight);
    return (1 - weight) * energy + weight * std::sqrt(std::max(0.0f, squared));
  }

  void FillRow(int64_t i, const std::vector<float>& previous, std::vector<float>& current) {
    std::fill(current.begin(), current.end(), kNever);
    const int64_t first = First(i);
    const auto diagonal_weight = static_cast<float>(options_.diagonal_weight);
    const auto hold_cost = static_cast<float>(options_.hold_cost);
    for (int64_t j = first; j < first + width_; ++j) {
      const float cost = Cost(i, j);
      float best = i == 0 && j <= options_.open_start ? cost : kNever;
      Came came = Came::kStart;
      const auto consider = [&](float total, Came from) {
        if (total < best) {
          best = total;
          came = from;
        }
      };
      if (i > 0 && j > 0) consider(previous[j - 1] + diagonal_weight * cost, Came::kBoth);
      if (i > 0) consider(previous[j] + cost + hold_cost, Came::kA);
      if (j > 0) consider(current[j - 1] + cost, Came::kB);
      current[j] = best;
      CameAt(i, j) = came;
    }
  }

  int64_t BestEnd(const std::vector<float>& last) const {
    const auto begin = last.end() - 1 - std::min<int64_t>(options_.open_end, b_.frames() - 1);
    const auto best = std::min_element(begin, last.end());
    return (*best < kNever ? best : last.end() - 1) - last.begin();
  }

  std::vector<WarpStep> Trace(int64_t j) {
    std::vector<WarpStep> path;
    for (int64_t i = a_.frames() - 1;;) {
      path.push_back({i, j});
      const Came came = CameAt(i, j);
      if (came == Came::kStart) break;
      if (came != Came::kB) --i;
      if (came != Came::kA) --j;
    }
    std::reverse(path.begin(), path.end());
    return path;
  }

  const FrameFeatures& a_;
  const FrameFeatures& b_;
  const WarpOptions options_;
  const int64_t width_;  // of the band
  const std::vector<float> onset_lengths_a_, onset_lengths_b_;
  std::vector<Came> came_;
};

}  // namespace

std::vector<WarpStep> CheapestPath(const FrameFeatures& a, const FrameFeatures& b,
                                   const WarpOptions& options) {
  return Warping(a, b, options).Run();
}

}  // namespace antiphon::alignment
