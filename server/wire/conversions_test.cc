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
  const music::TempoMap map = music::TempoMap::Create({{0, 1.0}}, {{0, 1, 4}, {1, 3, 4}}).value();
  const v1::Position upbeat = ToPosition(0, &map);
  EXPECT_TRUE(upbeat.has_beats());
  EXPECT_TRUE(upbeat.has_bar());
  EXPECT_EQ(upbeat.bar(), 0);
  EXPECT_EQ(upbeat.beat_in_bar(), 3);
  const v1::Position later = ToPosition(2.5, &map);
  EXPECT_EQ(later.beats(), 2.5);
  EXPECT_EQ(later.bar(), 1);
  EXPECT_EQ(later.beat_in_bar(), 2.5);
  // As clients that know no presence read it: a place in a recording, which is all 0 to them.
  EXPECT_EQ(ToPosition(1, nullptr).bar(), 0);
}

}  // namespace
}  // namespace antiphon::server
