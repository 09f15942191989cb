#include "core/alignment/beat_grid.h"

#include <gtest/gtest.h>

namespace antiphon::alignment {
namespace {

music::Score UpTo(double end_s) {
  music::Score score;
  music::Note note;
  note.offset_s = note.sounding_offset_s = end_s;
  score.notes = {note};
  score.duration_s = end_s;
  return score;
}

TEST(BeatGridTest, BarsOfATempoMapBeginAtTheirLines) {
  music::Score score = UpTo(7.9);
  // An upbeat of a beat, then 3/4; slower from the fifth beat on.
  score.tempo_map = *music::TempoMap::Create({{0, 0.5}, {4, 1.0}}, {{0, 1, 4}, {1, 3, 4}});
  const auto grid = BeatGrid(score);
  ASSERT_TRUE(grid.ok()) << grid.status();
  ASSERT_GE(grid->size(), 8u);
  EXPECT_EQ((*grid)[0].at_s, 0);
  EXPECT_TRUE((*grid)[0].starts_bar);
  EXPECT_TRUE((*grid)[1].starts_bar);
  EXPECT_FALSE((*grid)[2].starts_bar);
  EXPECT_TRUE((*grid)[4].starts_bar);
  EXPECT_NEAR((*grid)[5].at_s, 3.0, 1e-9);
}

TEST(BeatGridTest, BarsOfNotationAreThoseThatArePlayed) {
  music::Score score = UpTo(4.9);
  score.bars = {{.beat = 0, .length = 3}, {.beat = 3, .length = 3}, {.beat = 6, .length = 4.5}};
  const auto grid = BeatGrid(score);
  ASSERT_TRUE(grid.ok()) << grid.status();
  ASSERT_EQ(grid->size(), 11u);
  EXPECT_TRUE((*grid)[3].starts_bar);
  EXPECT_TRUE((*grid)[6].starts_bar);
  EXPECT_EQ((*grid)[9].quarters, 1);
  EXPECT_NEAR((*grid)[10].quarters, 0.5, 1e-9);
}

TEST(BeatGridTest, MoreBeatsThanAnyMusicHasAreRefused) {
  music::Score score = UpTo(1000);
  score.tempo_map = *music::TempoMap::Create({{0, 1e-4}}, {});
  EXPECT_EQ(BeatGrid(score).status().code(), absl::StatusCode::kResourceExhausted);
  score.tempo_map = *music::TempoMap::Create({{0, 1e-4}}, {{0, 1, 64}});
  EXPECT_EQ(BeatGrid(score).status().code(), absl::StatusCode::kResourceExhausted);
  score.bars = {{.beat = 0, .length = 1e12}};
  EXPECT_EQ(BeatGrid(score).status().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace antiphon::alignment
