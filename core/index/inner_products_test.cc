#include "core/index/inner_products.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "core/testing/clustered_vectors.h"

namespace antiphon::index {
namespace {

TEST(InnerProductsTest, EveryPairHasItsProductInItsPlace) {
  for (const int dimension : {1, 7, 64}) {
    for (const auto& [a_count, b_count] : {std::pair(1, 1), {1, 9}, {5, 1}, {6, 13}, {70, 33}}) {
      const auto a = ClusteredUnitVectors(a_count, dimension, 0, 1),
                 b = ClusteredUnitVectors(b_count, dimension, 0, 2);
      std::vector<float> products(a_count * b_count, -7);
      InnerProducts(a.data(), a_count, b.data(), b_count, dimension, products.data());
      for (int i = 0; i < a_count; ++i) {
        for (int j = 0; j < b_count; ++j) {
          const double expected =
              std::inner_product(a.begin() + i * dimension, a.begin() + (i + 1) * dimension,
                                 b.begin() + j * dimension, 0.0);
          ASSERT_NEAR(products[i * b_count + j], expected, 1e-5)
              << dimension << ": " << i << ", " << j;
        }
      }
    }
  }
}

}  // namespace
}  // namespace antiphon::index
