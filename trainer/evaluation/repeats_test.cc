#include "trainer/evaluation/repeats.h"

#include <gtest/gtest.h>

#include <vector>

namespace antiphon::trainer {
namespace {

TEST(RepeatsTest, ShareOfNumbersThatOccurMoreThanOnce) {
  EXPECT_DOUBLE_EQ(RepeatedShare(std::vector<uint64_t>{1, 2, 1, 3}), 0.5);
  EXPECT_DOUBLE_EQ(RepeatedShare({}), 0);
}

TEST(RepeatsTest, WithoutRepeatsNothingIsInTheWay) {
  const Ceiling ceiling = AllowedByRepeats(std::vector<RepeatablePlace>{{1, 1, 0.0}, {2, 2, 0.0}}, 0.003);
  EXPECT_DOUBLE_EQ(ceiling.to_score, 1);
  EXPECT_DOUBLE_EQ(ceiling.to_audio, 1);
}

// Four places: one by itself; three with the same notes, of which the first two lie within what is heard, the third
// elsewhere in its frame.
TEST(RepeatsTest, PlacesThatCannotBeHeardApartAreGuessed) {
  std::vector<RepeatablePlace> places = {{1, 1, 0.01}, {2, 2, 0.010}, {2, 3, 0.011}, {2, 4, 0.030}};
  Ceiling ceiling = AllowedByRepeats(places, 0.003);
  EXPECT_DOUBLE_EQ(ceiling.to_score, (1 + 0.5 + 0.5 + 1) / 4);
  EXPECT_DOUBLE_EQ(ceiling.to_audio, ceiling.to_score);
  places[2].score_window = 2;  // equal bit for bit: a tie, in which no sound finds its score
  ceiling = AllowedByRepeats(places, 0.003);
  EXPECT_DOUBLE_EQ(ceiling.to_score, 2.0 / 4);
  EXPECT_DOUBLE_EQ(ceiling.to_audio, 3.0 / 4);
}

}  // namespace
}  // namespace antiphon::trainer
