// How far apart the windows of a query are that is to be identified: as far as tells the music,
// since encoding them is most of what an answer costs. Internal to core/retrieval. Pure functions;
// safe from any thread.
#ifndef ANTIPHON_CORE_RETRIEVAL_WINDOW_HOPS_H_
#define ANTIPHON_CORE_RETRIEVAL_WINDOW_HOPS_H_

#include <vector>

#include "core/matching/answer.h"
#include "core/matching/request.h"

namespace antiphon::retrieval {

// Between the starts of windows, seconds of a query of `length_s`, widest first: what the query is
// asked about until an answer is beyond doubt; that of the last stands in any case. What the
// options say is taken as it is. `tempi`: at which the query is read.
std::vector<double> HopsFor(const matching::IdentifyOptions& options, double length_s, int tempi);

// Whether few windows are enough: the confidence is high, and the best candidate goes along with
// the query in one passage that lacks about a second of it at most. Which of several editions it is
// the windows of the last hop tell no better.
bool IsBeyondDoubt(const matching::Identification& answer, double length_s);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_WINDOW_HOPS_H_
