// What a candidate of an identification costs: its best path, and where the whole query lies in it.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/collection/bundle_builder.h"
#include "core/retrieval/path_match.h"
#include "core/retrieval/path_test_util.h"
#include "core/retrieval/whole_path.h"

namespace antiphon::retrieval {
namespace {

constexpr int kDimension = 64;
constexpr int kRows = 33;      // ten seconds
constexpr int kColumns = 491;  // four minutes of a score at one tempo
constexpr double kStep = 5.0 / 11;

std::vector<float> RandomVectors(std::mt19937& random, int count) {
  std::normal_distribution<float> normal;
  std::vector<float> vectors;
  for (int i = 0; i < count; ++i) {
    float square = 0;
    std::vector<float> vector(kDimension);
    for (float& value : vector) {
      value = 0.3f + normal(random);  // embeddings have a common part
      square += value * value;
    }
    for (const float value : vector) vectors.push_back(value / std::sqrt(square));
  }
  return vectors;
}

std::vector<float> RandomSimilarities() {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(0, 0.8f);
  std::vector<float> similarities(static_cast<size_t>(kRows) * kColumns);
  for (float& value : similarities) value = uniform(random);
  return similarities;
}

matching::EmbeddingSequence RandomQuery(std::mt19937& random) {
  matching::EmbeddingSequence query{.dimension = kDimension, .window_s = 2, .hop_s = 5 / 21.0};
  for (int i = 0; i < kRows; ++i) query.start_s.push_back(i * query.hop_s);
  query.embeddings = RandomVectors(random, kRows);
  return query;
}

// A score at five tempi, as `index` reads it.
std::vector<SearchSpace::Run> RandomRuns(std::mt19937& random) {
  std::vector<SearchSpace::Run> runs;
  for (const double tempo_ratio : collection::DefaultTempoRatios()) {
    SearchSpace::Run run;
    run.run.tempo_ratio = tempo_ratio;
    run.run.hop_s = 11 / 21.0 * run.run.tempo_ratio;
    run.run.window_s = 2 * run.run.tempo_ratio;
    run.run.count = static_cast<int64_t>(kColumns / run.run.tempo_ratio);
    run.vectors = RandomVectors(random, static_cast<int>(run.run.count));
    runs.push_back(run);
  }
  return runs;
}

void BM_PathCellByCell(benchmark::State& state) {
  const std::vector<float> similarities = RandomSimilarities();
  for (auto _ : state)
    benchmark::DoNotOptimize(ReferencePathOf(similarities, kRows, kColumns, kStep));
}
BENCHMARK(BM_PathCellByCell)->Unit(benchmark::kMicrosecond);

void BM_PathScore(benchmark::State& state) {
  const std::vector<float> similarities = RandomSimilarities();
  for (auto _ : state) benchmark::DoNotOptimize(PathScore(similarities, kRows, kColumns, kStep));
}
BENCHMARK(BM_PathScore)->Unit(benchmark::kMicrosecond);

void BM_TracePath(benchmark::State& state) {
  const std::vector<float> similarities = RandomSimilarities();
  for (auto _ : state) benchmark::DoNotOptimize(TracePath(similarities, kRows, kColumns, kStep));
}
BENCHMARK(BM_TracePath)->Unit(benchmark::kMicrosecond);

// Twenty candidates, products of vectors included.
void BM_MatchPaths(benchmark::State& state) {
  std::mt19937 random(1);
  std::vector<SearchSpace::Run> runs = RandomRuns(random);
  const EmbeddedQuery query = QueryOf(RandomQuery(random), 10);
  SearchSpace space;
  space.read_runs = [&](int, const collection::RunFilter& filter) {
    return RunsThatPass(runs, filter);
  };
  std::vector<Reading> readings(20);
  if (state.range(0) == 1) {
    for (Reading& reading : readings) reading.slope = 1.0;
  }
  for (auto _ : state) benchmark::DoNotOptimize(MatchPaths(space, query, readings));
}
BENCHMARK(BM_MatchPaths)->ArgName("tempo_known")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

// Of one candidate, at every tempo.
void BM_TraceWhole(benchmark::State& state) {
  std::mt19937 random(1);
  const std::vector<SearchSpace::Run> runs = RandomRuns(random);
  const matching::EmbeddingSequence query = RandomQuery(random);
  for (auto _ : state) benchmark::DoNotOptimize(TraceWhole(query, runs, 1.0));
}
BENCHMARK(BM_TraceWhole)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace antiphon::retrieval
