#include "core/index/sharded_device.h"

#include <gmock/gmock.h>

#include <memory>
#include <utility>
#include <vector>

#include "core/index/device_pool.h"
#include "core/index/fake_device.h"
#include "core/index/vector_index.h"
#include "core/testing/clustered_vectors.h"

namespace antiphon::index {
namespace {

constexpr int kDimension = 16;
constexpr int64_t kVectors = 10'001;
constexpr int kQueries = 30;
constexpr int kDevices = 3;

class ShardedDeviceTest : public ::testing::TestWithParam<IndexKind> {
 protected:
  ShardedDeviceTest() {
    for (int i = 0; i < kDevices; ++i) {
      states_.push_back(std::make_shared<FakeDeviceState>());
      states_.back()->name = "fake:" + std::to_string(i);
    }
  }

  std::shared_ptr<DevicePool> Pool(DevicePoolOptions options = {}) {
    std::vector<std::unique_ptr<Device>> devices;
    for (const auto& state : states_) devices.push_back(MakeFakeDevice(state));
    return DevicePool::Over(MakeShardedDevice(std::move(devices)), std::move(options));
  }

  std::unique_ptr<VectorIndex> Build(std::shared_ptr<DevicePool> pool) const {
    IndexOptions options;
    options.kind = GetParam();
    options.dimension = kDimension;
    options.ivf_lists = 50;
    options.devices = std::move(pool);
    return VectorIndex::Build(options, vectors_).value();
  }

  const std::vector<float> vectors_ = ClusteredUnitVectors(kVectors, kDimension, 100, 1);
  const std::vector<float> queries_ = ClusteredUnitVectors(kQueries, kDimension, 100, 1);
  std::vector<std::shared_ptr<FakeDeviceState>> states_;
};
INSTANTIATE_TEST_SUITE_P(Kinds, ShardedDeviceTest,
                         ::testing::Values(IndexKind::kFlat, IndexKind::kIvf),
                         [](const auto& info) { return std::string(IndexKindName(info.param)); });

TEST_P(ShardedDeviceTest, AnswersAsOne) {
  const auto pool = Pool();
  const auto sharded = Build(pool), on_cpu = Build(nullptr);
  EXPECT_EQ(pool->Status().device, "fake:0,fake:1,fake:2");
  const std::vector<RowRange> part = {{2'000, 9'000}};
  for (const int k : {1, 20, 500}) {
    const SearchResult found = sharded->Search(queries_, k).value();
    const SearchResult wanted = on_cpu->Search(queries_, k).value();
    for (size_t i = 0; i < found.ids.size(); ++i)
      EXPECT_NEAR(found.similarities[i], wanted.similarities[i], 1e-5) << i;
    if (GetParam() == IndexKind::kFlat) {
      EXPECT_EQ(sharded->Search(queries_, k, {.rows = part}).value().ids,
                on_cpu->Search(queries_, k, {.rows = part}).value().ids);
    }
  }
  for (const auto& state : states_) {
    EXPECT_EQ(state->copies, 1);
    EXPECT_GE(state->searches, 3);
  }
}

TEST_P(ShardedDeviceTest, EachHoldsAPart) {
  const auto index = Build(Pool());
  int64_t used = 0;
  for (const auto& state : states_) {
    EXPECT_LE(state->used, (kVectors / kDevices + 1) * kDimension * 4);
    used += state->used;
  }
  EXPECT_EQ(used, kVectors * kDimension * 4);
}

TEST_P(ShardedDeviceTest, OneThatIsLostLosesAll) {
  const auto pool = Pool();
  const auto index = Build(pool);
  states_[1]->gone = true;
  EXPECT_EQ(index->Search(queries_, 5).value().ids,
            Build(nullptr)->Search(queries_, 5).value().ids);
  EXPECT_FALSE(pool->Status().usable);
}

TEST_P(ShardedDeviceTest, OneThatIsFullKeepsTheIndexOff) {
  states_[2]->memory = 1'000;
  const auto pool = Pool();
  const auto index = Build(pool);
  EXPECT_EQ(pool->Status().indexes_left_out, 1);
  EXPECT_EQ(states_[0]->copies, 0);
  EXPECT_TRUE(index->Search(queries_, 5).ok());
}

TEST_P(ShardedDeviceTest, FewerVectorsThanDevices) {
  IndexOptions options;
  options.kind = GetParam();
  options.dimension = kDimension;
  options.ivf_probes = 1;
  options.devices = Pool();
  const auto two = std::span(vectors_).first(2 * kDimension);
  const auto index = VectorIndex::Build(options, two).value();
  const SearchResult found = index->Search(two, 1).value();
  EXPECT_THAT(found.ids, ::testing::ElementsAre(0, 1));
}

}  // namespace
}  // namespace antiphon::index
