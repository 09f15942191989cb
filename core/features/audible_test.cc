#include "core/features/audible.h"

#include <gtest/gtest.h>

#include <vector>

namespace antiphon::features {
namespace {

// `seconds` of 4 bands at one level each.
FeatureSequence Levels(double seconds, uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  FeatureSequence sequence{.channels = 1, .bands = 4, .frame_rate = 21, .cells = {}};
  for (int frame = 0; frame < seconds * 21; ++frame)
    sequence.cells.insert(sequence.cells.end(), {a, b, c, d});
  return sequence;
}

TEST(AudibleTest, SilenceIsNot) {
  EXPECT_FALSE(IsAudible({}));
  EXPECT_FALSE(IsAudible(Levels(4, 0, 0, 0, 0)));
  FeatureSequence audio = Levels(4, 30, 59, 30, 59);
  audio.cells[4 * 40 + 1] = 20;
  EXPECT_FALSE(IsAudible(audio)) << "nothing reaches -70 dB";
  audio.cells[4 * 40 + 2] = 60;
  EXPECT_TRUE(IsAudible(audio));
}

TEST(AudibleTest, QuietRecordingsAreRaisedAndDitherIsNot) {
  EXPECT_EQ(PeakOf({}), 0);
  EXPECT_EQ(PeakOf(std::vector<float>{0.1f, -0.3f, 0.2f}), 0.3f);
  for (const float peak : {1.5f, 1.0f, 0.1f, 0.01f}) EXPECT_EQ(GainFor(peak), 1) << peak;
  for (const float peak : {0.0099f, 1e-3f, 2e-4f}) EXPECT_FLOAT_EQ(GainFor(peak) * peak, 0.1f);
  // Two steps of 16 bits, which is what dither comes to.
  EXPECT_EQ(GainFor(2.0f / 32768), 1);
  EXPECT_EQ(GainFor(0), 1);
}

TEST(AudibleTest, AHumIsNotHoweverLoud) {
  EXPECT_FALSE(IsAudible(Levels(4, 200, 180, 90, 0)));
  EXPECT_TRUE(IsAudible(Levels(1, 200, 180, 90, 0))) << "too short to tell";
}

TEST(AudibleTest, OneBandThatDecaysIsEnoughUnlessItIsFarBelowTheLoudest) {
  const auto decaying = [](int level) {
    FeatureSequence audio = Levels(4, 200, 180, 90, 0);
    for (int frame = 0; frame < audio.frames(); ++frame) {
      audio.cells[4 * frame + 2] = static_cast<uint8_t>(level - frame / 8);
    }
    return audio;
  };
  EXPECT_TRUE(IsAudible(decaying(180)));
  EXPECT_FALSE(IsAudible(decaying(130)));
}

TEST(AudibleTest, HowASoundIsCutOffDoesNotMatter) {
  FeatureSequence audio = Levels(4, 200, 180, 90, 0);
  for (int frame = 0; frame < 8; ++frame) audio.cells[4 * frame] = static_cast<uint8_t>(20 * frame);
  EXPECT_FALSE(IsAudible(audio));
}

}  // namespace
}  // namespace antiphon::features
