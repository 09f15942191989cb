// How much in a sound says that the notes laid beside it are played, and when. Pure functions; safe
// from any thread. Internal to core/alignment.
#ifndef ANTIPHON_CORE_ALIGNMENT_EVIDENCE_H_
#define ANTIPHON_CORE_ALIGNMENT_EVIDENCE_H_

#include <vector>

namespace antiphon::alignment {

// A score laid beside a recording, passage after passage.
struct LaidOnsets {
  std::vector<double> played_s;  // of each distinct onset, at the mean tempo; ascending
  std::vector<double> heard_s;   // in the recording; ascending
  std::vector<double> likeness;  // FineAlignment::likeness
  std::vector<double> chance;    // FineAlignment::chance
};

struct Evidence {
  double agreement = 0;        // 0 to 1: Performance::agreement
  std::vector<double> doubts;  // 0 to 1, of each onset
};

// Two things speak for an alignment: what is heard is like what is written, and the tempo is as
// even as music is. A path through music that is not there goes where it finds some likeness, by
// leaps. All of length one at least, and equal.
Evidence WeighEvidence(const LaidOnsets& laid);

}  // namespace antiphon::alignment

#endif  // ANTIPHON_CORE_ALIGNMENT_EVIDENCE_H_
