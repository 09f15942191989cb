#include "trainer/metrics/note_match.h"

#include <gtest/gtest.h>

namespace antiphon::trainer::metrics {
namespace {

TEST(NoteMatchTest, CellsByHand) {
  const std::vector<uint8_t> truth = {0, 255, 10, 0, 1}, found = {1, 20, 0, 0, 1};
  const MatchCounts counts = CompareCells(truth, found);
  EXPECT_EQ(counts.hits, 2);
  EXPECT_EQ(counts.extra, 1);
  EXPECT_EQ(counts.missed, 1);
  EXPECT_DOUBLE_EQ(counts.hits_per_error(), 1);
  EXPECT_DOUBLE_EQ(counts.f1(), 4.0 / 6);
}

TEST(NoteMatchTest, OnsetsMatchWithinTheToleranceAndThePitch) {
  const MatchCounts counts =
      MatchOnsets({{1.0, 60}, {2.0, 60}, {3.0, 62}}, {{1.05, 60}, {2.06, 60}, {3.0, 63}}, 0.05);
  EXPECT_EQ(counts.hits, 1);
  EXPECT_EQ(counts.missed, 2);
  EXPECT_EQ(counts.extra, 2);
}

TEST(NoteMatchTest, OnsetsWithinAStretchCountFromItsBeginning) {
  std::vector<music::Note> notes(3);
  notes[0].onset_s = 1;
  notes[1].onset_s = 2.5;
  notes[1].pitch = 72;
  notes[2].onset_s = 4;
  const std::vector<Onset> onsets = OnsetsWithin(notes, 2, 2);
  ASSERT_EQ(onsets.size(), 1u);
  EXPECT_DOUBLE_EQ(onsets[0].time_s, 0.5);
  EXPECT_EQ(onsets[0].pitch, 72);
}

TEST(NoteMatchTest, OneOnsetMatchesOneOtherAtMost) {
  EXPECT_EQ(MatchOnsets({{1.0, 60}}, {{0.98, 60}, {1.0, 60}, {1.02, 60}}, 0.05).hits, 1);
  EXPECT_EQ(MatchOnsets({{1.0, 60}}, {{0.98, 60}, {1.0, 60}, {1.02, 60}}, 0.05).extra, 2);
  // Each has its own partner, though the first of one is within reach of the second of the other.
  EXPECT_EQ(MatchOnsets({{1.00, 60}, {1.06, 60}}, {{1.04, 60}, {1.10, 60}}, 0.05).hits, 2);
}

TEST(NoteMatchTest, TheOrderOfTheListsDoesNotMatter) {
  EXPECT_EQ(MatchOnsets({{3, 50}, {1, 60}, {2, 40}}, {{2, 40}, {3, 50}, {1, 60}}, 0.01).hits, 3);
}

TEST(NoteMatchTest, NothingAgainstNothingIsPerfect) {
  EXPECT_DOUBLE_EQ(MatchOnsets({}, {}, 0.05).f1(), 1);
  EXPECT_DOUBLE_EQ(MatchOnsets({{1, 60}}, {}, 0.05).f1(), 0);
}

}  // namespace
}  // namespace antiphon::trainer::metrics
