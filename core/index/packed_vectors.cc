#include "core/index/packed_vectors.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "core/index/row_ranges.h"
#include "core/threads/thread_scope.h"

namespace antiphon::index {
namespace {

constexpr int kBlockRows = ByteKernels::kBlockRows;
constexpr int kQuad = ByteKernels::kQuad;
// Of a value, on either side of 0.
constexpr float kRowSteps = 127;
constexpr float kQuerySteps = ByteKernels::kLargestQueryValue;
// Of half a span of a query, less what rounding may add.
constexpr int kHalfSpanValues = ByteKernels::kSpanQuads * kQuad / 2;
constexpr float kHalfSpanSteps = ByteKernels::kMostOfSpan - 0.5f * kHalfSpanValues;
// A vector of length 1 may be a little longer for rounding.
constexpr float kLongest = 1.01f;
// Queries that are searched for at once, and blocks of rows that they share while these lie in the
// first cache: 16 KiB at 64 dimensions.
constexpr int kQueriesAtOnce = 64;
constexpr int64_t kTileBlocks = 16;
// A further thread pays from this many blocks on.
constexpr int64_t kBlocksPerThread = 1024;
constexpr int kMostDimension = IndexOptions::kDimensionRange.high;

// How many are ranked by their own values, of which k are wanted; docs/performance.md counts what
// so many lose.
int64_t RankedFor(int k) { return 2 * int64_t{k} + 16; }

int64_t BlocksFor(int64_t rows) { return (rows + kBlockRows - 1) / kBlockRows; }

// The largest value without its sign. As whole numbers, which have the same order, it is found
// without a branch.
float Largest(const UnalignedFloat* values, int dimension) {
  constexpr int32_t kWithoutSign = 0x7fffffff;
  int32_t largest = 0;
  for (int i = 0; i < dimension; ++i) {
    const float value = values[i];
    const int32_t bits = std::bit_cast<int32_t>(value) & kWithoutSign;
    largest = bits > largest ? bits : largest;
  }
  return std::bit_cast<float>(largest);
}

// Steps for each unit, of so many for the largest; none where all values are 0.
float ScaleFor(float largest, float steps) { return largest > 0 ? steps / largest : 0; }

// The nearest step, kZero more. An int first: that is what processors convert to.
int Step(float value, float scale) {
  return static_cast<int>(value * scale + (ByteKernels::kZero + 0.5f));
}

void WriteSteps(const UnalignedFloat* values, int count, float scale, uint8_t* steps) {
  for (int i = 0; i < count; ++i) steps[i] = static_cast<uint8_t>(Step(values[i], scale));
}

// In one order of addition, whatever is enabled.
float Product(const UnalignedFloat* a, const UnalignedFloat* b, int dimension) {
  constexpr int kLanes = 16;
  float sums[kLanes] = {};
  int i = 0;
  for (; i + kLanes <= dimension; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (int lane = 0; i + lane < dimension; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  }
  return sums[0];
}

// In large pages where the kernel grants them: a scan goes through all of it, and would look up
// every small page. To be freed.
void* AllocateForScans(size_t bytes) {
  constexpr size_t kLargePage = size_t{2} << 20;
  constexpr size_t kCacheLine = 64;
  const size_t alignment = bytes < kLargePage ? kCacheLine : kLargePage;
  const size_t whole = std::max(alignment, (bytes + alignment - 1) / alignment * alignment);
  void* const memory = std::aligned_alloc(alignment, whole);
  if (memory == nullptr) throw std::bad_alloc();
  if (alignment == kLargePage) madvise(memory, whole, MADV_HUGEPAGE);  // or small ones
  return memory;
}

}  // namespace

// The blocks that hold rows in scope, as if they lay together.
class PackedVectors::ScopedBlocks {
 public:
  explicit ScopedBlocks(std::span<const RowRange> rows) {
    for (const RowRange& range : rows) {
      int64_t first = range.first / kBlockRows;
      const int64_t last = BlocksFor(range.last);
      if (!runs_.empty()) first = std::max(first, runs_.back().last);
      if (first >= last) continue;
      if (!runs_.empty() && runs_.back().last == first) {
        runs_.back().last = last;
      } else {
        runs_.push_back({first, last, count_});
      }
      count_ += last - first;
    }
  }

  int64_t count() const { return count_; }

  // Calls tile(first block, number of blocks) for all that lie from `begin` to `end`.
  template <typename Tile>
  void ForEachTile(int64_t begin, int64_t end, Tile tile) const {
    auto run = std::upper_bound(runs_.begin(), runs_.end(), begin,
                                [](int64_t at, const Run& r) { return at < r.start; }) -
               runs_.begin() - 1;
    while (begin < end) {
      const Run& r = runs_[run];
      const int64_t first = r.first + begin - r.start;
      const int64_t count = std::min({kTileBlocks, r.last - first, end - begin});
      tile(first, count);
      begin += count;
      if (first + count == r.last) ++run;
    }
  }

 private:
  struct Run {
    int64_t first, last;  // blocks
    int64_t start;        // blocks in the runs before
  };
  std::vector<Run> runs_;
  int64_t count_ = 0;
};

// Rounded queries.
struct PackedVectors::Queries {
  int count = 0;
  std::vector<int8_t> values;
  std::vector<int32_t> starts, span_starts;
};

// What one thread has found of its blocks, and room for what it finds.
struct PackedVectors::Part {
  Part(int queries, int64_t ranked)
      : ranked(ranked),
        bounds(queries, std::numeric_limits<int32_t>::min()),
        best(queries),
        hits(kTileBlocks * kBlockRows * queries) {
    for (std::vector<Rounded>& one : best) one.reserve(2 * ranked);
  }

  // Rows come in rising order, so that of equal products the one that is there is the better one.
  // Sorting waits until as many again have come.
  void Offer(int query, int32_t product, int64_t row) {
    if (product <= bounds[query]) return;
    std::vector<Rounded>& found = best[query];
    found.push_back({product, row});
    if (std::ssize(found) < 2 * ranked) return;
    Cut(found, ranked);
    bounds[query] = found.back().similarity;
  }

  // Leaves the best, the worst of them last.
  static void Cut(std::vector<Rounded>& found, int64_t ranked) {
    if (std::ssize(found) <= ranked) return;
    std::nth_element(found.begin(), found.begin() + ranked - 1, found.end(), kBetter);
    found.resize(ranked);
  }

  const int64_t ranked;
  std::vector<int32_t> bounds;             // by query: what a product must exceed
  std::vector<std::vector<Rounded>> best;  // by query
  std::vector<ByteKernels::Hit> hits;
};

PackedVectors::PackedVectors(const VectorBlock& block, int dimension)
    : block_(block), dimension_(dimension), quads_((dimension + kQuad - 1) / kQuad) {}

std::unique_ptr<const PackedVectors> PackedVectors::Make(const VectorBlock& block, int dimension) {
  std::unique_ptr<PackedVectors> packed(new PackedVectors(block, dimension));
  if (!packed->FindLargest()) return nullptr;
  packed->Pack();
  return packed;
}

// False where a vector is too long.
bool PackedVectors::FindLargest() {
  float largest = 0, longest = 0;
#pragma omp parallel for schedule(static) reduction(max : largest, longest)
  for (int64_t row = 0; row < block_.count; ++row) {
    const UnalignedFloat* values = RowAt(block_, dimension_, row);
    largest = std::max(largest, Largest(values, dimension_));
    longest = std::max(longest, Product(values, values, dimension_));
  }
  scale_ = ScaleFor(largest, kRowSteps);
  return longest <= kLongest * kLongest;
}

void PackedVectors::Pack() {
  const int64_t blocks = BlocksFor(block_.count);
  packed_.reset(static_cast<ByteKernels::Quads*>(
      AllocateForScans(blocks * quads_ * sizeof(ByteKernels::Quads))));
#pragma omp parallel for schedule(static)
  for (int64_t block = 0; block < blocks; ++block) {
    ByteKernels::Quads* quads = &packed_[block * quads_];
    std::memset(quads, ByteKernels::kZero, quads_ * sizeof(*quads));
    const int64_t first = block * kBlockRows;
    const auto rows = static_cast<int>(std::min<int64_t>(kBlockRows, block_.count - first));
    uint8_t steps[kMostDimension + kQuad];
    std::memset(steps + dimension_, ByteKernels::kZero, kQuad);  // of the last quad's rest
    for (int row = 0; row < rows; ++row) {
      WriteSteps(RowAt(block_, dimension_, first + row), dimension_, scale_, steps);
      for (int quad = 0; quad < quads_; ++quad)
        std::memcpy(quads[quad].bytes[row], &steps[int64_t{quad} * kQuad], kQuad);
    }
  }
}

// Each with steps of its own: products are only compared with those of the same query.
PackedVectors::Queries PackedVectors::Round(const float* queries, int count) const {
  Queries rounded;
  rounded.count = count;
  const int64_t width = int64_t{quads_} * kQuad;
  rounded.values.resize(count * width);
  for (int q = 0; q < count; ++q) {
    const float* query = queries + int64_t{q} * dimension_;
    const float scale =
        std::min(ScaleFor(Largest(query, dimension_), kQuerySteps),
                 ScaleFor(ByteKernels::LargestOfSpans({query, static_cast<size_t>(dimension_)}),
                          kHalfSpanSteps));
    int8_t* values = &rounded.values[q * width];
    for (int i = 0; i < dimension_; ++i)
      values[i] = static_cast<int8_t>(Step(query[i], scale) - ByteKernels::kZero);
    const std::span<const int8_t> all(values, width);
    rounded.starts.push_back(ByteKernels::StartOf(all));
    const std::vector<int32_t> span_starts = ByteKernels::SpanStartsOf(all);
    rounded.span_starts.insert(rounded.span_starts.end(), span_starts.begin(), span_starts.end());
  }
  return rounded;
}

void PackedVectors::ScanPart(const ByteKernels& kernels, const Queries& queries,
                             std::span<const RowRange> rows, const ScopedBlocks& blocks,
                             int64_t begin, int64_t end, Part& part) const {
  blocks.ForEachTile(begin, end, [&](int64_t first, int64_t count) {
    const int64_t found =
        kernels.scan(&packed_[first * quads_], count,
                     {queries.count, quads_, queries.values.data(), queries.starts.data(),
                      queries.span_starts.data(), part.bounds.data()},
                     part.hits.data());
    for (int64_t i = 0; i < found; ++i) {
      const auto& [in_tile, query, product] = part.hits[i];
      const int64_t row = first * kBlockRows + in_tile;
      // Blocks at the ends of ranges hold other rows too.
      if (product > part.bounds[query] && ContainsRow(rows, row)) part.Offer(query, product, row);
    }
  });
}

void PackedVectors::Rank(const float* query, std::span<const Rounded> found, int k, int64_t* ids,
                         float* similarities) const {
  std::vector<Candidate> candidates;
  candidates.reserve(found.size());
  for (const Rounded& one : found)
    candidates.push_back({Product(query, RowAt(block_, dimension_, one.id), dimension_), one.id});
  WriteBest(candidates, k, ids, similarities);
}

void PackedVectors::Search(std::span<const RowRange> rows, const float* queries,
                           int64_t query_count, int k, int64_t* ids, float* similarities,
                           const ByteKernels& kernels) const {
  const ScopedBlocks blocks(rows);
  const auto parts = static_cast<int>(
      std::clamp<int64_t>(blocks.count() / kBlocksPerThread, 1, threads::OpenMpThreads()));
  for (int64_t first = 0; first < query_count; first += kQueriesAtOnce) {
    const auto count = static_cast<int>(std::min<int64_t>(kQueriesAtOnce, query_count - first));
    const Queries rounded = Round(queries + first * dimension_, count);
    // Everything is allocated before the parallel region: an exception must not leave it.
    std::vector<Part> found;
    found.reserve(parts);
    for (int part = 0; part < parts; ++part)
      found.emplace_back(count, std::min(RankedFor(k), CountRows(rows)));
#pragma omp parallel for num_threads(parts) schedule(static) if (parts > 1)
    for (int part = 0; part < parts; ++part) {
      ScanPart(kernels, rounded, rows, blocks, blocks.count() * part / parts,
               blocks.count() * (part + 1) / parts, found[part]);
    }
    for (int q = 0; q < count; ++q) {
      std::vector<Rounded>& all = found[0].best[q];
      for (int part = 1; part < parts; ++part) {
        const std::vector<Rounded>& more = found[part].best[q];
        all.insert(all.end(), more.begin(), more.end());
      }
      Part::Cut(all, found[0].ranked);
      const int64_t at = first + q;
      Rank(queries + at * dimension_, all, k, ids + at * k, similarities + at * k);
    }
  }
}

}  // namespace antiphon::index
