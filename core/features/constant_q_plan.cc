#include "core/features/constant_q_plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "core/features/decimator.h"
#include "core/features/vector_kernels.h"

namespace antiphon::features {
namespace {

using Level = ConstantQPlan::Level;

constexpr int kGroupBands = ConstantQPlan::kGroupBands;
static_assert(2 * kGroupBands == VectorKernels::kLanes);

// Lobes of a band's spectrum above its centre that decimation leaves as they are. The main lobe
// has two.
constexpr double kPassbandLobes = 4;

// Where a passband may end, in cycles per sample of the level: towards 1/2, filters become long.
constexpr double kHighestPassband = 0.45;

// Factors tried for a group: the largest ones that leave its passband.
constexpr int kFactorsTried = 4;

// A search for the levels that cost least.
class Planner {
 public:
  Planner(const FeatureSettings& settings, int frame_length, bool frames_share)
      : settings_(settings),
        groups_((settings.bands + kGroupBands - 1) / kGroupBands),
        frames_share_(frames_share),
        longest_reach_(frame_length / 2 - 1),
        span_(frames_share ? settings.hop_length : frame_length) {}

  ConstantQPlan Plan() const;

 private:
  std::vector<Level> Candidates() const;
  bool Fits(int factor) const {
    return frames_share_ ? settings_.hop_length % factor == 0
                         : std::has_single_bit(static_cast<unsigned>(factor));
  }
  // Gives every level the parent, and every group the level, that costs least. The cost is infinite
  // where frames are too short.
  void Arrange(ConstantQPlan& plan) const;
  void ChooseParent(ConstantQPlan& plan, size_t level) const;
  void ChooseGroupLevel(ConstantQPlan& plan, int group) const;
  void AddReach(ConstantQPlan& plan) const;

  const FeatureSettings& settings_;
  const int groups_;
  const bool frames_share_;
  const int64_t longest_reach_;
  const double span_;  // samples of the sound that one frame accounts for
};

std::vector<Level> Planner::Candidates() const {
  std::vector<Level> candidates;
  for (int group = 0; group < groups_; ++group) {
    const int highest = std::min(settings_.bands, (group + 1) * kGroupBands) - 1;
    const double passband = ConstantQFrequency(settings_, highest) *
                            (1 + kPassbandLobes / ConstantQuality(settings_)) /
                            settings_.sample_rate;
    int tried = 0;
    for (int factor = static_cast<int>(kHighestPassband / passband);
         factor > 1 && tried < kFactorsTried; --factor) {
      if (!Fits(factor)) continue;
      ++tried;
      candidates.push_back({factor, 0, group, passband, 0});
    }
  }
  return candidates;
}

void Planner::ChooseParent(ConstantQPlan& plan, size_t level) const {
  // What a filter costs beyond its multiplications, in multiplications: it reads more for each, and
  // its input is laid out anew, by vector instructions for the smallest ratios only.
  constexpr double kFilterWork = 1.5, kQuickSplitWork = 4, kSplitWork = 16;
  Level& chosen = plan.levels[level];
  double least = std::numeric_limits<double>::infinity();
  for (size_t parent = 0; parent < level; ++parent) {
    const Level& from = plan.levels[parent];
    const int ratio = chosen.factor / from.factor;
    if (ratio < 2 || chosen.factor % from.factor != 0 || from.passband < chosen.passband) continue;
    const auto taps =
        static_cast<double>(2 * Decimator::Reach(ratio, chosen.relative_passband()) + 1);
    const double split_work = (ratio <= 4 ? kQuickSplitWork : kSplitWork) * ratio;
    const double cost = span_ / chosen.factor * (kFilterWork * taps + split_work);
    if (cost >= least) continue;
    least = cost;
    chosen.parent = parent;
  }
  plan.cost += least;
}

void Planner::ChooseGroupLevel(ConstantQPlan& plan, int group) const {
  size_t chosen = 0;
  for (size_t i = 1; i < plan.levels.size(); ++i) {
    const Level& level = plan.levels[i];
    if (level.highest_group >= group && level.factor > plan.levels[chosen].factor) chosen = i;
  }
  // The lowest band has the longest window.
  const int window = ConstantQWindowLength(settings_, group * kGroupBands);
  plan.group_levels[group] = chosen;
  plan.cost += static_cast<double>(window) / plan.levels[chosen].factor * VectorKernels::kLanes;
  plan.levels[chosen].reach =
      std::max<int64_t>(plan.levels[chosen].reach, window / 2 / plan.levels[chosen].factor);
}

void Planner::AddReach(ConstantQPlan& plan) const {
  for (size_t i = plan.levels.size() - 1; i > 0; --i) {
    const Level& level = plan.levels[i];
    Level& parent = plan.levels[level.parent];
    const int ratio = level.factor / parent.factor;
    parent.reach = std::max(
        parent.reach, level.reach * ratio + Decimator::Reach(ratio, level.relative_passband()));
  }
  if (plan.levels[0].reach > longest_reach_) plan.cost = std::numeric_limits<double>::infinity();
}

void Planner::Arrange(ConstantQPlan& plan) const {
  std::sort(plan.levels.begin() + 1, plan.levels.end(),
            [](const Level& a, const Level& b) { return a.factor < b.factor; });
  plan.cost = 0;
  for (Level& level : plan.levels) level.reach = 0;
  for (size_t level = 1; level < plan.levels.size(); ++level) ChooseParent(plan, level);
  plan.group_levels.resize(groups_);
  for (int group = 0; group < groups_; ++group) ChooseGroupLevel(plan, group);
  AddReach(plan);
}

// Takes the level that saves most, besides those taken or instead of one of them, until none saves
// any more.
ConstantQPlan Planner::Plan() const {
  const std::vector<Level> candidates = Candidates();
  ConstantQPlan plan;
  plan.frames_share = frames_share_;
  plan.levels = {{1, 0, groups_ - 1, 0.5, 0}};
  Arrange(plan);
  for (;;) {
    ConstantQPlan best = plan;
    for (const Level& candidate : candidates) {
      for (size_t place = 1; place <= plan.levels.size(); ++place) {
        ConstantQPlan changed = plan;
        changed.levels.resize(std::max(plan.levels.size(), place + 1));
        changed.levels[place] = candidate;
        Arrange(changed);
        if (changed.cost < best.cost) best = std::move(changed);
      }
    }
    if (best.cost >= plan.cost) return plan;
    plan = std::move(best);
  }
}

}  // namespace

double ConstantQuality(const FeatureSettings& settings) {
  return 1.0 / (std::exp2(1.0 / settings.bands_per_octave) - 1.0);
}

double ConstantQFrequency(const FeatureSettings& settings, int band) {
  return settings.min_frequency * std::exp2(static_cast<double>(band) / settings.bands_per_octave);
}

int ConstantQWindowLength(const FeatureSettings& settings, int band) {
  return static_cast<int>(std::lround(ConstantQuality(settings) * settings.sample_rate /
                                      ConstantQFrequency(settings, band)));
}

ConstantQPlan PlanConstantQ(const FeatureSettings& settings, int frame_length) {
  ConstantQPlan shared = Planner(settings, frame_length, /*frames_share=*/true).Plan();
  ConstantQPlan alone = Planner(settings, frame_length, /*frames_share=*/false).Plan();
  return alone.cost < shared.cost ? alone : shared;
}

}  // namespace antiphon::features
