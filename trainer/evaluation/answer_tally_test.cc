#include "trainer/evaluation/answer_tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace antiphon::trainer::evaluation {
namespace {

using ::testing::ElementsAre;

matching::Identification Answer(const std::vector<std::pair<int, double>>& scored) {
  matching::Identification answer;
  answer.verdict = matching::Verdict::kMatch;
  for (const auto& [source, score] : scored) {
    answer.candidates.emplace_back();
    answer.candidates.back().source = source;
    answer.candidates.back().score = score;
  }
  return answer;
}

TEST(JudgeTest, AnyOfTheRightSourcesIsRight) {
  EXPECT_EQ(Judge(Answer({{4, 0.9}, {7, 0.5}}), {7, 4}).rank, 1);
  EXPECT_EQ(Judge(Answer({{3, 0.9}, {7, 0.5}, {4, 0.4}}), {7, 4}).rank, 2);
  EXPECT_EQ(Judge(Answer({{3, 0.5}, {7, 0.5}}), {7}).rank, 2) << "a tie counts against";
  EXPECT_EQ(Judge(Answer({{3, 0.9}}), {7}).rank, 0);
  EXPECT_TRUE(Judge(Answer({{7, 0.9}}), {7}).match);
  matching::Identification unsure = Answer({{7, 0.9}});
  unsure.verdict = matching::Verdict::kNoMatch;
  EXPECT_FALSE(Judge(unsure, {7}).match);
  EXPECT_EQ(Judge({}, {7}).rank, 0);
}

TEST(AnswerTallyTest, SharesByGroupAndLength) {
  AnswerTally tally({.same_music = true, .unique = true});
  tally.Add("violin", 0, {1, true, false, true});
  tally.Add("violin", 5, {1, true, false, true});
  tally.Add("violin", 5, {1, false, false, false});
  tally.Add("violin", 5, {3, true, true, false});   // named another setting of the same line
  tally.Add("violin", 5, {0, true, false, false});  // named something else
  tally.Add("mix", 5, {6, false, false, {}});
  metrics::ReportTable table = tally.EmptyTable("t");
  tally.AddRows("this model", table);
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(table.rows[0].name, "this model, violin, 5 s");
  EXPECT_THAT(table.rows[0].figures, ElementsAre(0.5, 0.75, 0.25, 0.25, 0.75, 0.25, 4));
  EXPECT_EQ(table.rows[1].name, "this model, violin, whole");
  EXPECT_THAT(table.rows[1].figures, ElementsAre(1, 1, 1, 0, 1, 1, 1));
  EXPECT_EQ(table.rows[2].name, "this model, mix, 5 s");
  EXPECT_THAT(table.rows[2].figures, ElementsAre(0, 0, 0, 0, 0, 0, 1));
  for (const metrics::ReportRow& row : table.rows)
    EXPECT_EQ(row.figures.size(), table.columns.size());
  EXPECT_EQ(tally.RandomRow(10).figures.size(), table.columns.size());
  EXPECT_DOUBLE_EQ(tally.RandomRow(4).figures[1], 1);
}

TEST(AnswerTallyTest, HasNoColumnForWhatNobodyLooksAt) {
  AnswerTally tally({});
  tally.Add("all", 10, {2, true, false, {}});
  metrics::ReportTable table = tally.EmptyTable("t");
  tally.AddRows("m", table);
  EXPECT_THAT(table.columns, ElementsAre("first", "in 5", "named", "misnamed", "queries"));
  EXPECT_THAT(table.rows[0].figures, ElementsAre(0, 1, 0, 1, 1));
  EXPECT_EQ(tally.RandomRow(10).figures.size(), table.columns.size());
}

}  // namespace
}  // namespace antiphon::trainer::evaluation
