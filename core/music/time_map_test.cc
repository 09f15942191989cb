#include "core/music/time_map.h"

#include <gtest/gtest.h>

#include <limits>

namespace antiphon::music {
namespace {

TEST(TimeMapTest, FollowsTheLinesBetweenItsPointsAndBeyondThem) {
  const absl::StatusOr<TimeMap> map = TimeMap::Create({{0, 10}, {2, 11}, {4, 15}});
  ASSERT_TRUE(map.ok());
  EXPECT_DOUBLE_EQ(map->To(1), 10.5);
  EXPECT_DOUBLE_EQ(map->To(2), 11);
  EXPECT_DOUBLE_EQ(map->To(3), 13);
  EXPECT_DOUBLE_EQ(map->To(-2), 9);
  EXPECT_DOUBLE_EQ(map->To(6), 19);
}

TEST(TimeMapTest, GoesBackToWhereItCameFrom) {
  const absl::StatusOr<TimeMap> map = TimeMap::Create({{-1, 0}, {0.3, 0.1}, {5, 9}, {5.1, 20}});
  ASSERT_TRUE(map.ok());
  for (double from_s = -3; from_s < 8; from_s += 0.07)
    EXPECT_NEAR(map->From(map->To(from_s)), from_s, 1e-9);
}

TEST(TimeMapTest, ASlopeIsALineThroughZero) {
  EXPECT_DOUBLE_EQ(TimeMap().To(7), 7);
  EXPECT_DOUBLE_EQ(TimeMap(0.5).To(8), 4);
  EXPECT_DOUBLE_EQ(TimeMap(0.5).From(-4), -8);
}

TEST(TimeMapTest, RefusesPointsThatDoNotAscend) {
  EXPECT_FALSE(TimeMap::Create({}).ok());
  EXPECT_FALSE(TimeMap::Create({{0, 0}}).ok());
  EXPECT_FALSE(TimeMap::Create({{0, 0}, {0, 1}}).ok());
  EXPECT_FALSE(TimeMap::Create({{0, 0}, {1, 0}}).ok());
  EXPECT_FALSE(TimeMap::Create({{0, 0}, {1, std::numeric_limits<double>::infinity()}}).ok());
  EXPECT_FALSE(
      TimeMap::Create({{0, 0}, {std::numeric_limits<double>::quiet_NaN(), 1}, {2, 2}}).ok());
}

}  // namespace
}  // namespace antiphon::music
