// The recordings of Bach's works for solo violin, and which scores hold what they play. By the
// names of the files alone. Stateless; safe from any thread.
#ifndef ANTIPHON_TRAINER_DATASETS_VIOLIN_RECORDINGS_H_
#define ANTIPHON_TRAINER_DATASETS_VIOLIN_RECORDINGS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace antiphon::trainer::datasets {

struct ViolinRecording {
  std::string path;
  std::string name;      // "john-garner_bwv1002_mov6"
  std::string movement;  // "bwv1002_mov6"
};

// The recordings in `folder`, by their names: sound files called player_work_movement.
// InvalidArgument where one is called otherwise, NotFound when there is none.
[[nodiscard]] absl::StatusOr<std::vector<ViolinRecording>> ReadViolinRecordings(
    const std::string& folder);

// Whether the score of this name, a file's without its ending, has the music of the movement: it is
// the movement ("bwv1002_mov6"), the movement with fewer repeats ("bwv1002_mov6_10"), or the whole
// work ("bwv1002").
bool HoldsMovement(std::string_view score, std::string_view movement);

}  // namespace antiphon::trainer::datasets

#endif  // ANTIPHON_TRAINER_DATASETS_VIOLIN_RECORDINGS_H_
