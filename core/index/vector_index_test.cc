#include "core/index/vector_index.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include "core/testing/clustered_vectors.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::index {
namespace {

constexpr int kDimension = 32;
constexpr IndexKind kKinds[] = {IndexKind::kFlat, IndexKind::kHnsw, IndexKind::kIvf};

IndexOptions Options(IndexKind kind) {
  IndexOptions options;
  options.kind = kind;
  options.dimension = kDimension;
  return options;
}

std::unique_ptr<VectorIndex> Build(const IndexOptions& options, std::span<const float> vectors) {
  auto index = VectorIndex::Build(options, vectors);
  EXPECT_TRUE(index.ok()) << index.status();
  return *std::move(index);
}

SearchResult Search(const VectorIndex& index, std::span<const float> queries, int k) {
  auto result = index.Search(queries, k);
  EXPECT_TRUE(result.ok()) << result.status();
  return *std::move(result);
}

// The part of the exact k best that `found` has too.
double Recall(const SearchResult& found, const SearchResult& exact) {
  int64_t common = 0;
  for (size_t q = 0; q < exact.ids.size() / exact.k; ++q) {
    const std::set<int64_t> wanted(exact.ids.begin() + q * exact.k,
                                   exact.ids.begin() + (q + 1) * exact.k);
    for (int i = 0; i < found.k; ++i) common += wanted.count(found.ids[q * found.k + i]);
  }
  return static_cast<double>(common) / exact.ids.size();
}

// Equal up to rounding: the same similarities, and each id has its own inner product with the
// query.
void ExpectSameUpToRounding(const SearchResult& a, const SearchResult& b) {
  ASSERT_EQ(a.similarities.size(), b.similarities.size());
  size_t same_ids = 0;
  for (size_t i = 0; i < a.ids.size(); ++i) {
    EXPECT_NEAR(a.similarities[i], b.similarities[i], 1e-6);
    same_ids += a.ids[i] == b.ids[i];
  }
  EXPECT_GE(same_ids, a.ids.size() * 99 / 100);  // equals may swap places
}

class VectorIndexTest : public ::testing::TestWithParam<IndexKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, VectorIndexTest, ::testing::ValuesIn(kKinds),
                         [](const auto& info) { return std::string(IndexKindName(info.param)); });

TEST(IndexKindTest, NamesRoundTrip) {
  for (const IndexKind kind : kKinds) EXPECT_EQ(ParseIndexKind(IndexKindName(kind)).value(), kind);
  EXPECT_EQ(ParseIndexKind("annoy").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(VectorIndexTest, RecallAgainstExactSearch) {
  for (const int clusters : {200, 0}) {
    const auto all = ClusteredUnitVectors(10'200, kDimension, clusters, 1);
    const std::span<const float> vectors = std::span(all).first(10'000 * kDimension);
    const std::span<const float> queries = std::span(all).subspan(10'000 * kDimension);
    IndexOptions options = Options(GetParam());
    // Evenly spread vectors have no lists to speak of: more of them have to be looked into.
    if (clusters == 0) options.ivf_probes = 200;
    const auto index = Build(options, vectors);
    const auto exact = Build(Options(IndexKind::kFlat), vectors);
    EXPECT_GE(Recall(Search(*index, queries, 10), Search(*exact, queries, 10)), 0.95)
        << clusters << " clusters";
  }
}

TEST_P(VectorIndexTest, StoredVectorsFindThemselves) {
  const auto vectors = ClusteredUnitVectors(2'000, kDimension, 50, 2);
  const auto index = Build(Options(GetParam()), vectors);
  ASSERT_EQ(index->size(), 2'000);
  EXPECT_EQ(index->kind(), GetParam());
  const SearchResult result = Search(*index, vectors, 1);
  int found = 0;
  for (int64_t i = 0; i < 2'000; ++i)
    found += result.ids[i] == i && std::abs(result.similarities[i] - 1) < 1e-5;
  EXPECT_GE(found, 1'990);
}

TEST_P(VectorIndexTest, SimilaritiesFallAndAreInnerProducts) {
  const auto vectors = ClusteredUnitVectors(3'000, kDimension, 50, 3);
  const auto queries = ClusteredUnitVectors(40, kDimension, 0, 4);
  const auto index = Build(Options(GetParam()), vectors);
  const SearchResult result = Search(*index, queries, 20);
  for (int64_t q = 0; q < 40; ++q) {
    for (int i = 0; i < 20; ++i) {
      const int64_t id = result.ids[q * 20 + i];
      ASSERT_GE(id, 0);
      const auto vector = index->Reconstruct(id, 1).value();
      double product = 0;
      for (int j = 0; j < kDimension; ++j)
        product += double{vector[j]} * queries[q * kDimension + j];
      EXPECT_NEAR(result.similarities[q * 20 + i], product, 1e-5);
      if (i > 0) {
        EXPECT_LE(result.similarities[q * 20 + i], result.similarities[q * 20 + i - 1]);
      }
    }
  }
}

TEST_P(VectorIndexTest, BatchesAndThreadsChangeNothing) {
  const auto vectors = ClusteredUnitVectors(20'000, kDimension, 100, 5);
  const auto queries = ClusteredUnitVectors(50, kDimension, 100, 6);
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/index";
  ASSERT_TRUE(Build(Options(GetParam()), vectors)->Save(path).ok());
  SearchResult reference;
  for (const int threads : {1, 2, 5}) {
    IndexOptions options = Options(GetParam());
    options.threads = threads;
    const auto index = VectorIndex::Load(path, options).value();
    const SearchResult whole = Search(*index, queries, 10);
    if (threads == 1) reference = whole;
    ExpectSameUpToRounding(whole, reference);
    for (const int64_t batch : {1, 7, 30}) {
      SearchResult parts{10, {}, {}};
      for (int64_t q = 0; q < 50; q += batch) {
        const int64_t count = std::min<int64_t>(batch, 50 - q);
        const SearchResult part =
            Search(*index, std::span(queries).subspan(q * kDimension, count * kDimension), 10);
        parts.ids.insert(parts.ids.end(), part.ids.begin(), part.ids.end());
        parts.similarities.insert(parts.similarities.end(), part.similarities.begin(),
                                  part.similarities.end());
      }
      ExpectSameUpToRounding(parts, reference);
    }
  }
}

TEST_P(VectorIndexTest, ConcurrentSearchesAgree) {
  const auto vectors = ClusteredUnitVectors(10'000, kDimension, 100, 7);
  const auto queries = ClusteredUnitVectors(25, kDimension, 100, 8);
  const auto index = Build(Options(GetParam()), vectors);
  const SearchResult reference = Search(*index, queries, 10);
  std::vector<SearchResult> results(4);
  std::vector<std::thread> threads;
  for (SearchResult& result : results) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) result = index->Search(queries, 10).value();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const SearchResult& result : results) ExpectSameUpToRounding(result, reference);
}

TEST_P(VectorIndexTest, AddGoesOnNumbering) {
  const auto vectors = ClusteredUnitVectors(4'000, kDimension, 50, 9);
  const std::span<const float> all(vectors);
  const auto whole = Build(Options(GetParam()), vectors);
  const auto grown = Build(Options(GetParam()), all.first(3'000 * kDimension));
  ASSERT_TRUE(grown->Add(all.subspan(3'000 * kDimension)).ok());
  ASSERT_EQ(grown->size(), 4'000);
  EXPECT_EQ(grown->Reconstruct(0, 4'000).value(), vectors);
  const auto queries = ClusteredUnitVectors(100, kDimension, 50, 9);
  EXPECT_GE(Recall(Search(*grown, queries, 10), Search(*whole, queries, 10)), 0.95);
}

TEST_P(VectorIndexTest, EmptyIndexAnswersNothingAndCanGrow) {
  const auto index = Build(Options(GetParam()), {});
  const auto vectors = ClusteredUnitVectors(300, kDimension, 10, 10);
  const SearchResult none = Search(*index, std::span(vectors).first(2 * kDimension), 3);
  EXPECT_THAT(none.ids, ::testing::Each(-1));
  EXPECT_THAT(none.similarities, ::testing::Each(-std::numeric_limits<float>::infinity()));
  EXPECT_EQ(none.ids.size(), 6u);
  ASSERT_TRUE(index->Add(vectors).ok());
  EXPECT_EQ(Search(*index, std::span(vectors).first(kDimension), 1).ids[0], 0);
}

TEST_P(VectorIndexTest, FewerVectorsThanAskedForArePadded) {
  const auto vectors = ClusteredUnitVectors(3, kDimension, 0, 11);
  const auto index = Build(Options(GetParam()), vectors);
  const SearchResult result = Search(*index, vectors, 8);
  for (int q = 0; q < 3; ++q) {
    const auto first = result.ids.begin() + q * 8;
    EXPECT_THAT(std::vector<int64_t>(first, first + 3), ::testing::UnorderedElementsAre(0, 1, 2));
    for (int i = 3; i < 8; ++i) {
      EXPECT_EQ(result.ids[q * 8 + i], -1);
      EXPECT_EQ(result.similarities[q * 8 + i], -std::numeric_limits<float>::infinity());
    }
  }
  EXPECT_TRUE(Search(*index, {}, 5).ids.empty());
}

TEST_P(VectorIndexTest, MoreNeighboursThanTheSearchBreadth) {
  const auto vectors = ClusteredUnitVectors(3'000, kDimension, 5, 12);
  IndexOptions options = Options(GetParam());
  options.hnsw_search_breadth = 8;
  options.ivf_probes = 1000;
  const auto index = Build(options, vectors);
  const SearchResult result = Search(*index, std::span(vectors).first(kDimension), 500);
  EXPECT_EQ(std::set<int64_t>(result.ids.begin(), result.ids.end()).size(), 500u);
  EXPECT_THAT(result.ids, ::testing::Each(::testing::Ge(0)));
}

TEST_P(VectorIndexTest, SavedAndLoadedIsTheSame) {
  const auto vectors = ClusteredUnitVectors(3'000, kDimension, 50, 13);
  const auto queries = ClusteredUnitVectors(30, kDimension, 50, 14);
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/index";
  const auto index = Build(Options(GetParam()), vectors);
  ASSERT_TRUE(index->Save(path).ok());
  // The file says the kind.
  const auto loaded = VectorIndex::Load(path, Options(IndexKind::kFlat)).value();
  EXPECT_EQ(loaded->kind(), GetParam());
  EXPECT_EQ(loaded->size(), 3'000);
  const SearchResult before = Search(*index, queries, 10), after = Search(*loaded, queries, 10);
  EXPECT_EQ(after.ids, before.ids);
  EXPECT_EQ(after.similarities, before.similarities);
  EXPECT_EQ(loaded->Reconstruct(0, 3'000).value(), vectors);
  ASSERT_TRUE(loaded->Add(queries).ok());
  EXPECT_EQ(loaded->Reconstruct(3'000, 30).value(), queries);
  EXPECT_EQ(Search(*loaded, std::span(queries).first(kDimension), 1).ids[0], 3'000);
}

TEST_P(VectorIndexTest, EmptyIndexSurvivesSaving) {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/index";
  ASSERT_TRUE(Build(Options(GetParam()), {})->Save(path).ok());
  const auto loaded = VectorIndex::Load(path, Options(GetParam()));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ((*loaded)->size(), 0);
}

TEST_P(VectorIndexTest, RefusesWhatIsNotFiniteOrNoMultiple) {
  auto vectors = ClusteredUnitVectors(10, kDimension, 0, 15);
  const auto index = Build(Options(GetParam()), vectors);
  const auto short_by_one = std::span(vectors).first(10 * kDimension - 1);
  EXPECT_EQ(index->Add(short_by_one).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(index->Search(short_by_one, 1).status().code(), absl::StatusCode::kInvalidArgument);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    vectors[5 * kDimension + 3] = bad;
    for (const absl::Status& status : {VectorIndex::Build(Options(GetParam()), vectors).status(),
                                       index->Add(vectors), index->Search(vectors, 1).status()}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
      EXPECT_THAT(status.message(), ::testing::HasSubstr("number 5"));
    }
  }
  EXPECT_EQ(index->size(), 10);
}

TEST_P(VectorIndexTest, RefusesArgumentsOutOfRange) {
  const auto vectors = ClusteredUnitVectors(10, kDimension, 0, 16);
  const auto index = Build(Options(GetParam()), vectors);
  for (const int k : {-1, 0, 10'001}) {
    EXPECT_EQ(index->Search(vectors, k).status().code(), absl::StatusCode::kInvalidArgument) << k;
  }
  for (const auto& [first, count] : {std::pair<int64_t, int64_t>{-1, 1},
                                     {0, 11},
                                     {10, 1},
                                     {0, -1},
                                     {11, 0},
                                     {5, std::numeric_limits<int64_t>::max()}}) {
    EXPECT_EQ(index->Reconstruct(first, count).status().code(), absl::StatusCode::kOutOfRange)
        << first;
  }
  EXPECT_TRUE(index->Reconstruct(10, 0).value().empty());
}

// A flat index that is large enough to be searched in a copy of eight bits a value, and left in its
// file: as the default has it, but from fewer vectors on.
class PackedIndexTest : public ::testing::Test {
 protected:
  static constexpr int64_t kVectors = 8'000;

  PackedIndexTest() { options_.packed_from = 1'000; }

  void SetUp() override {
    built_ = Build(options_, vectors_);
    ASSERT_TRUE(built_->Save(path_).ok());
    loaded_ = VectorIndex::Load(path_, options_).value();
  }

  IndexOptions options_ = Options(IndexKind::kFlat);
  const testing::TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/index";
  const std::vector<float> vectors_ = ClusteredUnitVectors(kVectors, kDimension, 60, 21);
  const std::vector<float> queries_ = ClusteredUnitVectors(40, kDimension, 60, 22);
  std::unique_ptr<VectorIndex> built_, loaded_;
};

TEST_F(PackedIndexTest, FindsWhatExactSearchFinds) {
  const auto exact = Build(Options(IndexKind::kFlat), vectors_);
  for (const int k : {1, 25, 200}) {
    const SearchResult nearest = Search(*exact, queries_, k);
    EXPECT_GE(Recall(Search(*loaded_, queries_, k), nearest), 0.999) << k;
    const SearchResult compared = loaded_->Search(queries_, k, {.exact = true}).value();
    EXPECT_EQ(compared.ids, nearest.ids);
    EXPECT_EQ(compared.similarities, nearest.similarities);
  }
  // Ties and order too: of each neighbour that both have, the place is the same.
  ExpectSameUpToRounding(Search(*loaded_, queries_, 10), Search(*exact, queries_, 10));
}

TEST_F(PackedIndexTest, BuiltAndLoadedAreTheSame) {
  const SearchResult one = Search(*built_, queries_, 10), other = Search(*loaded_, queries_, 10);
  EXPECT_EQ(one.ids, other.ids);
  EXPECT_EQ(one.similarities, other.similarities);
  EXPECT_EQ(loaded_->Reconstruct(0, kVectors).value(), vectors_);
}

TEST_F(PackedIndexTest, ScopesAndVectorsBesideAreSearchedByManyThreadsAtOnce) {
  // What edits make of a collection: pieces gone, others beside.
  const std::vector<RowRange> left = {{0, 3'001}, {3'050, 7'000}, {7'003, kVectors}};
  const auto added = ClusteredUnitVectors(300, kDimension, 60, 23);
  const VectorBlock beside = {added.data(), 300, kVectors};
  const Scope edited = {.rows = left, .beside = {&beside, 1}};
  const SearchResult before = Search(*loaded_, queries_, 20);
  const SearchResult after = loaded_->Search(queries_, 20, edited).value();
  Scope exact = edited;
  exact.exact = true;
  EXPECT_GE(Recall(after, loaded_->Search(queries_, 20, exact).value()), 0.999);
  int found_beside = 0;
  for (const int64_t id : after.ids) {
    found_beside += id >= kVectors ? 1 : 0;
    EXPECT_FALSE(id >= 3'001 && id < 3'050) << id;
  }
  EXPECT_GT(found_beside, 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 10; ++round) {
        const bool now = (t + round) % 2 == 0;
        const auto result = loaded_->Search(queries_, 20, now ? edited : Scope{});
        ASSERT_TRUE(result.ok());
        EXPECT_EQ(result->ids, now ? after.ids : before.ids);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(PackedIndexTest, WhatIsAddedIsFoundAndTheFileMayBeReplaced) {
  const auto more = ClusteredUnitVectors(50, kDimension, 0, 24);
  ASSERT_TRUE(loaded_->Add(more).ok());
  ASSERT_EQ(loaded_->size(), kVectors + 50);
  const SearchResult found = Search(*loaded_, more, 1);
  for (int64_t i = 0; i < 50; ++i) EXPECT_EQ(found.ids[i], kVectors + i);
  // Another index reads the former file while it is replaced by the longer one, and on.
  const auto reader = VectorIndex::Load(path_, options_).value();
  const SearchResult before = Search(*reader, queries_, 10);
  ASSERT_TRUE(loaded_->Save(path_).ok());
  EXPECT_EQ(Search(*reader, queries_, 10).similarities, before.similarities);
  EXPECT_EQ(reader->Reconstruct(0, kVectors).value(), vectors_);
  ASSERT_TRUE(reader->Save(path_).ok());  // over the other, and its own former one
  EXPECT_EQ(VectorIndex::Load(path_, options_).value()->size(), kVectors);
}

TEST_F(PackedIndexTest, RefusesWhatIsNotFinite) {
  std::vector<float> queries = queries_;
  queries[5] = std::nanf("");
  EXPECT_EQ(loaded_->Search(queries, 5).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(loaded_->Add(queries).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PackedIndexTest, LongVectorsAreComparedExactly) {
  std::vector<float> vectors = vectors_;
  for (float& value : vectors) value *= 50;
  const auto index = Build(options_, vectors);
  EXPECT_EQ(Search(*index, queries_, 10).ids,
            Search(*Build(Options(IndexKind::kFlat), vectors), queries_, 10).ids);
}

TEST_F(PackedIndexTest, AnEmptyOneAndMoreNeighboursThanVectors) {
  options_.packed_from = 1;
  const auto empty = Build(options_, {});
  EXPECT_EQ(Search(*empty, queries_, 3).ids, std::vector<int64_t>(40 * 3, -1));
  const auto few = Build(options_, std::span(vectors_).first(5 * kDimension));
  const SearchResult found = Search(*few, queries_, 8);
  const SearchResult exact = few->Search(queries_, 8, {.exact = true}).value();
  EXPECT_EQ(found.ids, exact.ids);
}

TEST(VectorIndexOptionsTest, EachFieldIsChecked) {
  const std::vector<std::pair<std::string, void (*)(IndexOptions&)>> faults = {
      {"dimension", [](IndexOptions& o) { o.dimension = 0; }},
      {"dimension", [](IndexOptions& o) { o.dimension = 4097; }},
      {"hnsw_links", [](IndexOptions& o) { o.hnsw_links = 3; }},
      {"hnsw_build_breadth", [](IndexOptions& o) { o.hnsw_build_breadth = 0; }},
      {"hnsw_search_breadth", [](IndexOptions& o) { o.hnsw_search_breadth = 4001; }},
      {"ivf_lists", [](IndexOptions& o) { o.ivf_lists = -1; }},
      {"ivf_probes", [](IndexOptions& o) { o.ivf_probes = 0; }},
      {"ivf_probes", [](IndexOptions& o) { o.ivf_lists = 8, o.ivf_probes = 9; }},
      {"packed_from", [](IndexOptions& o) { o.packed_from = 0; }},
      {"threads", [](IndexOptions& o) { o.threads = -1; }},
      {"device_memory_mib", [](IndexOptions& o) { o.device_memory_mib = -1; }},
      {"device", [](IndexOptions& o) { o.device = "tpu"; }},
      {"device", [](IndexOptions& o) { o.device = "cuda:-1"; }},
  };
  for (const auto& [field, fault] : faults) {
    IndexOptions options = Options(IndexKind::kFlat);
    fault(options);
    const absl::Status status = VectorIndex::Build(options, {}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_THAT(status.message(), ::testing::HasSubstr(field));
  }
}

TEST(VectorIndexOptionsTest, AnyDeviceRunsAnywhere) {
  const auto vectors = ClusteredUnitVectors(500, kDimension, 10, 17);
  for (const IndexKind kind : kKinds) {
    const SearchResult on_cpu = Search(*Build(Options(kind), vectors), vectors, 3);
    for (const char* device : {"auto", "cuda:63", "cuda:62,cuda:63"}) {
      IndexOptions options = Options(kind);
      options.device = device;
      ExpectSameUpToRounding(Search(*Build(options, vectors), vectors, 3), on_cpu);
    }
  }
}

}  // namespace
}  // namespace antiphon::index
