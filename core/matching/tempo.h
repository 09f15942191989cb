// Whether a tempo found by a fit can be believed. Internal to core/matching, core/retrieval and
// core/streaming.
#ifndef ANTIPHON_CORE_MATCHING_TEMPO_H_
#define ANTIPHON_CORE_MATCHING_TEMPO_H_

namespace antiphon::matching {

// A path that mostly waits or hurries tells no tempo: `fitted` must lie within a factor of 1.5 of
// `nominal`, the tempo at which the windows were read. Both are ratios, > 0.
inline bool IsPlausibleTempo(double fitted, double nominal) {
  constexpr double kMostChange = 1.5;
  return fitted > nominal / kMostChange && fitted < nominal * kMostChange;
}

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_TEMPO_H_
