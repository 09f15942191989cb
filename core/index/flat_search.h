// Exact search by inner product: a blocked matrix product (BLAS sgemm) and one heap of candidates per query.
//
// FAISS's own flat search divides the work by queries only, and below 20 queries it computes one inner product at a
// time; Debian builds it for baseline x86-64. Here the rows are divided among the threads and every product goes
// through BLAS, which picks the processor's instructions at run time: see index_benchmark.cc for the difference.
#ifndef ANTIPHON_CORE_INDEX_FLAT_SEARCH_H_
#define ANTIPHON_CORE_INDEX_FLAT_SEARCH_H_

#include <cstdint>

namespace antiphon::index {

// vectors [n, dimension], queries [query_count, dimension], row by row and finite. Writes ids and similarities,
// [query_count, k], by falling similarity, equal ones by rising id; the rest is -1 and -inf. Uses OpenMP's threads; the
// result does not depend on how many. Safe from any thread.
void FlatSearch(const float* vectors, int64_t n, int dimension, const float* queries, int64_t query_count, int k,
                int64_t* ids, float* similarities);

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_FLAT_SEARCH_H_
