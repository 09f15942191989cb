#include "server/services/warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;

std::string WhyOf(float level, const matching::QueryExcerpt& excerpt = {}) {
  return WhyTooLittle(audio::Waveform{std::vector<float>(4 * 22050, level), 22050}, excerpt, {});
}

TEST(WhyTooLittleTest, EachCauseOfSoundHasItsOwnWords) {
  EXPECT_THAT(WhyOf(0), HasSubstr("every sample is 0"));
  EXPECT_THAT(WhyOf(3e-5f), HasSubstr("nothing above -80 dB"));
  EXPECT_THAT(WhyOf(0.1f), HasSubstr("nothing begins or dies away"));
  EXPECT_THAT(WhyOf(0.1f, {.start_s = 3.5}), HasSubstr("0.50 s, where at least 1.0 s"));
  EXPECT_THAT(WhyOf(0.1f, {.start_s = 1, .end_s = 1.25}), HasSubstr("0.25 s"));
}

TEST(WhyTooLittleTest, EachCauseOfAScoreHasItsOwnWords) {
  music::Score score;
  EXPECT_THAT(WhyTooLittle(score, {}, {}), HasSubstr("no notes in it"));
  score.drum_notes = 300;
  EXPECT_THAT(WhyTooLittle(score, {}, {}), HasSubstr("all 300 are on drum channels"));
  score.notes.resize(1);
  score.notes[0].offset_s = score.notes[0].sounding_offset_s = score.duration_s = 0.4;
  EXPECT_THAT(WhyTooLittle(score, {}, {}), HasSubstr("too short to compare: 0.40 s"));
  EXPECT_THAT(WhyTooLittle(score, {.start_s = 0.5}, {}), HasSubstr("no notes"));
}

}  // namespace
}  // namespace antiphon::server
