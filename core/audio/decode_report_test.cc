#include "core/audio/decode_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace antiphon::audio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(DecodeReportTest, NothingIsSaidWhereAllIsWell) {
  EXPECT_THAT(DecodeReport().Warnings(), IsEmpty());
  EXPECT_EQ(DecodeReport().DecodedShare(), 1);
  const DecodeReport padding{.decoded_s = 20, .missing_s = 0.05, .damaged_places = 1};
  EXPECT_THAT(padding.Warnings(), IsEmpty());
}

TEST(DecodeReportTest, SaysHowMuchAndWhere) {
  DecodeReport report{
      .decoded_s = 8.5, .missing_s = 1.5, .damaged_places = 1, .first_damage_s = 4.04};
  EXPECT_NEAR(report.DecodedShare(), 0.85, 1e-9);
  EXPECT_THAT(report.Warnings(),
              ElementsAre("about 1.5 s of the sound could not be decoded, 8.5 s could: the file is "
                          "damaged at 4.0 s"));
  report.damaged_places = 3;
  EXPECT_THAT(report.Warnings(), ElementsAre(HasSubstr("in 3 places, the first at 4.0 s")));
  report.damaged_places = 0;
  EXPECT_THAT(report.Warnings(), ElementsAre(HasSubstr("has less than it says")));
}

TEST(DecodeReportTest, NamesOtherTracks) {
  const DecodeReport report{.decoded_s = 5, .other_tracks = 2};
  EXPECT_THAT(report.Warnings(),
              ElementsAre("the file has 3 tracks of sound; the first one was used"));
}

}  // namespace
}  // namespace antiphon::audio
