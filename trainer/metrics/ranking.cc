#include "trainer/metrics/ranking.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "core/threads/cores.h"

namespace antiphon::trainer::metrics {
namespace {

// Several sums at once, which the compiler turns into vector instructions without reordering any
// one of them.
float Dot(const float* a, const float* b, int dimension) {
  constexpr int kLanes = 16;
  float lanes[kLanes] = {};
  int i = 0;
  for (; i + kLanes <= dimension; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  }
  float sum = 0;
  for (float lane : lanes) sum += lane;
  for (; i < dimension; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

std::vector<int64_t> RanksOfCounterparts(std::span<const float> queries,
                                         std::span<const float> candidates, int dimension,
                                         std::span<const uint64_t> alike) {
  const int64_t count = static_cast<int64_t>(queries.size()) / dimension;
  std::vector<int64_t> ranks(count);
  std::atomic<int64_t> next = 0;
  const auto work = [&] {
    for (int64_t query; (query = next++) < count;) {
      const float* row = queries.data() + query * dimension;
      const float own = Dot(row, candidates.data() + query * dimension, dimension);
      int64_t rank = alike.empty() ? 0 : 1;  // the counterpart counts itself
      for (int64_t other = 0; other < count; ++other) {
        if (!alike.empty() && alike[other] == alike[query]) continue;
        rank += Dot(row, candidates.data() + other * dimension, dimension) >= own;
      }
      ranks[query] = rank;
    }
  };
  const int cores = threads::Cores();
  std::vector<std::thread> workers;
  workers.reserve(cores);
  for (int i = 0; i < cores; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  return ranks;
}

RankingFigures Summarise(std::vector<int64_t> ranks) {
  RankingFigures figures;
  figures.candidates = static_cast<int64_t>(ranks.size());
  const double count = static_cast<double>(ranks.size());
  for (int64_t rank : ranks) {
    figures.recall_at_1 += (rank <= 1) / count;
    figures.recall_at_5 += (rank <= 5) / count;
    figures.recall_at_10 += (rank <= 10) / count;
    figures.recall_at_25 += (rank <= 25) / count;
    figures.mean_reciprocal_rank += 1.0 / static_cast<double>(rank) / count;
  }
  std::sort(ranks.begin(), ranks.end());
  const size_t middle = ranks.size() / 2;
  figures.median_rank = ranks.size() % 2 == 1
                            ? static_cast<double>(ranks[middle])
                            : 0.5 * static_cast<double>(ranks[middle - 1] + ranks[middle]);
  return figures;
}

RankingFigures RandomFigures(int64_t candidates) {
  RankingFigures figures;
  figures.candidates = candidates;
  const double count = static_cast<double>(candidates);
  const auto recall = [count](double k) { return std::min(1.0, k / count); };
  figures.recall_at_1 = recall(1);
  figures.recall_at_5 = recall(5);
  figures.recall_at_10 = recall(10);
  figures.recall_at_25 = recall(25);
  for (int64_t rank = 1; rank <= candidates; ++rank)
    figures.mean_reciprocal_rank += 1.0 / static_cast<double>(rank) / count;
  figures.median_rank = (count + 1) / 2;
  return figures;
}

}  // namespace antiphon::trainer::metrics
