// The answers of a search and of an identification, and the evidence behind them. Plain values;
// safe from any thread. Times are seconds of the whole query and of the source.
#ifndef ANTIPHON_CORE_MATCHING_ANSWER_H_
#define ANTIPHON_CORE_MATCHING_ANSWER_H_

#include <vector>

namespace antiphon::matching {

// A window of the query and the stretch of a source that it was found to match.
struct Evidence {
  double query_start_s = 0;
  double query_end_s = 0;
  double reference_start_s = 0;  // seconds of the source, nominal tempo for scores
  double reference_end_s = 0;
  double tempo_ratio = 1.0;  // tempo of the sound over the tempo written
  float similarity = 0;      // cosine
};

// A stretch of the query and the stretch of the collection that it matches.
struct Hit {
  int source = 0;  // position in the contents' pieces() or recordings()
  double query_start_s = 0;
  double query_end_s = 0;
  double reference_start_s = 0;  // seconds of the source, nominal tempo for scores
  double reference_end_s = 0;
  double tempo_ratio = 1.0;  // tempo of the sound over the tempo written
  float similarity = 0;      // cosine
  std::vector<Evidence> evidence =
      {};  // with SearchOptions::evidence, by time in the query, the 1,000 most similar
};

enum class Verdict {
  kMatch,
  kNoMatch,
  kInsufficientInput
};  // the last: silence or no notes, or shorter than half a window

struct Candidate {
  int source = 0;
  double confidence = 0;  // in [0, 1]
  double score = 0;       // of the vote
  int votes = 0;
  double query_s = 0;        // a place in the query …
  double reference_s = 0;    // … and its place in the source
  double tempo_ratio = 1.0;  // tempo of the sound over the tempo written
  int transposition =
      0;  // semitones by which the sound is higher than written, the query higher than a score
  // The stretch of the query that goes along with the source best, and the source's.
  double query_start_s = 0;
  double query_end_s = 0;
  double reference_start_s = 0;
  double reference_end_s = 0;
  float similarity = 0;  // mean cosine of the windows along that stretch
  std::vector<Evidence> evidence =
      {};  // votes for it, by time in the query, the 1,000 most similar
};

struct Identification {
  Verdict verdict = Verdict::kNoMatch;
  int windows = 0;                    // of the query
  std::vector<Candidate> candidates;  // best first
};

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_ANSWER_H_
