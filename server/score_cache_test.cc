#include "server/score_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace antiphon::server {
namespace {

// Scores of 100 notes whose duration tells their number; counts what it is asked for.
struct CountingReader {
  absl::StatusOr<music::Score> operator()(int piece) const {
    ++reads;
    if (piece == 13) return absl::DataLossError("unreadable");
    music::Score score;
    score.notes.resize(100);
    score.duration_s = piece;
    return score;
  }
  static inline std::atomic<int> reads = 0;
};

class ScoreCacheTest : public ::testing::Test {
 protected:
  void SetUp() override { CountingReader::reads = 0; }
  ScoreCache cache_{CountingReader(), 250};  // room for two
};

TEST_F(ScoreCacheTest, ReadsAScoreOnce) {
  EXPECT_EQ((*cache_.Get(1))->duration_s, 1);
  EXPECT_EQ((*cache_.Get(1))->duration_s, 1);
  EXPECT_EQ(CountingReader::reads, 1);
}

TEST_F(ScoreCacheTest, DropsWhatWasUsedLongestAgo) {
  for (const int piece : {1, 2, 1, 3, 1}) EXPECT_EQ((*cache_.Get(piece))->duration_s, piece);
  EXPECT_EQ(CountingReader::reads, 3);
  ASSERT_TRUE(cache_.Get(2).ok());
  EXPECT_EQ(CountingReader::reads, 4) << "2 had to go for 3";
}

TEST_F(ScoreCacheTest, WhatWasHandedOutStaysValid) {
  const auto held = *cache_.Get(1);
  for (int piece = 2; piece < 10; ++piece) ASSERT_TRUE(cache_.Get(piece).ok());
  EXPECT_EQ(held->duration_s, 1);
}

TEST_F(ScoreCacheTest, FailuresAreNotKept) {
  EXPECT_EQ(cache_.Get(13).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(cache_.Get(13).ok());
  EXPECT_EQ(CountingReader::reads, 2);
}

TEST_F(ScoreCacheTest, ScoresTooLargeForItPassThrough) {
  ScoreCache tiny(CountingReader(), 10);
  EXPECT_EQ((*tiny.Get(4))->duration_s, 4);
  EXPECT_EQ((*tiny.Get(4))->duration_s, 4);
  EXPECT_EQ(CountingReader::reads, 2);
}

TEST_F(ScoreCacheTest, ServesManyThreads) {
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const int piece = (t + i) % 5;
        const auto score = cache_.Get(piece);
        if (!score.ok() || (*score)->duration_s != piece) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace antiphon::server
