#include "core/alignment/refinement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace antiphon::alignment {
namespace {

constexpr double kReach_s = 0.2;         // how far an onset may move
constexpr int kPerFrame = 4;             // places looked at in each frame
constexpr double kEvidenceWeight = 1.0;  // of an onset that is clearly heard
constexpr double kIntervalWeight = 0.4;
constexpr double kIntervalSlack_s = 0.02;  // intervals differ by that and …
constexpr double kIntervalShare = 0.15;    // … by this share of themselves
constexpr double kPlaceWeight = 2.0;       // of moving by kReach_s
constexpr double kLeastGap_s = 0.002;
// Of the median group's strongest rise: what counts half.
constexpr double kHalfHeard = 0.3;

constexpr std::array<std::pair<int, float>, 6> kPartials = {
    {{0, 1.0f}, {12, 0.8f}, {19, 0.64f}, {24, 0.51f}, {28, 0.41f}, {31, 0.33f}}};

// Each group's places, kPerFrame to a frame, the middle one where the path has it.
class Refinement {
 public:
  Refinement(const FrameMatrix& rises, double frame_rate, int lowest_pitch,
             const std::vector<OnsetGroup>& groups)
      : rises_(rises),
        frame_rate_(frame_rate),
        lowest_pitch_(lowest_pitch),
        groups_(groups),
        reach_(static_cast<int>(std::lround(kReach_s * frame_rate * kPerFrame))),
        places_(2 * reach_ + 1),
        step_s_(1 / (frame_rate * kPerFrame)),
        lengths_(rises.rows()) {
    for (int64_t frame = 0; frame < rises.rows(); ++frame) {
      float sum = 0;
      for (int i = 0; i < rises.width; ++i) sum += rises.row(frame)[i] * rises.row(frame)[i];
      lengths_[frame] = std::sqrt(sum);
    }
  }

  std::vector<double> Run() {
    MeasureEvidence();
    std::vector<float> costs(places_), next(places_);
    came_.assign(groups_.size() * places_, 0);
    for (int place = 0; place < places_; ++place) costs[place] = Cost(0, place);
    for (size_t group = 1; group < groups_.size(); ++group) {
      Step(group, costs, next);
      std::swap(costs, next);
    }
    return Trace(costs);
  }

 private:
  double PlaceAt(size_t group, int place) const {
    return groups_[group].at_s + (place - reach_) * step_s_;
  }

  // How much of what begins there is this group's, at a frame.
  float Rise(const std::vector<std::pair<int, float>>& columns, float length, int64_t frame) const {
    if (frame < 0 || frame >= rises_.rows()) return 0;
    const float* const row = rises_.row(frame);
    float sum = 0;
    for (const auto& [column, weight] : columns) sum += weight * row[column];
    const float alike = sum / (length * std::max(lengths_[frame], 1e-3f));
    return sum / length * (0.5f + 0.5f * alike);
  }

  void MeasureEvidence() {
    evidence_.assign(groups_.size() * places_, 0);
    std::vector<float> strongest(groups_.size());
    for (size_t group = 0; group < groups_.size(); ++group) {
      std::vector<std::pair<int, float>> columns;
      for (const int pitch : groups_[group].pitches) {
        for (const auto& [partial, weight] : kPartials) {
          const int column = pitch + partial - lowest_pitch_;
          if (column < 0 || column >= rises_.width) continue;
          const auto same = std::find_if(columns.begin(), columns.end(),
                                         [&](const auto& other) { return other.first == column; });
          if (same == columns.end()) {
            columns.emplace_back(column, weight);
          } else {
            same->second = std::max(same->second, weight);
          }
        }
      }
      float squared = 1e-9f;
      for (const auto& [column, weight] : columns) squared += weight * weight;
      const auto first =
          static_cast<int64_t>(std::floor((groups_[group].at_s - reach_ * step_s_) * frame_rate_)) -
          1;
      std::vector<float> rises(places_ / kPerFrame + 5);
      for (size_t i = 0; i < rises.size(); ++i)
        rises[i] = Rise(columns, std::sqrt(squared), first + static_cast<int64_t>(i));
      for (int place = 0; place < places_; ++place) {
        const double at = PlaceAt(group, place) * frame_rate_ - static_cast<double>(first);
        const float value = Interpolated(rises, at);
        evidence_[group * places_ + place] = value;
        strongest[group] = std::max(strongest[group], value);
      }
    }
    std::vector<float> sorted = strongest;
    std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
    const auto half = static_cast<float>(kHalfHeard * sorted[sorted.size() / 2] + 1e-6);
    for (size_t group = 0; group < groups_.size(); ++group) {
      for (int place = 0; place < places_; ++place)
        evidence_[group * places_ + place] /= strongest[group] + half;
    }
  }

  // Catmull & Rom 1974.
  static float Interpolated(const std::vector<float>& values, double at) {
    const auto i =
        std::clamp<int64_t>(static_cast<int64_t>(at), 1, static_cast<int64_t>(values.size()) - 3);
    const auto t = static_cast<float>(at - static_cast<double>(i));
    const float a = values[i - 1], b = values[i], c = values[i + 1], d = values[i + 2];
    const float value =
        b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
    return std::max(value, 0.0f);
  }

  float Cost(size_t group, int place) const {
    const double moved = static_cast<double>(place - reach_) / reach_;
    return static_cast<float>(kPlaceWeight * moved * moved) -
           static_cast<float>(kEvidenceWeight) * evidence_[group * places_ + place];
  }

  // Over all pairs of places: the cost of an interval depends on their difference alone.
  void Step(size_t group, const std::vector<float>& costs, std::vector<float>& next) {
    const double expected_s = groups_[group - 1].interval_s;
    const double slack_s = kIntervalSlack_s + kIntervalShare * expected_s;
    const double apart_s = groups_[group].at_s - groups_[group - 1].at_s;
    std::vector<float> interval(2 * places_ - 1);
    for (int shift = 0; shift < 2 * places_ - 1; ++shift) {
      const double between_s = apart_s + (shift - places_ + 1) * step_s_;
      const double off = (between_s - expected_s) / slack_s;
      interval[shift] = between_s < kLeastGap_s
                            ? std::numeric_limits<float>::infinity()
                            : static_cast<float>(kIntervalWeight * (std::sqrt(1 + off * off) - 1));
    }
    for (int place = 0; place < places_; ++place) {
      float best = std::numeric_limits<float>::infinity();
      int16_t came = static_cast<int16_t>(place);
      for (int from = 0; from < places_; ++from) {
        const float cost = costs[from] + interval[place - from + places_ - 1];
        if (cost < best) {
          best = cost;
          came = static_cast<int16_t>(from);
        }
      }
      next[place] = best + Cost(group, place);
      came_[group * places_ + place] = came;
    }
  }

  std::vector<double> Trace(const std::vector<float>& costs) const {
    auto place = static_cast<int>(std::min_element(costs.begin(), costs.end()) - costs.begin());
    std::vector<double> times(groups_.size());
    for (size_t group = groups_.size(); group-- > 0;) {
      times[group] = PlaceAt(group, place);
      place = came_[group * places_ + place];
    }
    return times;
  }

  const FrameMatrix& rises_;
  const double frame_rate_;
  const int lowest_pitch_;
  const std::vector<OnsetGroup>& groups_;
  const int reach_;   // places to either side
  const int places_;  // of each group
  const double step_s_;
  std::vector<float> lengths_;   // of the rows of rises
  std::vector<float> evidence_;  // [groups, places]
  std::vector<int16_t> came_;    // [groups, places]
};

}  // namespace

std::vector<double> RefineOnsets(const FrameMatrix& rises, double frame_rate, int lowest_pitch,
                                 const std::vector<OnsetGroup>& groups) {
  if (groups.empty()) return {};
  return Refinement(rises, frame_rate, lowest_pitch, groups).Run();
}

}  // namespace antiphon::alignment
