// Searches that may find some rows only, of every kind of index, against comparing everything.
#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <set>

#include "core/index/row_ranges.h"
#include "core/index/vector_index.h"
#include "core/testing/clustered_vectors.h"

namespace antiphon::index {
namespace {

constexpr int kDimension = 32;
constexpr int64_t kVectors = 6'000;
constexpr int64_t kQueries = 60;
constexpr int kK = 10;

IndexOptions Options(IndexKind kind) {
  IndexOptions options;
  options.kind = kind;
  options.dimension = kDimension;
  return options;
}

std::unique_ptr<VectorIndex> Build(IndexKind kind, std::span<const float> vectors) {
  auto index = VectorIndex::Build(Options(kind), vectors);
  EXPECT_TRUE(index.ok()) << index.status();
  return *std::move(index);
}

SearchResult Search(const VectorIndex& index, std::span<const float> queries, const Scope& scope,
                    int k = kK) {
  auto result = index.Search(queries, k, scope);
  EXPECT_TRUE(result.ok()) << result.status();
  return *std::move(result);
}

// Ranges that hold about `part` of the rows, in stretches of up to `longest`.
std::vector<RowRange> RandomRanges(std::mt19937& random, double part, int64_t longest) {
  std::vector<RowRange> ranges;
  for (int64_t row = 0; row < kVectors;) {
    const int64_t last = std::min<int64_t>(row + 1 + random() % longest, kVectors);
    if (std::uniform_real_distribution(0.0, 1.0)(random) < part) ranges.push_back({row, last});
    row = last;
  }
  if (ranges.empty()) ranges.push_back({0, 1});
  return ranges;
}

// Ids and vectors of the rows in scope.
struct Subset {
  std::vector<int64_t> ids;
  std::vector<float> vectors;
};
Subset SubsetOf(const std::vector<float>& vectors, std::span<const RowRange> ranges) {
  Subset subset;
  for (const RowRange& range : ranges) {
    for (int64_t row = range.first; row < range.last; ++row) subset.ids.push_back(row);
    subset.vectors.insert(subset.vectors.end(), vectors.begin() + range.first * kDimension,
                          vectors.begin() + range.last * kDimension);
  }
  return subset;
}

// What a flat index of the subset alone answers, by the ids of the whole.
SearchResult Expected(const Subset& subset, std::span<const float> queries, int k = kK) {
  SearchResult result = Search(*Build(IndexKind::kFlat, subset.vectors), queries, {}, k);
  for (int64_t& id : result.ids) id = id < 0 ? id : subset.ids[id];
  return result;
}

double Recall(const SearchResult& found, const SearchResult& exact) {
  int64_t common = 0, wanted = 0;
  for (size_t q = 0; q < exact.ids.size() / exact.k; ++q) {
    std::set<int64_t> ids(exact.ids.begin() + q * exact.k, exact.ids.begin() + (q + 1) * exact.k);
    ids.erase(-1);
    wanted += static_cast<int64_t>(ids.size());
    for (int i = 0; i < found.k; ++i) common += ids.count(found.ids[q * found.k + i]);
  }
  return static_cast<double>(common) / static_cast<double>(wanted);
}

void ExpectSame(const SearchResult& found, const SearchResult& exact) {
  ASSERT_EQ(found.ids.size(), exact.ids.size());
  for (size_t i = 0; i < exact.ids.size(); ++i) {
    ASSERT_EQ(found.ids[i], exact.ids[i]) << "place " << i;
    ASSERT_EQ(found.similarities[i], exact.similarities[i]) << "place " << i;
  }
}

class ScopedSearchTest : public ::testing::TestWithParam<IndexKind> {
 protected:
  const std::vector<float> vectors_ = ClusteredUnitVectors(kVectors, kDimension, 60, 1);
  const std::vector<float> queries_ = ClusteredUnitVectors(kQueries, kDimension, 60, 1);
  const std::unique_ptr<VectorIndex> index_ = Build(GetParam(), vectors_);
};
INSTANTIATE_TEST_SUITE_P(Kinds, ScopedSearchTest,
                         ::testing::Values(IndexKind::kFlat, IndexKind::kHnsw, IndexKind::kIvf),
                         [](const auto& info) { return std::string(IndexKindName(info.param)); });

TEST_P(ScopedSearchTest, FindsOnlyWhatIsInScopeAndNearlyAllThatIsNearest) {
  std::mt19937 random(3);
  for (const double part : {0.001, 0.05, 0.12, 0.3, 0.7, 0.98}) {
    for (const int64_t longest : {1, 40, 1000}) {
      const std::vector<RowRange> ranges = RandomRanges(random, part, longest);
      const Subset subset = SubsetOf(vectors_, ranges);
      const SearchResult exact = Expected(subset, queries_);
      const SearchResult found = Search(*index_, queries_, {.rows = ranges});
      for (const int64_t id : found.ids) ASSERT_TRUE(id < 0 || ContainsRow(ranges, id)) << id;
      // Whatever the kind, there are as many neighbours as there can be.
      for (size_t i = 0; i < exact.ids.size(); ++i) ASSERT_EQ(found.ids[i] < 0, exact.ids[i] < 0);
      EXPECT_GE(Recall(found, exact), 0.97) << part << " in stretches of " << longest;
      const bool scanned = GetParam() == IndexKind::kFlat || subset.ids.size() < kVectors / 10;
      if (scanned) ExpectSame(found, exact);
    }
  }
}

TEST_P(ScopedSearchTest, ExactIsExactWhateverTheKind) {
  std::mt19937 random(4);
  ExpectSame(Search(*index_, queries_, {.exact = true}),
             Expected(SubsetOf(vectors_, {{{0, kVectors}}}), queries_));
  for (const double part : {0.2, 0.9}) {
    const std::vector<RowRange> ranges = RandomRanges(random, part, 30);
    ExpectSame(Search(*index_, queries_, {.rows = ranges, .exact = true}),
               Expected(SubsetOf(vectors_, ranges), queries_));
  }
}

TEST_P(ScopedSearchTest, WholeClustersOutOfScopeLeaveNoGap) {
  // Everything near the queries is out of scope: a graph has to go far to find what is left.
  const SearchResult nearest = Search(*index_, queries_, {.exact = true}, 300);
  const std::set<int64_t> near(nearest.ids.begin(), nearest.ids.end());
  std::vector<RowRange> ranges;
  for (int64_t row = 0; row < kVectors; ++row) {
    if (near.contains(row)) continue;
    if (ranges.empty() || ranges.back().last != row) ranges.push_back({row, row});
    ++ranges.back().last;
  }
  ASSERT_LT(CountRows(ranges), kVectors);
  const SearchResult found = Search(*index_, queries_, {.rows = ranges});
  for (const int64_t id : found.ids) ASSERT_TRUE(ContainsRow(ranges, id)) << id;
}

TEST_P(ScopedSearchTest, VectorsBesideAreFoundAmongTheOthers) {
  std::mt19937 random(5);
  // The same as the first of those in the index.
  const auto more = ClusteredUnitVectors(900, kDimension, 60, 1);
  const std::vector<VectorBlock> beside = {{more.data(), 400, kVectors},
                                           {more.data() + 400 * kDimension, 0, kVectors + 400},
                                           {more.data() + 400 * kDimension, 500, kVectors + 1000}};
  for (const double part : {0.02, 0.5, 1.0}) {
    const std::vector<RowRange> ranges = RandomRanges(random, part, 50);
    Subset subset = SubsetOf(vectors_, ranges);
    for (const VectorBlock& block : beside) {
      for (int64_t i = 0; i < block.count; ++i) subset.ids.push_back(block.first_id + i);
    }
    subset.vectors.insert(subset.vectors.end(), more.begin(), more.end());
    const SearchResult exact = Expected(subset, queries_);
    const SearchResult found = Search(*index_, queries_, {.rows = ranges, .beside = beside});
    EXPECT_GE(Recall(found, exact), 0.97) << part;
    if (GetParam() == IndexKind::kFlat) ExpectSame(found, exact);
    if (GetParam() != IndexKind::kIvf) {
      ExpectSame(Search(*index_, queries_, {.rows = ranges, .exact = true, .beside = beside}),
                 exact);
    }
    // Equal similarities, of the same vectors in the index and beside it, come by rising id.
    for (size_t i = 1; i < found.ids.size(); ++i) {
      if (i % kK != 0 && found.similarities[i] == found.similarities[i - 1]) {
        EXPECT_GT(found.ids[i], found.ids[i - 1]);
      }
    }
  }
}

TEST_P(ScopedSearchTest, NothingInScopeFindsNothingAndABesideFindsItself) {
  const SearchResult none = Search(*index_, queries_, {.rows = std::span<const RowRange>()});
  EXPECT_THAT(none.ids, ::testing::Each(-1));
  EXPECT_THAT(none.similarities, ::testing::Each(-std::numeric_limits<float>::infinity()));
  const VectorBlock beside = {queries_.data(), kQueries, kVectors};
  const auto empty = Build(GetParam(), {});
  for (const VectorIndex* index : {empty.get(), index_.get()}) {
    const SearchResult found =
        Search(*index, queries_,
               {.rows = std::span<const RowRange>(), .beside = std::span(&beside, 1)}, 1);
    for (int64_t q = 0; q < kQueries; ++q) EXPECT_EQ(found.ids[q], kVectors + q);
  }
}

TEST_P(ScopedSearchTest, RefusesRangesThatAreNone) {
  for (const std::vector<RowRange>& ranges :
       std::vector<std::vector<RowRange>>{{{-1, 5}},
                                          {{5, 5}},
                                          {{7, 3}},
                                          {{0, kVectors + 1}},
                                          {{5, 10}, {9, 12}},
                                          {{5, 10}, {0, 2}}}) {
    const auto result = index_->Search(queries_, kK, {.rows = ranges});
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument) << ranges[0].first;
    EXPECT_THAT(result.status().message(), ::testing::HasSubstr("scope"));
  }
}

}  // namespace
}  // namespace antiphon::index
