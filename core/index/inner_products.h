// Inner products of two sets of vectors at once, through BLAS, which picks the processor's
// instructions at run time.
#ifndef ANTIPHON_CORE_INDEX_INNER_PRODUCTS_H_
#define ANTIPHON_CORE_INDEX_INNER_PRODUCTS_H_

namespace antiphon::index {

// products[i, j] = a[i] · b[j], from a [a_count, dimension] and b [b_count, dimension], all row by
// row and all counts at least 1. Safe from any thread; BLAS uses threads of its own unless a
// ThreadScope (core/threads) lives.
void InnerProducts(const float* a, int a_count, const float* b, int b_count, int dimension,
                   float* products);

}  // namespace antiphon::index

#endif  // ANTIPHON_CORE_INDEX_INNER_PRODUCTS_H_
