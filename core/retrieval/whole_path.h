// Where a whole query lies in one source: a path through all of its windows, which may jump where a
// player takes a repeat or leaves one out. Dynamic time warping with jumps (Fremerey, Müller &
// Clausen 2010), local on both sides (Smith & Waterman 1981), over embeddings. It locates a source
// that has been found; what finds it is path_match.h. Internal to core/retrieval. Pure functions;
// safe from any thread.
#ifndef ANTIPHON_CORE_RETRIEVAL_WHOLE_PATH_H_
#define ANTIPHON_CORE_RETRIEVAL_WHOLE_PATH_H_

#include <functional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/matching/embedding_sequence.h"
#include "core/matching/match.h"
#include "core/retrieval/search_space.h"

namespace antiphon::retrieval {

// A part of the path without a jump.
struct TracedPassage {
  matching::Match match = {};
  // The moments that the path goes through, the middles of windows, by time in the query. Both
  // sides rise.
  std::vector<matching::Place> trace = {};
  double weight = 0;  // of its windows
};

struct WholePath {
  // In [0, 1]: what the query's windows on the path weigh, less prices, over all its windows.
  double score = 0;
  int windows = 0;             // of the query on the path
  float similarity = 0;        // mean cosine of those
  matching::Place place = {};  // the surest
  // From the start of the first passage to the end of the last; its slope is that within passages.
  matching::Match match = {};
  std::vector<TracedPassage> passages = {};  // by time in the query; empty: nothing is alike
};

// The best path of the windows through the source with these runs. `slope` is about how fast the
// source goes by, seconds of it per second of the query: runs read at such a tempo are looked at
// first, and the others where those leave much of the query unexplained.
// Windows may lie any time apart. Takes time by windows and length of the source. `keep_going`,
// unless empty, is asked for every run; its failure is returned.
[[nodiscard]] absl::StatusOr<WholePath> TraceWhole(
    const matching::EmbeddingSequence& sequence, const std::vector<SearchSpace::Run>& runs,
    double slope, const std::function<absl::Status()>& keep_going = {});

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_WHOLE_PATH_H_
