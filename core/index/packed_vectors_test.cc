#include "core/index/packed_vectors.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <set>

#include "core/index/flat_search.h"
#include "core/index/row_ranges.h"
#include "core/testing/clustered_vectors.h"
#include "core/threads/thread_scope.h"

namespace antiphon::index {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

struct Result {
  std::vector<int64_t> ids;
  std::vector<float> similarities;
};

struct Vectors {
  Vectors(int64_t count, int dimension, int clusters, uint32_t seed)
      : dimension(dimension), values(ClusteredUnitVectors(count, dimension, clusters, seed)) {}

  int64_t count() const { return std::ssize(values) / dimension; }
  VectorBlock block() const { return {values.data(), count(), 0}; }

  int dimension;
  std::vector<float> values;
};

Result Exact(const Vectors& vectors, std::span<const RowRange> rows, const Vectors& queries,
             int k) {
  Result result{std::vector<int64_t>(queries.count() * k), std::vector<float>(queries.count() * k)};
  std::vector<VectorBlock> blocks;
  for (const RowRange& range : rows) {
    blocks.push_back(
        {&vectors.values[range.first * vectors.dimension], range.last - range.first, range.first});
  }
  FlatSearch(blocks, vectors.dimension, queries.values.data(), queries.count(), k,
             result.ids.data(), result.similarities.data());
  return result;
}

Result Packed(const PackedVectors& packed, std::span<const RowRange> rows, const Vectors& queries,
              int k, int threads = 1, const ByteKernels& kernels = ByteKernels::Fastest()) {
  const threads::ThreadScope thread_scope(threads);
  Result result{std::vector<int64_t>(queries.count() * k), std::vector<float>(queries.count() * k)};
  packed.Search(rows, queries.values.data(), queries.count(), k, result.ids.data(),
                result.similarities.data(), kernels);
  return result;
}

double Recall(const Result& found, const Result& exact, int k) {
  int64_t common = 0, wanted = 0;
  for (size_t first = 0; first < exact.ids.size(); first += k) {
    std::set<int64_t> ids(exact.ids.begin() + first, exact.ids.begin() + first + k);
    ids.erase(-1);
    wanted += std::ssize(ids);
    for (size_t i = first; i < first + k; ++i) common += ids.contains(found.ids[i]) ? 1 : 0;
  }
  return static_cast<double>(common) / static_cast<double>(wanted);
}

TEST(PackedVectorsTest, FindsWhatIsNearestWithItsOwnSimilarity) {
  for (const int dimension : {3, 24, 64, 70}) {
    // In three dimensions, many would lie too close for 255 steps.
    const Vectors vectors(dimension == 3 ? 401 : 30'001, dimension, 100, 1);
    const Vectors queries(70, dimension, 100, 2);
    const auto packed = PackedVectors::Make(vectors.block(), dimension);
    ASSERT_NE(packed, nullptr);
    const RowRange all = {0, vectors.count()};
    for (const int k : {1, 25, 100}) {
      const Result exact = Exact(vectors, {&all, 1}, queries, k);
      const Result found = Packed(*packed, {&all, 1}, queries, k);
      EXPECT_GE(Recall(found, exact, k), 0.999) << dimension << ' ' << k;
      for (size_t i = 0; i < found.ids.size(); ++i) {
        double product = 0;
        for (int j = 0; j < dimension; ++j) {
          product += static_cast<double>(vectors.values[found.ids[i] * dimension + j]) *
                     queries.values[i / k * dimension + j];
        }
        ASSERT_NEAR(found.similarities[i], product, 1e-6);
        ASSERT_TRUE(i % k == 0 || found.similarities[i] <= found.similarities[i - 1]);
      }
    }
  }
}

// The result on one thread with the fastest instructions, after checking that it is that of all.
Result OnAllInstructions(const PackedVectors& packed, int64_t count, const Vectors& queries,
                         int k) {
  const RowRange all = {0, count};
  Result one = Packed(packed, {&all, 1}, queries, k);
  for (const ByteInstructions instructions :
       {ByteInstructions::kBaseline, ByteInstructions::kAvx2, ByteInstructions::kAvx512Vnni,
        ByteInstructions::kAmx}) {
    const ByteKernels* kernels = ByteKernels::ForInstructions(instructions);
    if (kernels == nullptr) continue;
    for (const int threads : {1, 2, 5}) {
      const Result other = Packed(packed, {&all, 1}, queries, k, threads, *kernels);
      EXPECT_EQ(other.ids, one.ids) << threads;
      EXPECT_EQ(other.similarities, one.similarities) << threads;
    }
  }
  return one;
}

TEST(PackedVectorsTest, NeitherThreadsNorInstructionsChangeAnything) {
  for (const int dimension : {64, 70}) {
    const Vectors vectors(70'000, dimension, 300, 3), queries(33, dimension, 300, 4);
    const auto packed = PackedVectors::Make(vectors.block(), dimension);
    ASSERT_NE(packed, nullptr);
    OnAllInstructions(*packed, vectors.count(), queries, 25);
  }
}

// All values are as large as the largest, and all of a row may have the query's sign.
TEST(PackedVectorsTest, FlatVectorsFindThemselves) {
  for (const int dimension : {64, 70}) {
    Vectors vectors(500, dimension, 50, 12);
    const float size = 1 / std::sqrt(static_cast<float>(dimension));
    for (float& value : vectors.values) value = value < 0 ? -size : size;
    std::fill_n(vectors.values.begin(), dimension, size);
    std::fill_n(vectors.values.begin() + dimension, dimension, -size);
    const auto packed = PackedVectors::Make(vectors.block(), dimension);
    ASSERT_NE(packed, nullptr);
    const Result found = OnAllInstructions(*packed, vectors.count(), vectors, 1);
    for (int64_t i = 0; i < vectors.count(); ++i) EXPECT_NEAR(found.similarities[i], 1, 1e-4) << i;
  }
}

TEST(PackedVectorsTest, FindsOnlyWhatIsInScope) {
  const Vectors vectors(40'000, 32, 50, 5), queries(20, 32, 50, 5);
  const auto packed = PackedVectors::Make(vectors.block(), 32);
  ASSERT_NE(packed, nullptr);
  std::mt19937 random(6);
  for (const int64_t longest : {1, 20, 5'000}) {
    std::vector<RowRange> rows;
    for (int64_t row = 1; row < vectors.count();) {
      const int64_t last = std::min<int64_t>(row + 1 + random() % longest, vectors.count());
      if (random() % 2 == 0) rows.push_back({row, last});
      row = last + 1;
    }
    const Result exact = Exact(vectors, rows, queries, 25);
    const Result found = Packed(*packed, rows, queries, 25, 3);
    for (const int64_t id : found.ids) ASSERT_TRUE(ContainsRow(rows, id)) << id;
    EXPECT_GE(Recall(found, exact, 25), 0.999) << longest;
  }
}

TEST(PackedVectorsTest, EqualVectorsComeByRisingRow) {
  // Repeated music gives repeated vectors, more of them than are ranked.
  const Vectors four(4, 64, 0, 7);
  Vectors vectors = four;
  for (int copy = 1; copy < 20'000; ++copy)
    vectors.values.insert(vectors.values.end(), four.values.begin(), four.values.end());
  const auto packed = PackedVectors::Make(vectors.block(), 64);
  ASSERT_NE(packed, nullptr);
  const RowRange rows = {5, vectors.count()};
  for (const int threads : {1, 3}) {
    const Result found = Packed(*packed, {&rows, 1}, four, 5, threads);
    for (int q = 0; q < 4; ++q) {
      for (int i = 0; i < 5; ++i) EXPECT_EQ(found.ids[q * 5 + i], (q == 0 ? 8 : 4 + q) + 4 * i);
    }
  }
}

TEST(PackedVectorsTest, FewerThanAreWantedArePadded) {
  const Vectors vectors(50, 64, 0, 8), queries(3, 64, 0, 9);
  const auto packed = PackedVectors::Make(vectors.block(), 64);
  ASSERT_NE(packed, nullptr);
  const RowRange rows[] = {{0, 1}, {17, 20}, {49, 50}};
  const Result found = Packed(*packed, rows, queries, 7);
  const Result exact = Exact(vectors, rows, queries, 7);
  EXPECT_EQ(found.ids, exact.ids);
  EXPECT_EQ(found.similarities[5], kNone);
  const Result nothing = Packed(*packed, {}, queries, 7);
  EXPECT_THAT(nothing.ids, ::testing::Each(-1));
  EXPECT_THAT(nothing.similarities, ::testing::Each(kNone));
}

TEST(PackedVectorsTest, ZerosAreAsLikeAsEverything) {
  Vectors vectors(100, 64, 0, 10), queries(2, 64, 0, 11);
  std::fill_n(queries.values.begin(), 64, 0.0f);
  const auto packed = PackedVectors::Make(vectors.block(), 64);
  ASSERT_NE(packed, nullptr);
  const RowRange all = {0, 100};
  const Result found = Packed(*packed, {&all, 1}, queries, 3);
  EXPECT_THAT(std::vector(found.ids.begin(), found.ids.begin() + 3),
              ::testing::ElementsAre(0, 1, 2));
  EXPECT_EQ(found.similarities[0], 0);
  std::fill(vectors.values.begin(), vectors.values.end(), 0.0f);
  const auto zeros = PackedVectors::Make(vectors.block(), 64);
  ASSERT_NE(zeros, nullptr);
  EXPECT_THAT(Packed(*zeros, {&all, 1}, queries, 3).ids, ::testing::ElementsAre(0, 1, 2, 0, 1, 2));
}

TEST(PackedVectorsTest, AnyAddressWillDo) {
  const Vectors vectors(3'000, 24, 10, 12), queries(5, 24, 10, 13);
  std::vector<char> bytes(vectors.values.size() * sizeof(float) + 1);
  std::memcpy(bytes.data() + 1, vectors.values.data(), bytes.size() - 1);
  const auto aligned = PackedVectors::Make(vectors.block(), 24);
  const auto odd = PackedVectors::Make({bytes.data() + 1, vectors.count(), 0}, 24);
  ASSERT_TRUE(aligned != nullptr && odd != nullptr);
  const RowRange all = {0, vectors.count()};
  const Result expected = Packed(*aligned, {&all, 1}, queries, 10);
  const Result found = Packed(*odd, {&all, 1}, queries, 10);
  EXPECT_EQ(found.ids, expected.ids);
  EXPECT_EQ(found.similarities, expected.similarities);
}

TEST(PackedVectorsTest, LongVectorsAreNotPacked) {
  Vectors vectors(10, 64, 0, 14);
  EXPECT_NE(PackedVectors::Make(vectors.block(), 64), nullptr);
  for (int i = 0; i < 64; ++i) vectors.values[5 * 64 + i] *= 1.1f;
  EXPECT_EQ(PackedVectors::Make(vectors.block(), 64), nullptr);
}

}  // namespace
}  // namespace antiphon::index
