#include "core/notation/humdrum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/notation/play.h"
#include "tests/support/written_scores.h"

namespace antiphon::notation {
namespace {

using ::antiphon::testing::IsSane;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Ticks kQuarter = kTicksPerQuarter;

// Lines of a file; two spaces stand for a tab.
std::string Lines(std::initializer_list<std::string_view> lines) {
  std::string text;
  for (std::string line : std::vector<std::string>(lines.begin(), lines.end())) {
    for (size_t at = line.find("  "); at != std::string::npos; at = line.find("  ")) {
      line.replace(at, 2, "\t");
    }
    text += line + "\n";
  }
  return text;
}

WrittenScore Read(std::string_view text, const NotationLimits& limits = {}) {
  auto score = ReadHumdrum(text, limits);
  EXPECT_TRUE(score.ok()) << score.status();
  if (!score.ok()) return {};
  EXPECT_TRUE(IsSane(*score));
  return *std::move(score);
}

WrittenScore Read(std::initializer_list<std::string_view> lines) { return Read(Lines(lines)); }

absl::Status Refusal(std::string_view text, const NotationLimits& limits = {}) {
  return ReadHumdrum(text, limits).status();
}

// Onset and duration in quarter notes, pitch.
using Shown = std::tuple<double, double, int>;
std::vector<Shown> Notes(const WrittenScore& score) {
  std::vector<Shown> shown;
  for (const WrittenNote& note : score.notes) {
    shown.emplace_back(static_cast<double>(note.onset) / kQuarter,
                       static_cast<double>(note.duration) / kQuarter, note.pitch);
  }
  return shown;
}

std::vector<std::string> Numbers(const WrittenScore& score) {
  std::vector<std::string> numbers;
  for (const WrittenBar& bar : score.bars) numbers.push_back(bar.number);
  return numbers;
}

std::vector<int> Plays(const WrittenScore& score) {
  std::vector<int> plays;
  for (const WrittenBar& bar : score.bars) plays.push_back(bar.plays);
  return plays;
}

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

TEST(HumdrumBars, NotesMayGoOnBeyondThem) {
  // As in music without bars of its own: nothing begins with the second bar, nor in the third.
  const WrittenScore score = Read({"**kern", "*M2/2", "=1", "1.c", "=2-", ".", "2d", "=3-", "0e",
                                   "=4-", ".", "=5-", "1f", "==", "*-"});
  EXPECT_THAT(Notes(score),
              ElementsAre(Shown{0, 6, 60}, Shown{6, 2, 62}, Shown{8, 8, 64}, Shown{16, 4, 65}));
  std::vector<Ticks> starts;
  for (const WrittenBar& bar : score.bars) starts.push_back(bar.start / kQuarter);
  EXPECT_THAT(starts, ElementsAre(0, 4, 8, 12, 16));
  EXPECT_THAT(Numbers(score), ElementsAre("1", "2", "3", "4", "5"));
}

TEST(HumdrumBars, HaveTheirPrintedNumbers) {
  // An upbeat, a letter, a bar that a repeat sign divides, a line for the eye, and one that the
  // encoder didn't number.
  EXPECT_THAT(Numbers(Read({"**kern", "*M2/4", "8c", "=1", "2c", "=1a", "4.c", "=:|!|:", "8d", "=2",
                            "4e", "=||", "4e", "=", "2f", "=4", "2g", "==", "*-"})),
              ElementsAre("0", "1", "1a", "1a", "2", "3", "4"));
  EXPECT_THAT(Numbers(Read({"**kern", "2c", "=", "2d", "==", "*-"})), ElementsAre("", ""));
  EXPECT_THAT(Numbers(Read({"**kern", "1c", "=2", "1d", "==", "*-"})), ElementsAre("1", "2"));
  EXPECT_THAT(Numbers(Read({"**kern", "=5-yy", "1c", "=||6", "1d", "==", "*-"})),
              ElementsAre("5", "6"));
}

TEST(HumdrumBars, RepeatSignsOfAllForms) {
  for (const std::string_view both :
       {"=2:|!|:", "=2:||:", "=2:!:", "=2:|:", "=2:!|!:", "=2:|!|:;", "=:|!|:2"}) {
    const WrittenScore score = Read({"**kern", "=1", "1c", both, "1d", "=3:|!", "1e", "==", "*-"});
    EXPECT_THAT(Plays(score), ElementsAre(2, 2, 1)) << both;
    EXPECT_FALSE(score.bars[0].starts_repeat) << both;
    EXPECT_TRUE(score.bars[1].starts_repeat) << both;
    EXPECT_FALSE(score.bars[2].starts_repeat) << both;
  }
  const WrittenScore plain = Read({"**kern", "=1", "1c", "=2||", "1d", "=3|!", "1e", "==", "*-"});
  EXPECT_THAT(Plays(plain), ElementsAre(1, 1, 1));
  const WrittenScore opening = Read({"**kern", "=1!|:", "1c", "=2:|", "1d", "==:|!", "*-"});
  EXPECT_TRUE(opening.bars[0].starts_repeat);
  EXPECT_THAT(Plays(opening), ElementsAre(2, 2));
}

TEST(HumdrumBars, ARepeatSignInOneSpineIsEnough) {
  EXPECT_THAT(Plays(Read({"**kern  **kern", "=1  =1", "1C  1c", "=2  =2:|!", "1D  1d",
                          "==  ==", "*-  *-"})),
              ElementsAre(2, 1));
}

TEST(HumdrumOrder, IsTheExpansionList) {
  const WrittenScore score = Read({"**kern", "*>[A,A,B]", "*>norep[A,B]", "*>A", "=1", "1c",
                                   "=2:|!", "*>B", "1d", "=3", "1e", "==", "*-"});
  EXPECT_THAT(score.order, ElementsAre(0, 0, 1, 2));
  EXPECT_THAT(score.warnings, ElementsAre(HasSubstr("variants (such as norep) are not used")));
}

TEST(HumdrumOrder, ASectionMayBeginWithinABar) {
  const WrittenScore score = Read(
      {"**kern", "*>[A,B,B]", "*M4/4", "=1", "*>A", "2c", "*>B", "2d", "=2", "1e", "==", "*-"});
  EXPECT_THAT(Numbers(score), ElementsAre("1", "1", "2"));
  EXPECT_THAT(score.order, ElementsAre(0, 1, 2, 1, 2));
}

TEST(HumdrumOrder, AnUpbeatBeforeTheFirstSectionIsPlayed) {
  const WrittenScore score = Read({"**kern", "*>[A,A]", "4c", "*>A", "=1", "1d", "==", "*-"});
  EXPECT_THAT(score.order, ElementsAre(0, 1, 1));
}

TEST(HumdrumOrder, ListsWithoutCommasAndWithStrayNames) {
  const auto order = [](std::string_view list) {
    return Read(
        {"**kern", list, "*>A", "=1", "1c", "=2", "*>B1", "1d", "=3", "*>B2", "1e", "==", "*-"});
  };
  EXPECT_THAT(order("*>[AAB1B2]").order, ElementsAre(0, 0, 1, 2));
  EXPECT_THAT(order("*>[A.A, B2]").order, ElementsAre(0, 0, 2));
  const WrittenScore stray = order("*>[A,C,B1]");
  EXPECT_THAT(stray.order, ElementsAre(0, 1));
  EXPECT_THAT(stray.warnings,
              ElementsAre("the expansion list names section \"C\", which isn't there",
                          "section \"B2\" is not in the expansion list"));
  const WrittenScore none = order("*>[X,Y]");
  EXPECT_THAT(none.order, IsEmpty());
  EXPECT_THAT(none.warnings, ElementsAre(HasSubstr("the repeat signs count")));
}

TEST(HumdrumOrder, WithoutAListSectionsNameTheEndings) {
  const WrittenScore score = Read({"**kern", "=1", "*>A", "1c", "=2", "*>A1", "1d", "=3:|!", "*>A2",
                                   "1e", "=4", "1f", "==", "*-"});
  EXPECT_THAT(score.order, IsEmpty());
  EXPECT_THAT(Plays(score), ElementsAre(1, 2, 1, 1));
  EXPECT_THAT(score.bars[1].endings, ElementsAre(1));
  EXPECT_THAT(score.bars[2].endings, ElementsAre(2));
  EXPECT_THAT(score.bars[3].endings, IsEmpty());
  const auto played = Play(score);
  ASSERT_TRUE(played.ok()) << played.status();
  std::vector<int> pitches;
  for (const music::Note& note : played->notes) pitches.push_back(note.pitch);
  EXPECT_THAT(pitches, ElementsAre(60, 62, 60, 64, 65));
}

TEST(HumdrumOrder, WhatWasExpandedIsNotExpandedAgain) {
  const WrittenScore score =
      Read({"**kern", "*thru", "*>[A,A]", "*>A", "=1", "1c", "=2:|!", "*>A", "1c", "=3:|!", "*-"});
  EXPECT_THAT(score.order, IsEmpty());
  EXPECT_THAT(Plays(score), ElementsAre(1, 1));
}

TEST(HumdrumOrder, OnlyVariantsAreSaid) {
  const WrittenScore score = Read({"**kern", "*>norep[A]", "*>A", "=1", "1c", "==:|!", "*-"});
  EXPECT_THAT(Plays(score), ElementsAre(2));
  EXPECT_THAT(score.warnings, ElementsAre(HasSubstr("only variants of an expansion list")));
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

TEST(HumdrumRecords, NameTheScore) {
  const WrittenScore score =
      Read({"!!!COM: Dankowski, Adalbert", "!!!OPR: Vespere Pastorales", "!!!OTL: Laudate pueri",
            "!!!OTL@EN: Praise", "!!!OPS: 12", "!!!ONM: No. 3", "!!!SCT: BWV 7", "!!!OMV: 004",
            "**kern", "4c", "*-"});
  EXPECT_EQ(score.title, "Vespere Pastorales: Laudate pueri");
  EXPECT_EQ(score.composer, "Dankowski, Adalbert");
  EXPECT_EQ(score.opus, "op. 12, No. 3, BWV 7, movement 4");
  const WrittenScore languages = Read(
      {"**kern", "4c", "*-", "!!!OTL@EN: The Evening", "!!!OTL@@DE: Der Abend", "!!!COA: Anon"});
  EXPECT_EQ(languages.title, "Der Abend");
  EXPECT_EQ(languages.composer, "Anon");
}

TEST(HumdrumText, MayBeLatin1AndEndItsLinesInAnyWay) {
  const WrittenScore score =
      Read("\xef\xbb\xbf!!!OTL: Pr\xe9lude\r\n**kern\t\r\n\r\n*M4/4\r\n4c\r4d\n4e\n*-");
  EXPECT_EQ(score.title, "Pr\xc3\xa9lude");
  EXPECT_EQ(score.notes.size(), 3u);
}

TEST(HumdrumText, TabsTooManyAndSpacesArePassedOver) {
  const WrittenScore score = Read("**kern\t**kern\n4c\t4e\t\n\n4c\t\t4e\n4c \t 4e\n*-\t*-\n");
  EXPECT_EQ(score.notes.size(), 6u);
  EXPECT_THAT(score.warnings, ElementsAre(HasSubstr("2 empty fields are passed over")));
}

TEST(HumdrumText, OfSeveralScoresTheFirstIsRead) {
  for (const std::string_view second : {"!!!!SEGMENT: b\n**kern\n4d\n*-\n", "**kern\n4d\n*-\n"}) {
    const WrittenScore score = Read("!!!!SEGMENT: a\n**kern\n4c\n*-\n" + std::string(second));
    EXPECT_EQ(score.notes.size(), 1u);
    EXPECT_THAT(score.warnings, ElementsAre(HasSubstr("second score")));
  }
}

TEST(HumdrumText, FiltersAndMissingEndsAreSaid) {
  EXPECT_THAT(Read({"!!!filter: transpose -t P5", "**kern", "4c"}).warnings,
              ElementsAre(HasSubstr("ends before its spines do"), HasSubstr("!!!filter")));
  EXPECT_THAT(Read({"!!!Xfilter: transpose -t P5", "**kern", "4c", "*-"}).warnings, IsEmpty());
}

TEST(HumdrumText, WhatIsWrongIsSaidWithLineAndBar) {
  const auto says = [](std::initializer_list<std::string_view> lines, std::string_view what) {
    const absl::Status status = Refusal(Lines(lines));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << what;
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(what)));
  };
  says({"**kern  **kern", "=7  =7", "4c  4d  4e", "*-  *-"},
       "line 3 (bar 7): 3 fields where 2 spines are open");
  says({"**kern  **kern", "*^  *", "4c  4d"}, "line 3: 2 fields where 3 spines are open");
  says({"4c", "**kern"}, "line 1: this comes before the spines are named");
  says({"**kern  4c"}, "line 1: a spine has no name");
  says({"**kern  **kern", "*v  *"}, "line 2: a spine joins (*v) none beside it");
  says({"**kern", "*x"}, "line 2: a spine changes places (*x) with none beside it");
  says({"**kern", "99999999999c"}, "line 2: a duration beyond reason");
  says({"**kern", "0000c"}, "line 2: a duration beyond reason");
  says({"**kern", "4.........c"}, "line 2: a duration beyond reason");
  says({"**kern", "4cccccccccccccccc"}, "line 2: a pitch beyond MIDI's 0 to 127");
  says({"**kern", "*Trd-35c-60", "4gggggg"}, "line 3: a pitch beyond MIDI's 0 to 127");
  says({"**text", "la", "*-"}, "no **kern spine");
  says({"**kern", "4r", "*-"}, "no note with a pitch");
  says({"!!!COM: Bach"}, "names no spines");
  says({}, "names no spines");
}

TEST(HumdrumText, LimitsAreKept) {
  const std::string text = Lines({"**kern  **kern", "*>[A,A,A]  *", "*>A  *", "=1  =1", "4c  4e",
                                  "=2  =2", "4c  4e", "=3  =3", "4c  4e", "*-  *-"});
  const auto says = [&text](auto change, std::string_view what) {
    NotationLimits limits;
    change(limits);
    const absl::Status status = Refusal(text, limits);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << what;
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(what)));
  };
  says([](NotationLimits& limits) { limits.max_bytes = 20; }, "larger than 20 bytes");
  says([](NotationLimits& limits) { limits.max_notes = 5; }, "line 9 (bar 3): it has more than 5");
  says([](NotationLimits& limits) { limits.max_bars = 2; }, "more than 2 bars");
  says([](NotationLimits& limits) { limits.max_bars = 8; }, "more than 8 bars");  // played
  says([](NotationLimits& limits) { limits.max_parts = 1; }, "more than 1 parts");
}

TEST(HumdrumText, IsToldByItsHead) {
  EXPECT_TRUE(LooksLikeHumdrum("**kern\t**text\n"));
  EXPECT_TRUE(LooksLikeHumdrum("\xef\xbb\xbf!! words\r\n\r\n!!!COM: Bach\r\n**text\t**kern"));
  EXPECT_TRUE(LooksLikeHumdrum("!!!COM: Bach\n!!!OTL: a title that is cut of"));
  EXPECT_FALSE(LooksLikeHumdrum("**text\t**mens\n"));
  EXPECT_FALSE(LooksLikeHumdrum("X:1\nT:**kern\nK:C\n"));
  EXPECT_FALSE(LooksLikeHumdrum("<score-partwise>"));
  EXPECT_FALSE(LooksLikeHumdrum("!!! hello"));
  EXPECT_FALSE(LooksLikeHumdrum("MThd"));
  EXPECT_FALSE(LooksLikeHumdrum(""));
}

TEST(HumdrumText, DamagedInAnyWayGivesAScoreOrAReason) {
  const std::string sound = Lines({"!!!OTL@@DE: Der Abend",
                                   "**kern  **kern  **dynam",
                                   "*Ipiano  *Ipiano  *",
                                   "*k[f#]  *k[f#]  *",
                                   "*M3/4  *M3/4  *",
                                   "*>[A,A1,A,A2]  *  *",
                                   "=1  =1  =1",
                                   "*>A  *>A  *",
                                   "*^  *  *",
                                   "4C: 4E:  2.G  4c#T  p",
                                   "2[D  .  8qe  .",
                                   ".  .  [2f#  fp",
                                   "*v  *v  *  *",
                                   "=2:|!  =2:|!  =2",
                                   "*>A1  *>A1  *",
                                   "*x  *x  *",
                                   "2.f#]  2.D]  .",
                                   "=3!|:  =3!|:  =3",
                                   "*>A2  *>A2  *",
                                   "12c  4C  .",
                                   "12d  .  .",
                                   "12e  .  .",
                                   "3%2r  2r  .",
                                   "==  ==  ==",
                                   "*-  *-  *-"});
  Read(sound);
  std::mt19937 random(11);
  const std::string spare = "\t\n*^v-+x=:|![]_qrR.%0123456789cCgG>,;&@ \xff";
  int read = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string damaged = sound;
    for (size_t changes = 1 + random() % 4; changes > 0; --changes) {
      const size_t at = random() % damaged.size();
      switch (random() % 4) {
        case 0:
          damaged[at] = spare[random() % spare.size()];
          break;
        case 1:
          damaged.erase(at, 1 + random() % 8);
          break;
        case 2:
          damaged.insert(at, 1, spare[random() % spare.size()]);
          break;
        default:
          damaged.insert(at, damaged.substr(random() % damaged.size(), 30));
          break;
      }
      if (damaged.empty()) damaged = "*";
    }
    const auto score = ReadHumdrum(damaged);
    if (!score.ok()) {
      ASSERT_FALSE(score.status().message().empty()) << damaged;
      continue;
    }
    ++read;
    ASSERT_TRUE(IsSane(*score)) << damaged;
    const auto played = Play(*score);
    ASSERT_NE(played.status().code(), absl::StatusCode::kInternal) << damaged;
  }
  EXPECT_GT(read, 100);
}

TEST(HumdrumText, TakesTimeInProportion) {
  // Ties that never end, null lines, sections and bar lines without notes: a megabyte of each.
  for (const std::string_view line :
       {"[4c [4e [4g\n", ".\n", "*>A\n", "=1\n", "*k[f#]\n", "8qc\n"}) {
    std::string text = "**kern\n*>[A,A]\n4c\n";
    while (text.size() < (1 << 20)) text += line;
    const auto start = std::chrono::steady_clock::now();
    NotationLimits limits;
    ReadHumdrum(text + "4c\n*-\n", limits).status().IgnoreError();
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << line;
  }
}

}  // namespace
}  // namespace antiphon::notation
