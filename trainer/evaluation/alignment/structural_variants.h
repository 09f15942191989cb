// A recording as somebody else might have played it: a repeat left out or added, bars cut. Made
// from the sound itself, at the true times of bar lines. Pure functions; safe from any thread.
#ifndef ANTIPHON_TRAINER_EVALUATION_ALIGNMENT_STRUCTURAL_VARIANTS_H_
#define ANTIPHON_TRAINER_EVALUATION_ALIGNMENT_STRUCTURAL_VARIANTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/alignment/performance.h"
#include "core/audio/waveform.h"
#include "core/music/score.h"
#include "core/music/time_map.h"

namespace antiphon::trainer::evaluation {

enum class VariantKind {
  kRepeatLeftOut,  // the second of two stretches of at least 8 bars that are alike
  kRepeatAdded,    // 16 bars (or a third of all, if that is less) are played twice
  kCut,            // ... are left out
};
inline constexpr VariantKind kVariantKinds[] = {VariantKind::kRepeatLeftOut,
                                                VariantKind::kRepeatAdded, VariantKind::kCut};
const char* NameOf(VariantKind kind);

// From one place in the score to another, seconds.
struct ScoreJump {
  double from_s = 0;
  double to_s = 0;
};

struct Variant {
  audio::Waveform sound;
  std::vector<music::TimePoint> truth;  // seconds of its sound, seconds of the score
  ScoreJump jump;
};

// `map` is from seconds of the sound to seconds of the score, through `truth`. Nothing where the
// score has no such stretch between its outermost points.
std::optional<Variant> MakeVariant(VariantKind kind, const audio::Waveform& sound,
                                   const music::Score& score, const music::TimeMap& map,
                                   const std::vector<music::TimePoint>& truth);

// How a performance's jumps compare with the only one there is.
struct JumpTally {
  bool found = false;  // from the right bar to the right one; where bars are alike, any of them
  int others = 0;      // jumps besides
};

JumpTally TallyJumps(const alignment::Performance& performance, const music::Score& score,
                     const ScoreJump& jump);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_ALIGNMENT_STRUCTURAL_VARIANTS_H_
