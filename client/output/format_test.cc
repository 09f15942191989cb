#include "client/output/format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace antiphon::client {
namespace {

TEST(FormatTimeTest, CarriesWhatRoundsUpIntoMinutesAndHours) {
  EXPECT_EQ(FormatTime(0), "0:00.0");
  EXPECT_EQ(FormatTime(4.24), "0:04.2");
  EXPECT_EQ(FormatTime(59.96), "1:00.0");
  EXPECT_EQ(FormatTime(3599.97), "1:00:00.0");
  EXPECT_EQ(FormatTime(3723.4), "1:02:03.4");
}

TEST(FormatTimeTest, ShowsTheSignUnlessItRoundsAway) {
  EXPECT_EQ(FormatTime(-1.5), "-0:01.5");
  EXPECT_EQ(FormatTime(-0.01), "0:00.0");
}

TEST(FormatTimeTest, HasAnAnswerForWhatIsNoTime) {
  EXPECT_EQ(FormatTime(std::numeric_limits<double>::infinity()), "?");
  EXPECT_EQ(FormatTime(std::nan("")), "?");
  EXPECT_EQ(FormatTime(1e300), "?");
}

TEST(FormatTimeTest, ReadsBackWithinATwentiethOfASecond) {
  for (double seconds = 0; seconds < 8000; seconds += 7.77) {
    const auto back = ParseTime(FormatTime(seconds));
    ASSERT_TRUE(back.has_value()) << seconds;
    EXPECT_NEAR(*back, seconds, 0.05 + 1e-9);
  }
}

TEST(ParseTimeTest, TakesSecondsMinutesAndHours) {
  EXPECT_EQ(ParseTime("83.5"), 83.5);
  EXPECT_EQ(ParseTime("0"), 0);
  EXPECT_EQ(ParseTime("120"), 120);
  EXPECT_EQ(ParseTime("1:23.5"), 83.5);
  EXPECT_EQ(ParseTime("1:02:03"), 3723);
  EXPECT_EQ(ParseTime("90:00"), 5400);
}

TEST(ParseTimeTest, RefusesWhatIsNoTime) {
  for (const char* text : {"", ":", "1:", ":30", "-1", "1:60", "1.5:00", "1:2:3:4", "nan", "inf",
                           "1e3", "0x10", "5s", " 5", "1..2", "."}) {
    EXPECT_FALSE(ParseTime(text).has_value()) << text;
  }
}

TEST(FormatBarBeatTest, CountsAsAMusicianDoes) {
  EXPECT_EQ(FormatBarBeat("12", 3), "12:3");
  EXPECT_EQ(FormatBarBeat("12", 2.5), "12:2.5");
  EXPECT_EQ(FormatBarBeat("1", 1.3333333), "1:1.3");
  EXPECT_EQ(FormatBarBeat("4", 2.04), "4:2");
}

TEST(FormatBarBeatTest, AnUpbeatIsInBarZero) { EXPECT_EQ(FormatBarBeat("0", 4), "0:4"); }

TEST(FormatTempoTest, IsInPercentOfTheTempoWritten) {
  EXPECT_EQ(FormatTempo(1), "100 %");
  EXPECT_EQ(FormatTempo(0.9701), "97 %");
}

TEST(FormatCountTest, GroupsByThousands) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
  EXPECT_EQ(FormatCount(-123456), "-123,456");
}

TEST(FormatBytesTest, TakesTheLargestUnitThatFits) {
  EXPECT_EQ(FormatBytes(12), "12 bytes");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB");
  EXPECT_EQ(FormatBytes(64 << 20), "64 MiB");
  EXPECT_EQ(FormatBytes(int64_t{3} << 30), "3 GiB");
}

}  // namespace
}  // namespace antiphon::client
