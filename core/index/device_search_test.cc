#include "core/index/device_search.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "core/index/fake_device.h"
#include "core/index/vector_index.h"
#include "core/testing/clustered_vectors.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::index {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kDimension = 32;
constexpr int64_t kVectors = 20'000;
constexpr int64_t kBytes = kVectors * kDimension * 4;
constexpr int kQueries = 40;
constexpr int kK = 10;

class DeviceTest : public ::testing::Test {
 protected:
  DeviceTest()
      : vectors_(ClusteredUnitVectors(kVectors, kDimension, 200, 1)),
        queries_(ClusteredUnitVectors(kQueries, kDimension, 200, 1)) {}

  std::shared_ptr<DevicePool> Pool(DevicePoolOptions options = {}) {
    options.device = "cuda:0";
    options.on_change = [this](const std::string& what) { told_.push_back(what); };
    return DevicePool::Over(MakeFakeDevice(state_), options);
  }

  static IndexOptions Options(IndexKind kind, std::shared_ptr<DevicePool> pool) {
    IndexOptions options;
    options.kind = kind;
    options.dimension = kDimension;
    options.ivf_lists = 100;
    options.packed_from = 2 * kVectors;  // on the CPU: exactly, as the device does
    options.devices = std::move(pool);
    return options;
  }

  std::unique_ptr<VectorIndex> Build(IndexKind kind, std::shared_ptr<DevicePool> pool) const {
    return VectorIndex::Build(Options(kind, std::move(pool)), vectors_).value();
  }

  SearchResult Search(const VectorIndex& index, int k = kK, const Scope& scope = {}) const {
    const auto result = index.Search(queries_, k, scope);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.value();
  }

  const std::vector<float> vectors_, queries_;
  const std::shared_ptr<FakeDeviceState> state_ = std::make_shared<FakeDeviceState>();
  std::vector<std::string> told_;
};

// The same neighbours in the same order, but for rounding.
void ExpectSame(const SearchResult& one, const SearchResult& other) {
  constexpr float kRounding = 1e-5F;
  ASSERT_EQ(one.ids.size(), other.ids.size());
  const auto ties_with = [&](size_t i, size_t next) {
    return next < one.ids.size() &&
           std::abs(one.similarities[i] - one.similarities[next]) < kRounding;
  };
  int same = 0;
  for (size_t i = 0; i < one.ids.size(); ++i) {
    EXPECT_EQ(one.ids[i] < 0, other.ids[i] < 0);
    if (one.ids[i] >= 0) {
      EXPECT_NEAR(one.similarities[i], other.similarities[i], kRounding);
    }
    same += one.ids[i] == other.ids[i] || ties_with(i, i + 1) || ties_with(i, i - 1);
  }
  EXPECT_GE(same, static_cast<int>(one.ids.size()) * 95 / 100);  // the last may tie with the next
}

// Every other run of `length` rows.
std::vector<RowRange> EveryOther(int64_t length) {
  std::vector<RowRange> rows;
  for (int64_t row = 0; row + length <= kVectors; row += 2 * length)
    rows.push_back({row, row + length});
  return rows;
}

class DeviceKindTest : public DeviceTest, public ::testing::WithParamInterface<IndexKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, DeviceKindTest,
                         ::testing::Values(IndexKind::kFlat, IndexKind::kIvf),
                         [](const auto& info) { return std::string(IndexKindName(info.param)); });

TEST_P(DeviceKindTest, AnswersAsTheCpuInEveryScope) {
  const auto pool = Pool();
  const auto on_device = Build(GetParam(), pool), on_cpu = Build(GetParam(), nullptr);
  const std::vector<RowRange> one = {{5'000, 17'000}}, few = {{700, 760}}, halves = EveryOther(3),
                              thirds = {{0, 6'000}, {9'000, 15'000}, {15'001, 15'002}};
  const VectorBlock beside = {queries_.data(), kQueries, kVectors};
  for (const int k : {1, 10, 300}) {
    ExpectSame(Search(*on_device, k), Search(*on_cpu, k));
    ExpectSame(Search(*on_device, k, {.beside = {&beside, 1}}),
               Search(*on_cpu, k, {.beside = {&beside, 1}}));
  }
  const int searches = state_->searches;
  EXPECT_GE(searches, 6);
  if (GetParam() == IndexKind::kIvf) return;  // elsewhere lists are followed otherwise
  for (const auto& rows : {one, few, halves, thirds}) {
    for (const int k : {1, 10, 300}) {
      const Scope scope = {.rows = rows, .beside = {&beside, 1}};
      ExpectSame(Search(*on_device, k, scope), Search(*on_cpu, k, scope));
    }
  }
  EXPECT_GT(state_->searches, searches);
  EXPECT_EQ(pool->Status().searches_on_cpu, 0);
}

TEST_F(DeviceTest, ListsInARestrictedScopeFindWhatIsThere) {
  const auto on_device = Build(IndexKind::kIvf, Pool());
  const auto exact = Build(IndexKind::kFlat, nullptr);
  for (const auto& rows : {EveryOther(3), std::vector<RowRange>{{4'000, 16'000}}}) {
    const SearchResult found = Search(*on_device, kK, {.rows = rows});
    const SearchResult all = Search(*exact, kK, {.rows = rows});
    int same = 0;
    for (int q = 0; q < kQueries; ++q) {
      for (int i = 0; i < kK; ++i) {
        const int64_t id = found.ids[q * kK + i];
        ASSERT_GE(id, 0);
        EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [&](const RowRange& range) {
          return range.first <= id && id < range.last;
        }));
        same += std::count(all.ids.begin() + q * kK, all.ids.begin() + (q + 1) * kK, id);
      }
    }
    EXPECT_GE(same, kQueries * kK * 95 / 100);
  }
  EXPECT_GT(state_->searches, 0);
}

// Neighbours out of scope crowd out those in scope: the device is asked for more, and what it
// cannot select is looked for on the CPU.
TEST_F(DeviceTest, WhatIsCrowdedOutOnTheDeviceIsStillFound) {
  // 3,000 vectors near the query, of which all but the last are out of scope, and others far away.
  std::vector<float> vectors = ClusteredUnitVectors(kVectors, kDimension, 0, 5);
  const std::vector<float> query(vectors.begin(), vectors.begin() + kDimension);
  for (int64_t row = 0; row < 3'000; ++row)
    std::copy(query.begin(), query.end(), vectors.begin() + row * kDimension);
  std::vector<RowRange> rows = {{2'999, 3'001}};
  for (int64_t row = 3'002; row < kVectors; row += 2) rows.push_back({row, row + 1});
  const auto pool = Pool();
  const auto on_device = VectorIndex::Build(Options(IndexKind::kFlat, pool), vectors).value();
  const auto on_cpu = VectorIndex::Build(Options(IndexKind::kFlat, nullptr), vectors).value();
  const SearchResult found = on_device->Search(query, kK, {.rows = rows}).value();
  EXPECT_EQ(found.ids, on_cpu->Search(query, kK, {.rows = rows}).value().ids);
  EXPECT_EQ(found.ids[0], 2'999);
  EXPECT_EQ(state_->searches, 2);
  EXPECT_EQ(pool->Status().searches_on_cpu, 0);
}

TEST_F(DeviceTest, MoreThanADeviceSelectsIsLookedForOnTheCpu) {
  const auto pool = Pool();
  const auto index = Build(IndexKind::kFlat, pool);
  const SearchResult found = Search(*index, 3'000);
  EXPECT_EQ(found.ids, Search(*Build(IndexKind::kFlat, nullptr), 3'000).ids);
  EXPECT_EQ(state_->searches, 0);
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(DeviceTest, ListsOfEightBitsAreAskedForFewerNeighbours) {
  const auto pool = Pool({.precision = DevicePrecision::kInt8});
  const auto index = Build(IndexKind::kIvf, pool);
  Search(*index, 512);
  Search(*index, 400, {.rows = EveryOther(3)});  // is asked for more, of which most are dropped
  EXPECT_GE(state_->searches, 2);
  const int before = state_->searches;
  Search(*index, 1'000);
  EXPECT_EQ(state_->searches, before);
  EXPECT_TRUE(pool->Status().usable);
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(DeviceTest, Float16IsWithinItsRounding) {
  const auto pool = Pool({.precision = DevicePrecision::kFloat16});
  const SearchResult found = Search(*Build(IndexKind::kFlat, pool));
  const SearchResult exact = Search(*Build(IndexKind::kFlat, nullptr));
  EXPECT_NE(found.similarities, exact.similarities);
  for (size_t i = 0; i < found.ids.size(); ++i)
    EXPECT_NEAR(found.similarities[i], exact.similarities[i], 2e-3);
}

TEST_F(DeviceTest, WhatIsAddedIsFoundOnTheDevice) {
  const auto pool = Pool();
  const auto index = Build(IndexKind::kFlat, pool);
  ASSERT_TRUE(index->Add(queries_).ok());
  const SearchResult found = Search(*index, 1);
  for (int q = 0; q < kQueries; ++q) EXPECT_NEAR(found.similarities[q], 1, 1e-5);
  EXPECT_EQ(pool->Status().indexes, 1);
  EXPECT_EQ(pool->Status().bytes, (kVectors + kQueries) * kDimension * 4);
  EXPECT_EQ(pool->Status().searches, 1);
}

TEST_F(DeviceTest, AnIndexLeavesTheDeviceWhenItGoes) {
  const auto pool = Pool();
  auto one = Build(IndexKind::kFlat, pool), other = Build(IndexKind::kFlat, pool);
  EXPECT_EQ(pool->Status().indexes, 2);
  EXPECT_EQ(pool->Status().device, "fake:0");
  EXPECT_EQ(pool->Status().bytes, 2 * kBytes);
  one.reset();
  EXPECT_EQ(pool->Status().bytes, kBytes);
  EXPECT_EQ(state_->used, kBytes);
  other.reset();
  EXPECT_EQ(pool->Status().device, "cpu");
  EXPECT_EQ(pool->Status().bytes, 0);
}

TEST_F(DeviceTest, AnIndexThatDoesNotFitIsNotCopiedButSearchedOnTheCpu) {
  state_->working = 1'000;
  for (const bool bound : {true, false}) {
    told_.clear();
    const int copies = state_->copies;
    state_->memory = bound ? int64_t{1} << 40 : kBytes + 999;
    const auto pool = Pool({.memory_bytes = bound ? kBytes + 999 : 0});
    const auto index = Build(IndexKind::kFlat, pool);
    EXPECT_EQ(Search(*index).ids, Search(*Build(IndexKind::kFlat, nullptr)).ids);
    EXPECT_EQ(state_->copies, copies);
    EXPECT_THAT(told_, ElementsAre(AllOf(HasSubstr("on the CPU"), HasSubstr("MiB"))));
    const DeviceStatus status = pool->Status();
    EXPECT_TRUE(status.wanted);
    EXPECT_TRUE(status.usable);
    EXPECT_EQ(status.device, "cpu");
    EXPECT_EQ(status.indexes, 0);
    EXPECT_EQ(status.indexes_left_out, 1);
    EXPECT_EQ(status.searches_on_cpu, 1);
    EXPECT_THAT(status.problem, HasSubstr("an index takes 3 MiB"));
  }
}

TEST_F(DeviceTest, AnIndexThatFitsExactlyIsCopied) {
  state_->working = 1'000;
  state_->memory = kBytes + 1'000;
  const auto pool = Pool({.memory_bytes = kBytes + 1'000});
  const auto index = Build(IndexKind::kFlat, pool);
  EXPECT_EQ(pool->Status().indexes, 1);
  EXPECT_EQ(pool->Status().bytes, kBytes + 1'000);
  EXPECT_EQ(pool->Status().bytes_allowed, kBytes + 1'000);
}

TEST_F(DeviceTest, AnIndexComesBackWhenThereIsRoom) {
  const auto pool = Pool({.memory_bytes = kBytes * 3 / 2, .pause = absl::ZeroDuration()});
  auto before = Build(IndexKind::kFlat, pool);
  const auto after = Build(IndexKind::kFlat, pool);  // as a reload does, which holds both
  Search(*after);
  EXPECT_EQ(pool->Status().indexes_left_out, 1);
  before.reset();
  Search(*after);
  EXPECT_EQ(pool->Status().indexes_left_out, 0);
  EXPECT_EQ(pool->Status().indexes, 1);
  EXPECT_THAT(pool->Status().problem, IsEmpty());
  EXPECT_EQ(state_->searches, 1);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("on the CPU"), HasSubstr("fake:0 again")));
}

TEST_F(DeviceTest, WithoutRoomItIsNotTriedAtEverySearch) {
  state_->copying = absl::ResourceExhaustedError("out of memory");
  const auto pool = Pool({.pause = absl::Hours(1)});
  const auto index = Build(IndexKind::kFlat, pool);
  state_->copying = absl::OkStatus();
  Search(*index);
  EXPECT_EQ(state_->copies, 0);
  EXPECT_EQ(pool->Status().bytes, 0);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("out of memory")));
}

TEST_F(DeviceTest, ASearchWithoutMemoryIsMadeOnTheCpuAndTheDeviceAskedLater) {
  state_->before_search = [](int search) {
    return search == 2 ? absl::ResourceExhaustedError("full") : absl::OkStatus();
  };
  const auto exact = Search(*Build(IndexKind::kFlat, nullptr));
  const auto pool = Pool({.pause = absl::ZeroDuration()});
  const auto index = Build(IndexKind::kFlat, pool);
  for (int i = 0; i < 3; ++i) ExpectSame(Search(*index), exact);
  EXPECT_EQ(state_->searches, 3);
  EXPECT_EQ(pool->Status().searches, 2);
  EXPECT_EQ(pool->Status().searches_on_cpu, 1);
  EXPECT_TRUE(pool->Status().usable);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("full"), HasSubstr("again")));
}

TEST_F(DeviceTest, ALostDeviceIsGivenUpAndSaidOnce) {
  const auto exact = Search(*Build(IndexKind::kFlat, nullptr));
  state_->before_search = [](int search) {
    return search >= 3 ? absl::UnavailableError("fell off the bus") : absl::OkStatus();
  };
  const auto pool = Pool({.pause = absl::ZeroDuration()});
  const auto one = Build(IndexKind::kFlat, pool), other = Build(IndexKind::kIvf, pool);
  for (int i = 0; i < 6; ++i) {
    ExpectSame(Search(*one), exact);
    Search(*other);
  }
  EXPECT_EQ(state_->searches, 3);
  EXPECT_THAT(told_, ElementsAre(AllOf(HasSubstr("CPU"), HasSubstr("fell off the bus"))));
  const DeviceStatus status = pool->Status();
  EXPECT_FALSE(status.usable);
  EXPECT_TRUE(status.wanted);
  EXPECT_EQ(status.device, "cpu");
  EXPECT_EQ(status.indexes_left_out, 2);
  EXPECT_EQ(status.searches_on_cpu, 10);
  EXPECT_EQ(status.problem, "fell off the bus");
  // What is opened later does not try.
  const auto later = Build(IndexKind::kFlat, pool);
  ExpectSame(Search(*later), exact);
  EXPECT_EQ(state_->copies, 2);
  EXPECT_EQ(told_.size(), 1u);
}

TEST_F(DeviceTest, AGraphIsSearchedOnTheCpuAndThatIsSaid) {
  const auto pool = Pool();
  IndexOptions options = Options(IndexKind::kHnsw, pool);
  const auto index = VectorIndex::Build(options, vectors_).value();
  Search(*index);
  EXPECT_EQ(state_->searches, 0);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("hnsw")));
  EXPECT_EQ(pool->Status().indexes_left_out, 1);
}

TEST_F(DeviceTest, AMissingGpuIsSaid) {
  std::vector<std::string> told;
  const auto pool =
      DevicePool::Open({.device = "cuda:63",
                        .on_change = [&](const std::string& what) { told.push_back(what); }})
          .value();
  EXPECT_THAT(told, ElementsAre(AllOf(HasSubstr("CPU"), HasSubstr("cuda:63"))));
  const auto index = Build(IndexKind::kFlat, pool);
  EXPECT_EQ(Search(*index).ids, Search(*Build(IndexKind::kFlat, nullptr)).ids);
  EXPECT_TRUE(pool->Status().wanted);
  EXPECT_FALSE(pool->Status().usable);
  EXPECT_EQ(pool->Status().indexes_left_out, 1);
  EXPECT_THAT(pool->Status().problem, HasSubstr("cuda:63"));
}

TEST_F(DeviceTest, NobodyMissesAGpuThatWasNotAskedFor) {
  std::vector<std::string> told;
  for (const char* device : {"cpu", "auto"}) {
    const auto pool =
        DevicePool::Open(
            {.device = device, .on_change = [&](const std::string& what) { told.push_back(what); }})
            .value();
    if (pool->Status().usable) continue;  // a machine with a GPU
    const auto index = Build(IndexKind::kFlat, pool);
    Search(*index);
    EXPECT_FALSE(pool->Status().wanted);
    EXPECT_EQ(pool->Status().indexes_left_out, 0);
    EXPECT_EQ(pool->Status().searches_on_cpu, 0);
  }
  EXPECT_THAT(told, IsEmpty());
}

TEST(DeviceNameTest, NamesAreChecked) {
  for (const char* name : {"cpu", "auto", "cuda:0", "cuda:12", "cuda:0,cuda:1", "cuda:1,cuda:0"})
    EXPECT_TRUE(CheckDeviceName(name).ok()) << name;
  for (const char* name :
       {"", "tpu", "cuda", "cuda:", "cuda:-1", "cuda:x", "cuda:1x", "cuda:99999", "CPU",
        "cuda:0,cuda:0", "cuda:0,cpu", "auto,cuda:0", "cuda:0,", "cuda:0, cuda:1"}) {
    EXPECT_EQ(CheckDeviceName(name).code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_FALSE(DevicePool::Open({.device = name}).ok()) << name;
  }
}

// Requests that come while the device is at work go together in the next run.
TEST_F(DeviceTest, RequestsThatWaitAreSearchedForTogether) {
  constexpr int kThreads = 16;
  std::atomic<int> begun = 0;
  state_->before_search = [&](int search) {
    // The first run lasts until all others wait.
    while (search == 1 && begun < kThreads) std::this_thread::yield();
    if (search == 1) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return absl::OkStatus();
  };
  const auto pool = Pool();
  const auto index = Build(IndexKind::kFlat, pool);
  const auto exact = Build(IndexKind::kFlat, nullptr);
  const auto search = [&](int thread) {
    ++begun;
    // Different queries, and as many of them as the number says; other neighbours, too.
    const auto own = std::span(queries_).subspan(thread * kDimension, (1 + thread) * kDimension);
    const int k = 9 + thread % 3;
    ExpectSame(index->Search(own, k).value(), exact->Search(own, k).value());
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(search, i);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(state_->searches, 2);
  EXPECT_EQ(state_->queries, kThreads * (kThreads + 1) / 2);
  EXPECT_EQ(state_->most_at_once, 1);
  EXPECT_EQ(pool->Status().searches, kThreads);
  EXPECT_EQ(pool->Status().batches, 2);
}

TEST_F(DeviceTest, ARequestAloneDoesNotWaitForOthers) {
  const auto index = Build(IndexKind::kFlat, Pool());
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) Search(*index);
  EXPECT_EQ(state_->searches, 20);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(DeviceTest, ManyThreadsWithAllKindsOfSearches) {
  const auto pool = Pool();
  const auto index = Build(IndexKind::kFlat, pool), exact = Build(IndexKind::kFlat, nullptr);
  const std::vector<RowRange> part = {{2'000, 18'000}};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 12; ++i) {
        const auto own =
            std::span(queries_).subspan((t * 3 + i) % kQueries * kDimension, kDimension);
        const int k = i % 2 == 0 ? 10 : 100;
        const Scope scope = i % 3 == 0 ? Scope{.rows = part} : Scope{};
        ExpectSame(index->Search(own, k, scope).value(), exact->Search(own, k, scope).value());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pool->Status().searches, 8 * 12);
  EXPECT_LE(pool->Status().batches, 8 * 12);
  EXPECT_EQ(state_->most_at_once, 1);
}

// All who wait for a device that is lost are answered.
TEST_F(DeviceTest, WhoWaitsForALostDeviceIsAnsweredByTheCpu) {
  state_->before_search = [](int search) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return search >= 2 ? absl::UnavailableError("gone") : absl::OkStatus();
  };
  const auto pool = Pool();
  const auto index = Build(IndexKind::kFlat, pool), exact = Build(IndexKind::kFlat, nullptr);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3; ++i) ExpectSame(Search(*index), Search(*exact));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(pool->Status().usable);
  EXPECT_EQ(state_->searches, 2);
  EXPECT_EQ(pool->Status().searches + pool->Status().searches_on_cpu, 24);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("gone")));
}

TEST_F(DeviceTest, ASearchThatThrowsKeepsNobodyWaiting) {
  state_->before_search = [](int search) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (search <= 2) throw std::bad_alloc();
    return absl::OkStatus();
  };
  const auto pool = Pool({.pause = absl::ZeroDuration()});
  const auto index = Build(IndexKind::kFlat, pool), exact = Build(IndexKind::kFlat, nullptr);
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3; ++i) ExpectSame(Search(*index), Search(*exact));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(pool->Status().usable);
  EXPECT_EQ(pool->Status().indexes, 1);
  EXPECT_GE(pool->Status().searches_on_cpu, 2);
}

TEST_F(DeviceTest, ListsAreLearntAndFilledOnTheDevice) {
  const testing::TemporaryFolder folder;
  const auto pool = Pool();
  IndexOptions options = Options(IndexKind::kIvf, nullptr);
  options.build_devices = pool;
  const auto built = VectorIndex::Build(options, vectors_).value();
  const int searches = state_->searches;
  EXPECT_GE(searches, 10);  // a run for each round of k-means, and one to sort the vectors
  EXPECT_GE(state_->queries, kVectors);
  EXPECT_EQ(pool->Status().indexes, 0);
  ASSERT_TRUE(built->Save(folder.path() + "/index").ok());
  const auto loaded =
      VectorIndex::Load(folder.path() + "/index", Options(IndexKind::kIvf, nullptr)).value();
  EXPECT_EQ(loaded->Reconstruct(0, kVectors).value(), vectors_);
  const SearchResult found = Search(*loaded);
  EXPECT_EQ(found.ids, Search(*built).ids);
  EXPECT_EQ(state_->searches, searches);  // neither has anything on the device
  ExpectSame(found, Search(*Build(IndexKind::kIvf, nullptr)));
}

TEST_F(DeviceTest, ADeviceLostWhileListsAreLearntIsNoFailure) {
  state_->before_search = [](int search) {
    return search >= 4 ? absl::UnavailableError("gone") : absl::OkStatus();
  };
  IndexOptions options = Options(IndexKind::kIvf, nullptr);
  options.build_devices = Pool();
  const auto built = VectorIndex::Build(options, vectors_).value();
  EXPECT_EQ(state_->searches, 4);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("gone")));
  ExpectSame(Search(*built), Search(*Build(IndexKind::kIvf, nullptr)));
}

}  // namespace
}  // namespace antiphon::index
