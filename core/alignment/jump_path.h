// The cheapest path of a recording through a score that may leave a bar for the beginning of any
// other (Fremerey, Müller & Clausen 2010), and begin and end anywhere.
//
// Each frame of the recording is at one frame of the score, and goes on from there by none to three
// frames of the score, or jumps (Viterbi 1967). A pure function; safe from any thread. Internal to
// core/alignment.
#ifndef ANTIPHON_CORE_ALIGNMENT_JUMP_PATH_H_
#define ANTIPHON_CORE_ALIGNMENT_JUMP_PATH_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/alignment/alignment_features.h"

namespace antiphon::alignment {

// Where a path may leave off and go on: a bar line or, at a higher cost, another beat.
struct Line {
  int64_t frame = 0;  // of the score, the first one after it; ascending
  bool bar = true;
};

struct JumpPathOptions {
  double onset_weight = 0.5;  // of the distance of onsets against that of energies, 0 to 1
  double jump_cost = 8;       // in frames of the worst mismatch
  double beat_cost = 1.5;     // added for each end of a jump that is at no bar line
  double start_cost = 8.5;    // of beginning elsewhere than the score does …
  double end_cost = 0.5;      // … and of ending elsewhere
  bool jumps = true;          // false: none, only the ends are free
  // Asked now and then; a failure ends the search.
  std::function<absl::Status()> check = nullptr;
};

struct JumpStep {
  int64_t sound = 0;  // frames
  int64_t score = 0;
  int left = -1;    // positions in the lines: the jump by which the path came here, …
  int landed = -1;  // … from one to the other; -1: it didn't jump
};

struct JumpPath {
  std::vector<JumpStep> steps;  // one for each frame of the sound
  double cost = 0;              // of a frame, on average
};

// Features must be normalised and of 12 columns, neither empty. Memory: four bytes for each frame
// of the score and every hundred or so frames of the sound.
[[nodiscard]] absl::StatusOr<JumpPath> CheapestJumpPath(const FrameFeatures& sound,
                                                        const FrameFeatures& score,
                                                        const std::vector<Line>& lines,
                                                        const JumpPathOptions& options);

}  // namespace antiphon::alignment

#endif  // ANTIPHON_CORE_ALIGNMENT_JUMP_PATH_H_
