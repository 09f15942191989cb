#include "trainer/metrics/repeats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace antiphon::trainer::metrics {
namespace {

TEST(RepeatsTest, ShareOfNumbersThatOccurMoreThanOnce) {
  EXPECT_DOUBLE_EQ(RepeatedShare(std::vector<uint64_t>{1, 2, 1, 3}), 0.5);
  EXPECT_DOUBLE_EQ(RepeatedShare({}), 0);
}

TEST(RepeatsTest, WithoutRepeatsNothingIsInTheWay) {
  const Ceiling ceiling =
      AllowedByRepeats(std::vector<RepeatablePlace>{{1, 1, 1, 0.0}, {2, 2, 2, 0.0}}, 0.003);
  EXPECT_DOUBLE_EQ(ceiling.to_score, 1);
  EXPECT_DOUBLE_EQ(ceiling.to_audio, 1);
}

// Four places: one by itself; three with the same notes, of which the first two lie within what is
// heard, the third elsewhere in its frame.
TEST(RepeatsTest, PlacesThatCannotBeHeardApartAreGuessed) {
  std::vector<RepeatablePlace> places = {
      {1, 1, 1, 0.01}, {2, 2, 2, 0.010}, {2, 3, 3, 0.011}, {2, 4, 4, 0.030}};
  Ceiling ceiling = AllowedByRepeats(places, 0.003);
  EXPECT_DOUBLE_EQ(ceiling.to_score, (1 + 0.5 + 0.5 + 1) / 4);
  EXPECT_DOUBLE_EQ(ceiling.to_audio, ceiling.to_score);
  places[2].score_window = 2;  // equal bit for bit: a tie, in which no sound finds its score
  ceiling = AllowedByRepeats(places, 0.003);
  EXPECT_DOUBLE_EQ(ceiling.to_score, 2.0 / 4);
  EXPECT_DOUBLE_EQ(ceiling.to_audio, 3.0 / 4);
  places[3].audio_window = 1;  // two onsets in one frame: neither score finds its sound
  ceiling = AllowedByRepeats(places, 0.003);
  EXPECT_DOUBLE_EQ(ceiling.to_score, 2.0 / 4);
  EXPECT_DOUBLE_EQ(ceiling.to_audio, 1.0 / 4);
}

TEST(RepeatsTest, SaysHowFarTheNearestRepeatIs) {
  const std::vector<double> nearest = NearestRepeats(std::vector<RepeatablePlace>{
      {1, 1, 1, 0.01}, {2, 2, 2, 0.03}, {2, 3, 3, 0.01}, {2, 4, 4, 0.03}, {2, 5, 5, 0.0}});
  ASSERT_EQ(nearest.size(), 5u);
  EXPECT_TRUE(std::isinf(nearest[0]));
  EXPECT_EQ(nearest[1], 0);
  EXPECT_DOUBLE_EQ(nearest[2], 0.01);
  EXPECT_EQ(nearest[3], 0);
  EXPECT_DOUBLE_EQ(nearest[4], 0.01);
}

TEST(RepeatsTest, FindsWhereElseTheSameNotesAre) {
  // A tune of ten notes at 0, 10 and 20 s, the last time with two wrong notes; and once higher, at
  // 30 s.
  std::vector<music::Note> notes;
  for (int time = 0; time < 4; ++time) {
    for (int i = 0; i < 10; ++i) {
      music::Note note;
      note.onset_s = 10.0 * time + 0.5 * i + (time == 1 ? 0.02 : 0);
      note.pitch = 60 + (i * 7) % 12 + (time == 3 ? 1 : 0) + (time == 2 && i < 2 ? 2 : 0);
      notes.push_back(note);
    }
  }
  const std::vector<double> repeats = RepeatsOf(notes, 0, 5, 1);
  ASSERT_EQ(repeats.size(), 1u);
  EXPECT_NEAR(repeats.front(), 10.02, 1e-9);
  EXPECT_EQ(RepeatsOf(notes, 1, 4, 1).size(), 2u);  // without the notes that are wrong at 20 s
  EXPECT_TRUE(RepeatsOf(notes, 30, 5, 1).empty());
  EXPECT_TRUE(RepeatsOf(notes, 6, 3, 1).empty());  // silence
}

}  // namespace
}  // namespace antiphon::trainer::metrics
