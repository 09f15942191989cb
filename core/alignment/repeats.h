// Beats of a score that are alike, and what a jump between two of them is. Pure functions; safe
// from any thread.
#ifndef ANTIPHON_CORE_ALIGNMENT_REPEATS_H_
#define ANTIPHON_CORE_ALIGNMENT_REPEATS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/alignment/beat_grid.h"
#include "core/alignment/performance.h"
#include "core/music/score.h"

namespace antiphon::alignment {

// For each beat of the grid a number that is the same for beats with the same onsets and pitches,
// up to the next beat; 0: nothing begins in it. `notes` sorted by onset.
std::vector<uint64_t> BeatContents(std::span<const music::Note> notes,
                                   const std::vector<GridBeat>& grid);

// From the beginning of one beat of the grid to that of another: positions in it.
struct Jump {
  int from = 0;
  int to = 0;
};

// The same jump as late as can be: as long as the beat not played is like the one jumped to, either
// may be said to be left out. `last`: where the passage jumped to ends.
Jump Latest(Jump jump, int last, const std::vector<uint64_t>& contents);

// What a jump is. Ahead, it leaves out a repeat if most of what it passes is like what comes as far
// before.
Entry EntryOf(Jump jump, const std::vector<uint64_t>& contents);

}  // namespace antiphon::alignment

#endif  // ANTIPHON_CORE_ALIGNMENT_REPEATS_H_
