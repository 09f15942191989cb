#include "trainer/datasets/editions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace antiphon::trainer::datasets {
namespace {

using ::testing::HasSubstr;

// A bass and a melody in quarter notes of half a second.
music::Score TwoHands(double length_s = 40) {
  music::Score score;
  for (double s = 0; s < length_s; s += 0.5) {
    score.notes.push_back({s, s + 0.5, s + 0.5, 48});
    score.notes.push_back({s, s + 0.5, s + 0.5, 72});
  }
  score.duration_s = length_s;
  return score;
}

TEST(ParseEditionListTest, ReadsStretchesWhateverTheOrderOfTheColumns) {
  const auto pairs = ParseEditionList(
      "same\tcorpus\tpiece\tother_corpus\tother_piece\tstart_s\tend_s\tother_start_s\tother_end_s\t"
      "note\n"
      "1\tmsmd\ta\tasap\tb\t0\t30.5\t2\t33\tsaid\n"
      "0\tmsmd\ta\tmsmd\tc\t1\t9\t1\t9\t\n");
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  ASSERT_EQ(pairs->size(), 2u);
  EXPECT_EQ(pairs->front().other.corpus, "asap");
  EXPECT_EQ(pairs->front().in_one.end_s, 30.5);
  EXPECT_EQ(pairs->front().in_other.start_s, 2);
  EXPECT_TRUE(pairs->front().same);
  EXPECT_FALSE(pairs->back().same);
}

TEST(ParseEditionListTest, SaysWhichLineIsWrong) {
  const std::string header =
      "corpus\tpiece\tother_corpus\tother_piece\tstart_s\tend_s\tother_start_s\tother_end_"
      "s\tsame\n";
  EXPECT_THAT(ParseEditionList("corpus\tpiece\n").status().message(), HasSubstr("other_corpus"));
  EXPECT_THAT(ParseEditionList(header + "a\tb\tc\td\t0\t1\t0\tx\t1\n").status().message(),
              HasSubstr("line 2: a time"));
  EXPECT_THAT(ParseEditionList(header + "a\tb\tc\td\t0\t1\t0\t1\tyes\n").status().message(),
              HasSubstr("line 2: same"));
  EXPECT_THAT(ParseEditionList(header + "a\tb\n").status().message(), HasSubstr("missing"));
}

TEST(ReadEditionListTest, TheListOfRealEditionsIsWhole) {
  const auto pairs = ReadEditionList(ANTIPHON_SOURCE_DIR "/data/editions/real.tsv");
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  EXPECT_GT(std::count_if(pairs->begin(), pairs->end(), [](const auto& p) { return p.same; }), 40);
  EXPECT_GT(std::count_if(pairs->begin(), pairs->end(), [](const auto& p) { return !p.same; }), 40);
  for (const EditionPair& pair : *pairs) {
    EXPECT_GT(pair.in_one.length_s(), 0) << pair.one.name;
    EXPECT_GT(pair.in_other.length_s(), 0) << pair.other.name;
  }
}

TEST(MakeEditionTest, DoesWhatAnEditorDoes) {
  const music::Score score = TwoHands();
  EXPECT_EQ(MakeEdition(score, "copy", 1)->notes.size(), score.notes.size());
  EXPECT_NE(MakeEdition(score, "tempo", 1)->duration_s, score.duration_s);
  EXPECT_NEAR(MakeEdition(score, "repeat", 1)->duration_s, 50, 1e-9);
  EXPECT_EQ(MakeEdition(score, "octaves", 1)->notes.size(), score.notes.size() * 3 / 2);
  EXPECT_GT(MakeEdition(score, "ornaments", 1)->notes.size(), score.notes.size());
  EXPECT_EQ(MakeEdition(score, "hand", 1)->notes.size(), score.notes.size() / 2);
  for (const std::string& kind : EditionKinds()) {
    const auto edition = MakeEdition(score, kind, 2);
    ASSERT_TRUE(edition) << kind;
    EXPECT_TRUE(std::is_sorted(
        edition->notes.begin(), edition->notes.end(),
        [](const music::Note& a, const music::Note& b) { return a.onset_s < b.onset_s; }))
        << kind;
  }
}

TEST(MakeEditionTest, LeavesPiecesThatDoNotAllowIt) {
  music::Score bass = TwoHands();
  std::erase_if(bass.notes, [](const music::Note& note) { return note.pitch > 60; });
  EXPECT_FALSE(MakeEdition(bass, "hand", 1));
  EXPECT_FALSE(MakeEdition(TwoHands(20), "repeat", 1));
}

}  // namespace
}  // namespace antiphon::trainer::datasets
