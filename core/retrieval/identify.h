// From neighbours to an answer: which source, how sure, and where in it. Pure functions; safe from any thread. Internal
// to retrieval.
#ifndef ANTIPHON_CORE_RETRIEVAL_IDENTIFY_H_
#define ANTIPHON_CORE_RETRIEVAL_IDENTIFY_H_

#include <functional>
#include <span>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/retrieval/collection.h"
#include "core/retrieval/query.h"
#include "core/retrieval/voting.h"

namespace antiphon::retrieval {

// Confidence is a logistic function, 1 / (1 + exp(-(bias + score_weight·score + margin_weight·margin))).
//
// `score` is a source's, in [0, 1]. `margin` is VoteMargin over the best source of any other piece.
struct ConfidenceModel {
  double bias = 0;
  double score_weight = 0;
  double margin_weight = 0;
};

// Set by hand: they order answers and tell clear ones from doubtful ones. Constants fitted on validation data, so that
// of the answers given with confidence c a part c is right, belong here.
inline constexpr ConfidenceModel kInTimeConfidence = {-4.0, 10.0, 5.0};
inline constexpr ConfidenceModel kPlainConfidence = {-4.0, 8.0, 5.0};

double Confidence(const ConfidenceModel& model, double score, double best_other_score);

// The sources by votes, best first; `side` is theirs. Scores are in [0, 1]: in time, the mean weight of the query's
// windows on the best lines; plain, the source's share of all votes.
std::vector<SourceScore> RankSources(std::span<const Neighbour> neighbours, int windows, catalog::Side side,
                                     VoteMethod method);

// The answer, from sources ranked best first. `same_piece` tells whether two sources are of one piece (two recordings
// of it), so that they are no rivals. Candidates are at most options.top_k.
Identification Judge(std::span<const SourceScore> scores, int windows, const IdentifyOptions& options,
                     const std::function<bool(int, int)>& same_piece);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_IDENTIFY_H_
