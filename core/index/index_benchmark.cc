// Search times by kind of index, number of queries and number of threads, over 1M x 64 clustered unit vectors.
#include <benchmark/benchmark.h>

#include "core/index/index_test_util.h"
#include "core/index/vector_index.h"

namespace antiphon::index {
namespace {

constexpr int kDimension = 64;
constexpr int64_t kVectors = 1'000'000;

const std::vector<float>& Vectors() {
  static const auto& vectors = *new std::vector<float>(ClusteredUnitVectors(kVectors, kDimension, 2000, 1));
  return vectors;
}

const VectorIndex& Index(IndexKind kind) {
  static std::unique_ptr<VectorIndex> indexes[3];
  std::unique_ptr<VectorIndex>& index = indexes[static_cast<int>(kind)];
  if (index == nullptr) {
    IndexOptions options;
    options.kind = kind;
    options.dimension = kDimension;
    options.ivf_lists = 1000;
    index = VectorIndex::Build(options, Vectors()).value();
  }
  return *index;
}

void BM_Search(benchmark::State& state) {
  const auto kind = static_cast<IndexKind>(state.range(0));
  const VectorIndex& index = Index(kind);
  const std::span<const float> queries(Vectors().data() + 12345 * kDimension, state.range(1) * kDimension);
  for (auto _ : state) benchmark::DoNotOptimize(index.Search(queries, 10));
  state.SetItemsProcessed(state.iterations() * state.range(1));
  state.SetLabel(std::string(IndexKindName(kind)));
}
BENCHMARK(BM_Search)
    ->ArgsProduct({{static_cast<int>(IndexKind::kFlat), static_cast<int>(IndexKind::kIvf)}, {1, 8, 64}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace antiphon::index
