#include "core/collection/background.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

namespace antiphon::collection {
namespace {

using catalog::Side;
using ::testing::HasSubstr;

constexpr int kDimension = 8;

CollectionView::SourceRun RandomRun(std::mt19937& random, int64_t count, double tempo_ratio) {
  CollectionView::SourceRun run;
  run.run = {.count = count, .tempo_ratio = tempo_ratio, .start_s = 3, .hop_s = 0.5, .window_s = 2};
  std::normal_distribution<float> normal;
  for (int64_t row = 0; row < count; ++row) {
    float square = 0;
    for (int i = 0; i < kDimension; ++i) {
      run.vectors.push_back(normal(random));
      square += run.vectors.back() * run.vectors.back();
    }
    for (auto it = run.vectors.end() - kDimension; it != run.vectors.end(); ++it)
      *it /= std::sqrt(square);
  }
  return run;
}

std::shared_ptr<const Background> Sample() {
  std::mt19937 random(1);
  std::vector<Background::Passage> scores, recordings;
  for (int i = 0; i < 3; ++i)
    scores.push_back({RandomRun(random, 10 + i, 1), RandomRun(random, 5, 1.4)});
  recordings.push_back({RandomRun(random, 7, 1)});
  return Background::Make("model", kDimension, scores, recordings).value();
}

TEST(BackgroundTest, FindsWhatItHolds) {
  const auto background = Sample();
  const CollectionView::SourceRun& run = background->passages(Side::kScores)[1][0];
  const auto found = background->Search(
      Side::kScores, std::span(run.vectors).subspan(4 * kDimension, kDimension), 2);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ(found->front().position.source, 1);
  EXPECT_DOUBLE_EQ(found->front().position.start_s, 3 + 4 * 0.5);
  EXPECT_DOUBLE_EQ(found->front().position.end_s, 3 + 4 * 0.5 + 2);
  EXPECT_NEAR(found->front().similarity, 1, 1e-5);
}

TEST(BackgroundTest, ComesBackFromItsBytes) {
  const auto background = Sample();
  const auto read = Background::Parse(background->ToBytes());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ((*read)->model_id(), "model");
  EXPECT_EQ((*read)->dimension(), kDimension);
  for (const Side side : {Side::kScores, Side::kRecordings}) {
    ASSERT_EQ((*read)->passages(side).size(), background->passages(side).size());
    for (size_t i = 0; i < background->passages(side).size(); ++i) {
      const Background::Passage &before = background->passages(side)[i],
                                &after = (*read)->passages(side)[i];
      ASSERT_EQ(after.size(), before.size());
      EXPECT_EQ(after[0].run.count, before[0].run.count);
      EXPECT_EQ(after[0].run.tempo_ratio, before[0].run.tempo_ratio);
      double cosine = 0;
      for (int k = 0; k < kDimension; ++k) cosine += after[0].vectors[k] * before[0].vectors[k];
      EXPECT_GT(cosine, 0.999);
    }
  }
}

TEST(BackgroundTest, DamageIsDataLoss) {
  const std::string bytes = Sample()->ToBytes();
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_TRUE(absl::IsDataLoss(Background::Parse(bytes.substr(0, length)).status())) << length;
  }
  EXPECT_THAT(Background::Parse(bytes + "x").status().message(), HasSubstr("goes on"));
  std::string other = bytes;
  other.replace(other.find("\"dimension\":8"), 13, "\"dimension\":0");
  EXPECT_TRUE(absl::IsDataLoss(Background::Parse(other).status()));
  other = bytes;
  other.replace(other.find("[[[10,"), 6, "[[[-1,");
  EXPECT_THAT(Background::Parse(other).status().message(), HasSubstr("out of range"));
}

TEST(BackgroundTest, PassagesMustBeWhole) {
  std::mt19937 random(2);
  CollectionView::SourceRun run = RandomRun(random, 4, 1);
  run.vectors.pop_back();
  EXPECT_TRUE(absl::IsInvalidArgument(Background::Make("model", kDimension, {{run}}, {}).status()));
  run = RandomRun(random, 4, 1);
  run.run.hop_s = 0;
  EXPECT_TRUE(absl::IsInvalidArgument(Background::Make("model", kDimension, {{run}}, {}).status()));
}

}  // namespace
}  // namespace antiphon::collection
