#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "core/humdrum/humdrum.h"
#include "core/humdrum/humdrum_test_util.h"
#include "core/notation/play.h"

namespace antiphon::notation {
namespace {

using humdrum_testing::kQuarter;
using humdrum_testing::Notes;
using humdrum_testing::Numbers;
using humdrum_testing::Plays;
using humdrum_testing::Read;
using humdrum_testing::Shown;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

}  // namespace
}  // namespace antiphon::notation
