// How well a query goes along with one source, window after window: dynamic time warping of the two
// sequences of embeddings (Sakoe & Chiba 1978; subsequence variant: Müller 2007, chapter 4). Votes
// are the nearest neighbours of each window among everything there is, and a short query has few;
// here every window of the query is compared with every window of a source that the votes name.
// Internal to core/retrieval. Pure functions; safe from any thread.
#ifndef ANTIPHON_CORE_RETRIEVAL_PATH_MATCH_H_
#define ANTIPHON_CORE_RETRIEVAL_PATH_MATCH_H_

#include <functional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/matching/match.h"
#include "core/retrieval/query.h"
#include "core/retrieval/search_space.h"

namespace antiphon::retrieval {

struct PathMatch {
  // In [0, 1]: mean over the query's windows of (similarity - 0.3) / 0.7, 0 where negative.
  double score = 0;
  int windows = 0;             // of the query on the path
  matching::Place place = {};  // the middle of the stretch
  // The stretch of the query that goes along best, from the start of its first window to the end of
  // its last, and the source's.
  matching::Match match = {};
  float similarity = 0;  // mean cosine of its windows
};

// The best path of the query through each of the readings of the space. A path advances by the time
// that the tempi of both sides ask for; it may wait, or go twice as far, at a price. Where the
// query's windows lie three quarters of a second apart or more, it may go anything from half as far
// to twice instead, at a price by the factor. Stretches of the query find their paths one by one;
// before each `keep_going`, unless empty, is asked, and its failure is returned. Fails as the index
// does.
//
// Where a reading says how fast it goes by, only runs within a factor of 1.3 of that are read:
// those of the nearest tempo are followed all along, the others around the path that they have.
[[nodiscard]] absl::StatusOr<std::vector<PathMatch>> MatchPaths(
    const SearchSpace& space, const EmbeddedQuery& query, std::span<const Reading> readings,
    const std::function<absl::Status()>& keep_going = {});

// The same for one stretch of `rows` windows and one run of `columns` windows. `similarities` is
// [rows, columns]; the run advances `step` windows per window of the query, > 0, in so many
// `cells`, from 1 to 12: with 1 a path waits or goes twice as far, with more it goes from half to
// twice as far. The score is the sum of weights less prices.
float PathScore(std::span<const float> similarities, int rows, int columns, double step,
                int cells = 1);

// That path, row by row, without a gap; empty where the score is 0. Of equal paths the one that
// ends first.
struct PathStep {
  int row = 0;
  double column = 0;  // windows of the run
  double weight = 0;
  double similarity = 0;  // that it weighs
};
std::vector<PathStep> TracePath(std::span<const float> similarities, int rows, int columns,
                                double step, int cells = 1);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_PATH_MATCH_H_
