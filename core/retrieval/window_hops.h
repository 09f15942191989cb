// How far apart the windows of a query are that is to be identified: as far as tells the music,
// since encoding them is most of what an answer costs. Internal to core/retrieval. Pure functions;
// safe from any thread.
#ifndef ANTIPHON_CORE_RETRIEVAL_WINDOW_HOPS_H_
#define ANTIPHON_CORE_RETRIEVAL_WINDOW_HOPS_H_

#include <optional>

#include "core/matching/answer.h"
#include "core/matching/request.h"

namespace antiphon::retrieval {

// Between the starts of windows, seconds of the query.
struct WindowHops {
  std::optional<double> first_s;  // of what is asked first, if that may be enough (IsBeyondDoubt)
  double last_s = 0;              // of what is asked otherwise
};

// For a query of `length_s`. What the options say is taken as it is.
WindowHops HopsFor(const matching::IdentifyOptions& options, double length_s);

// Whether few windows are enough: the confidence is high, the best candidate goes along with the
// query in one passage that lacks less than a second of it, and nothing else has the same music.
bool IsBeyondDoubt(const matching::Identification& answer, double length_s);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_WINDOW_HOPS_H_
