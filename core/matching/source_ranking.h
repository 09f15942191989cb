// From neighbours to an answer: which source, how sure, and where in it. Pure functions; safe from
// any thread. Internal to core/matching and core/retrieval.
#ifndef ANTIPHON_CORE_MATCHING_SOURCE_RANKING_H_
#define ANTIPHON_CORE_MATCHING_SOURCE_RANKING_H_

#include <functional>
#include <span>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/matching/answer.h"
#include "core/matching/confidence.h"
#include "core/matching/neighbour.h"
#include "core/matching/request.h"
#include "core/matching/voting.h"

namespace antiphon::matching {

// The sources by votes, best first; `side` is theirs. Scores are in [0, 1]: in time, the mean
// weight of the query's windows on the best lines; plain, the source's share of all votes.
std::vector<SourceScore> RankSources(std::span<const Neighbour> neighbours, int windows,
                                     catalog::Side side, VoteMethod method);

// What may explain the query besides a candidate.
struct Rivals {
  // Whether two sources show the same music where the query lies in them: two editions of a piece,
  // two recordings of it. They are one explanation, and no rivals.
  std::function<bool(int, int)> same_music;
  // The best score of music that is always there, whatever the collection holds (Background,
  // core/collection); 0 without any.
  double background = 0;
};

// The answer, from sources ranked best first, for a query `transposition` semitones higher than its
// source. Confidence is the music's: candidates of the same music share it, by the best of their
// scores, over the best score of other music. The further off the pitch, the more pitches had a
// chance before (Confidence): 1 + 2 |transposition| in all. Below options.min_confidence, or the
// model's threshold without one, it is kNoMatch. Candidates are at most options.top_k. `windows` is
// what confidence counts; Identification::windows is left to the caller.
Identification Judge(std::span<const SourceScore> scores, int windows, const ConfidenceModel& model,
                     const IdentifyOptions& options, const Rivals& rivals, int transposition = 0);

}  // namespace antiphon::matching

#endif  // ANTIPHON_CORE_MATCHING_SOURCE_RANKING_H_
