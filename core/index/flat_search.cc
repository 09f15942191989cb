#include "core/index/flat_search.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "core/index/candidates.h"
#include "core/index/inner_products.h"
#include "core/index/row_ranges.h"
#include "core/threads/thread_scope.h"

namespace antiphon::index {
namespace {

// A block of rows, its queries and their products stay in the second-level cache: at 64 dimensions
// 256 KiB of rows, 16 KiB of queries and 256 KiB of products.
constexpr int64_t kRowBlock = 1024;
constexpr int64_t kQueryBlock = 64;
// A further thread pays from this many rows on.
constexpr int64_t kRowsPerThread = 8 * kRowBlock;

// The k best of what it is offered; ids must come in rising order. Only then does > suffice in
// Offer: of equally similar vectors the first one offered has the lower id, which is the better
// one.
class Best {
 public:
  explicit Best(int k) : k_(k) { heap_.reserve(k); }

  // Scores of the vectors numbered first, first + 1, ...
  void Offer(const float* scores, int64_t count, int64_t first) {
    for (int64_t j = 0; j < count; ++j) {
      // Nearly all fail this test once the heap is full, so the loop is a plain scan.
      if (scores[j] > bound_) Insert({scores[j], first + j});
    }
  }

  std::vector<Candidate>& candidates() { return heap_; }  // in no order

 private:
  void Insert(Candidate candidate) {
    if (heap_.size() == k_) {
      std::pop_heap(heap_.begin(), heap_.end(), kBetter);
      heap_.back() = candidate;
    } else {
      heap_.push_back(candidate);
    }
    std::push_heap(heap_.begin(), heap_.end(), kBetter);
    if (heap_.size() == k_) bound_ = heap_.front().similarity;
  }

  size_t k_;
  float bound_ = -std::numeric_limits<float>::infinity();  // what a candidate must exceed
  std::vector<Candidate> heap_;                            // the worst in front
};

// The vectors of several blocks as if they lay in one.
class Rows {
 public:
  Rows(std::span<const VectorBlock> blocks, int dimension)
      : blocks_(blocks), dimension_(dimension) {
    starts_.reserve(blocks.size() + 1);
    starts_.push_back(0);
    for (const VectorBlock& block : blocks) starts_.push_back(starts_.back() + block.count);
  }

  int64_t count() const { return starts_.back(); }
  int dimension() const { return dimension_; }

  // The vectors first … first + count - 1, copied into `scratch` only where they do not lie
  // together, or not as floats do. count > 0.
  const float* Take(int64_t first, int64_t count, float* scratch) const {
    const size_t b = BlockOf(first);
    if (first + count <= starts_[b + 1])
      return AlignedRowsAt(blocks_[b], dimension_, first - starts_[b], count, scratch);
    float* out = scratch;
    ForEachPart(first, count, [&](const VectorBlock& block, int64_t from, int64_t n) {
      std::memcpy(out, RowAt(block, dimension_, from), n * dimension_ * sizeof(float));
      out += n * dimension_;
    });
    return scratch;
  }

  // Calls part(block, first row in it, number of rows) for what rows first … first + count - 1 are
  // made of.
  template <typename Part>
  void ForEachPart(int64_t first, int64_t count, Part part) const {
    for (size_t b = BlockOf(first); count > 0; ++b) {
      const int64_t n = std::min(count, starts_[b + 1] - first);
      if (n > 0) part(blocks_[b], first - starts_[b], n);
      first += n;
      count -= n;
    }
  }

 private:
  size_t BlockOf(int64_t row) const {
    return std::upper_bound(starts_.begin(), starts_.end(), row) - starts_.begin() - 1;
  }

  std::span<const VectorBlock> blocks_;
  int dimension_;
  std::vector<int64_t> starts_;  // of each block, and the end of the last
};

// Queries of one block, and room for what one thread computes.
struct Queries {
  const float* values;
  int count;
};
struct Scratch {
  float* products;  // [kQueryBlock, kRowBlock]
  float* vectors;   // [kRowBlock, dimension]
};

// Offers rows first ... last - 1 to best[0 ... queries.count).
void SearchRows(const Rows& rows, const Queries& queries, int64_t first, int64_t last,
                Scratch scratch, Best* best) {
  for (int64_t row = first; row < last; row += kRowBlock) {
    const int64_t count = std::min(kRowBlock, last - row);
    InnerProducts(queries.values, queries.count, rows.Take(row, count, scratch.vectors),
                  static_cast<int>(count), rows.dimension(), scratch.products);
    int64_t done = 0;
    rows.ForEachPart(row, count, [&](const VectorBlock& block, int64_t from, int64_t n) {
      for (int q = 0; q < queries.count; ++q) {
        best[q].Offer(scratch.products + q * count + done, n, block.first_id + from);
      }
      done += n;
    });
  }
}

}  // namespace

void FlatSearch(std::span<const VectorBlock> blocks, int dimension, const float* queries,
                int64_t query_count, int k, int64_t* ids, float* similarities) {
  // Every product is computed in the same block of rows and the same block of queries, whatever the
  // number of threads and however the vectors are divided. BLAS may sum in another order for
  // another shape; this way the shapes, and so the results, are the same to the last bit.
  const Rows rows(blocks, dimension);
  const int64_t n = rows.count(), row_blocks = (n + kRowBlock - 1) / kRowBlock;
  const int parts =
      static_cast<int>(std::clamp<int64_t>(n / kRowsPerThread, 1, threads::OpenMpThreads()));
  const int64_t most = std::min<int64_t>(k, n);
  const int64_t product_room = kRowBlock * std::min(kQueryBlock, query_count);
  const int64_t vector_room = kRowBlock * dimension;  // see Rows::Take
  std::vector<float> products(parts * product_room), vectors(parts * vector_room);
  for (int64_t first = 0; first < query_count; first += kQueryBlock) {
    const Queries block = {queries + first * dimension,
                           static_cast<int>(std::min(kQueryBlock, query_count - first))};
    // Everything is allocated before the parallel region: an exception must not leave it.
    std::vector<Best> best(parts * block.count, Best(0));
    for (Best& b : best) b = Best(static_cast<int>(most));
#pragma omp parallel for num_threads(parts) schedule(static) if (parts > 1)
    for (int part = 0; part < parts; ++part) {
      // Parts begin at block boundaries, so that the products are the same whatever the number of
      // parts.
      const Scratch scratch = {products.data() + part * product_room,
                               vectors.data() + part * vector_room};
      SearchRows(rows, block, row_blocks * part / parts * kRowBlock,
                 std::min(n, row_blocks * (part + 1) / parts * kRowBlock), scratch,
                 &best[part * block.count]);
    }
    for (int q = 0; q < block.count; ++q) {
      std::vector<Candidate>& merged = best[q].candidates();
      for (int part = 1; part < parts; ++part) {
        const std::vector<Candidate>& more = best[part * block.count + q].candidates();
        merged.insert(merged.end(), more.begin(), more.end());
      }
      WriteBest(merged, k, ids + (first + q) * k, similarities + (first + q) * k);
    }
  }
}

void KeepBest(int64_t query_count, int k, const int64_t* more_ids, const float* more_similarities,
              int64_t* ids, float* similarities) {
  std::vector<Candidate> candidates;
  for (int64_t q = 0; q < query_count; ++q) {
    candidates.clear();
    for (int64_t i = q * k; i < (q + 1) * k; ++i) {
      if (ids[i] >= 0) candidates.push_back({similarities[i], ids[i]});
      if (more_ids[i] >= 0) candidates.push_back({more_similarities[i], more_ids[i]});
    }
    WriteBest(candidates, k, ids + q * k, similarities + q * k);
  }
}

}  // namespace antiphon::index
