// Whether an index on a GPU answers as the same index on the CPU does, and what happens when the
// GPU is full or lost. Needs a GPU; see parts.h for the flags.
//
//   gpu_index_check [--part NAME,NAME] [--seconds N] [--out FILE.json]
//                   [--index FILE [--queries FILE]]
//
// --index names an index of a bundle, --queries a file of float32 vectors of its dimension, row by
// row; without them, vectors of the index with some noise are looked for.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <mutex>
#include <set>
#include <thread>

#include "core/index/abort_guard.h"
#include "core/index/cuda_device.h"
#include "core/index/device.h"
#include "core/index/device_pool.h"
#include "core/index/sharded_device.h"
#include "core/index/vector_index.h"
#include "tests/gpu/parts.h"
#include "tests/gpu/vectors.h"

namespace antiphon::gpu {
namespace {

using namespace antiphon::index;  // NOLINT: the whole program is about it

constexpr int kDimension = 64;
constexpr int64_t kVectors = 200'000;
constexpr int64_t kClusters = 2'000;
constexpr int kQueries = 500;
constexpr float kSpread = 0.5f;

struct Told {
  std::mutex mutex;
  std::vector<std::string> what;
  size_t size() {
    std::lock_guard lock(mutex);
    return what.size();
  }
};

std::shared_ptr<DevicePool> Pool(DevicePoolOptions options = {}, Told* told = nullptr) {
  if (options.device == "cpu") options.device = "cuda:0";
  options.on_change = [told](const std::string& what) {
    std::fprintf(stderr, "    told: %s\n", what.c_str());
    if (told == nullptr) return;
    std::lock_guard lock(told->mutex);
    told->what.push_back(what);
  };
  return DevicePool::Open(options).value();
}

IndexOptions Options(IndexKind kind, std::shared_ptr<DevicePool> pool) {
  IndexOptions options;
  options.kind = kind;
  options.dimension = kDimension;
  options.devices = std::move(pool);
  return options;
}

const std::vector<float>& Vectors() {
  static const auto& vectors =
      *new std::vector<float>(VectorsOf(kVectors, kDimension, kClusters, kSpread, 1));
  return vectors;
}

const std::vector<float>& Queries() {
  static const auto& queries = *new std::vector<float>(
      VectorsOf(kQueries, kDimension, kClusters, kSpread, 1, /*first=*/10'000'000));
  return queries;
}

double Product(const float* one, const float* other) {
  double sum = 0;
  for (int j = 0; j < kDimension; ++j) sum += double{one[j]} * other[j];
  return sum;
}

// How far two results lie apart: similarities at the same place, and, where the ids differ, what
// the vector that was found is really like compared with the one that should be there.
struct Distance {
  double similarity = 0;
  double wrong = 0;
  int64_t other_ids = 0;
  int64_t missing = 0;
  int64_t other_first = 0;
};

// `vector` gives a vector by its id.
template <typename Vector>
Distance Compare(const SearchResult& found, const SearchResult& wanted,
                 std::span<const float> queries, int dimension, const Vector& vector) {
  Distance distance;
  for (size_t i = 0; i < wanted.ids.size(); ++i) {
    if ((found.ids[i] < 0) != (wanted.ids[i] < 0)) {
      ++distance.missing;
      continue;
    }
    if (wanted.ids[i] < 0) continue;
    distance.similarity = std::max<double>(
        distance.similarity, std::abs(found.similarities[i] - wanted.similarities[i]));
    if (found.ids[i] == wanted.ids[i]) continue;
    ++distance.other_ids;
    if (i % wanted.k == 0) ++distance.other_first;
    const float* query = queries.data() + i / wanted.k * dimension;
    const std::vector<float> own = vector(found.ids[i]);
    double product = 0;
    for (int j = 0; j < dimension; ++j) product += double{query[j]} * own[j];
    distance.wrong = std::max(distance.wrong, std::abs(product - wanted.similarities[i]));
  }
  return distance;
}

Json ToJson(const Distance& distance) {
  return {{"similarity", distance.similarity},
          {"wrong", distance.wrong},
          {"other_ids", distance.other_ids},
          {"other_first", distance.other_first},
          {"missing", distance.missing}};
}

void ExpectClose(Report& report, const std::string& what, const Distance& distance,
                 double tolerance) {
  report.Set(what, ToJson(distance));
  report.Expect(distance.similarity <= tolerance, what + ": similarities differ");
  report.Expect(distance.wrong <= tolerance, what + ": other vectors are found");
  report.Expect(distance.missing == 0, what + ": neighbours are missing");
}

std::vector<float> VectorOf(int64_t id) {
  const float* from = id < kVectors ? Vectors().data() + id * kDimension
                                    : Queries().data() + (id - kVectors) * kDimension;
  return {from, from + kDimension};
}

double Tolerance(DevicePrecision precision) {
  return precision == DevicePrecision::kFloat32   ? 1e-4
         : precision == DevicePrecision::kFloat16 ? 2e-3
                                                  : 2e-2;
}

void PrintStatus(Report& report, const DevicePool& pool, const std::string& name = "status") {
  const DeviceStatus status = pool.Status();
  report.Set(name, {{"device", status.device},
                    {"usable", status.usable},
                    {"indexes", status.indexes},
                    {"left_out", status.indexes_left_out},
                    {"bytes", status.bytes},
                    {"searches", status.searches},
                    {"batches", status.batches},
                    {"on_cpu", status.searches_on_cpu},
                    {"problem", status.problem}});
}

void Info(Report& report) {
  int count = 0, driver = 0, runtime = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  report.Set("cudaGetDeviceCount", cudaGetErrorString(error));
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  report.Set("gpus", count);
  report.Set("driver", driver);
  report.Set("runtime", runtime);
  report.Set("threads", std::thread::hardware_concurrency());
  report.Expect(count > 0, "there is no GPU");
  if (count == 0) return;
  cudaDeviceProp properties;
  cudaGetDeviceProperties(&properties, 0);
  size_t available = 0, total = 0;
  cudaMemGetInfo(&available, &total);
  report.Set("name", properties.name);
  report.Set("memory", total);
  report.Set("free", available);
  report.Set("in_use", DeviceMemoryInUse("cuda:0").value_or(-1));
}

void Flat(Report& report, DevicePrecision precision) {
  const auto pool = Pool({.precision = precision});
  const auto on_gpu = VectorIndex::Build(Options(IndexKind::kFlat, pool), Vectors()).value();
  const auto on_cpu = VectorIndex::Build(Options(IndexKind::kFlat, nullptr), Vectors()).value();
  report.Expect(pool->Status().indexes == 1, "the index is not on the GPU");
  const double tolerance = Tolerance(precision);
  const VectorBlock beside = {Queries().data(), kQueries, kVectors};
  const std::vector<RowRange> half = {{20'000, 170'000}}, tenth = {{100'000, 120'000}},
                              few = {{1'000, 1'020}, {5'000, 5'003}},
                              three = {{10, 50'000}, {60'000, 60'001}, {110'000, 199'999}};
  std::vector<RowRange> alternate;
  for (int64_t row = 0; row + 7 <= kVectors; row += 14) alternate.push_back({row, row + 7});
  const std::vector<std::pair<std::string, std::vector<RowRange>>> scopes = {
      {"half", half}, {"tenth", tenth}, {"few", few}, {"three", three}, {"alternate", alternate}};
  for (const int k : {1, 10, 33, 100, 1000, 2048}) {
    // Of many neighbours a part of the queries, for the CPU's sake.
    const auto queries = std::span(Queries()).first((k > 100 ? 20 : kQueries) * kDimension);
    const auto compare = [&](const std::string& name, const Scope& scope) {
      const auto found = on_gpu->Search(queries, k, scope);
      const auto wanted = on_cpu->Search(queries, k, scope);
      report.Expect(found.ok() && wanted.ok(), name + ": search failed");
      if (!found.ok() || !wanted.ok()) return;
      ExpectClose(report, name + " k=" + std::to_string(k),
                  Compare(*found, *wanted, queries, kDimension, VectorOf), tolerance);
    };
    compare("all", {});
    compare("beside", {.beside = {&beside, 1}});
    if (k != 10) continue;
    for (const auto& [name, rows] : scopes) compare(name, {.rows = rows, .beside = {&beside, 1}});
  }
  // One query at a time, and all at once.
  const SearchResult all = on_gpu->Search(Queries(), 10).value();
  SearchResult single = all;
  for (int q = 0; q < kQueries; ++q) {
    const auto one =
        on_gpu->Search(std::span(Queries()).subspan(q * kDimension, kDimension), 10).value();
    std::copy(one.ids.begin(), one.ids.end(), single.ids.begin() + q * 10);
    std::copy(one.similarities.begin(), one.similarities.end(),
              single.similarities.begin() + q * 10);
  }
  ExpectClose(report, "one by one", Compare(single, all, Queries(), kDimension, VectorOf),
              tolerance);
  // More queries than one run takes.
  const auto many = std::span(Vectors()).first(20'000 * kDimension);
  const SearchResult themselves = on_gpu->Search(many, 1).value();
  int64_t other = 0;
  for (int64_t i = 0; i < 20'000; ++i)
    other += std::abs(themselves.similarities[i] - 1) > tolerance ||
             Product(&many[i * kDimension], VectorOf(themselves.ids[i]).data()) < 1 - tolerance;
  report.Set("vectors that do not find themselves", other);
  report.Expect(other == 0, "vectors do not find themselves");
  report.Expect(pool->Status().usable, "the GPU was lost");
  PrintStatus(report, *pool);
}

void Ivf(Report& report, DevicePrecision precision) {
  const auto pool = Pool({.precision = precision});
  IndexOptions options = Options(IndexKind::kIvf, nullptr);
  options.ivf_lists = 1'000;
  options.ivf_probes = 32;
  const std::string path = "/tmp/gpu_index_check." + std::to_string(getpid());
  const auto on_cpu = VectorIndex::Build(options, Vectors()).value();
  report.Expect(on_cpu->Save(path).ok(), "saving failed");
  options.devices = pool;
  const auto on_gpu = VectorIndex::Load(path, options).value();
  std::remove(path.c_str());
  report.Expect(pool->Status().indexes == 1, "the index is not on the GPU");
  std::vector<RowRange> half = {{20'000, 170'000}}, alternate;
  for (int64_t row = 0; row + 7 <= kVectors; row += 14) alternate.push_back({row, row + 7});
  const VectorBlock beside = {Queries().data(), kQueries, kVectors};
  const double tolerance = Tolerance(precision);
  // 512 is the most of 8-bit lists that the GPU is asked for.
  for (const int k : {1, 10, 100, 512, 513, 1000}) {
    const auto queries = std::span(Queries()).first((k > 100 ? 20 : kQueries) * kDimension);
    for (const bool with : {false, true}) {
      const Scope scope = {.beside = {&beside, with ? 1ul : 0ul}};
      const Distance distance =
          Compare(on_gpu->Search(queries, k, scope).value(),
                  on_cpu->Search(queries, k, scope).value(), queries, kDimension, VectorOf);
      const std::string name = std::string(with ? "beside" : "all") + " k=" + std::to_string(k);
      if (precision == DevicePrecision::kInt8) {
        report.Set(name, ToJson(distance));
        report.Expect(distance.similarity <= tolerance, name + ": similarities differ");
      } else {
        ExpectClose(report, name, distance, tolerance);
      }
    }
  }
  for (const auto& rows : {half, alternate}) {
    const SearchResult found = on_gpu->Search(Queries(), 10, {.rows = rows}).value();
    const SearchResult exact = on_cpu->Search(Queries(), 10, {.rows = rows, .exact = true}).value();
    int64_t same = 0, outside = 0;
    for (int q = 0; q < kQueries; ++q) {
      for (int i = 0; i < 10; ++i) {
        const int64_t id = found.ids[q * 10 + i];
        same += std::count(&exact.ids[q * 10], &exact.ids[q * 10] + 10, id);
        outside += std::none_of(rows.begin(), rows.end(), [&](const RowRange& range) {
          return range.first <= id && id < range.last;
        });
      }
    }
    const double recall = same / (10.0 * kQueries);
    report.Set("restricted recall", recall);
    report.Expect(recall >= (precision == DevicePrecision::kInt8 ? 0.8 : 0.9), "restricted recall");
    report.Expect(outside == 0, "neighbours out of scope");
  }
  report.Expect(pool->Status().usable, "the GPU was lost");
  PrintStatus(report, *pool);
}

double Recall(const SearchResult& found, const SearchResult& exact) {
  int64_t same = 0;
  for (size_t q = 0; q < exact.ids.size() / exact.k; ++q) {
    const std::set<int64_t> wanted(exact.ids.begin() + q * exact.k,
                                   exact.ids.begin() + (q + 1) * exact.k);
    for (int i = 0; i < found.k; ++i) same += wanted.count(found.ids[q * found.k + i]);
  }
  return static_cast<double>(same) / static_cast<double>(exact.ids.size());
}

void BuildOnGpu(Report& report) {
  IndexOptions options = Options(IndexKind::kIvf, nullptr);
  options.ivf_lists = 1'000;
  double begin = Now();
  const auto by_cpu = VectorIndex::Build(options, Vectors()).value();
  report.Set("CPU seconds", Now() - begin);
  const auto pool = Pool();
  options.build_devices = pool;
  begin = Now();
  const auto by_gpu = VectorIndex::Build(options, Vectors()).value();
  report.Set("GPU seconds", Now() - begin);
  report.Expect(pool->Status().searches >= 10, "the GPU did not build it");
  report.Expect(pool->Status().searches_on_cpu == 0, "the CPU built it");
  const std::string path = "/tmp/gpu_index_check.b" + std::to_string(getpid());
  report.Expect(by_gpu->Save(path).ok(), "saving failed");
  const auto loaded = VectorIndex::Load(path, Options(IndexKind::kIvf, nullptr)).value();
  const auto on_gpu = VectorIndex::Load(path, Options(IndexKind::kIvf, Pool())).value();
  std::remove(path.c_str());
  const auto exact = VectorIndex::Build(Options(IndexKind::kFlat, nullptr), Vectors())
                         .value()
                         ->Search(Queries(), 10)
                         .value();
  const double of_cpu = Recall(by_cpu->Search(Queries(), 10).value(), exact);
  const SearchResult found = loaded->Search(Queries(), 10).value();
  const double of_gpu = Recall(found, exact);
  report.Set("recall built on the CPU", of_cpu);
  report.Set("recall built on the GPU", of_gpu);
  report.Expect(of_gpu >= of_cpu - 0.02, "what the GPU built finds less");
  ExpectClose(
      report, "loaded on the CPU",
      Compare(found, by_gpu->Search(Queries(), 10).value(), Queries(), kDimension, VectorOf), 1e-6);
  ExpectClose(
      report, "loaded on the GPU",
      Compare(on_gpu->Search(Queries(), 10).value(), found, Queries(), kDimension, VectorOf), 1e-4);
  PrintStatus(report, *pool);
}

void Bound(Report& report) {
  Told told;
  const auto pool = Pool({.memory_bytes = int64_t{1} << 30}, &told);
  const auto index = VectorIndex::Build(Options(IndexKind::kFlat, pool), Vectors()).value();
  const auto on_cpu = VectorIndex::Build(Options(IndexKind::kFlat, nullptr), Vectors()).value();
  report.Expect(
      index->Search(Queries(), 10).value().ids == on_cpu->Search(Queries(), 10).value().ids,
      "other answers");
  report.Expect(told.size() == 1, "the bound is not told of once");
  report.Expect(pool->Status().indexes_left_out == 1, "the index is not left out");
  report.Set("in use", DeviceMemoryInUse("cuda:0").value_or(-1));
  PrintStatus(report, *pool);
}

// All but so much of the GPU's memory, until it goes.
class Hog {
 public:
  explicit Hog(size_t leave) {
    size_t available = 0, total = 0;
    cudaMemGetInfo(&available, &total);
    for (size_t piece = size_t{8} << 30; piece >= (size_t{16} << 20); piece /= 2) {
      while (cudaMemGetInfo(&available, &total) == cudaSuccess && available > leave + piece) {
        void* memory = nullptr;
        if (cudaMalloc(&memory, piece) != cudaSuccess) {
          (void)cudaGetLastError();
          break;
        }
        memory_.push_back(memory);
      }
    }
  }
  ~Hog() {
    for (void* memory : memory_) cudaFree(memory);
  }

 private:
  std::vector<void*> memory_;
};

size_t Free() {
  size_t available = 0, total = 0;
  cudaMemGetInfo(&available, &total);
  return available;
}

void Full(Report& report) {
  const auto on_cpu = VectorIndex::Build(Options(IndexKind::kFlat, nullptr), Vectors()).value();
  const SearchResult wanted = on_cpu->Search(Queries(), 10).value();
  const auto same = [&](const VectorIndex& index, const char* what) {
    const Distance distance =
        Compare(index.Search(Queries(), 10).value(), wanted, Queries(), kDimension, VectorOf);
    ExpectClose(report, what, distance, 1e-4);
  };
  for (const IndexKind kind : {IndexKind::kFlat, IndexKind::kIvf}) {
    Told told;
    const auto pool = Pool({.pause = absl::Milliseconds(100)}, &told);
    std::unique_ptr<VectorIndex> index;
    {
      const Hog hog(size_t{300} << 20);
      report.Set("free when full", Free());
      IndexOptions options = Options(kind, pool);
      options.ivf_lists = 500;
      options.ivf_probes = 500;  // all: exact
      index = VectorIndex::Build(options, Vectors()).value();
      report.Expect(pool->Status().indexes_left_out == 1, "the index is not left out");
      report.Expect(told.size() == 1, "a full GPU is not told of once");
      same(*index, "full");
      std::this_thread::sleep_for(std::chrono::milliseconds(150));
      same(*index, "still full");
      report.Expect(told.size() == 1, "a full GPU is told of again");
    }
    report.Set("free again", Free());
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    same(*index, "room again");
    report.Expect(pool->Status().indexes == 1, "the index has not come back");
    PrintStatus(report, *pool);
    {
      const Hog hog(size_t{16} << 20);  // now the GPU is full around an index that is on it
      report.Set("free when full", Free());
      same(*index, "full around it");
      for (const int k : {2048, 100, 10}) (void)index->Search(Queries(), k).value();
      same(*index, "full around it, after large searches");
      PrintStatus(report, *pool, "full around it");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    same(*index, "room at last");
    report.Expect(pool->Status().usable, "the GPU was given up");
    report.Expect(pool->Status().indexes == 1, "the index has not come back at last");
    PrintStatus(report, *pool, "at last");
  }
}

// A kernel that ends in an error: from then on every call of this process to CUDA fails.
cudaError_t Trap() {
  static const char kPtx[] =
      ".version 7.0\n.target sm_70\n.address_size 64\n.visible .entry die()\n{\n trap;\n ret;\n}\n";
  cudaLibrary_t library = nullptr;
  cudaError_t error = cudaLibraryLoadData(&library, kPtx, nullptr, nullptr, 0, nullptr, nullptr, 0);
  if (error != cudaSuccess) return error;
  cudaKernel_t kernel = nullptr;
  error = cudaLibraryGetKernel(&kernel, library, "die");
  if (error != cudaSuccess) return error;
  error = cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(1), dim3(1), nullptr, 0,
                           nullptr);
  if (error != cudaSuccess) return error;
  return cudaDeviceSynchronize();
}

// Reads far beyond what the GPU has, in the midst of FAISS's search.
absl::Status ReadBeyond() {
  const auto device = OpenCudaDevice(0).value();
  const auto index =
      device->Copy({.dimension = kDimension, .count = 1'000, .vectors = Vectors().data()}).value();
  std::vector<int64_t> ids(10);
  std::vector<float> similarities(10);
  return index->Search({Queries().data(), 1, 10, {0, int64_t{1} << 31}, 0}, ids.data(),
                       similarities.data());
}

void Lost(Report& report, bool midway, bool by_faiss) {
  const auto on_cpu = VectorIndex::Build(Options(IndexKind::kFlat, nullptr), Vectors()).value();
  const SearchResult wanted = on_cpu->Search(Queries(), 10).value();
  Told told;
  const auto pool = Pool({}, &told);
  auto flat = VectorIndex::Build(Options(IndexKind::kFlat, pool), Vectors()).value();
  IndexOptions lists = Options(IndexKind::kIvf, pool);
  lists.ivf_lists = lists.ivf_probes = 300;
  auto ivf = VectorIndex::Build(lists, Vectors()).value();
  report.Expect(pool->Status().indexes == 2, "the indexes are not on the GPU");
  std::atomic<bool> stop = false;
  std::atomic<int> searches = 0, wrong = 0;
  const auto search = [&](const VectorIndex& index) {
    const Distance distance =
        Compare(index.Search(Queries(), 10).value(), wanted, Queries(), kDimension, VectorOf);
    ++searches;
    wrong += distance.similarity > 1e-4 || distance.wrong > 1e-4 || distance.missing > 0;
  };
  std::vector<std::thread> threads;
  for (int t = 0; midway && t < 4; ++t) {
    threads.emplace_back([&, t] {
      while (!stop) search(t % 2 == 0 ? *flat : *ivf);
    });
  }
  if (midway) std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const int before = searches;
  if (by_faiss) {
    const absl::Status status = ReadBeyond();
    report.Set("reading beyond", std::string(status.message()));
    report.Expect(status.code() == absl::StatusCode::kUnavailable, "reading beyond is no loss");
  } else {
    const cudaError_t error = Trap();
    report.Set("trap", cudaGetErrorString(error));
    report.Expect(error == cudaErrorLaunchFailure || error == cudaErrorAssert,
                  "the kernel's trap is no error");
  }
  const cudaError_t state = cudaDeviceSynchronize();
  report.Set("state of CUDA", cudaGetErrorString(state));
  report.Expect(state != cudaSuccess, "CUDA still works");
  if (midway) std::this_thread::sleep_for(std::chrono::milliseconds(500));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  search(*flat);
  search(*ivf);
  report.Set("searches before, in all", {before, searches.load()});
  report.Expect(wrong == 0, "wrong answers");
  report.Expect(!pool->Status().usable, "the loss went unnoticed");
  report.Expect(told.size() == 1, "the loss is not told of once");
  PrintStatus(report, *pool);
  // A new generation after that, and the end of the old.
  const auto later = VectorIndex::Build(Options(IndexKind::kFlat, pool), Vectors()).value();
  search(*later);
  flat.reset();
  ivf.reset();
  report.Expect(wrong == 0, "wrong answers later");
  report.Set("memory in use told", DeviceMemoryInUse("cuda:0").has_value());
}

void Threads(Report& report) {
  const auto pool = Pool();
  const auto on_gpu = VectorIndex::Build(Options(IndexKind::kFlat, pool), Vectors()).value();
  const auto on_cpu = VectorIndex::Build(Options(IndexKind::kFlat, nullptr), Vectors()).value();
  const std::vector<RowRange> part = {{50'000, 180'000}};
  struct Kind {
    int k;
    Scope scope;
    SearchResult wanted;
  };
  std::vector<Kind> kinds = {{10, {}, {}}, {12, {}, {}}, {100, {}, {}}, {10, {.rows = part}, {}}};
  for (Kind& kind : kinds) kind.wanted = on_cpu->Search(Queries(), kind.k, kind.scope).value();
  std::atomic<int64_t> wrong = 0, done = 0;
  const double begin = Now();
  std::vector<std::thread> threads;
  for (int t = 0; t < 32; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 60; ++i) {
        const Kind& kind = kinds[(t + i) % kinds.size()];
        const int q = (t * 61 + i * 7) % (kQueries - 4), count = 1 + i % 4;
        const auto queries = std::span(Queries()).subspan(q * kDimension, count * kDimension);
        SearchResult wanted = {kind.k, {}, {}};
        wanted.ids.assign(kind.wanted.ids.begin() + q * kind.k,
                          kind.wanted.ids.begin() + (q + count) * kind.k);
        wanted.similarities.assign(kind.wanted.similarities.begin() + q * kind.k,
                                   kind.wanted.similarities.begin() + (q + count) * kind.k);
        const Distance distance = Compare(on_gpu->Search(queries, kind.k, kind.scope).value(),
                                          wanted, queries, kDimension, VectorOf);
        wrong += distance.similarity > 1e-4 || distance.wrong > 1e-4 || distance.missing > 0;
        ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  report.Set("searches per second", done / (Now() - begin));
  report.Expect(wrong == 0, "wrong answers: " + std::to_string(wrong.load()));
  report.Expect(pool->Status().searches == done, "not all were made on the GPU");
  report.Expect(pool->Status().batches < done, "no requests went together");
  PrintStatus(report, *pool);
}

// One GPU twice, as if it were two.
void Shards(Report& report) {
  const auto on_cpu = VectorIndex::Build(Options(IndexKind::kFlat, nullptr), Vectors()).value();
  const SearchResult wanted = on_cpu->Search(Queries(), 50).value();
  for (const IndexKind kind : {IndexKind::kFlat, IndexKind::kIvf}) {
    std::vector<std::unique_ptr<Device>> devices;
    for (int i = 0; i < 2; ++i) devices.push_back(OpenCudaDevice(0).value());
    const auto pool = DevicePool::Over(MakeShardedDevice(std::move(devices)), {});
    IndexOptions options = Options(kind, pool);
    options.ivf_lists = options.ivf_probes = 300;
    const auto index = VectorIndex::Build(options, Vectors()).value();
    report.Expect(pool->Status().indexes == 1, "the index is not on the GPU");
    ExpectClose(
        report, std::string(IndexKindName(kind)),
        Compare(index->Search(Queries(), 50).value(), wanted, Queries(), kDimension, VectorOf),
        1e-4);
    report.Expect(pool->Status().usable, "the GPU was lost");
    PrintStatus(report, *pool);
  }
}

// Indexes come and go while they are searched, as at a reload.
void Reload(Report& report) {
  const auto pool = Pool();
  std::mutex mutex;
  std::shared_ptr<const VectorIndex> current =
      VectorIndex::Build(Options(IndexKind::kFlat, pool), Vectors()).value();
  const SearchResult wanted = VectorIndex::Build(Options(IndexKind::kFlat, nullptr), Vectors())
                                  .value()
                                  ->Search(Queries(), 10)
                                  .value();
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0, searches = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        std::shared_ptr<const VectorIndex> index;
        {
          std::lock_guard lock(mutex);
          index = current;
        }
        const Distance distance =
            Compare(index->Search(Queries(), 10).value(), wanted, Queries(), kDimension, VectorOf);
        wrong += distance.similarity > 1e-4 || distance.wrong > 1e-4 || distance.missing > 0;
        ++searches;
      }
    });
  }
  std::vector<int64_t> in_use;
  for (int i = 0; i < 10; ++i) {
    IndexOptions options = Options(i % 2 == 0 ? IndexKind::kIvf : IndexKind::kFlat, pool);
    options.ivf_lists = options.ivf_probes = 300;
    options.build_devices = pool;
    std::shared_ptr<const VectorIndex> next = VectorIndex::Build(options, Vectors()).value();
    std::lock_guard lock(mutex);
    current = next;
    in_use.push_back(DeviceMemoryInUse("cuda:0").value_or(-1) >> 20);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  report.Set("MiB in use after each", in_use);
  report.Set("searches", searches.load());
  report.Expect(wrong == 0, "wrong answers: " + std::to_string(wrong.load()));
  report.Expect(pool->Status().searches_on_cpu == 0, "the CPU had to answer");
  PrintStatus(report, *pool);
  current.reset();
  report.Expect(pool->Status().bytes == 0, "memory is still counted");
}

std::vector<float> ReadFloats(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

// The dimension that a file of an index declares.
int DimensionOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  int32_t words[2] = {};
  file.read(reinterpret_cast<char*>(words), sizeof(words));
  return words[1];
}

void File(Report& report, const std::string& path, const std::string& queries_path) {
  IndexOptions options;
  options.dimension = DimensionOf(path);
  const auto on_cpu = VectorIndex::Load(path, options).value();
  report.Set("kind", IndexKindName(on_cpu->kind()));
  report.Set("vectors", on_cpu->size());
  report.Set("dimension", options.dimension);
  std::vector<float> queries;
  if (!queries_path.empty()) {
    queries = ReadFloats(queries_path);
    queries.resize(std::min<size_t>(queries.size() / options.dimension, 500) * options.dimension);
  } else {
    uint64_t state = 7;
    for (int q = 0; q < 500; ++q) {
      std::vector<float> vector =
          on_cpu->Reconstruct(static_cast<int64_t>(Mix(state) % on_cpu->size()), 1).value();
      double square = 0;
      for (float& value : vector) {
        value += 0.03f * Normal(state);
        square += value * value;
      }
      for (float& value : vector) value /= static_cast<float>(std::sqrt(square));
      queries.insert(queries.end(), vector.begin(), vector.end());
    }
  }
  report.Set("queries", queries.size() / options.dimension);
  for (const auto& [name, precision] : kDevicePrecisionNames) {
    const auto pool = Pool({.precision = precision});
    options.devices = pool;
    const auto on_gpu = VectorIndex::Load(path, options).value();
    for (const int k : {1, 10, 50}) {
      ExpectClose(report, std::string(name) + " k=" + std::to_string(k),
                  Compare(on_gpu->Search(queries, k).value(), on_cpu->Search(queries, k).value(),
                          queries, options.dimension,
                          [&](int64_t id) { return on_cpu->Reconstruct(id, 1).value(); }),
                  Tolerance(precision));
    }
    report.Expect(pool->Status().searches == 3, "the GPU did not answer");
    PrintStatus(report, *pool);
  }
}

int Main(int argc, char** argv) {
  auto flags = ParseFlags(argc, argv);
  std::vector<Part> parts = {
      {"info", 30, Info},
      {"flat32", 60, [](Report& r) { Flat(r, DevicePrecision::kFloat32); }},
      {"flat16", 60, [](Report& r) { Flat(r, DevicePrecision::kFloat16); }},
      {"ivf32", 60, [](Report& r) { Ivf(r, DevicePrecision::kFloat32); }},
      {"ivf16", 60, [](Report& r) { Ivf(r, DevicePrecision::kFloat16); }},
      {"ivf8", 60, [](Report& r) { Ivf(r, DevicePrecision::kInt8); }},
      {"build", 60, BuildOnGpu},
      {"threads", 60, Threads},
      {"shards", 60, Shards},
      {"bound", 30, Bound},
      {"full", 60, Full},
      {"reload", 60, Reload},
      {"lost", 60, [](Report& r) { Lost(r, false, false); }},
      {"lost_midway", 60, [](Report& r) { Lost(r, true, false); }},
      {"lost_in_faiss", 60, [](Report& r) { Lost(r, false, true); }},
  };
  if (flags.count("index") > 0) {
    parts.push_back({"file", 60, [&](Report& r) { File(r, flags["index"], flags["queries"]); }});
  }
  return RunParts(parts, flags, 240);
}

}  // namespace
}  // namespace antiphon::gpu

int main(int argc, char** argv) { return antiphon::gpu::Main(argc, argv); }
