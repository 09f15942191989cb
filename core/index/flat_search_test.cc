#include "core/index/flat_search.h"

#include <gmock/gmock.h>
#include <omp.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/index/index_test_util.h"

namespace antiphon::index {
namespace {

constexpr int kDimension = 24;

struct Result {
  std::vector<int64_t> ids;
  std::vector<float> similarities;
};

Result Search(const std::vector<float>& vectors, const std::vector<float>& queries, int k, int threads = 1) {
  const int64_t count = queries.size() / kDimension;
  Result result{std::vector<int64_t>(count * k), std::vector<float>(count * k)};
  omp_set_num_threads(threads);
  FlatSearch(vectors.data(), vectors.size() / kDimension, kDimension, queries.data(), count, k, result.ids.data(),
             result.similarities.data());
  return result;
}

double Product(const std::vector<float>& a, int64_t i, const std::vector<float>& b, int64_t j) {
  return std::inner_product(a.begin() + i * kDimension, a.begin() + (i + 1) * kDimension, b.begin() + j * kDimension,
                            0.0);
}

TEST(FlatSearchTest, AgreesWithSortingAllInnerProducts) {
  const auto queries = ClusteredUnitVectors(70, kDimension, 0, 2);  // more than one block of queries
  for (const int64_t n : {1, 5, 1023, 1024, 1025, 3000}) {
    const auto vectors = ClusteredUnitVectors(n, kDimension, 0, 1);
    for (const int k : {1, 7, 200}) {
      const Result result = Search(vectors, queries, k);
      for (int64_t q = 0; q < 70; ++q) {
        std::vector<double> products(n);
        for (int64_t i = 0; i < n; ++i) products[i] = Product(vectors, i, queries, q);
        std::vector<double> sorted = products;
        std::sort(sorted.rbegin(), sorted.rend());
        for (int rank = 0; rank < k; ++rank) {
          const int64_t id = result.ids[q * k + rank];
          const float similarity = result.similarities[q * k + rank];
          if (rank < n) {
            ASSERT_TRUE(id >= 0 && id < n);
            ASSERT_NEAR(similarity, products[id], 1e-6);
            ASSERT_NEAR(similarity, sorted[rank], 1e-6);
          } else {
            ASSERT_EQ(id, -1);
            ASSERT_EQ(similarity, -std::numeric_limits<float>::infinity());
          }
        }
      }
    }
  }
}

TEST(FlatSearchTest, NumberOfThreadsChangesNothing) {
  const auto vectors = ClusteredUnitVectors(40'500, kDimension, 100, 3);
  const auto queries = ClusteredUnitVectors(9, kDimension, 0, 4);
  const Result one = Search(vectors, queries, 50, 1);
  for (const int threads : {2, 3, 4, 16}) {
    const Result many = Search(vectors, queries, 50, threads);
    EXPECT_EQ(many.ids, one.ids) << threads;
    EXPECT_EQ(many.similarities, one.similarities) << threads;
  }
}

TEST(FlatSearchTest, EqualSimilaritiesComeByRisingId) {
  // 20,000 copies of the same 4 vectors: repeated music gives repeated embeddings.
  const auto four = ClusteredUnitVectors(4, kDimension, 0, 5);
  std::vector<float> vectors;
  for (int copy = 0; copy < 20'000; ++copy) vectors.insert(vectors.end(), four.begin(), four.end());
  const std::vector<float> query(four.begin() + 2 * kDimension, four.begin() + 3 * kDimension);
  for (const int threads : {1, 3}) {
    EXPECT_THAT(Search(vectors, query, 5, threads).ids, testing::ElementsAre(2, 6, 10, 14, 18)) << threads;
  }
}

}  // namespace
}  // namespace antiphon::index
