#include "core/notation/unfold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace antiphon::notation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Bars written as in a part: a word for each, of
//   |:  :|  :|3 (played three times)  [1 [1,2 (ending of this bar)  S (segno)  O (coda sign)
//   toO (To Coda after it)  fine  DC  DS  DCrep (with repeats)  new (movement)
// and S, O, toO and DS with a name, as S=a,
// separated by '/'. The bars of an ending all say so.
WrittenScore Print(const std::string& text) {
  WrittenScore score;
  WrittenBar bar;
  bar.length = 4 * kTicksPerQuarter;
  const auto take = [&bar](std::string word) {
    const size_t equals = std::min(word.find('='), word.size());
    const std::string name = word.substr(std::min(equals + 1, word.size()));
    word.resize(equals);
    if (word == "S") bar.segno_name = name;
    if (word == "O") bar.coda_name = name;
    if (word == "toO") bar.to_coda_name = name;
    if (word == "DS") bar.dal_segno_name = name;
    if (word == "|:") bar.starts_repeat = true;
    if (word.starts_with(":|")) bar.plays = word.size() > 2 ? std::stoi(word.substr(2)) : 2;
    if (word.starts_with("[")) {
      for (const char c : word) {
        if (c >= '0' && c <= '9') bar.endings.push_back(c - '0');
      }
    }
    if (word == "S") bar.segno = true;
    if (word == "O") bar.coda = true;
    if (word == "toO") bar.to_coda = true;
    if (word == "fine") bar.fine = true;
    if (word.starts_with("DC")) bar.da_capo = true;
    if (word.starts_with("DS")) bar.dal_segno = true;
    if (word.ends_with("rep")) bar.repeats_after_jump = true;
    if (word == "new") bar.starts_movement = true;
  };
  std::string word;
  for (const char c : text + " /") {
    if (c != ' ' && c != '/') {
      word += c;
      continue;
    }
    take(std::exchange(word, ""));
    if (c != '/') continue;
    bar.number = std::to_string(score.bars.size() + 1);
    score.bars.push_back(bar);
    const Ticks next = bar.start + bar.length;
    bar = WrittenBar();
    bar.start = next;
    bar.length = 4 * kTicksPerQuarter;
  }
  return score;
}

// The numbers of the bars in the order of playing.
std::string Played(const std::string& text, std::vector<std::string>* warnings = nullptr) {
  std::vector<std::string> ignored;
  const auto order =
      Unfold(Print(text), NotationLimits{}, warnings == nullptr ? &ignored : warnings);
  EXPECT_TRUE(order.ok()) << order.status();
  std::string played;
  for (const int bar : order.value_or(std::vector<int>()))
    played += (played.empty() ? "" : " ") + std::to_string(bar + 1);
  return played;
}

TEST(UnfoldTest, WithoutSignsBarsFollowEachOther) {
  EXPECT_EQ(Played("a/b/c"), "1 2 3");
  EXPECT_EQ(Played("a"), "1");
  EXPECT_THAT(Unfold(WrittenScore(), {}, nullptr).value(), IsEmpty());
}

TEST(UnfoldTest, RepeatsGoBackToTheirBeginning) {
  EXPECT_EQ(Played("a/|: b/c :|/d"), "1 2 3 2 3 4");
  EXPECT_EQ(Played("a/|: b :|/c"), "1 2 2 3");
  EXPECT_EQ(Played("a/|: b/c :|3/d"), "1 2 3 2 3 2 3 4");
}

TEST(UnfoldTest, WithoutABeginningTheyGoBackToTheEndOfTheOneBefore) {
  EXPECT_EQ(Played("a/b :|/c/d :|/e"), "1 2 1 2 3 4 3 4 5");
  EXPECT_EQ(Played("|: a/b :|/c/d :|"), "1 2 1 2 3 4 3 4");
  EXPECT_EQ(Played("a/[1 b :|/[2 c/d/e :|"), "1 2 1 3 4 5 4 5");
}

TEST(UnfoldTest, RepeatsWithoutAnEndAreNone) {
  EXPECT_EQ(Played("a/|: b/c"), "1 2 3");
  EXPECT_EQ(Played("|: a/|: b/c :|/d"), "1 2 3 2 3 4");
}

TEST(UnfoldTest, RepeatsInEachOtherAreBrackets) {
  EXPECT_EQ(Played("|: a/|: b :|/c :|/d"), "1 2 2 3 1 2 2 3 4");
  EXPECT_EQ(Played("|: a/|: b/[1 c :|/[2 d/e :|"), "1 2 3 2 4 5 1 2 3 2 4 5");
}

TEST(UnfoldTest, EndingsArePlayedInTheirTimes) {
  EXPECT_EQ(Played("a/[1 b :|/[2 c/d"), "1 2 1 3 4");
  EXPECT_EQ(Played("a/[1 b :|/c/d"), "1 2 1 3 4") << "the second has no bracket";
  EXPECT_EQ(Played("|: a/[1,2 b :|/[3 c/d"), "1 2 1 2 1 3 4");
  EXPECT_EQ(Played("|: a/[1,2 b :|3/c"), "1 2 1 2 1 3");
  EXPECT_EQ(Played("|: a/[1 b :|/[2 c :|/[3 d :|/[4 e/f"), "1 2 1 3 1 4 1 5 6");
  EXPECT_EQ(Played("|: a/[1,3 b :|/[2,4 c :|/d"), "1 2 1 3 1 2 1 3 4");
  EXPECT_EQ(Played("|: a/[1 b/[1 c :|/[2 d/[2 e/f"), "1 2 3 1 4 5 6");
}

TEST(UnfoldTest, ASignAfterTheLastEndingIsNoFurtherRepeat) {
  EXPECT_EQ(Played("|: a/[1 b :|/[2 c :|/|: d/[1 e :|/[2 f :|"), "1 2 1 3 4 5 4 6");
}

TEST(UnfoldTest, OneGoesBackFromAnEndingWithoutASign) {
  EXPECT_EQ(Played("|: a/[1 b/[2 c :|/d"), "1 2 1 3 4");
}

TEST(UnfoldTest, DaCapo) {
  EXPECT_EQ(Played("a/b DC"), "1 2 1 2");
  EXPECT_EQ(Played("a/b fine/c/d DC"), "1 2 3 4 1 2");
  EXPECT_EQ(Played("a/b DC/c"), "1 2 1 2 3") << "taken once";
}

TEST(UnfoldTest, RepeatsAreNotTakenAfterAJumpUnlessItSaysSo) {
  // A minuet and its trio.
  EXPECT_EQ(Played("|: a :|/|: b :| fine/|: c :|/|: d :| DC"), "1 1 2 2 3 3 4 4 1 2");
  EXPECT_EQ(Played("|: a :|/|: b :| fine/|: c :|/|: d :| DCrep"), "1 1 2 2 3 3 4 4 1 1 2 2");
  EXPECT_EQ(Played("|: a/[1 b :|/[2 c fine/d DC"), "1 2 1 3 4 1 3") << "with the last ending";
  EXPECT_EQ(Played("|: a/[1 b :|/[2 c fine/d DCrep"), "1 2 1 3 4 1 2 1 3");
}

TEST(UnfoldTest, MusicThatIsNewAfterAJumpIsRepeated) {
  EXPECT_EQ(Played("a/b DC/|: c :|"), "1 2 1 2 3 3");
  EXPECT_EQ(Played("|: a :| toO/b DC/|: c O :|"), "1 1 2 1 3 3");
}

TEST(UnfoldTest, DalSegnoGoesToTheSignBefore) {
  EXPECT_EQ(Played("a/b S/c fine/d DS"), "1 2 3 4 2 3");
  EXPECT_EQ(Played("a S/b/c S/d DS/e"), "1 2 3 4 3 4 5");
  EXPECT_EQ(Played("a/|: b S/c :| fine/d DS"), "1 2 3 2 3 4 2 3") << "into a repeat";
}

TEST(UnfoldTest, TheCodaComesAfterTheJump) {
  EXPECT_EQ(Played("a toO/b/c DC/d O/e"), "1 2 3 1 4 5");
  EXPECT_EQ(Played("a/b S/c toO/d DS/e O"), "1 2 3 4 2 3 5");
  EXPECT_EQ(Played("a/b/c O/d DC/e O"), "1 2 3 4 1 2 5") << "two signs, no words";
}

TEST(UnfoldTest, AJumpInARepeatIsTakenAtItsLastTime) {
  EXPECT_EQ(Played("|: a fine/b :| DC"), "1 2 1 2 1");
  EXPECT_EQ(Played("|: a/b fine :|/c DCrep"), "1 2 1 2 3 1 2 1 2");
  EXPECT_EQ(Played("|: a toO/b :|/c DCrep/d O"), "1 2 1 2 3 1 2 1 4");
}

TEST(UnfoldTest, EndingsOutsideRepeatsAreTakenByJumps) {
  EXPECT_EQ(Played("a/[1 b DC/[2 c"), "1 2 1 3");
}

TEST(UnfoldTest, EndingsOfARondoAreForOneTimeEach) {
  // As a part prints it: the theme again after each couplet, and once more after the D.C.
  EXPECT_EQ(Played("a S/[0,1,5 b fine :|/[2 c :|/[3 d :|/[4 e DC"), "1 2 1 3 1 4 1 5 1 2");
  EXPECT_EQ(Played("a S/[0,1,5 b fine :|3/[2 c :|/[3 d :|/[4 e S DC/f"), "1 2 1 3 1 4 1 5 1 2");
}

TEST(UnfoldTest, AnEndingThatNoTimeReachesIsPlayed) {
  std::vector<std::string> warnings;
  EXPECT_EQ(Played("|: a/[1 b :|/[3 c/d", &warnings), "1 2 1 3 4") << "a gap in the numbers";
  EXPECT_THAT(warnings, ElementsAre("bar 3: no repeat reaches the ending for time 3, which is "
                                    "played all the same"));
  EXPECT_EQ(Played("|: a/[1,2 b :|/[4 c/d"), "1 2 1 2 1 3 4");
  EXPECT_EQ(Played("|: a/[2 b :|/[3 c/d"), "1 2 1 3 4") << "no first";
  EXPECT_EQ(Played("|: a/[2 b/[2 c :|/[5 d :|/[7 e/[7 f/g"), "1 2 3 1 4 1 5 6 7");
  EXPECT_EQ(Played("|: a/[0 b :|/[1 c/d"), "1 2 1 3 4") << "counted from 0";
}

TEST(UnfoldTest, AnEndingAloneWhoseTimeNeverComesIsPlayedEachTime) {
  std::vector<std::string> warnings;
  EXPECT_EQ(Played("|: a/[3 b :|/c", &warnings), "1 2 1 2 3");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("bar 2: no repeat reaches the ending for time 3")));
  EXPECT_EQ(Played("|: a/[2 b :|/c"), "1 2 1 2 3");
  EXPECT_EQ(Played("|: a :|/[2 b/c"), "1 1 2 3") << "its first has no bracket";
  EXPECT_EQ(Played("a/[2 b/c"), "1 2 3") << "in no repeat, and without a jump";
  EXPECT_EQ(Played("a/[2 b/c/[2 d"), "1 2 3 4");
}

TEST(UnfoldTest, AJumpInAnEndingThatNoTimeReachesIsTaken) {
  EXPECT_EQ(Played("a fine/|: b/[1 c :|/[3 d DC/e"), "1 2 3 2 4 1");
  EXPECT_EQ(Played("a fine/[2 b/c DC"), "1 2 3 1");
  EXPECT_EQ(Played("a/[1 b DC/[3 c"), "1 2 1 3");
  EXPECT_EQ(Played("a fine/b DC/[2 c"), "1 2 1") << "behind the end: no ending keeps it away";
  EXPECT_EQ(Played("a/[2 b/new c/[2 d DC"), "1 2 3 4 3 4");
}

TEST(UnfoldTest, EndingsThatAreReachedKeepTheirNumbers) {
  std::vector<std::string> warnings;
  EXPECT_EQ(Played("|: a/[1 b :|/[2 c fine/d DC", &warnings), "1 2 1 3 4 1 3");
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_EQ(Played("|: a/[1 b :|/[2 c/|: d/[1 e :|/[3 f"), "1 2 1 3 4 5 4 6");
}

TEST(UnfoldTest, MovementsEndByThemselves) {
  EXPECT_EQ(Played("a fine/b DC/new c fine/d DC/new e"), "1 2 1 3 4 3 5");
  EXPECT_EQ(Played("a/b S/new c/d :|/e DS"), "1 2 3 4 3 4 5");
  EXPECT_EQ(Played("a toO/b DC/c O/new d toO/e DC/f O"), "1 2 1 3 4 5 4 6");
  EXPECT_EQ(Played("|: a :|/b fine DCrep/new |: c :|/d"), "1 1 2 1 1 2 3 3 4");
}

TEST(UnfoldTest, SignsThatLeadNowhereAreSaid) {
  std::vector<std::string> warnings;
  EXPECT_EQ(Played("a/b DS/c", &warnings), "1 2 3");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("bar 2: no segno")));
  warnings.clear();
  EXPECT_EQ(Played("a toO/b DC", &warnings), "1 2 1 2");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("bar 1: no coda sign")));
}

TEST(UnfoldTest, JumpsGoToTheSignOfTheirName) {
  EXPECT_EQ(Played("/ S=a / S=b / DS=a / S=b / DS=b /"), "1 2 3 4 2 3 4 5 6 5 6 7");
  EXPECT_EQ(Played("S=a / toO=x / toO=y / DS=a / O=y / O=x"), "1 2 3 4 1 2 6");
  // One behind the jump, where none is before; bars that weren't reached are played as written.
  EXPECT_EQ(Played("/ DS=b / / |: S=b :| /"), "1 2 4 4 5");
  // Names that stand at no sign, or in another movement only, are none.
  EXPECT_EQ(Played("/ S=a / DS=c / toO=z / O=x"), "1 2 3 2 3 4 5");
  EXPECT_EQ(Played("S=a / / new / S=b / DS=a"), "1 2 3 4 5 4 5");
}

TEST(UnfoldTest, AStatedOrderDecides) {
  WrittenScore score = Print("|: a :|/b/c");
  score.order = {0, 2, 1, 2};
  EXPECT_THAT(Unfold(score, {}, nullptr).value(), ElementsAre(0, 2, 1, 2));
  NotationLimits limits;
  limits.max_bars = 3;
  EXPECT_TRUE(absl::IsResourceExhausted(Unfold(score, limits, nullptr).status()));
}

TEST(UnfoldTest, ABombIsRefusedInNoTime) {
  std::string nested;
  for (int i = 0; i < 60; ++i) nested += "|: a/";
  for (int i = 0; i < 60; ++i) nested += "b :|/";
  std::string skipped = "a/";  // a billion times through bars that aren't played
  for (int i = 0; i < 3; ++i) skipped += "|: [9 a/";
  skipped += "[9 b :|1000000000";
  std::string jumps;
  for (int i = 0; i < 2000; ++i) jumps += "a DC/";
  const auto begin = std::chrono::steady_clock::now();
  for (const std::string& text : {std::string("a :|1000000000"), nested, jumps}) {
    const auto order = Unfold(Print(text), NotationLimits{}, nullptr);
    EXPECT_TRUE(absl::IsResourceExhausted(order.status())) << order.status();
    EXPECT_THAT(order.status().message(), HasSubstr("100000 bars"));
  }
  (void)Unfold(Print(skipped), NotationLimits{}, nullptr);
  std::string unreached;  // each only seen when the one before is played
  for (int i = 0; i < 2000; ++i) unreached += "|: a/[7 b :|/[9 c DC/";
  (void)Unfold(Print(unreached), NotationLimits{}, nullptr);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

}  // namespace
}  // namespace antiphon::notation
