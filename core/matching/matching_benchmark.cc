// What a request costs beside features, network and search: votes and hits.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/matching/hits.h"
#include "core/matching/voting.h"

namespace antiphon::matching {
namespace {

// `windows` query windows with 25 neighbours each: five on the line of source 0, the rest anywhere
// in 300 pieces.
std::vector<Neighbour> RandomNeighbours(int windows) {
  std::mt19937 rng(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<Neighbour> neighbours;
  for (int w = 0; w < windows; ++w) {
    const double query_s = 0.25 * w;
    for (int i = 0; i < 25; ++i) {
      const double slope =
          i < 5 ? std::exp2((i % 2) / 4.0) : std::exp2(std::floor(uniform(rng) * 9) / 4 - 1);
      const double start_s = i < 5 ? 10 + 1.1 * query_s + (i - 2) * 0.25 : uniform(rng) * 200;
      neighbours.push_back({w,
                            i < 5 ? 0 : static_cast<int>(300 * uniform(rng)),
                            {{query_s, query_s + 2}, {start_s, start_s + 2 * slope}, slope},
                            static_cast<float>(0.4 + 0.5 * uniform(rng))});
    }
  }
  return neighbours;
}

std::vector<Vote> Votes(const std::vector<Neighbour>& neighbours) {
  std::vector<Vote> votes;
  for (const Neighbour& n : neighbours) {
    votes.push_back({n.window, n.source, n.match.middle(), n.match.slope, n.similarity});
  }
  return votes;
}

void BM_VoteInTime(benchmark::State& state) {
  const int windows = static_cast<int>(state.range(0));
  const std::vector<Vote> votes = Votes(RandomNeighbours(windows));
  for (auto _ : state) benchmark::DoNotOptimize(VoteInTime(votes, windows));
  state.counters["votes"] = static_cast<double>(votes.size());
}
BENCHMARK(BM_VoteInTime)->Arg(40)->Arg(240)->Arg(2160)->Unit(benchmark::kMillisecond);

void BM_PlainVote(benchmark::State& state) {
  const std::vector<Vote> votes = Votes(RandomNeighbours(static_cast<int>(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(PlainVote(votes));
}
BENCHMARK(BM_PlainVote)->Arg(240)->Unit(benchmark::kMillisecond);

void BM_MergeIntoHits(benchmark::State& state) {
  const std::vector<Neighbour> neighbours = RandomNeighbours(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(MergeIntoHits(neighbours, 10));
}
BENCHMARK(BM_MergeIntoHits)->Arg(40)->Arg(240)->Arg(2160)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace antiphon::matching
