// The sample rates that a constant-Q transform works at.
//
// Bands are summed in groups of neighbours, each at the sound's rate or at a lower one (a level),
// which a decimator makes from the sound or from another level. Levels lie on the frames' centres:
// their factors divide hop_length, so that all frames share their samples; or, where such factors
// are of little use, each frame is brought down by itself, by powers of two. Pure functions; safe
// from any thread.
//
// Internal to core/features.
#ifndef ANTIPHON_CORE_FEATURES_CONSTANT_Q_PLAN_H_
#define ANTIPHON_CORE_FEATURES_CONSTANT_Q_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/features/settings.h"

namespace antiphon::features {

// Q of the definition in constant_q.h: centre frequency over the distance to the next band's.
double ConstantQuality(const FeatureSettings& settings);

// Centre of a band, Hz.
double ConstantQFrequency(const FeatureSettings& settings, int band);

// N of the definition: samples of a band's window.
int ConstantQWindowLength(const FeatureSettings& settings, int band);

struct ConstantQPlan {
  // Bands of a group: those from group · kGroupBands on.
  static constexpr int kGroupBands = 8;

  struct Level {
    int factor = 1;         // the level has a factor-th of the sound's samples
    size_t parent = 0;      // level that it is made from; the first has none
    int highest_group = 0;  // no higher group fits below the passband
    double passband = 0;    // cycles per sample of the sound
    int64_t reach = 0;      // samples of the level needed to either side of a frame's centre

    // Passband of the decimator, in cycles per sample of this level.
    double relative_passband() const { return passband * factor; }
  };

  bool frames_share = true;
  std::vector<Level> levels;         // the first is the sound itself; parents before children
  std::vector<size_t> group_levels;  // where each group is summed
  double cost = 0;                   // multiplications for each frame, about
};

// The plan that costs least among those tried, for frames that look at `frame_length` samples of
// the sound, half of them before the centre. Requires valid settings, and an even frame_length
// greater than that of the longest window.
ConstantQPlan PlanConstantQ(const FeatureSettings& settings, int frame_length);

}  // namespace antiphon::features

#endif  // ANTIPHON_CORE_FEATURES_CONSTANT_Q_PLAN_H_
