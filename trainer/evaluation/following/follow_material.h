// What suite `following` plays to the follower: performances whose notes are known, each beside its
// score.
#ifndef ANTIPHON_TRAINER_EVALUATION_FOLLOWING_FOLLOW_MATERIAL_H_
#define ANTIPHON_TRAINER_EVALUATION_FOLLOWING_FOLLOW_MATERIAL_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/music/score.h"
#include "core/music/time_map.h"
#include "trainer/base/progress.h"
#include "trainer/evaluation/suite_options.h"

namespace antiphon::trainer::evaluation {

// The follower was tuned on ASAP's titles whose number this divides.
inline constexpr int kTunedTitles = 3;

enum class FollowCorpus { kAsap, kMaps, kBach10 };

struct Performed {
  std::string name;
  FollowCorpus corpus = FollowCorpus::kAsap;
  std::string path;  // of the sound
  music::Score score;
  music::TimeMap map;          // from seconds of the sound to seconds of the score
  std::vector<double> onsets;  // of its notes that are those of the score, seconds, rising
};

// Of ASAP those performances whose beats have counterparts: of every third title for part kValid,
// which the follower was tuned on, of the others for kTest. All of MAPS and Bach10, for kTest only.
// FailedPrecondition where nothing is left.
[[nodiscard]] absl::StatusOr<std::vector<Performed>> ReadFollowMaterial(
    const FollowingOptions& options, Progress& progress);

}  // namespace antiphon::trainer::evaluation

#endif  // ANTIPHON_TRAINER_EVALUATION_FOLLOWING_FOLLOW_MATERIAL_H_
