#include "core/index/inner_products.h"

// BLAS, the Fortran interface: C = alpha * op(A) * op(B) + beta * C, column by column.
extern "C" int sgemm_(const char* transa, const char* transb, const int* m, const int* n,
                      const int* k, const float* alpha, const float* a, const int* lda,
                      const float* b, const int* ldb, const float* beta, float* c, const int* ldc);

namespace antiphon::index {

void InnerProducts(const float* a, int a_count, const float* b, int b_count, int dimension,
                   float* products) {
  // Row by row here is column by column, transposed, there.
  const float one = 1, zero = 0;
  sgemm_("T", "N", &b_count, &a_count, &dimension, &one, b, &dimension, a, &dimension, &zero,
         products, &b_count);
}

}  // namespace antiphon::index
