// How fast an index on a GPU is searched and built, beside the CPU. Needs a GPU; see parts.h for
// the flags.
//
//   gpu_index_benchmark [--part NAME,NAME] [--seconds N] [--out FILE.json] [--scale X]
//
// --seconds (90) bounds all parts together; those named first run first. --scale 0.01 makes
// everything smaller, to try the program.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <set>
#include <thread>

#include "core/index/cuda_device.h"
#include "core/index/device.h"
#include "core/index/device_pool.h"
#include "core/index/flat_search.h"
#include "core/index/vector_index.h"
#include "core/threads/thread_scope.h"
#include "tests/gpu/parts.h"
#include "tests/gpu/vectors.h"

namespace antiphon::gpu {
namespace {

using namespace antiphon::index;  // NOLINT: the whole program is about it

constexpr int kDimension = 64;
constexpr int kBatches[] = {1, 64, 4096};

double scale = 1;

int64_t Scaled(double count) { return std::max<int64_t>(1'000, std::llround(count * scale)); }

// Calls per second: at least three calls and so many seconds, after one that does not count; where
// that takes long already, it is all.
template <typename Function>
double Rate(double seconds, const Function& function) {
  const double first = Now();
  function();
  const double begin = Now();
  if (begin - first > 1.5) return 1 / (begin - first);
  int calls = 0;
  double took = 0;
  do {
    function();
    ++calls;
    took = Now() - begin;
  } while (took < seconds || (calls < 3 && took < 4 * seconds));
  return calls / took;
}

int64_t InUseMib() { return DeviceMemoryInUse("cuda:0").value_or(-1) >> 20; }

// Exact search of so many vectors that lie on the GPU alone.
void Flat(Report& report, double count, DevicePrecision precision, double seconds_each) {
  const int64_t n = Scaled(count);
  double begin = Now();
  const Floats vectors = Allocate(n * kDimension);
  MakeVectors(vectors.get(), 0, n, kDimension, 2'000, 0.5f, 1);
  report.Set("vectors", n);
  report.Set("making them, seconds", Now() - begin);
  const auto queries = VectorsOf(4096, kDimension, 2'000, 0.5f, 1, /*first=*/1'000'000'000);
  const auto device = OpenCudaDevice(0).value();
  const DeviceSource source = {
      .dimension = kDimension, .count = n, .vectors = vectors.get(), .precision = precision};
  report.Set("MiB needed", (device->BytesFor(source) + device->WorkingBytes()) >> 20);
  begin = Now();
  const auto index = device->Copy(source);
  if (!index.ok()) throw std::runtime_error(std::string(index.status().message()));
  report.Set("copying, seconds", Now() - begin);
  report.Set("MiB of the GPU in use", InUseMib());
  std::vector<int64_t> ids(4096 * 100);
  std::vector<float> similarities(4096 * 100);
  const RowRange all = {0, n};
  for (const int k : {10, 100}) {
    for (const int batch : kBatches) {
      const double rate = Rate(seconds_each, [&] {
        const absl::Status status =
            (*index)->Search({queries.data(), batch, k, all, 0}, ids.data(), similarities.data());
        if (!status.ok()) throw std::runtime_error(std::string(status.message()));
      });
      report.Set("queries/s, batch " + std::to_string(batch) + ", k=" + std::to_string(k),
                 rate * batch);
      report.Set("ms, batch " + std::to_string(batch) + ", k=" + std::to_string(k), 1000 / rate);
    }
  }
  // A few answers against the CPU's.
  const int few = n > 20'000'000 ? 2 : 16;
  const threads::ThreadScope scope(0);
  std::vector<int64_t> cpu_ids(few * 10);
  std::vector<float> cpu_similarities(few * 10);
  const VectorBlock block = {vectors.get(), n, 0};
  begin = Now();
  FlatSearch({&block, 1}, kDimension, queries.data(), few, 10, cpu_ids.data(),
             cpu_similarities.data());
  report.Set("CPU, queries/s, batch " + std::to_string(few), few / (Now() - begin));
  const absl::Status status =
      (*index)->Search({queries.data(), few, 10, all, 0}, ids.data(), similarities.data());
  double worst = status.ok() ? 0 : 9;
  int other = 0;
  for (int i = 0; i < few * 10; ++i) {
    worst = std::max<double>(worst, std::abs(similarities[i] - cpu_similarities[i]));
    other += ids[i] != cpu_ids[i];
  }
  report.Set("largest difference from the CPU", worst);
  report.Set("other ids of " + std::to_string(few * 10), other);
  report.Expect(worst < 3e-3, "answers differ from the CPU's");
}

void FlatOnCpu(Report& report, double count, std::vector<int> batches) {
  const int64_t n = Scaled(count);
  const auto vectors = VectorsOf(n, kDimension, 2'000, 0.5f, 1);
  const auto queries = VectorsOf(4096, kDimension, 2'000, 0.5f, 1, 1'000'000'000);
  const threads::ThreadScope scope(0);
  const VectorBlock block = {vectors.data(), n, 0};
  std::vector<int64_t> ids(4096 * 100);
  std::vector<float> similarities(4096 * 100);
  report.Set("vectors", n);
  report.Set("threads", threads::OpenMpThreads());
  for (const int k : {10, 100}) {
    for (const int batch : batches) {
      const double rate = Rate(0.3, [&] {
        FlatSearch({&block, 1}, kDimension, queries.data(), batch, k, ids.data(),
                   similarities.data());
      });
      report.Set("queries/s, batch " + std::to_string(batch) + ", k=" + std::to_string(k),
                 rate * batch);
    }
  }
}

// Requests from threads, through VectorIndex and its queue.
void Threads(Report& report) {
  const int64_t n = Scaled(1e6);
  const auto vectors = VectorsOf(n, kDimension, 2'000, 0.5f, 1);
  const auto queries = VectorsOf(4096, kDimension, 2'000, 0.5f, 1, 1'000'000'000);
  IndexOptions options;
  options.dimension = kDimension;
  options.threads = 1;
  for (const bool on_gpu : {true, false}) {
    std::shared_ptr<DevicePool> pool;
    if (on_gpu) {
      pool = DevicePool::Open({.device = "cuda:0", .precision = DevicePrecision::kFloat16}).value();
      options.devices = pool;
    } else {
      options.devices = nullptr;
    }
    const auto index = VectorIndex::Build(options, vectors).value();
    if (on_gpu) report.Expect(pool->Status().indexes == 1, "the index is not on the GPU");
    for (const int windows : {1, 33}) {
      for (const int threads : {1, 16, 64}) {
        if (!on_gpu && threads == 64) continue;
        const int64_t batches = on_gpu ? pool->Status().batches : 0;
        std::atomic<int64_t> searches = 0;
        std::atomic<bool> stop = false;
        std::vector<std::thread> workers;
        const double begin = Now();
        for (int t = 0; t < threads; ++t) {
          workers.emplace_back([&, t] {
            for (int i = t; !stop; ++i) {
              const int first = i * 37 % (4096 - windows);
              if (!index
                       ->Search(
                           std::span(queries).subspan(first * kDimension, windows * kDimension), 50)
                       .ok())
                throw std::runtime_error("a search failed");
              ++searches;
            }
          });
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(600));
        stop = true;
        for (std::thread& worker : workers) worker.join();
        const std::string name = std::string(on_gpu ? "GPU" : "CPU") + ", " +
                                 std::to_string(threads) + " threads, " + std::to_string(windows) +
                                 " windows: ";
        report.Set(name + "searches/s", searches / (Now() - begin));
        if (on_gpu)
          report.Set(name + "searches a batch",
                     static_cast<double>(searches) /
                         static_cast<double>(pool->Status().batches - batches));
      }
    }
    if (on_gpu) report.Expect(pool->Status().searches_on_cpu == 0, "the CPU had to answer");
  }
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

SearchResult ExactOnGpu(const std::vector<float>& vectors, const std::vector<float>& queries) {
  IndexOptions options;
  options.dimension = kDimension;
  options.device = "cuda:0";
  return VectorIndex::Build(options, vectors).value()->Search(queries, 10).value();
}

// Inverted lists over 1.4 million vectors, as a bundle of some hundred pieces has.
void IvfOnGpu(Report& report) {
  const int64_t n = Scaled(1.4e6);
  const auto vectors = VectorsOf(n, kDimension, 5'000, 0.5f, 1);
  const auto queries = VectorsOf(4096, kDimension, 5'000, 0.5f, 1, 1'000'000'000);
  const SearchResult exact = ExactOnGpu(vectors, queries);
  IndexOptions options;
  options.kind = IndexKind::kIvf;
  options.dimension = kDimension;
  options.build_devices = DevicePool::Open({.device = "cuda:0"}).value();
  double begin = Now();
  auto built = VectorIndex::Build(options, vectors).value();
  report.Set("building on the GPU, seconds", Now() - begin);
  report.Expect(options.build_devices->Status().searches_on_cpu == 0, "the CPU built it");
  const std::string path = "/tmp/gpu_index_benchmark." + std::to_string(getpid());
  if (!built->Save(path).ok()) throw std::runtime_error("saving failed");
  options.build_devices = nullptr;
  for (const auto& [name, precision] : kDevicePrecisionNames) {
    for (const int probes : {16, 64}) {
      options.ivf_probes = probes;
      options.devices = DevicePool::Open({.device = "cuda:0", .precision = precision}).value();
      begin = Now();
      const auto index = VectorIndex::Load(path, options).value();
      const std::string what = std::string(name) + ", " + std::to_string(probes) + " probes: ";
      report.Set(what + "loading, seconds", Now() - begin);
      report.Set(what + "recall@10", Recall(index->Search(queries, 10).value(), exact));
      for (const int batch : kBatches) {
        const auto some = std::span(queries).first(batch * kDimension);
        report.Set(what + "queries/s, batch " + std::to_string(batch),
                   batch * Rate(0.15, [&] { (void)index->Search(some, 10).value(); }));
      }
      report.Expect(options.devices->Status().searches_on_cpu == 0, "the CPU had to answer");
    }
  }
  options.devices = nullptr;
  for (const int probes : {16, 64}) {
    options.ivf_probes = probes;
    const auto index = VectorIndex::Load(path, options).value();
    for (const int batch : kBatches) {
      const auto some = std::span(queries).first(batch * kDimension);
      report.Set(
          "CPU, " + std::to_string(probes) + " probes: queries/s, batch " + std::to_string(batch),
          batch * Rate(0.15, [&] { (void)index->Search(some, 10).value(); }));
    }
  }
  std::remove(path.c_str());
}

void BuildOnCpu(Report& report) {
  const int64_t n = Scaled(1.4e6);
  const auto vectors = VectorsOf(n, kDimension, 5'000, 0.5f, 1);
  IndexOptions options;
  options.kind = IndexKind::kIvf;
  options.dimension = kDimension;
  report.Set("vectors", n);
  const double begin = Now();
  const auto built = VectorIndex::Build(options, vectors).value();
  report.Set("building on the CPU, seconds", Now() - begin);
}

// Half of the rows in scope: one range, a thousand, and every other row; and vectors beside.
void Scopes(Report& report) {
  const int64_t n = Scaled(1e6);
  const auto vectors = VectorsOf(n, kDimension, 2'000, 0.5f, 1);
  const auto queries = VectorsOf(64, kDimension, 2'000, 0.5f, 1, 1'000'000'000);
  const auto beside_vectors = VectorsOf(20'000, kDimension, 2'000, 0.5f, 1, 2'000'000'000);
  const VectorBlock beside = {beside_vectors.data(), 20'000, n};
  const auto rows_of = [&](int64_t ranges) {
    std::vector<RowRange> rows;
    for (int64_t r = 0; r < ranges; ++r)
      rows.push_back({n * r / ranges, n * (2 * r + 1) / (2 * ranges)});
    return rows;
  };
  const auto one = rows_of(1), thousand = rows_of(std::max<int64_t>(17, 1000 * scale));
  const std::vector<RowRange> hundredth = {{n / 2, n / 2 + n / 100}};
  IndexOptions options;
  options.dimension = kDimension;
  for (const bool on_gpu : {true, false}) {
    options.device = on_gpu ? "cuda:0" : "cpu";
    const auto index = VectorIndex::Build(options, vectors).value();
    const auto measure = [&](const char* name, const Scope& scope) {
      report.Set(std::string(on_gpu ? "GPU, " : "CPU, ") + name + ": ms for 64 queries",
                 1000 / Rate(0.2, [&] { (void)index->Search(queries, 50, scope).value(); }));
    };
    measure("all", {});
    measure("all and 20,000 beside", {.beside = {&beside, 1}});
    measure("half in one range", {.rows = one});
    measure("half in a thousand ranges", {.rows = thousand});
    measure("a hundredth in one range", {.rows = hundredth});
  }
}

int Main(int argc, char** argv) {
  auto flags = ParseFlags(argc, argv);
  if (flags.count("scale") > 0) scale = std::stod(flags["scale"]);
  const auto flat = [](double count, DevicePrecision precision, double seconds) {
    return [=](Report& r) { Flat(r, count, precision, seconds); };
  };
  return RunParts({{"flat16_1e6", 25, flat(1e6, DevicePrecision::kFloat16, 0.3)},
                   {"threads", 25, Threads},
                   {"flat16_1e8", 70, flat(1e8, DevicePrecision::kFloat16, 0.3)},
                   {"ivf", 40, IvfOnGpu},
                   {"flat16_1e7", 25, flat(1e7, DevicePrecision::kFloat16, 0.3)},
                   {"cpu_1e6", 25,
                    [](Report& r) {
                      FlatOnCpu(r, 1e6, {1, 64, 1024});
                    }},
                   {"scopes", 25, Scopes},
                   {"flat32_1e6", 25, flat(1e6, DevicePrecision::kFloat32, 0.2)},
                   {"cpu_build", 40, BuildOnCpu},
                   {"flat32_1e7", 25, flat(1e7, DevicePrecision::kFloat32, 0.2)},
                   {"cpu_1e7", 25,
                    [](Report& r) {
                      FlatOnCpu(r, 1e7, {1, 64});
                    }}},
                  flags, 90);
}

}  // namespace
}  // namespace antiphon::gpu

int main(int argc, char** argv) { return antiphon::gpu::Main(argc, argv); }
