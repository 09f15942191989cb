// Exact search and that of the packed copy, in turn, of an index of a bundle by real queries:
//
//   packed_search_benchmark THREADS gen-000001/scores.faiss QUERIES.npy...
//
// Queries are embeddings as `antiphon embed --hop 0.25 -o QUERIES.npy` writes them: 33 windows of
// each, which is ten seconds, from the middle. Prints how long a search takes, and that of every
// eighth of them alone, how many of the 25 nearest neighbours it finds (recall@25), and what memory
// the index takes.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "core/index/vector_index.h"

namespace antiphon::index {
namespace {

constexpr int kDimension = 64;
constexpr int64_t kWindows = 33;
constexpr int64_t kFew = 8;  // every so many of them, where few are searched for
constexpr int kNeighbours = 25;
constexpr int kRounds = 5;

// The rows in the middle of a NumPy array of float32; empty where there are fewer.
std::vector<float> ReadQueries(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const size_t header = bytes.find('\n') + 1;
  const int64_t rows = static_cast<int64_t>(bytes.size() - header) / (kDimension * 4);
  if (header == 0 || rows < kWindows) return {};
  std::vector<float> queries(kWindows * kDimension);
  const size_t begin = header + (rows - kWindows) / 2 * kDimension * 4;
  bytes.copy(reinterpret_cast<char*>(queries.data()), queries.size() * 4, begin);
  return queries;
}

std::vector<float> FewOf(const std::vector<float>& queries) {
  std::vector<float> few;
  for (int64_t q = 0; q < kWindows; q += kFew) {
    const auto row = queries.begin() + q * kDimension;
    few.insert(few.end(), row, row + kDimension);
  }
  return few;
}

void PrintMemory(const char* when) {
  std::ifstream status("/proc/self/status");
  std::printf("%s:", when);
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon") || line.starts_with("RssFile"))
      std::printf("  %s", line.c_str());
  }
  std::printf("\n");
}

// Of a way to search: all times, milliseconds.
struct Times {
  std::vector<double> wall, cpu;

  void Print(const char* name) {
    std::sort(wall.begin(), wall.end());
    std::sort(cpu.begin(), cpu.end());
    std::printf(
        "%-8s wall: best %.1f, median %.1f ms; CPU of all threads: best %.1f, median %.1f ms\n",
        name, wall[0], wall[wall.size() / 2], cpu[0], cpu[cpu.size() / 2]);
  }
};

double CpuMs() {
  timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

SearchResult Timed(const VectorIndex& index, const std::vector<float>& queries, bool exact,
                   Times& times) {
  const double cpu = CpuMs();
  const auto begin = std::chrono::steady_clock::now();
  SearchResult result = index.Search(queries, kNeighbours, {.exact = exact}).value();
  times.wall.push_back(
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  times.cpu.push_back(CpuMs() - cpu);
  return result;
}

int Run(int threads, const std::string& index_path, std::span<char*> query_paths) {
  PrintMemory("before opening");
  IndexOptions options;
  options.threads = threads;
  const auto begin = std::chrono::steady_clock::now();
  const auto index = VectorIndex::Load(index_path, options).value();
  std::printf(
      "%lld vectors opened in %.0f ms\n", static_cast<long long>(index->size()),
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  PrintMemory("after opening");
  Times exact, packed, few;
  int64_t common = 0, wanted = 0;
  for (int round = 0; round < kRounds; ++round) {
    for (const char* path : query_paths) {
      const std::vector<float> queries = ReadQueries(path);
      if (queries.empty()) continue;
      const SearchResult found = Timed(*index, queries, false, packed);
      if (round == 0) PrintMemory("  after a search");
      Timed(*index, FewOf(queries), false, few);
      const SearchResult nearest = Timed(*index, queries, true, exact);
      for (int64_t q = 0; q < kWindows; ++q) {
        const auto first = q * kNeighbours, last = first + kNeighbours;
        const std::set<int64_t> ids(nearest.ids.begin() + first, nearest.ids.begin() + last);
        for (auto i = first; i < last; ++i) common += ids.contains(found.ids[i]) ? 1 : 0;
        wanted += kNeighbours;
      }
    }
  }
  if (wanted == 0) return EXIT_FAILURE;
  exact.Print("exact");
  packed.Print("packed");
  few.Print("few");
  std::printf("recall@%d %.5f\n", kNeighbours,
              static_cast<double>(common) / static_cast<double>(wanted));
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace antiphon::index

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "packed_search_benchmark THREADS INDEX.faiss QUERIES.npy...\n");
    return EXIT_FAILURE;
  }
  return antiphon::index::Run(std::atoi(argv[1]), argv[2], std::span(argv + 3, argc - 3));
}
