#include "core/humdrum/humdrum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/humdrum/humdrum_test_util.h"

namespace antiphon::notation {
namespace {

using humdrum_testing::kQuarter;
using humdrum_testing::Notes;
using humdrum_testing::Read;
using humdrum_testing::Shown;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(HumdrumNotes, HavePitchesByLetterAndAccidental) {
  const WrittenScore score =
      Read({"**kern", "4CC", "4C", "4c", "4cc", "4f#", "4e-", "4b--", "4f##", "4gn", "4B", "*-"});
  std::vector<int> pitches;
  for (const WrittenNote& note : score.notes) pitches.push_back(note.pitch);
  EXPECT_THAT(pitches, ElementsAre(36, 48, 60, 72, 66, 63, 69, 67, 67, 59));
}

TEST(HumdrumNotes, HaveDurationsOfAllKinds) {
  const WrittenScore score = Read({"**kern", "0c", "00c", "1c", "2.c", "4..c", "12c", "12c", "12c",
                                   "3%2c", "20%3c", "1%3r", "16c", "*-"});
  std::vector<Ticks> durations;
  for (const WrittenNote& note : score.notes) durations.push_back(note.duration);
  EXPECT_THAT(durations, ElementsAre(8 * kQuarter, 16 * kQuarter, 4 * kQuarter, 3 * kQuarter,
                                     kQuarter * 7 / 4, kQuarter / 3, kQuarter / 3, kQuarter / 3,
                                     kQuarter * 8 / 3, kQuarter * 3 / 5, kQuarter / 4));
  EXPECT_EQ(score.notes.back().onset, score.notes[9].onset + kQuarter * 3 / 5 + 12 * kQuarter);
}

TEST(HumdrumNotes, OfSeventeenStayTogetherWithFour) {
  // A seventeenth has no whole number of ticks; the voices meet again nonetheless.
  std::string text = "**kern\t**kern\n1C\t17c\n";
  for (int i = 1; i < 17; ++i) text += ".\t17d\n";
  const WrittenScore score = Read(text + "=2\t=2\n4D\t4e\n*-\t*-\n");
  const WrittenNote& last = score.notes.back();
  EXPECT_EQ(last.pitch, 64);
  EXPECT_EQ(last.onset, score.notes[score.notes.size() - 2].onset);
  EXPECT_NEAR(static_cast<double>(last.onset), 4.0 * kQuarter, 600);
}

TEST(HumdrumNotes, OfAChordShareTheFirstDuration) {
  EXPECT_THAT(Notes(Read({"**kern", "4c 4e g", "4d", "*-"})),
              ElementsAre(Shown{0, 1, 60}, Shown{0, 1, 64}, Shown{0, 1, 67}, Shown{1, 1, 62}));
}

TEST(HumdrumNotes, ThatAreTiedAreOne) {
  EXPECT_THAT(Notes(Read({"**kern", "*M4/4", "=1", "[1c [1e", "=2", "1c_ 1e]", "=3", "4c]", "*-"})),
              ElementsAre(Shown{0, 9, 60}, Shown{0, 8, 64}));
}

TEST(HumdrumNotes, AreTiedAcrossSpinesThatDivideAndStaves) {
  // From the only voice into the second one, and from the left hand to the right.
  EXPECT_THAT(Notes(Read({"**kern  **kern", "*part1  *part1", "[2c  2g", "*  *^", "2c]  2g  2e",
                          "*  *v  *v", "[2C  2g", "4r  2C]", "*-  *-"})),
              ElementsAre(Shown{0, 4, 60}, Shown{0, 2, 67}, Shown{2, 2, 64}, Shown{2, 2, 67},
                          Shown{4, 4, 48}, Shown{4, 2, 67}));
}

TEST(HumdrumNotes, OfATieWithoutBeginningGoOnFromElsewhere) {
  const WrittenScore score = Read({"**kern", "4c", "4d]", "*-"});
  EXPECT_FALSE(score.notes[0].continues);
  EXPECT_TRUE(score.notes[1].continues);
}

TEST(HumdrumNotes, GraceNotesCountBackwardsFromTheirNote) {
  const WrittenScore score =
      Read({"**kern  **kern", "4C  4c", ".  16qqd 16qqf", ".  8qe", "4D  4g", "*-  *-"});
  std::vector<std::tuple<Ticks, int, int>> shown;
  for (const WrittenNote& note : score.notes) {
    shown.emplace_back(note.onset / kQuarter, note.grace, note.pitch);
  }
  EXPECT_THAT(shown, ElementsAre(std::tuple(0, 0, 48), std::tuple(0, 0, 60), std::tuple(1, 2, 62),
                                 std::tuple(1, 2, 65), std::tuple(1, 1, 64), std::tuple(1, 0, 50),
                                 std::tuple(1, 0, 67)));
}

TEST(HumdrumNotes, GraceNotesThatLeadNowhereAreCounted) {
  const WrittenScore score = Read({"**kern", "4c", "8qd", "*-"});
  EXPECT_EQ(score.notes.size(), 1u);
  EXPECT_THAT(score.warnings, ElementsAre(HasSubstr("1 grace notes at the end")));
}

TEST(HumdrumNotes, HaveOrnamentsWithTheirDistances) {
  const WrittenScore score = Read({"**kern", "*k[f#]", "4eT", "4et", "4dM", "4dm", "4dW", "4gw",
                                   "4gS", "4g$", "4gsSSs", "4a", "*-"});
  std::vector<std::tuple<Ornament, int, int>> shown;
  for (const WrittenNote& note : score.notes) {
    shown.emplace_back(note.ornament, note.ornament_upper, note.ornament_lower);
  }
  EXPECT_THAT(
      shown,
      ElementsAre(std::tuple(Ornament::kTrill, 2, 2), std::tuple(Ornament::kTrill, 1, 2),
                  std::tuple(Ornament::kInvertedMordent, 2, 2),
                  std::tuple(Ornament::kInvertedMordent, 1, 2),
                  std::tuple(Ornament::kMordent, 2, 2), std::tuple(Ornament::kMordent, 2, 1),
                  // By the key of one sharp: a above, f sharp below.
                  std::tuple(Ornament::kTurn, 2, 1), std::tuple(Ornament::kInvertedTurn, 2, 1),
                  std::tuple(Ornament::kTurn, 2, 1), std::tuple(Ornament::kNone, 2, 2)));
}

TEST(HumdrumNotes, OfAnArpeggioAreInTheOrderOfPitch) {
  const WrittenScore score = Read({"**kern", "4g: 4c: 4e:", "4d:", "*-"});
  std::vector<int> places;
  for (const WrittenNote& note : score.notes) places.push_back(note.arpeggio);
  EXPECT_THAT(places, ElementsAre(1, 2, 3, 0));
}

TEST(HumdrumNotes, WithoutADurationAreLeftOutAndSaid) {
  const WrittenScore score = Read({"**kern", "=1", "4c", "d", "e", "4f", "*-"});
  EXPECT_THAT(Notes(score), ElementsAre(Shown{0, 1, 60}, Shown{1, 1, 65}));
  EXPECT_THAT(score.warnings,
              ElementsAre("2 notes without a duration are left out, the first in line 4 (bar 1)"));
}

TEST(HumdrumNotes, MarksOfEditorsAndLayoutAreIgnored) {
  EXPECT_THAT(Notes(Read({"**kern", "(<4c/LLyy)", "&(>4dX\\J;,'^~k", "[y4e", "4e]yy", "*-"})),
              ElementsAre(Shown{0, 1, 60}, Shown{1, 1, 62}, Shown{2, 2, 64}));
}

TEST(HumdrumSpines, OthersArePassedOver) {
  EXPECT_THAT(Notes(Read({"**text  **kern  **mxhm  **kern", "la  2C  C  4c", ".  .  .  4d",
                          "lu  4D  .  4e", "*-  *-  *-  *-"})),
              ElementsAre(Shown{0, 2, 48}, Shown{0, 1, 60}, Shown{1, 1, 62}, Shown{2, 1, 50},
                          Shown{2, 1, 64}));
}

TEST(HumdrumSpines, DivideJoinExchangeBeginAndEnd) {
  const WrittenScore score =
      Read({"**kern  **text", "*^  *", "4c  2E  a", "4d  .  b", "*v  *v  *", "*x  *x", "c  4e",
            "*  *+", "*  *  **kern", "d  4f  4F", "*-  *  *", "4g  4G", "*-  *-"});
  EXPECT_THAT(Notes(score),
              ElementsAre(Shown{0, 2, 52}, Shown{0, 1, 60}, Shown{1, 1, 62}, Shown{2, 1, 64},
                          Shown{3, 1, 53}, Shown{3, 1, 65}, Shown{4, 1, 55}, Shown{4, 1, 67}));
}

TEST(HumdrumSpines, VoicesMayBeginLate) {
  EXPECT_THAT(Notes(Read({"**kern", "*^", "4c  .", "4d  4E", "4e  .", "*v  *v", "4f", "*-"})),
              ElementsAre(Shown{0, 1, 60}, Shown{1, 1, 52}, Shown{1, 1, 62}, Shown{2, 1, 64},
                          Shown{3, 1, 65}));
}

TEST(HumdrumSpines, JoinsOfTwoStavesInARowAreTwo) {
  EXPECT_THAT(Notes(Read({"**kern  **kern", "*^  *^", "4C  4E  4c  4e", "*v  *v  *v  *v", "4F  4f",
                          "*-  *-"})),
              ElementsAre(Shown{0, 1, 48}, Shown{0, 1, 52}, Shown{0, 1, 60}, Shown{0, 1, 64},
                          Shown{1, 1, 53}, Shown{1, 1, 65}));
}

TEST(HumdrumSpines, OfUnequalLengthsFallInAtTheBar) {
  const WrittenScore score = Read({"**kern  **kern", "*M2/4  *M2/4", "=1  =1", "2C  4.c", ".  4d",
                                   "=2  =2", "2D  2e", "*-  *-"});
  EXPECT_EQ(score.bars[1].start, 2 * kQuarter);
  EXPECT_THAT(score.warnings, ElementsAre("line 7 (bar 2): a note begins before the one before it "
                                          "ends"));
}

TEST(HumdrumChanges, MetresKeysAndTempiAreWhereTheyStand) {
  const WrittenScore score = Read({"!!!OMD: Allegro. [half-dot] = 40.",
                                   "**kern  **kern",
                                   "*k[b-e-]  *k[b-e-]",
                                   "*g:  *g:",
                                   "*M3/4  *M3/4",
                                   "=1  =1",
                                   "2.C  2.c",
                                   "*k[f#]  *k[f#]",
                                   "*G:  *G:",
                                   "=2  =2",
                                   "*M2/2  *M2/2",
                                   "*MM[Adagio]  *",
                                   "*MM60.5  *MM60.5",
                                   "1D  1d",
                                   "=3  =3",
                                   "*M3+2/8  *M3+2/8",
                                   "8%5D  8%5d",
                                   "=4  =4",
                                   "*MX  *MX",
                                   "*M3/0  *M3/0",
                                   "0.D  0.d",
                                   "==  ==",
                                   "*M2/3  *M2/3",
                                   "*-  *-"});
  ASSERT_EQ(score.metres.size(), 4u);
  EXPECT_EQ(score.metres[1].at, 3 * kQuarter);
  EXPECT_EQ(score.metres[2].value.numerator, 5);
  EXPECT_EQ(score.metres[3].value.numerator, 6);
  EXPECT_EQ(score.metres[3].value.denominator, 1);
  ASSERT_EQ(score.keys.size(), 2u);
  EXPECT_EQ(score.keys[0].value.fifths, -2);
  EXPECT_TRUE(score.keys[0].value.minor);
  EXPECT_EQ(score.keys[1].at, 3 * kQuarter);
  EXPECT_EQ(score.keys[1].value.fifths, 1);
  EXPECT_FALSE(score.keys[1].value.minor);
  ASSERT_EQ(score.tempi.size(), 2u);
  EXPECT_DOUBLE_EQ(score.tempi[0].value, 120);
  EXPECT_EQ(score.tempi[1].at, 3 * kQuarter);
  EXPECT_DOUBLE_EQ(score.tempi[1].value, 60.5);
}

TEST(HumdrumChanges, OfKeySignaturesAtOnePlaceTheMostCommonCounts) {
  const WrittenScore score =
      Read({"**kern  **kern  **kern", "*Itimpa  *Ivioln  *Ivioln", "*k[]  *k[f#c#]  *k[f#c#]",
            "*b:  *b:  *b:", "1D  1d  1dd", "*-  *-  *-"});
  ASSERT_EQ(score.keys.size(), 1u);
  EXPECT_EQ(score.keys[0].value.fifths, 2);
  EXPECT_TRUE(score.keys[0].value.minor);
}

TEST(HumdrumChanges, AKeyWithoutSignatureIsThatOfItsTonic) {
  const WrittenScore score = Read({"**kern", "*c#:", "1c#", "*-"});
  ASSERT_EQ(score.keys.size(), 1u);
  EXPECT_EQ(score.keys[0].value.fifths, 4);
  EXPECT_TRUE(score.keys[0].value.minor);
}

TEST(HumdrumParts, AreFromTheTopWithInstrumentsAndNames) {
  const WrittenScore score =
      Read({"**kern  **kern  **kern  **kern", "*Ipiano  *Ipiano  *Iempty  *Iflt&Ioboe",
            "*I\"Piano  *I\"Piano  *I\"Violino [1]mo  *I\"Fl\xc3\xb6te", "4C  4c  4g  4gg",
            "*-  *-  *-  *-"});
  ASSERT_EQ(score.parts.size(), 3u);
  EXPECT_EQ(score.parts[0].name, "Fl\xc3\xb6te");
  EXPECT_EQ(score.parts[0].program, 73);
  EXPECT_EQ(score.parts[1].program, 40);
  EXPECT_EQ(score.parts[2].name, "Piano");
  EXPECT_EQ(score.parts[2].program, 0);
  // Both hands are one player, the right one first.
  EXPECT_EQ(score.notes[0].part, 2);
  EXPECT_EQ(score.notes[0].voice, 5);
  EXPECT_EQ(score.notes[1].part, 2);
  EXPECT_EQ(score.notes[1].voice, 1);
  EXPECT_EQ(score.notes[3].part, 0);
}

TEST(HumdrumParts, TwoViolinsAreTwoPlayers) {
  EXPECT_EQ(Read({"**kern  **kern", "*Ivioln  *Ivioln", "4c  4e", "*-  *-"}).parts.size(), 2u);
}

TEST(HumdrumParts, TranspositionIsUndoneWhereNotesAreTransposed) {
  // *ITr only says how the part is printed: **kern is at sounding pitch. Notes under *Tr are
  // written pitches.
  const WrittenScore score =
      Read({"**kern  **kern", "*ITrd1c2  *Trd1c2", "*k[]  *k[f#c#]", "4c  4d", "*-  *-"});
  EXPECT_EQ(score.notes[0].pitch, 60);
  EXPECT_EQ(score.notes[1].pitch, 60);
  ASSERT_EQ(score.keys.size(), 1u);
  EXPECT_EQ(score.keys[0].value.fifths, 0);
}

TEST(HumdrumParts, WhatHasNoPitchIsCountedAndLeftOut) {
  const WrittenScore score = Read({"**kern  **drum  **kern  **kern", "*clefX  *  *Itrngl  *",
                                   "4c  4e  4f  4g", "4c  .  .  4Ra", "*-  *-  *-  *-"});
  EXPECT_THAT(Notes(score), ElementsAre(Shown{0, 1, 67}));
  EXPECT_EQ(score.unpitched_notes, 5);
  EXPECT_TRUE(score.parts[1].percussion);
  EXPECT_TRUE(score.parts[2].percussion);
  EXPECT_TRUE(score.parts[3].percussion);
  EXPECT_FALSE(score.parts[0].percussion);
}

TEST(HumdrumParts, HairpinsLeadFromMarkToMark) {
  const WrittenScore score = Read({"**kern  **dynam", "4c  p <", "4d  (", "4e  [ mf", "4f  >",
                                   "4g  .", "4a  ]", "4b  ]", "4cc  <", "*-  *-"});
  std::vector<int> velocities;
  for (const WrittenNote& note : score.notes) velocities.push_back(note.velocity);
  EXPECT_THAT(velocities, ElementsAre(49, 65, 80, 80, 72, 64, 64, 64));
}

TEST(HumdrumParts, LoudnessIsThatOfTheirDynamics) {
  const WrittenScore score = Read({"**kern  **kern  **dynam  **kern", "*part2  *part2  *  *part1",
                                   "4C  4c  p  4cc", "4C  4c  sf <  4cc", "4C  4c  ff  4cc",
                                   "4C  4c  fp  4cc", "4C  4c  .  4cc", "*-  *-  *-  *-"});
  std::vector<int> velocities;
  for (const WrittenNote& note : score.notes) {
    if (note.pitch == 48) velocities.push_back(note.velocity);
    if (note.pitch == 72) {
      EXPECT_EQ(note.velocity, 0);
    }
  }
  EXPECT_THAT(velocities, ElementsAre(49, 112, 112, 112, 49));
}

}  // namespace
}  // namespace antiphon::notation
