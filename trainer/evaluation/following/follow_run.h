// One sound through the follower, as a microphone would deliver it.
#ifndef ANTIPHON_TRAINER_EVALUATION_FOLLOWING_FOLLOW_RUN_H_
#define ANTIPHON_TRAINER_EVALUATION_FOLLOWING_FOLLOW_RUN_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/following/follower.h"
#include "core/music/score.h"
#include "trainer/evaluation/following/followed_sound.h"

namespace antiphon::trainer::evaluation {

inline constexpr double kBuffer_s = 0.02;  // of sound, handed over at once

struct FollowRun {
  std::vector<following::FollowAnswer> answers;
  // When each was there: the end of the buffer that it came out of, and the time taken to compute
  // it. Seconds of the sound.
  std::vector<double> there_s;
  double computing_s = 0;  // of a core, for all
};

[[nodiscard]] absl::StatusOr<FollowRun> Follow(const music::Score& score,
                                               const audio::Waveform& audio);

// The sound of the passages of a performance, one after the other, each faded in and out within
// 5 ms.
audio::Waveform PassagesOf(const audio::Waveform& performance,
                           const std::vector<Passage>& passages);

// At the beginning of each passage but the first: how long it takes until the answers are right,
// within 0.5 s, for a second. Infinite where that does not happen within the passage.
std::vector<double> RecoveryTimes(const FollowedSound& sound, const FollowRun& run);

// For each note, from its onset until an answer is there that has it, at least, as played; seconds.
// Notes without such an answer within a second are left out.
std::vector<double> Latencies(const FollowedSound& sound, const FollowRun& run,
                              const music::Score& score);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_FOLLOWING_FOLLOW_RUN_H_
