#include "trainer/evaluation/background_music.h"

#include <gtest/gtest.h>

#include <string>

namespace antiphon::trainer::evaluation {
namespace {

TEST(BackwardsTest, TurnsTheMusicRound) {
  music::Score score;
  score.notes = {{0, 1, 1.5, 60}, {1, 2, 2, 64}, {1, 4, 4, 67}};
  const music::Score result = Backwards(score);
  ASSERT_EQ(result.notes.size(), 3u);
  EXPECT_EQ(result.notes[0].pitch, 67);
  EXPECT_DOUBLE_EQ(result.notes[0].onset_s, 0);
  EXPECT_DOUBLE_EQ(result.notes[0].offset_s, 3);
  EXPECT_EQ(result.notes[1].pitch, 64);
  EXPECT_DOUBLE_EQ(result.notes[1].onset_s, 2);
  EXPECT_EQ(result.notes[2].pitch, 60);
  EXPECT_DOUBLE_EQ(result.notes[2].onset_s, 3);
  EXPECT_DOUBLE_EQ(result.notes[2].sounding_offset_s, 4);
}

TEST(IsBackgroundPieceTest, KeepsAboutHalf) {
  int kept = 0;
  for (int i = 0; i < 1000; ++i) kept += IsBackgroundPiece("piece " + std::to_string(i));
  EXPECT_GT(kept, 430);
  EXPECT_LT(kept, 570);
}

TEST(MakeBackgroundTest, NeedsMusicAndASoundfontThatIsNotTheEvaluations) {
  Progress progress;
  EXPECT_TRUE(absl::IsInvalidArgument(MakeBackground({}, progress).status()));
  BackgroundOptions options;
  options.corpora = {{"/no/such"}};
  options.soundfonts = {"/usr/share/sounds/sf3/MuseScore_General.sf3"};
  EXPECT_FALSE(MakeBackground(options, progress).ok());
}

}  // namespace
}  // namespace antiphon::trainer::evaluation
