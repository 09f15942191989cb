#include "core/index/flat_search.h"

#include <omp.h>

#include <algorithm>
#include <limits>
#include <vector>

// BLAS, the Fortran interface: C = alpha * op(A) * op(B) + beta * C, column by column.
extern "C" int sgemm_(const char* transa, const char* transb, const int* m, const int* n, const int* k,
                      const float* alpha, const float* a, const int* lda, const float* b, const int* ldb,
                      const float* beta, float* c, const int* ldc);

namespace antiphon::index {
namespace {

// A block of rows, its queries and their products stay in the second-level cache (about 0.5 MB at 64 dimensions).
constexpr int64_t kRowBlock = 1024;
constexpr int64_t kQueryBlock = 64;
// A thread of its own is worth it from this many rows on.
constexpr int64_t kRowsPerThread = 8 * kRowBlock;

struct Candidate {
  float similarity;
  int64_t id;
};

bool Better(const Candidate& a, const Candidate& b) {
  return a.similarity > b.similarity || (a.similarity == b.similarity && a.id < b.id);
}

// The k best of what it is offered; ids must come in rising order.
class Best {
 public:
  explicit Best(int k) : k_(k) { heap_.reserve(k); }

  // Scores of the vectors numbered first, first + 1, ...
  void Offer(const float* scores, int64_t count, int64_t first) {
    for (int64_t j = 0; j < count; ++j) {
      if (scores[j] > bound_) Insert({scores[j], first + j});
    }
  }

  std::vector<Candidate>& candidates() { return heap_; }  // in no order

 private:
  void Insert(Candidate candidate) {
    if (heap_.size() == k_) {
      std::pop_heap(heap_.begin(), heap_.end(), Better);
      heap_.back() = candidate;
    } else {
      heap_.push_back(candidate);
    }
    std::push_heap(heap_.begin(), heap_.end(), Better);
    if (heap_.size() == k_) bound_ = heap_.front().similarity;
  }

  size_t k_;
  float bound_ = -std::numeric_limits<float>::infinity();  // what a candidate must exceed
  std::vector<Candidate> heap_;                            // the worst in front
};

struct Problem {
  const float* vectors;
  int dimension;
  const float* queries;  // of one block
  int query_count;       // likewise
};

// Offers rows first ... last - 1 to best[0 ... query_count). `scores` holds kRowBlock * query_count floats.
void SearchRows(const Problem& problem, int64_t first, int64_t last, float* scores, Best* best) {
  const float one = 1, zero = 0;
  for (int64_t row = first; row < last; row += kRowBlock) {
    const int rows = static_cast<int>(std::min(kRowBlock, last - row));
    sgemm_("T", "N", &rows, &problem.query_count, &problem.dimension, &one, problem.vectors + row * problem.dimension,
           &problem.dimension, problem.queries, &problem.dimension, &zero, scores, &rows);
    for (int q = 0; q < problem.query_count; ++q) best[q].Offer(scores + int64_t{q} * rows, rows, row);
  }
}

void Write(std::vector<Candidate>& candidates, int k, int64_t* ids, float* similarities) {
  const size_t kept = std::min<size_t>(k, candidates.size());
  std::partial_sort(candidates.begin(), candidates.begin() + kept, candidates.end(), Better);
  for (size_t i = 0; i < kept; ++i) {
    ids[i] = candidates[i].id;
    similarities[i] = candidates[i].similarity;
  }
  std::fill(ids + kept, ids + k, -1);
  std::fill(similarities + kept, similarities + k, -std::numeric_limits<float>::infinity());
}

}  // namespace

void FlatSearch(const float* vectors, int64_t n, int dimension, const float* queries, int64_t query_count, int k,
                int64_t* ids, float* similarities) {
  const int64_t blocks = (n + kRowBlock - 1) / kRowBlock;
  const int parts = static_cast<int>(std::clamp<int64_t>(n / kRowsPerThread, 1, omp_get_max_threads()));
  const int64_t most = std::min<int64_t>(k, n);
  std::vector<float> scores(parts * kRowBlock * std::min(kQueryBlock, query_count));
  for (int64_t first = 0; first < query_count; first += kQueryBlock) {
    const Problem problem = {vectors, dimension, queries + first * dimension,
                             static_cast<int>(std::min(kQueryBlock, query_count - first))};
    // Everything is allocated before the parallel region: an exception must not leave it.
    std::vector<Best> best(parts * problem.query_count, Best(0));
    for (Best& b : best) b = Best(static_cast<int>(most));
#pragma omp parallel for num_threads(parts) schedule(static) if (parts > 1)
    for (int part = 0; part < parts; ++part) {
      // Parts begin at block boundaries, so that the products are the same whatever the number of parts.
      SearchRows(problem, blocks * part / parts * kRowBlock, std::min(n, blocks * (part + 1) / parts * kRowBlock),
                 scores.data() + part * kRowBlock * problem.query_count, &best[part * problem.query_count]);
    }
    for (int q = 0; q < problem.query_count; ++q) {
      std::vector<Candidate>& merged = best[q].candidates();
      for (int part = 1; part < parts; ++part) {
        const std::vector<Candidate>& more = best[part * problem.query_count + q].candidates();
        merged.insert(merged.end(), more.begin(), more.end());
      }
      Write(merged, k, ids + (first + q) * k, similarities + (first + q) * k);
    }
  }
}

}  // namespace antiphon::index
