#include "core/features/constant_q_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <vector>

namespace antiphon::features {
namespace {

int FrameLength(const FeatureSettings& settings) {
  return static_cast<int>(
      std::bit_ceil(static_cast<unsigned>(ConstantQWindowLength(settings, 0) * 9 / 8)));
}

// What a plan promises to whoever carries it out.
void ExpectConsistent(const FeatureSettings& settings, int frame_length) {
  const ConstantQPlan plan = PlanConstantQ(settings, frame_length);
  ASSERT_FALSE(plan.levels.empty());
  EXPECT_EQ(plan.levels[0].factor, 1);
  EXPECT_LE(plan.levels[0].reach, frame_length / 2 - 1);
  for (size_t i = 1; i < plan.levels.size(); ++i) {
    const ConstantQPlan::Level& level = plan.levels[i];
    ASSERT_LT(level.parent, i);
    const ConstantQPlan::Level& parent = plan.levels[level.parent];
    EXPECT_EQ(level.factor % parent.factor, 0);
    EXPECT_GT(level.factor, parent.factor);
    EXPECT_GE(parent.passband, level.passband);
    EXPECT_LT(level.relative_passband(), 0.5);
    EXPECT_TRUE(!plan.frames_share || settings.hop_length % level.factor == 0);
    EXPECT_GT(parent.reach, level.reach * (level.factor / parent.factor));
  }
  ASSERT_EQ(plan.group_levels.size(),
            (settings.bands + ConstantQPlan::kGroupBands - 1) / ConstantQPlan::kGroupBands);
  for (size_t group = 0; group < plan.group_levels.size(); ++group) {
    const ConstantQPlan::Level& level = plan.levels[plan.group_levels[group]];
    const int lowest = static_cast<int>(group) * ConstantQPlan::kGroupBands;
    const int highest = std::min(settings.bands, lowest + ConstantQPlan::kGroupBands) - 1;
    if (level.factor > 1) {
      EXPECT_GT(level.passband * settings.sample_rate, ConstantQFrequency(settings, highest));
    }
    EXPECT_GE(level.reach, ConstantQWindowLength(settings, lowest) / 2 / level.factor);
  }
}

TEST(ConstantQPlanTest, IsConsistentWhateverTheSettings) {
  for (const int rate : {8000, 22050, 96'000}) {
    for (const int hop : {32, 441, 1031, 1050, 1024, 55'440, 90'000}) {
      for (const auto& [per_octave, bands, lowest] :
           {std::tuple(24, 176, 27.5), std::tuple(6, 12, 10.0), std::tuple(12, 30, 440.0)}) {
        FeatureSettings settings;
        settings.sample_rate = rate;
        settings.hop_length = hop;
        settings.bands_per_octave = per_octave;
        settings.bands = bands;
        settings.min_frequency = lowest;
        if (!settings.Validate().ok()) continue;
        SCOPED_TRACE(testing::Message() << rate << ' ' << hop << ' ' << per_octave);
        ExpectConsistent(settings, FrameLength(settings));
        // No room for filters: everything is summed at the sound's own rate, or almost.
        ExpectConsistent(settings, (ConstantQWindowLength(settings, 0) + 2) / 2 * 2);
      }
    }
  }
}

// A direct sum takes two multiplications for each sample of each window: 1.98 million in a frame.
TEST(ConstantQPlanTest, TheDefaultSettingsTakeATenthOfTheDirectSumsWork) {
  const FeatureSettings settings;
  const ConstantQPlan plan = PlanConstantQ(settings, FrameLength(settings));
  EXPECT_TRUE(plan.frames_share);
  EXPECT_LT(plan.cost, 200'000);
}

TEST(ConstantQPlanTest, FramesAreBroughtDownByThemselvesWhereTheHopHasNoDivisors) {
  FeatureSettings settings;
  settings.hop_length = 1049;  // a prime
  const ConstantQPlan plan = PlanConstantQ(settings, FrameLength(settings));
  EXPECT_FALSE(plan.frames_share);
  EXPECT_LT(plan.cost, 1'000'000);
}

TEST(ConstantQPlanTest, FramesAreBroughtDownByThemselvesWhereTheyDoNotOverlap) {
  FeatureSettings settings;
  settings.hop_length = 96'000;
  EXPECT_FALSE(PlanConstantQ(settings, FrameLength(settings)).frames_share);
}

}  // namespace
}  // namespace antiphon::features
