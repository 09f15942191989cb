// Moves the onsets of a score from where a path of frames has them to where their own pitches begin
// in the sound.
//
// A path of frames knows no notes: it is as exact as frames and its smoothing let it be. Here each
// onset may move a little, to where the energies of its pitches and their partials rise, while the
// time between two onsets stays about what the path says it is: the cheapest sequence by dynamic
// programming (Viterbi 1967). A pure function; safe from any thread. Internal to core/alignment.
#ifndef ANTIPHON_CORE_ALIGNMENT_REFINEMENT_H_
#define ANTIPHON_CORE_ALIGNMENT_REFINEMENT_H_

#include <vector>

#include "core/alignment/alignment_features.h"

namespace antiphon::alignment {

// What begins at once.
struct OnsetGroup {
  double at_s = 0;           // where the path has it, from the first frame on; ascending
  double interval_s = 0;     // to the next group at the tempo of the surroundings; > 0
  std::vector<int> pitches;  // MIDI note numbers
};

// `rises` is FeaturesOfAudio's onsets, not normalised; its first column is `lowest_pitch`. Returns
// a time for each group, ascending strictly.
std::vector<double> RefineOnsets(const FrameMatrix& rises, double frame_rate, int lowest_pitch,
                                 const std::vector<OnsetGroup>& groups);

}  // namespace antiphon::alignment

#endif  // ANTIPHON_CORE_ALIGNMENT_REFINEMENT_H_
