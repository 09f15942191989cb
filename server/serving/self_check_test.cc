#include "server/serving/self_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;

// As if the index had been made by another model: the same embeddings, their components in another
// order.
class OtherEncoder final : public testing::FakeEncoder {
 public:
  using FakeEncoder::FakeEncoder;
  absl::StatusOr<std::vector<float>> Encode(std::span<const uint8_t> windows) const override {
    auto embeddings = FakeEncoder::Encode(windows);
    if (!embeddings.ok()) return embeddings;
    const auto dimension = static_cast<std::ptrdiff_t>(info_.dimension);
    for (auto row = embeddings->begin(); row < embeddings->end(); row += dimension)
      std::reverse(row, row + dimension);
    return embeddings;
  }
};

class TryOutTest : public ::testing::Test {
 protected:
  std::shared_ptr<const retrieval::BundleCollection> Collection(
      int pieces, std::shared_ptr<const encoder::WindowEncoder> other = nullptr) {
    auto parts = testing::MakeTestCollection(folder_.path(), {.pieces = pieces});
    if (other != nullptr) parts->score_encoder = std::move(other);
    return std::make_shared<const retrieval::BundleCollection>(std::move(parts));
  }

  testing::TemporaryFolder folder_;
};

TEST_F(TryOutTest, ACollectionFindsItself) {
  const auto collection = Collection(6);
  const absl::Status status = CheckFindsItself(*collection);
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(TryOutTest, AnIndexOfAnotherModelIsFoundOut) {
  const auto collection = Collection(6, std::make_shared<OtherEncoder>(encoder::Modality::kScore));
  const absl::Status status = CheckFindsItself(*collection);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'piece-0' does not find itself"));
}

TEST_F(TryOutTest, AnEncoderThatFailsIsFoundOut) {
  auto broken = std::make_shared<testing::FakeEncoder>(encoder::Modality::kScore);
  broken->failure = absl::InternalError("broken");
  const auto collection = Collection(2, broken);
  EXPECT_EQ(CheckFindsItself(*collection).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(WarmUp(*collection).code(), absl::StatusCode::kInternal);
}

TEST_F(TryOutTest, AnEmptyCollectionPasses) {
  const auto collection = Collection(0);
  EXPECT_TRUE(CheckFindsItself(*collection).ok());
}

TEST_F(TryOutTest, WarmingUpGoesThroughBothEncoders) {
  const auto score = std::make_shared<testing::FakeEncoder>(encoder::Modality::kScore);
  const auto collection = Collection(2, score);
  ASSERT_TRUE(WarmUp(*collection).ok());
  EXPECT_GT(score->calls(), 0);
}

}  // namespace
}  // namespace antiphon::server
