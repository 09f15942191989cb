#include "core/musicxml/musicxml_signs.h"

#include <string>
#include <vector>

#include "core/musicxml/musicxml.h"
#include "core/musicxml/musicxml_test_util.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/written_scores.h"

namespace antiphon::notation {
namespace {

using ::antiphon::testing::IsSane;
using testing::Attributes;
using testing::Backup;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kCommon;
using testing::Measure;
using testing::Note;
using testing::Part;
using testing::Parts;
using testing::Read;
using testing::Rest;
using ::testing::SizeIs;
using testing::Text;
using testing::Words;

constexpr Ticks kQuarter = kTicksPerQuarter;

std::string Direction(std::string_view type, std::string_view more = "") {
  return Text({"<direction><direction-type>", type, "</direction-type>", more, "</direction>\n"});
}

std::string Sound(std::string_view attributes) {
  return Text({"<direction><direction-type><words>x</words></direction-type><sound ", attributes,
               "/></direction>\n"});
}

std::string Left(std::string_view content) {
  return Text({"<barline location=\"left\">", content, "</barline>\n"});
}
std::string Right(std::string_view content) {
  return Text({"<barline location=\"right\">", content, "</barline>\n"});
}

// Four bars of 4/4, each with a note, and what comes before and after it.
struct Bar {
  std::string before = {};
  std::string after = {};
};
WrittenScore Bars(const std::vector<Bar>& bars) {
  std::string music;
  int number = 0;
  for (const Bar& bar : bars) {
    ++number;
    music += Measure(std::to_string(number),
                     Text({number == 1 ? kCommon : "", bar.before, Note("C4", 16), bar.after}));
  }
  WrittenScore score = Read(Part(music));
  EXPECT_THAT(score.bars, SizeIs(bars.size()));
  EXPECT_TRUE(IsSane(score));
  return score;
}

TEST(MusicXmlBars, AnUpbeatIsAsLongAsItIs) {
  const WrittenScore score = Read(Parts(
      {Measure("0", Text({kCommon, Note("C4", 4)}), "implicit=\"yes\"") +
           Measure("1", Note("C4", 16)) + Measure("X1", Note("C4", 6)) +
           Measure("12a", Note("C4", 10)),
       // Some programs write a rest as long as the metre.
       Measure("0", Text({kCommon, Rest(16, "<rest measure=\"yes\"/>")}), "implicit=\"yes\"") +
           Measure("1", Rest(16, "<rest measure=\"yes\"/>"))}));
  ASSERT_THAT(score.bars, SizeIs(4));
  EXPECT_EQ(score.bars[0].length, kQuarter);
  EXPECT_EQ(score.bars[1].start, kQuarter);
  EXPECT_EQ(score.bars[2].length, kQuarter * 3 / 2);
  EXPECT_EQ(score.bars[0].number, "0");
  EXPECT_EQ(score.bars[2].number, "X1");
  EXPECT_EQ(score.bars[3].number, "12a");
}

TEST(MusicXmlBars, EmptyBarsAndRestsOfManyBarsAreAsLongAsTheMetre) {
  const WrittenScore score = Read(
      Part(Text({Measure("1", Text({kCommon,
                                    Attributes("<measure-style><multiple-rest>2</multiple-rest>"
                                               "</measure-style>"),
                                    Rest(16, "<rest measure=\"yes\"/>")})),
                 Measure("2", ""),
                 Measure("3", Text({Attributes("<time><beats>3</beats><beat-type>8"
                                               "</beat-type></time>")}))})));
  ASSERT_THAT(score.bars, SizeIs(3));
  EXPECT_EQ(score.bars[1].length, 4 * kQuarter);
  EXPECT_EQ(score.bars[2].length, kQuarter * 3 / 2);
}

TEST(MusicXmlBars, InvisibleRestsDoNotLengthenABar) {
  const WrittenScore score = Read(Part(
      Text({Measure("1", Text({kCommon, Note("C4", 16), Backup(4),
                               "<note print-object=\"no\"><rest/><duration>12</duration></note>"})),
            Measure("2", Text({Note("C4", 4), "<forward><duration>12</duration></forward>"})),
            Measure("3", Text({Note("C4", 16), Rest(4)}))})));
  ASSERT_THAT(score.bars, SizeIs(3));
  EXPECT_EQ(score.bars[0].length, 4 * kQuarter);
  EXPECT_EQ(score.bars[1].length, 4 * kQuarter);
  EXPECT_EQ(score.bars[2].length, 5 * kQuarter);
}

TEST(MusicXmlBars, RoundedDurationsDoNotMoveTheBarline) {
  // Seven in the time of eight, in divisions that have no seventh.
  std::string notes;
  for (int i = 0; i < 7; ++i) notes += Note("C4", 273);
  const WrittenScore score = Read(
      Part(Measure("1", Attributes("<divisions>480</divisions><time><beats>4</beats><beat-type>4"
                                   "</beat-type></time>") +
                            notes)));
  EXPECT_EQ(score.bars[0].length, 4 * kQuarter);
}

TEST(MusicXmlBars, MetresMayBeSums) {
  const auto time = [](std::string_view content) {
    return Attributes(Text({"<time>", content, "</time>"}));
  };
  const WrittenScore score =
      Read(Part(Text({Measure("1", time("<beats>3+2</beats><beat-type>8</beat-type>")),
                      Measure("2", time("<beats>3</beats><beat-type>4</beat-type><beats>2</beats>"
                                        "<beat-type>8</beat-type>")),
                      Measure("3", time("<senza-misura/>") +
                                       Attributes("<divisions>4</divisions>") + Note("C4", 52)),
                      Measure("4", time("<beats>4</beats><beat-type>3</beat-type>"))})));
  ASSERT_THAT(score.metres, SizeIs(2));
  EXPECT_EQ(score.metres[0].value.numerator, 5);
  EXPECT_EQ(score.metres[0].value.denominator, 8);
  EXPECT_EQ(score.metres[1].value.numerator, 8);
  EXPECT_EQ(score.metres[1].value.denominator, 8);
  EXPECT_EQ(score.metres[1].at, kQuarter * 5 / 2);
  EXPECT_EQ(score.bars[2].length, 13 * kQuarter);
  ASSERT_THAT(score.warnings, SizeIs(1));
  EXPECT_THAT(score.warnings[0], HasSubstr("bar 4"));
}

TEST(MusicXmlBars, KeysAreAsHeard) {
  const auto key = [](int fifths, std::string_view more) {
    return Attributes(Text({"<key><fifths>", std::to_string(fifths), "</fifths>", more, "</key>"}));
  };
  const std::string clarinet = Attributes("<transpose><chromatic>-2</chromatic></transpose>");
  const WrittenScore concert =
      Read(Parts({Measure("1", Text({kCommon, clarinet, key(2, ""), Note("C4", 16)})),
                  Measure("1", Text({kCommon, key(-3, "<mode>minor</mode>"), Note("C4", 16)}))}));
  ASSERT_THAT(concert.keys, SizeIs(1));
  EXPECT_EQ(concert.keys[0].value.fifths, -3);
  EXPECT_TRUE(concert.keys[0].value.minor);
  const WrittenScore alone =
      Read(Part(Measure("1", Text({clarinet, key(2, ""), kCommon, Note("C4", 16)}))));
  ASSERT_THAT(alone.keys, SizeIs(1));
  EXPECT_EQ(alone.keys[0].value.fifths, -2);
}

TEST(MusicXmlTempo, SoundsAndMetronomesState) {
  const WrittenScore score = Bars({
      {Direction("<metronome><beat-unit>quarter</beat-unit><per-minute>60</per-minute></metronome>",
                 "<sound tempo=\"66.5\"/>")},
      {Direction("<metronome><beat-unit>quarter</beat-unit><beat-unit-dot/><per-minute>ca. 80 - 90"
                 "</per-minute></metronome>")},
      {Direction("<metronome><beat-unit>quarter</beat-unit><beat-unit>half</beat-unit>"
                 "</metronome>")},
      {"<sound tempo=\"50\"/>"},
      {Words("Allegro") + Sound("tempo=\"0\"")},
  });
  ASSERT_THAT(score.tempi, SizeIs(4));
  EXPECT_EQ(score.tempi[0].value, 66.5);
  EXPECT_EQ(score.tempi[1].value, 120);
  EXPECT_EQ(score.tempi[1].at, 4 * kQuarter);
  EXPECT_EQ(score.tempi[2].value, 240);
  EXPECT_EQ(score.tempi[3].value, 50);
  ASSERT_THAT(score.warnings, SizeIs(1));
  EXPECT_THAT(Bars({{Words("Presto")}}).tempi, IsEmpty());
}

TEST(MusicXmlRepeats, BarlinesRepeat) {
  const WrittenScore score = Bars({
      {"", Right("<repeat direction=\"forward\"/>")},
      {"", Right("<repeat direction=\"backward\"/>")},
      {Left("<repeat direction=\"forward\"/>"),
       Right("<repeat direction=\"backward\" times=\"3\"/>")},
      {"", ""},
      {Left("<repeat direction=\"backward\"/>")},
  });
  EXPECT_FALSE(score.bars[0].starts_repeat);
  EXPECT_TRUE(score.bars[1].starts_repeat);
  EXPECT_EQ(score.bars[1].plays, 2);
  EXPECT_TRUE(score.bars[2].starts_repeat);
  EXPECT_EQ(score.bars[2].plays, 3);
  EXPECT_EQ(score.bars[3].plays, 2);
  EXPECT_EQ(score.bars[4].plays, 1);
}

TEST(MusicXmlRepeats, EndingsHoldFromStartToStop) {
  const WrittenScore score = Bars({
      {},
      {Left("<ending number=\"1,2\" type=\"start\"/>")},
      {"", Right("<ending number=\"1,2\" type=\"stop\"/><repeat direction=\"backward\"/>")},
      {Left("<ending number=\"3\" type=\"start\"/>"),
       Right("<ending number=\"3\" type=\"discontinue\"/>")},
      {},
      // Never stopped.
      {Left("<ending number=\"\" type=\"start\">1. - 3.</ending>"),
       Right("<repeat direction=\"backward\"/>")},
      {Left("<ending number=\"4\" type=\"start\"/>"), Right("<bar-style>light-heavy</bar-style>")},
      {},
  });
  EXPECT_THAT(score.bars[0].endings, IsEmpty());
  EXPECT_THAT(score.bars[1].endings, ElementsAre(1, 2));
  EXPECT_THAT(score.bars[2].endings, ElementsAre(1, 2));
  EXPECT_THAT(score.bars[3].endings, ElementsAre(3));
  EXPECT_THAT(score.bars[4].endings, IsEmpty());
  EXPECT_THAT(score.bars[5].endings, ElementsAre(1, 2, 3));
  EXPECT_THAT(score.bars[6].endings, ElementsAre(4));
  EXPECT_THAT(score.bars[7].endings, IsEmpty());
}

TEST(MusicXmlRepeats, ADoubleBarWithinAnEndingDoesNotEndIt) {
  // A couplet of a rondo, which is an ending of many bars.
  const WrittenScore score = Bars({
      {Left("<ending number=\"2\" type=\"start\"/>"), Right("<bar-style>light-light</bar-style>")},
      {},
      {"", Right("<ending number=\"2\" type=\"stop\"/><repeat direction=\"backward\"/>")},
      // Of this one nothing says where it stops.
      {Left("<ending number=\"3\" type=\"start\"/>"), Right("<bar-style>light-light</bar-style>")},
      {},
      {Left("<ending number=\"4\" type=\"start\"/>"),
       Right("<ending number=\"4\" type=\"stop\"/>")},
      // Another repeat ends it.
      {Left("<ending number=\"2\" type=\"start\"/>")},
      {Left("<repeat direction=\"forward\"/>")},
      {Left("<ending number=\"1\" type=\"start\"/>")},
  });
  for (const int bar : {0, 1, 2}) EXPECT_THAT(score.bars[bar].endings, ElementsAre(2)) << bar;
  EXPECT_THAT(score.bars[3].endings, ElementsAre(3));
  EXPECT_THAT(score.bars[4].endings, IsEmpty());
  EXPECT_THAT(score.bars[5].endings, ElementsAre(4));
  EXPECT_THAT(score.bars[6].endings, ElementsAre(2));
  EXPECT_THAT(score.bars[7].endings, IsEmpty());
}

TEST(MusicXmlRepeats, NumbersOfEndings) {
  EXPECT_THAT(EndingNumbers("1"), ElementsAre(1));
  EXPECT_THAT(EndingNumbers("2, 1"), ElementsAre(1, 2));
  EXPECT_THAT(EndingNumbers("1.2."), ElementsAre(1, 2));
  EXPECT_THAT(EndingNumbers("1.-3., 5"), ElementsAre(1, 2, 3, 5));
  EXPECT_THAT(EndingNumbers("0, 1, 5"), ElementsAre(1, 5));
  EXPECT_THAT(EndingNumbers("3-1"), ElementsAre(1, 3));
  EXPECT_THAT(EndingNumbers("1-999999999"), ElementsAre(1));
  EXPECT_THAT(EndingNumbers(" "), IsEmpty());
}

TEST(MusicXmlRepeats, SoundsJump) {
  const WrittenScore score = Bars({
      {Sound("segno=\"s\"")},
      {"", Sound("tocoda=\"c\"")},
      {"", Sound("fine=\"yes\"")},
      {"", Sound("dalsegno=\"s\"")},
      {"", Sound("dacapo=\"yes\"")},
      {Sound("coda=\"c\"")},
  });
  EXPECT_TRUE(score.bars[0].segno);
  EXPECT_TRUE(score.bars[1].to_coda);
  EXPECT_TRUE(score.bars[2].fine);
  EXPECT_TRUE(score.bars[3].dal_segno);
  EXPECT_FALSE(score.bars[3].da_capo);
  EXPECT_TRUE(score.bars[4].da_capo);
  EXPECT_TRUE(score.bars[5].coda);
  EXPECT_FALSE(score.bars[4].repeats_after_jump);
}

TEST(MusicXmlRepeats, NamesTellSignsApart) {
  const WrittenScore score = Bars({
      {Sound("segno=\"a\""), Sound("segno=\"b\"")},  // the other one at the end: of the next
      {"", Sound("tocoda=\"c\"")},
      {"", Right("<bar-style>light-light</bar-style>")},
      {Sound("tocoda=\"d\""), Sound("dalsegno=\"b\"")},
      {Sound("coda=\"c\"") + Sound("coda=\"d\"")},
      {Direction("<segno/>")},
  });
  EXPECT_EQ(score.bars[0].segno_name, "a");
  EXPECT_EQ(score.bars[1].segno_name, "b");
  EXPECT_EQ(score.bars[1].to_coda_name, "c");
  EXPECT_EQ(score.bars[2].to_coda_name, "d") << "after the double bar before it";
  EXPECT_EQ(score.bars[3].to_coda_name, "");
  EXPECT_EQ(score.bars[3].dal_segno_name, "b");
  EXPECT_EQ(score.bars[4].coda_name, "c") << "one of them";
  EXPECT_TRUE(score.bars[5].segno);
  EXPECT_EQ(score.bars[5].segno_name, "");
}

TEST(MusicXmlRepeats, SignsAtTheEndOfABarAreThoseOfTheNext) {
  const WrittenScore score = Bars({
      {"", Sound("segno=\"s\"")},
      {"", Right("<bar-style>light-light</bar-style>")},
      {Sound("fine=\"yes\"")},
      {"", Right("<segno/>")},
      {},
  });
  EXPECT_FALSE(score.bars[0].segno);
  EXPECT_TRUE(score.bars[1].segno);
  EXPECT_TRUE(score.bars[1].fine);
  EXPECT_FALSE(score.bars[2].fine);
  EXPECT_TRUE(score.bars[4].segno);
}

TEST(MusicXmlRepeats, WordsAndSignsJumpWhereNothingElseSays) {
  const WrittenScore score = Bars({
      {Direction("<segno/>")},
      {"", Words("To Coda") + Direction("<coda/>")},
      {"", Words("Fine")},
      {"", Words("D.S. al Coda")},
      {Direction("<coda/>")},
  });
  EXPECT_TRUE(score.bars[0].segno);
  EXPECT_TRUE(score.bars[1].to_coda);
  EXPECT_TRUE(score.bars[2].fine);
  EXPECT_TRUE(score.bars[3].dal_segno);
  EXPECT_TRUE(score.bars[4].coda);
  const WrittenScore wordless = Bars({{}, {"", Direction("<coda/>")}, {}, {Direction("<coda/>")}});
  EXPECT_TRUE(wordless.bars[1].to_coda);
  EXPECT_TRUE(wordless.bars[3].coda);
}

TEST(MusicXmlRepeats, OnlyPlainWordsJump) {
  for (const char* words : {"D.C.", "D. C. al Fine", "Da Capo", "Menuetto D.C. ", "M.D.C.",
                            "Scherzo da \ncapo <font size=\"10\"/>dal"})
    EXPECT_EQ(ReadJumpWords(words), JumpWords::kDaCapo) << words;
  for (const char* words : {"D.S.", "Dal segno al Fine", "D.S. <sym>segno</sym>"})
    EXPECT_EQ(ReadJumpWords(words), JumpWords::kDalSegno) << words;
  for (const char* words : {"Fine", "FINE.", "[Fine]"})
    EXPECT_EQ(ReadJumpWords(words), JumpWords::kFine) << words;
  EXPECT_EQ(ReadJumpWords("To <font size=\"20\"/><sym>coda</sym>"), JumpWords::kToCoda);
  EXPECT_EQ(ReadJumpWords("CODA"), JumpWords::kCoda);
  for (const char* words : {"dim. al Fine", "fine to the end", "Allegro", "", "sempre d", "dc8"})
    EXPECT_EQ(
        ReadJumpWords(words) == JumpWords::kDaCapo || ReadJumpWords(words) == JumpWords::kFine,
        std::string_view(words) == "dc8")
        << words;
  EXPECT_EQ(ReadJumpWords("The repeat and the da capo may be left out as one likes it best"),
            JumpWords::kUnclear);
}

TEST(MusicXmlRepeats, MovementsBeginWhereNumbersBeginAgain) {
  const std::string end = Right("<bar-style>light-heavy</bar-style>");
  const WrittenScore score = Read(
      Part(Text({Measure("1", Text({kCommon, Note("C4", 16)})), Measure("2", Note("C4", 16) + end),
                 Measure("0", Note("C4", 4)), Measure("3", Note("C4", 16)),
                 Measure("X1", Note("C4", 12) + end, "implicit=\"yes\""),
                 Measure("X2", Note("C4", 4), "implicit=\"yes\""), Measure("1", Note("C4", 16)),
                 Measure("2", Note("C4", 16)), Measure("1", Note("C4", 16))})));
  std::vector<bool> starts;
  for (const WrittenBar& bar : score.bars) starts.push_back(bar.starts_movement);
  EXPECT_THAT(starts, ElementsAre(true, false, true, false, false, true, false, false, false));
}

}  // namespace
}  // namespace antiphon::notation
