#include "server/wire/conversions.h"

#include <gtest/gtest.h>

namespace antiphon::server {
namespace {

TEST(ToPositionTest, APlaceInARecordingHasNoBar) {
  const v1::Position position = ToPosition(1.5, nullptr);
  EXPECT_EQ(position.seconds(), 1.5);
  EXPECT_FALSE(position.has_beats());
  EXPECT_FALSE(position.has_bar());
  EXPECT_FALSE(position.has_beat_in_bar());
}

TEST(ToPositionTest, AnUpbeatIsBarZeroWhichIsSaid) {
  music::Score score;
  score.tempo_map = music::TempoMap::Create({{0, 1.0}}, {{0, 1, 4}, {1, 3, 4}}).value();
  const v1::Position upbeat = ToPosition(0, &score);
  EXPECT_TRUE(upbeat.has_beats());
  EXPECT_TRUE(upbeat.has_bar());
  EXPECT_EQ(upbeat.bar(), 0);
  EXPECT_EQ(upbeat.beat_in_bar(), 3);
  const v1::Position later = ToPosition(2.5, &score);
  EXPECT_EQ(later.beats(), 2.5);
  EXPECT_EQ(later.bar(), 1);
  EXPECT_EQ(later.beat_in_bar(), 2.5);
  EXPECT_EQ(later.bar_label(), "1");
  EXPECT_EQ(later.pass(), 1);
  EXPECT_EQ(later.written_beats(), 2.5);
  // As clients that know no presence read it: a place in a recording, which is all 0 to them.
  EXPECT_EQ(ToPosition(1, nullptr).bar(), 0);
}

TEST(ToPositionTest, ARepeatedBarHasItsPrintedNumberAndItsPass) {
  music::Score score;
  score.tempo_map = music::TempoMap::Create({{0, 1.0}}, {}).value();
  score.bars = {{0, 4, 0, 0, 4, 1, "12a", 1}, {4, 4, 0, 0, 4, 1, "12a", 2}};
  const v1::Position position = ToPosition(5, &score);
  EXPECT_EQ(position.bar(), 1);
  EXPECT_EQ(position.bar_label(), "12a");
  EXPECT_EQ(position.pass(), 2);
  EXPECT_EQ(position.beats(), 5);
  EXPECT_EQ(position.written_beats(), 1);
  EXPECT_FALSE(ToPosition(1, nullptr).has_bar_label());
}

}  // namespace
}  // namespace antiphon::server
