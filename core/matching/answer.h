// The answers of a search and of an identification, and the evidence behind them. Plain values;
// safe from any thread.
#ifndef ANTIPHON_CORE_MATCHING_ANSWER_H_
#define ANTIPHON_CORE_MATCHING_ANSWER_H_

#include <vector>

#include "core/matching/match.h"

namespace antiphon::matching {

// A window of the query and the stretch of a source that it was found to match.
struct Evidence {
  Match match = {};
  float similarity = 0;  // cosine
};

// A stretch of the query and the stretch of the collection that it matches.
struct Hit {
  int source = 0;  // position in the contents' pieces() or recordings()
  Match match = {};
  float similarity = 0;  // cosine, of the most similar window
  // With SearchOptions::evidence, by time in the query, the 1,000 most similar.
  std::vector<Evidence> evidence = {};
};

enum class Verdict {
  kMatch,
  kNoMatch,
  kInsufficientInput  // silence or no notes, or shorter than half a window
};

struct Candidate {
  int source = 0;
  double confidence = 0;  // in [0, 1]
  double score = 0;       // of the vote
  int votes = 0;
  // Semitones by which the sound is higher than written, the query higher than a score.
  int transposition = 0;
  Place place = {};      // the surest one
  Match match = {};      // the stretch of the query that goes along with the source best
  float similarity = 0;  // mean cosine of the windows along that stretch
  // Votes for it, by time in the query, the 1,000 most similar.
  std::vector<Evidence> evidence = {};
};

struct Identification {
  Verdict verdict = Verdict::kNoMatch;
  int windows = 0;                    // of the query
  std::vector<Candidate> candidates;  // best first
};

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_ANSWER_H_
