// Dynamic time warping of two sequences of features (Sakoe & Chiba 1978). A pure function; safe
// from any thread. Internal to core/alignment.
#ifndef ANTIPHON_CORE_ALIGNMENT_WARPING_H_
#define ANTIPHON_CORE_ALIGNMENT_WARPING_H_

#include <cstdint>
#include <vector>

#include "core/alignment/alignment_features.h"

namespace antiphon::alignment {

struct WarpOptions {
  double onset_weight = 0.5;      // of the distance of onsets against that of energies, 0 to 1
  double diagonal_weight = 1.25;  // of a step in both, whose cost is counted so often; 1 to 2
  // Added to a step in a alone: with open ends, holding on would be cheaper than going on.
  double hold_cost = 0;
  int64_t band = -1;       // frames of b that a frame of a may be off the diagonal; < 0: any
  int64_t open_start = 0;  // a may begin as late in b …
  int64_t open_end = 0;    // … and end so early before b's end, frames
};

struct WarpStep {
  int64_t a = 0;
  int64_t b = 0;
};

// The cheapest path from the first frames of both to the last, by steps of one frame in a, in b or
// in both. Features must be normalised and of equal widths, neither empty. Memory: a byte for each
// cell of the band.
std::vector<WarpStep> CheapestPath(const FrameFeatures& a, const FrameFeatures& b,
                                   const WarpOptions& options);

}  // namespace antiphon::alignment

#endif  // ANTIPHON_CORE_ALIGNMENT_WARPING_H_
