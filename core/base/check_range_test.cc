#include "core/base/check_range.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace antiphon {
namespace {

TEST(CheckRange, BothEndsAreIncluded) {
  constexpr Range<int> kRange = {1, 9};
  for (const int value : {1, 5, 9}) EXPECT_TRUE(CheckRange("option", value, kRange).ok()) << value;
  for (const int value : {0, 10, std::numeric_limits<int>::min()})
    EXPECT_FALSE(CheckRange("option", value, kRange).ok()) << value;
}

TEST(CheckRange, TheMessageNamesOptionValueAndRange) {
  const absl::Status status = CheckRange("max-streams", 0, Range<int>{1, 1024});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "max-streams: 0 is not in 1 to 1024");
  EXPECT_EQ(CheckRange("delay", 1000.5, Range<double>{0, 1000}).message(),
            "delay: 1000.5 is not in 0 to 1000");
}

TEST(CheckRange, WhatIsNotANumberIsInNoRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(CheckRange("option", nan, Range<double>{-infinity, infinity}).ok());
  EXPECT_TRUE(CheckRange("option", infinity, Range<double>{0, infinity}).ok());
}

TEST(CheckRange, TheValueTakesTheTypeOfTheRange) {
  EXPECT_TRUE(CheckRange("option", 3, Range<int64_t>{0, int64_t{1} << 40}).ok());
  EXPECT_FALSE(CheckRange("option", 0.5f, Range<double>{0.75, 1}).ok());
}

}  // namespace
}  // namespace antiphon
