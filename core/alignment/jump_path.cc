#include "core/alignment/jump_path.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "core/base/status_macros.h"

namespace antiphon::alignment {
namespace {

constexpr int kWidth = 12;
constexpr float kNever = std::numeric_limits<float>::infinity();
// Of going on by no, one, two or three frames of the score.
constexpr std::array<float, 4> kStepCosts = {0.12f, 0.0f, 0.1f, 0.3f};
constexpr uint8_t kStart = 4, kJump = 5;          // beside the number of frames gone on
constexpr int64_t kCellsBetweenChecks = 2 << 20;  // some 50 ms
// A path that is so many frames before a line may leave there: it may go on by more than one.
constexpr int64_t kBeforeLine = 2;

float Product(const float* a, const float* b) {
  std::array<float, 4> sums{};
  for (int i = 0; i < kWidth; i += 4) {
    for (int lane = 0; lane < 4; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  return sums[0] + sums[1] + sums[2] + sums[3];
}

std::vector<float> SquaredLengths(const FrameMatrix& matrix) {
  std::vector<float> lengths(matrix.rows());
  for (int64_t i = 0; i < matrix.rows(); ++i) lengths[i] = Product(matrix.row(i), matrix.row(i));
  return lengths;
}

// The table of the recursion. One row is kept of every `block_`, and those between are filled again
// on the way back.
class Search {
 public:
  Search(const FrameFeatures& sound, const FrameFeatures& score, const std::vector<Line>& lines,
         const JumpPathOptions& options)
      : sound_(sound),
        score_(score),
        lines_(lines),
        options_(options),
        frames_(sound.frames()),
        width_(score.frames()),
        block_(std::max<int64_t>(
            16, static_cast<int64_t>(2 * std::sqrt(static_cast<double>(frames_))))),
        sound_lengths_(SquaredLengths(sound.onsets)),
        score_lengths_(SquaredLengths(score.onsets)),
        leaves_at_(width_, -1),
        lands_at_(width_, -1),
        jumped_from_(frames_, -1) {
    for (size_t i = 0; i < lines_.size(); ++i) MarkLine(static_cast<int>(i));
  }

  absl::StatusOr<JumpPath> Run() {
    std::vector<float> previous(width_, kNever), current(width_, kNever);
    for (int64_t frame = 0; frame < frames_; ++frame) {
      RETURN_IF_ERROR(AskAfterRow());
      if (frame % block_ == 0) kept_.push_back(previous);
      FillRow(frame, previous, current, nullptr);
      std::swap(previous, current);
    }
    return Trace(previous);
  }

 private:
  absl::Status AskAfterRow() {
    const bool is_time = unasked_cells_ == 0 || unasked_cells_ >= kCellsBetweenChecks;
    unasked_cells_ = is_time ? width_ : unasked_cells_ + width_;
    return is_time && options_.check ? options_.check() : absl::OkStatus();
  }

  // Bar lines have the frame for themselves where a beat is as near.
  void MarkLine(int line) {
    const int64_t at = lines_[line].frame;
    if (at < 0 || at >= width_) return;
    const auto mark = [&](int& place) {
      if (place < 0 || (lines_[line].bar && !lines_[place].bar)) place = line;
    };
    mark(lands_at_[at]);
    for (int64_t before = 0; before <= kBeforeLine; ++before) {
      if (at >= before) mark(leaves_at_[at - before]);
    }
  }

  float BeatCost(int line) const {
    return lines_[line].bar ? 0 : static_cast<float>(options_.beat_cost);
  }

  void FillCosts(int64_t frame, std::vector<float>& costs) const {
    const auto weight = static_cast<float>(options_.onset_weight);
    const float* const energies = sound_.energies.row(frame);
    const float* const onsets = sound_.onsets.row(frame);
    for (int64_t i = 0; i < width_; ++i) {
      const float energy = 1 - Product(energies, score_.energies.row(i));
      const float squared =
          sound_lengths_[frame] + score_lengths_[i] - 2 * Product(onsets, score_.onsets.row(i));
      costs[i] = (1 - weight) * energy + weight * std::sqrt(std::max(0.0f, squared));
    }
  }

  // The cheapest place to leave off, in the row before; kNever where there is none.
  std::pair<float, int64_t> BestLeave(const std::vector<float>& previous) const {
    std::pair<float, int64_t> best = {kNever, -1};
    if (!options_.jumps) return best;
    for (int64_t i = 0; i < width_; ++i) {
      if (leaves_at_[i] < 0) continue;
      const float cost = previous[i] + BeatCost(leaves_at_[i]);
      if (cost < best.first) best = {cost, i};
    }
    return best;
  }

  void FillRow(int64_t frame, const std::vector<float>& previous, std::vector<float>& current,
               uint8_t* came) {
    costs_.resize(width_);
    FillCosts(frame, costs_);
    if (frame == 0) {
      for (int64_t i = 0; i < width_; ++i) {
        current[i] = costs_[i] + (i == 0 ? 0 : static_cast<float>(options_.start_cost));
        if (came != nullptr) came[i] = kStart;
      }
      return;
    }
    const auto [leave_cost, leave] = BestLeave(previous);
    jumped_from_[frame] = leave;
    const float jump = leave_cost + static_cast<float>(options_.jump_cost);
    for (int64_t i = 0; i < width_; ++i) {
      float best = kNever;
      uint8_t from = 0;
      for (int step = 0; step < 4 && step <= i; ++step) {
        const float cost = previous[i - step] + kStepCosts[step];
        if (cost < best) {
          best = cost;
          from = static_cast<uint8_t>(step);
        }
      }
      if (lands_at_[i] >= 0 && jump + BeatCost(lands_at_[i]) < best) {
        best = jump + BeatCost(lands_at_[i]);
        from = kJump;
      }
      current[i] = best + costs_[i];
      if (came != nullptr) came[i] = from;
    }
  }

  absl::StatusOr<JumpPath> Trace(const std::vector<float>& last) {
    int64_t at = width_ - 1;
    float best = last[at];
    for (int64_t i = 0; i < width_; ++i) {
      if (last[i] + static_cast<float>(options_.end_cost) < best) {
        best = last[i] + static_cast<float>(options_.end_cost);
        at = i;
      }
    }
    JumpPath path;
    path.cost = best / static_cast<double>(frames_);
    path.steps.resize(frames_);
    std::vector<uint8_t> came(block_ * width_);
    for (auto block = static_cast<int64_t>(kept_.size()) - 1; block >= 0; --block) {
      const int64_t first = block * block_;
      const int64_t end = std::min(frames_, first + block_);
      std::vector<float> previous = kept_[block], current(width_);
      for (int64_t frame = first; frame < end; ++frame) {
        RETURN_IF_ERROR(AskAfterRow());
        FillRow(frame, previous, current, came.data() + (frame - first) * width_);
        std::swap(previous, current);
      }
      for (int64_t frame = end - 1; frame >= first; --frame) {
        JumpStep& step = path.steps[frame];
        step = {frame, at};
        const uint8_t from = came[(frame - first) * width_ + at];
        if (from == kJump) {
          step.left = leaves_at_[jumped_from_[frame]];
          step.landed = lands_at_[at];
          at = jumped_from_[frame];
        } else if (from != kStart) {
          at -= from;
        }
      }
    }
    return path;
  }

  const FrameFeatures& sound_;
  const FrameFeatures& score_;
  const std::vector<Line>& lines_;
  const JumpPathOptions& options_;
  const int64_t frames_;  // of the sound: rows
  const int64_t width_;   // frames of the score: columns
  const int64_t block_;
  const std::vector<float> sound_lengths_, score_lengths_;
  std::vector<int> leaves_at_, lands_at_;  // [width_], positions in lines_; -1: none
  std::vector<int64_t> jumped_from_;       // [frames_]
  std::vector<std::vector<float>> kept_;   // the row before each block
  std::vector<float> costs_;               // of the current row
  int64_t unasked_cells_ = 0;              // filled since check was asked
};

}  // namespace

absl::StatusOr<JumpPath> CheapestJumpPath(const FrameFeatures& sound, const FrameFeatures& score,
                                          const std::vector<Line>& lines,
                                          const JumpPathOptions& options) {
  return Search(sound, score, lines, options).Run();
}

}  // namespace antiphon::alignment
