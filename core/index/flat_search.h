// Exact search by inner product: a blocked matrix product (BLAS sgemm) and one heap of candidates
// per query.
//
// FAISS's own flat search divides the work by queries only, and below 20 queries it computes one
// inner product at a time; Debian builds it for baseline x86-64. Here the rows are divided among
// the threads and every product goes through BLAS, which picks the processor's instructions at run
// time: see index_benchmark.cc for the difference. Internal to core/index.
#ifndef ANTIPHON_CORE_INDEX_FLAT_SEARCH_H_
#define ANTIPHON_CORE_INDEX_FLAT_SEARCH_H_

#include <cstdint>
#include <span>

#include "core/index/vector_index.h"

namespace antiphon::index {

// Searches the vectors of all blocks, whose ids must rise; queries are [query_count, dimension],
// row by row and finite. Writes ids and similarities, [query_count, k], by falling similarity,
// equal ones by rising id; the rest is -1 and -inf. How the vectors are divided into blocks, and
// the number of OpenMP's threads, which it uses, change nothing but rounding: a BLAS may add in
// another order for another number of rows. Safe from any thread.
void FlatSearch(std::span<const VectorBlock> blocks, int dimension, const float* queries,
                int64_t query_count, int k, int64_t* ids, float* similarities);

// Puts the k best of two results into the first, for each query; both are as FlatSearch writes
// them, of other vectors.
void KeepBest(int64_t query_count, int k, const int64_t* more_ids, const float* more_similarities,
              int64_t* ids, float* similarities);

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_FLAT_SEARCH_H_
