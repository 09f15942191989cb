#include "core/collection/score_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace antiphon::collection {
namespace {

class ScoreCacheTest : public ::testing::Test {
 protected:
  // A score of 100 notes whose duration tells its number.
  static absl::StatusOr<std::shared_ptr<const music::Score>> Get(ScoreCache& cache, int number,
                                                                 std::atomic<int>& reads) {
    return cache.Get(absl::StrCat("piece", number), [&]() -> absl::StatusOr<music::Score> {
      ++reads;
      if (number == 13) return absl::DataLossError("unreadable");
      music::Score score;
      score.notes.resize(100);
      score.duration_s = number;
      return score;
    });
  }
  auto Get(int number) { return Get(cache_, number, reads_); }

  ScoreCache cache_{250};  // room for two
  std::atomic<int> reads_ = 0;
};

TEST_F(ScoreCacheTest, ReadsAScoreOnce) {
  EXPECT_EQ((*Get(1))->duration_s, 1);
  EXPECT_EQ((*Get(1))->duration_s, 1);
  EXPECT_EQ(reads_, 1);
}

TEST_F(ScoreCacheTest, DropsWhatWasUsedLongestAgo) {
  for (const int piece : {1, 2, 1, 3, 1}) EXPECT_EQ((*Get(piece))->duration_s, piece);
  EXPECT_EQ(reads_, 3);
  ASSERT_TRUE(Get(2).ok());
  EXPECT_EQ(reads_, 4) << "2 had to go for 3";
}

TEST_F(ScoreCacheTest, WhatWasHandedOutStaysValid) {
  const auto held = *Get(1);
  for (int piece = 2; piece < 10; ++piece) ASSERT_TRUE(Get(piece).ok());
  EXPECT_EQ(held->duration_s, 1);
}

TEST_F(ScoreCacheTest, FailuresAreNotKept) {
  EXPECT_EQ(Get(13).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(Get(13).ok());
  EXPECT_EQ(reads_, 2);
}

TEST_F(ScoreCacheTest, ScoresTooLargeForItPassThrough) {
  ScoreCache tiny(10);
  EXPECT_EQ((*Get(tiny, 4, reads_))->duration_s, 4);
  EXPECT_EQ((*Get(tiny, 4, reads_))->duration_s, 4);
  EXPECT_EQ(reads_, 2);
}

TEST_F(ScoreCacheTest, ServesManyThreads) {
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const int piece = (t + i) % 5;
        const auto score = Get(piece);
        if (!score.ok() || (*score)->duration_s != piece) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace antiphon::collection
