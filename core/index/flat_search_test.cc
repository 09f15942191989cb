#include "core/index/flat_search.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

#include "core/testing/clustered_vectors.h"
#include "core/threads/thread_scope.h"

namespace antiphon::index {
namespace {

constexpr int kDimension = 24;

struct Result {
  std::vector<int64_t> ids;
  std::vector<float> similarities;
};

Result Search(const std::vector<float>& vectors, const std::vector<float>& queries, int k,
              int threads = 1) {
  const int64_t count = queries.size() / kDimension;
  Result result{std::vector<int64_t>(count * k), std::vector<float>(count * k)};
  const threads::ThreadScope thread_scope(threads);
  const VectorBlock block = {vectors.data(), static_cast<int64_t>(vectors.size()) / kDimension, 0};
  FlatSearch({&block, 1}, kDimension, queries.data(), count, k, result.ids.data(),
             result.similarities.data());
  return result;
}

double Product(const std::vector<float>& a, int64_t i, const std::vector<float>& b, int64_t j) {
  return std::inner_product(a.begin() + i * kDimension, a.begin() + (i + 1) * kDimension,
                            b.begin() + j * kDimension, 0.0);
}

TEST(FlatSearchTest, AgreesWithSortingAllInnerProducts) {
  // More than one block of queries.
  const auto queries = ClusteredUnitVectors(70, kDimension, 0, 2);
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
    EXPECT_THAT(Search(vectors, query, 5, threads).ids, ::testing::ElementsAre(2, 6, 10, 14, 18))
        << threads;
  }
}

TEST(FlatSearchTest, DivisionIntoBlocksChangesNothingButRounding) {
  constexpr float kRounding = 1e-6F;
  const auto vectors = ClusteredUnitVectors(20'300, kDimension, 100, 6);
  const auto queries = ClusteredUnitVectors(70, kDimension, 100, 7);
  std::mt19937 random(8);
  for (const int threads : {1, 3}) {
    const Result one = Search(vectors, queries, 30, threads);
    for (const int64_t longest : {1, 50, 3000}) {
      std::vector<VectorBlock> blocks;
      for (int64_t row = 0; row < 20'300;) {
        const int64_t count = std::min<int64_t>(random() % (longest + 1), 20'300 - row);  // 0 too
        blocks.push_back({vectors.data() + row * kDimension, count, 2 * row});  // ids leave gaps
        row += count;
      }
      Result many{std::vector<int64_t>(70 * 30), std::vector<float>(70 * 30)};
      FlatSearch(blocks, kDimension, queries.data(), 70, 30, many.ids.data(),
                 many.similarities.data());
      EXPECT_THAT(many.similarities,
                  ::testing::Pointwise(::testing::FloatNear(kRounding), one.similarities))
          << longest;
      for (size_t i = 0; i < many.ids.size(); ++i) {
        const auto block = std::find_if(blocks.begin(), blocks.end(), [&](const VectorBlock& b) {
          return many.ids[i] >= b.first_id && many.ids[i] < b.first_id + b.count;
        });
        ASSERT_NE(block, blocks.end());
        const int64_t row = block->first_id / 2 + many.ids[i] - block->first_id;
        const float* vector = vectors.data() + row * kDimension;
        const auto query = static_cast<int64_t>(i / 30);
        ASSERT_NEAR(std::inner_product(vector, vector + kDimension,
                                       queries.data() + query * kDimension, 0.0),
                    one.similarities[i], kRounding);
      }
    }
  }
}

TEST(FlatSearchTest, NothingToSearchFindsNothing) {
  const auto queries = ClusteredUnitVectors(2, kDimension, 0, 9);
  const VectorBlock empty = {};
  for (const std::span<const VectorBlock> blocks :
       {std::span<const VectorBlock>(), std::span(&empty, 1)}) {
    Result result{std::vector<int64_t>(6, 7), std::vector<float>(6, 7)};
    FlatSearch(blocks, kDimension, queries.data(), 2, 3, result.ids.data(),
               result.similarities.data());
    EXPECT_THAT(result.ids, ::testing::Each(-1));
    EXPECT_THAT(result.similarities, ::testing::Each(-std::numeric_limits<float>::infinity()));
  }
}

TEST(KeepBestTest, TheBestOfBothInOrderEqualOnesByRisingId) {
  const float none = -std::numeric_limits<float>::infinity();
  std::vector<int64_t> ids = {4, 2, -1, /**/ -1, -1, -1};
  std::vector<float> similarities = {0.9f, 0.5f, none, none, none, none};
  const std::vector<int64_t> more_ids = {7, 1, 8, /**/ 3, -1, -1};
  const std::vector<float> more = {0.9f, 0.7f, 0.6f, 0.1f, none, none};
  KeepBest(2, 3, more_ids.data(), more.data(), ids.data(), similarities.data());
  EXPECT_THAT(ids, ::testing::ElementsAre(4, 7, 1, 3, -1, -1));
  EXPECT_THAT(similarities, ::testing::ElementsAre(0.9f, 0.9f, 0.7f, 0.1f, none, none));
}

}  // namespace
}  // namespace antiphon::index
