// Search times over 1M x 64 clustered unit vectors, by kind of index and number of queries, and
// FAISS's own flat search beside ours.
//
// Measured on 2 cores with AVX-512 (Debian 12: FAISS 1.7.3, OpenBLAS 0.3.21), 10 neighbours,
// milliseconds. OpenMP's and OpenBLAS's threads spin against each other where the cores are
// overcommitted. The CPU time of each thread is the wall time where cores are free.
//
//   queries                                             1      8      64
//   FAISS's flat search, idle machine                  26    107     117
//   FAISS's flat search, four times overcommitted      38    380   17000
//   exact, four times overcommitted                    62     82     290
//   exact, CPU time of each of two threads             13     16      56
//   IVF, 1000 lists, 16 probes, overcommitted         0.9     22      75
//
// CPU time of each thread for 64 queries with one row in 2, 20 and 2,000 out of scope: exact 72,
// 72, 69; IVF 58, 23, 22 (20 with all in scope).
#include <benchmark/benchmark.h>
#include <faiss/IndexFlat.h>

#include <vector>

#include "core/index/vector_index.h"
#include "core/testing/clustered_vectors.h"

namespace antiphon::index {
namespace {

constexpr int kDimension = 64;
constexpr int64_t kVectors = 1'000'000;

const std::vector<float>& Vectors() {
  static const auto& vectors =
      *new std::vector<float>(ClusteredUnitVectors(kVectors, kDimension, 2000, 1));
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

// A flat index of this size is searched in its packed copy; exactly where it is asked to.
void Search(benchmark::State& state, IndexKind kind, bool exact) {
  const VectorIndex& index = Index(kind);
  const std::span<const float> queries(Vectors().data() + 12345 * kDimension,
                                       state.range(0) * kDimension);
  for (auto _ : state) benchmark::DoNotOptimize(index.Search(queries, 10, {.exact = exact}));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
void BM_Exact(benchmark::State& state) { Search(state, IndexKind::kFlat, true); }
void BM_Packed(benchmark::State& state) { Search(state, IndexKind::kFlat, false); }
void BM_Ivf(benchmark::State& state) { Search(state, IndexKind::kIvf, false); }
BENCHMARK(BM_Exact)->Arg(1)->Arg(8)->Arg(64)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_Packed)->Arg(1)->Arg(8)->Arg(64)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_Ivf)->Arg(1)->Arg(8)->Arg(64)->Unit(benchmark::kMillisecond)->UseRealTime();

// With one row in so many out of scope, of 64 queries.
void BM_ScopedSearch(benchmark::State& state) {
  const auto kind = static_cast<IndexKind>(state.range(0));
  const VectorIndex& index = Index(kind);
  std::vector<RowRange> rows;
  for (int64_t row = 0; row + state.range(1) <= kVectors; row += state.range(1)) {
    rows.push_back({row + 1, row + state.range(1)});
  }
  const std::span<const float> queries(Vectors().data() + 12345 * kDimension, 64 * kDimension);
  for (auto _ : state) benchmark::DoNotOptimize(index.Search(queries, 10, {.rows = rows}));
  state.SetLabel(std::string(IndexKindName(kind)));
}
BENCHMARK(BM_ScopedSearch)
    ->ArgsProduct({{static_cast<int>(IndexKind::kFlat), static_cast<int>(IndexKind::kIvf)},
                   {2, 20, 2000}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void BM_FaissFlat(benchmark::State& state) {
  static const auto& index = *[] {
    auto* flat = new faiss::IndexFlatIP(kDimension);
    flat->add(kVectors, Vectors().data());
    return flat;
  }();
  std::vector<float> similarities(state.range(0) * 10);
  std::vector<int64_t> ids(state.range(0) * 10);
  for (auto _ : state) {
    index.search(state.range(0), Vectors().data() + 12345 * kDimension, 10, similarities.data(),
                 ids.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_FaissFlat)->Arg(1)->Arg(8)->Arg(64)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace antiphon::index
