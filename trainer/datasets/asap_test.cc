#include "trainer/datasets/asap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace antiphon::trainer::datasets {
namespace {

using ::testing::ElementsAre;

TEST(CsvTest, QuotedFieldsHoldCommasQuotesAndLineBreaks) {
  const auto rows = ParseCsv("a,b,c\r\n\"x, y\",\"say \"\"hi\"\"\",\"two\nlines\"\n\n,\"\",last");
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_THAT((*rows)[0], ElementsAre("a", "b", "c"));
  EXPECT_THAT((*rows)[1], ElementsAre("x, y", "say \"hi\"", "two\nlines"));
  EXPECT_THAT((*rows)[2], ElementsAre("", "", "last"));
}

TEST(CsvTest, AQuoteThatDoesNotEndIsAnError) {
  EXPECT_TRUE(absl::IsInvalidArgument(ParseCsv("a,\"b\nc,d").status()));
}

constexpr char kHeader[] =
    "composer,title,folder,midi_score,midi_performance,performance_annotations,midi_score_"
    "annotations\n";

std::string Row(const std::string& title, const std::string& folder, const std::string& player) {
  return "Bach,\"" + title + "\"," + folder + "," + folder + "/s.mid," + folder + "/" + player +
         ".mid," + folder + "/" + player + ".txt," + folder + "/s.txt\n";
}

TEST(AsapTest, ScoresWithOneTitleAreOneWork) {
  const auto asap = ParseAsapMetadata(
      kHeader + Row("Sonata, no. 2", "B/2", "y") + Row("Sonata, no. 2", "B/2_no_repeat", "x") +
          Row("Fugue", "A/1", "z") + Row("Sonata, no. 2", "B/2", "a"),
      "/corpus");
  ASSERT_TRUE(asap.ok()) << asap.status();
  ASSERT_EQ(asap->scores.size(), 3u);
  EXPECT_EQ(asap->works, 2);
  ASSERT_EQ(asap->performances.size(), 4u);
  std::map<std::string, std::pair<std::string, int>> by_id;
  for (const AsapPerformance& p : asap->performances)
    by_id[p.id] = {asap->scores[p.score].id, asap->work_of(p)};
  EXPECT_EQ(by_id["B__2__a"], by_id["B__2__y"]);
  EXPECT_EQ(by_id["B__2_no_repeat__x"].first, "B__2_no_repeat");
  EXPECT_EQ(by_id["B__2_no_repeat__x"].second, by_id["B__2__y"].second);
  EXPECT_NE(by_id["A__1__z"].second, by_id["B__2__y"].second);
  EXPECT_EQ(asap->scores[0].midi_path, "/corpus/A/1/s.mid");
}

TEST(AsapTest, AMissingColumnIsNamed) {
  const auto asap = ParseAsapMetadata("composer,title\nBach,Fugue\n", "/corpus");
  EXPECT_THAT(std::string(asap.status().message()), ::testing::HasSubstr("folder"));
}

TEST(AsapTest, ALargerSampleHoldsASmallerOneAndSeedsDiffer) {
  Asap asap;
  asap.performances.resize(50);
  const std::vector<int> ten = SamplePerformances(asap, 10, 1),
                         thirty = SamplePerformances(asap, 30, 1);
  ASSERT_EQ(ten.size(), 10u);
  EXPECT_TRUE(std::equal(ten.begin(), ten.end(), thirty.begin()));
  EXPECT_EQ(std::set<int>(thirty.begin(), thirty.end()).size(), 30u);
  EXPECT_NE(ten, SamplePerformances(asap, 10, 2));
  EXPECT_EQ(SamplePerformances(asap, 0, 1).size(), 50u);
  EXPECT_EQ(SamplePerformances(asap, 500, 1).size(), 50u);
}

TEST(BeatsTest, ReadsTimesAndFreePassages) {
  const auto beats = ParseBeats("0.5\t0.5\tdb,4/4,2\r\n1.25\t1.25\tbR\n\n2\t2\tb\n");
  ASSERT_TRUE(beats.ok()) << beats.status();
  ASSERT_EQ(beats->size(), 3u);
  EXPECT_EQ((*beats)[1].time_s, 1.25);
  EXPECT_TRUE((*beats)[1].free);
  EXPECT_FALSE((*beats)[0].free);
}

TEST(BeatsTest, ALineWithoutATimeIsNamed) {
  EXPECT_THAT(std::string(ParseBeats("1\t1\tb\nbeat\n").status().message()),
              ::testing::HasSubstr("line 2"));
}

TEST(BeatMapTest, IsLinearBetweenBeatsAndBackAgain) {
  const auto map = BeatMap::Create({{1, false}, {3, false}, {4, false}},
                                   {{10, false}, {11, false}, {13, false}});
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_DOUBLE_EQ(map->ScoreAt(2).value(), 10.5);
  EXPECT_DOUBLE_EQ(map->ScoreAt(3.5).value(), 12);
  for (double at = 1; at <= 4; at += 0.125)
    EXPECT_NEAR(map->PerformanceAt(map->ScoreAt(at).value()).value(), at, 1e-12);
}

TEST(BeatMapTest, EndsAtTheFirstAndTheLastBeat) {
  const auto map = BeatMap::Create({{1, false}, {3, false}}, {{10, false}, {11, false}});
  ASSERT_TRUE(map.ok());
  EXPECT_DOUBLE_EQ(map->ScoreAt(1).value(), 10);
  EXPECT_DOUBLE_EQ(map->ScoreAt(3).value(), 11);
  EXPECT_FALSE(map->ScoreAt(0.999).has_value());
  EXPECT_FALSE(map->ScoreAt(3.001).has_value());
  EXPECT_FALSE(map->PerformanceAt(9.9).has_value());
}

TEST(BeatMapTest, LeavesOutFreePassagesAndBeatsThatDoNotAdvance) {
  const auto map = BeatMap::Create({{0, false}, {1, true}, {2, false}, {2, false}, {3, false}},
                                   {{0, false}, {5, false}, {6, false}, {7, false}, {8, false}});
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->points().size(), 3u);
  EXPECT_DOUBLE_EQ(map->ScoreAt(1).value(), 3);
}

TEST(BeatMapTest, UnequalNumbersHaveNoMap) {
  EXPECT_TRUE(
      absl::IsFailedPrecondition(BeatMap::Create({{0, false}, {1, false}}, {{0, false}}).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(BeatMap::Create({{0, false}}, {{0, false}}).status()));
}

}  // namespace
}  // namespace antiphon::trainer::datasets
