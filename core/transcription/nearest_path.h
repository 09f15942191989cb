// From the windows that are near to each window of a sound to the best way through them: which
// stretch of which score sounds when.
//
// Dynamic programming over windows (Viterbi 1967): a window that carries on its score from the one
// before costs nothing, one that begins elsewhere costs something. Pure functions; safe from any
// thread. Internal to core/transcription.
#ifndef ANTIPHON_CORE_TRANSCRIPTION_NEAREST_PATH_H_
#define ANTIPHON_CORE_TRANSCRIPTION_NEAREST_PATH_H_

#include <vector>

#include "core/catalog/catalog.h"
#include "core/matching/match.h"

namespace antiphon::transcription {

// A window of a score that is near to one of the sound.
struct NearWindow {
  int source = 0;
  int part = catalog::kWhole;
  matching::Place middle = {};  // of both windows, seconds of the sound and of the score
  double slope = 1;             // seconds of the score per second of the sound, > 0
  double similarity = 0;        // cosine
};

// Those of one window of the sound; may be empty.
using NearWindows = std::vector<NearWindow>;

struct PathOptions {
  double min_similarity = 0;  // a window that is less similar than this is worth less than a gap
  double change_cost = 0.1;   // of a window that does not carry on, in similarity; >= 0
  double tolerance_s = 0.6;   // by which one that carries on may be off the line, of the sound
};

// A run of windows that follow one score, by time; never empty.
using PathRun = std::vector<NearWindow>;

// `windows` by time, at even distances. Runs are in order of time and take at most one window of
// each place; windows between them, and some within a run, belong to none.
std::vector<PathRun> BestRuns(const std::vector<NearWindows>& windows, const PathOptions& options);

}  // namespace antiphon::transcription

#endif  // ANTIPHON_CORE_TRANSCRIPTION_NEAREST_PATH_H_
