// How high the true counterpart ranks among candidates. Pure functions; safe from any thread.
#ifndef ANTIPHON_TRAINER_METRICS_RANKING_H_
#define ANTIPHON_TRAINER_METRICS_RANKING_H_

#include <cstdint>
#include <span>
#include <vector>

namespace antiphon::trainer::metrics {

struct RankingFigures {
  int64_t candidates = 0;
  double recall_at_1 = 0;
  double recall_at_5 = 0;
  double recall_at_10 = 0;
  double recall_at_25 = 0;
  double mean_reciprocal_rank = 0;
  double median_rank = 0;
};

// For each query its counterpart's rank among all candidates: 1 + the number of other candidates at
// least as similar, so that ties count against. `queries` and `candidates` are [n, dimension], row
// i of one the counterpart of row i of the other. Candidates with the same number in `alike` are no
// rivals of one another; without numbers all are. Memory is proportional to n.
std::vector<int64_t> RanksOfCounterparts(std::span<const float> queries,
                                         std::span<const float> candidates, int dimension,
                                         std::span<const uint64_t> alike = {});

// Requires at least one rank.
RankingFigures Summarise(std::vector<int64_t> ranks);

// What drawing lots among `candidates` gives on average.
RankingFigures RandomFigures(int64_t candidates);

}  // namespace antiphon::trainer::metrics

#endif  // ANTIPHON_TRAINER_METRICS_RANKING_H_
