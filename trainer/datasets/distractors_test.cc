#include "trainer/datasets/distractors.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace antiphon::trainer::datasets {
namespace {

std::set<uint64_t> Range(uint64_t begin, uint64_t end) {
  std::set<uint64_t> values;
  for (uint64_t i = begin; i < end; ++i) values.insert(i);
  return values;
}

TEST(EditionsTest, ShareEnoughAndEnoughOfTheShorter) {
  EXPECT_TRUE(AreEditions(Range(0, 100), Range(50, 150)));
  EXPECT_TRUE(AreEditions(Range(0, 1000), Range(0, 10))) << "an excerpt of the piece";
  EXPECT_FALSE(AreEditions(Range(0, 100), Range(90, 190))) << "10 % is a coincidence";
  EXPECT_FALSE(AreEditions(Range(0, 7), Range(0, 7))) << "too little to tell";
  EXPECT_FALSE(AreEditions({}, {}));
}

TEST(EditionsTest, EditionsOfEditionsAreOneWork) {
  const std::vector<int> works = WorksOf(
      {Range(0, 100), Range(1000, 1100), Range(50, 150), Range(110, 200), Range(5000, 5001)});
  EXPECT_EQ(works[0], works[2]);
  EXPECT_EQ(works[2], works[3]) << "through the third piece";
  EXPECT_NE(works[0], works[1]);
  EXPECT_NE(works[0], works[4]);
  EXPECT_NE(works[1], works[4]);
}

music::Score Scale(int base) {
  music::Score score;
  for (int i = 0; i < 400; ++i) {
    music::Note note;
    note.onset_s = i * 0.25;
    note.offset_s = note.sounding_offset_s = note.onset_s + 0.2;
    note.pitch = base + i % 12;
    score.notes.push_back(note);
  }
  score.duration_s = 100;
  return score;
}

TEST(RecombineTest, LastsAMinuteIsTransposedAndRepeatable) {
  const std::vector<music::Score> scores = {Scale(48), Scale(72)};
  const music::Score made = Recombine(scores, 7), again = Recombine(scores, 7),
                     other = Recombine(scores, 8);
  ASSERT_GT(made.notes.size(), 100u);
  EXPECT_DOUBLE_EQ(made.duration_s, 60);
  EXPECT_EQ(made.notes.size(), again.notes.size());
  EXPECT_TRUE(std::is_sorted(made.notes.begin(), made.notes.end(),
                             [](const auto& a, const auto& b) { return a.onset_s < b.onset_s; }));
  for (const music::Note& note : made.notes) {
    EXPECT_GE(note.onset_s, 0);
    EXPECT_LE(note.offset_s, 60 + 1e-6);
    EXPECT_GT(note.offset_s, note.onset_s);
  }
  const auto same_pitches = [&](const music::Score& a, const music::Score& b) {
    return std::equal(
        a.notes.begin(), a.notes.end(), b.notes.begin(), b.notes.end(),
        [](const auto& x, const auto& y) { return x.pitch == y.pitch && x.onset_s == y.onset_s; });
  };
  EXPECT_TRUE(same_pitches(made, again));
  EXPECT_FALSE(same_pitches(made, other));
}

}  // namespace
}  // namespace antiphon::trainer::datasets
