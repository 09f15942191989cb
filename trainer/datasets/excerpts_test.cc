#include "trainer/datasets/excerpts.h"

#include <gtest/gtest.h>

#include <set>

namespace antiphon::trainer::datasets {
namespace {

std::vector<matching::Candidate> Scored(const std::vector<std::pair<int, double>>& scores) {
  std::vector<matching::Candidate> candidates;
  for (const auto& [source, score] : scores) {
    candidates.emplace_back();
    candidates.back().source = source;
    candidates.back().score = score;
  }
  return candidates;
}

int Same(int source) { return source; }

TEST(RankOfWorkTest, CountsWhatScoresAtLeastAsHigh) {
  const auto candidates = Scored({{7, 0.9}, {3, 0.5}, {4, 0.5}, {1, 0.2}});
  EXPECT_EQ(RankOfWork(candidates, Same, 7), 1);
  EXPECT_EQ(RankOfWork(candidates, Same, 3), 3) << "ties count against";
  EXPECT_EQ(RankOfWork(candidates, Same, 4), 3);
  EXPECT_EQ(RankOfWork(candidates, Same, 1), 4);
  EXPECT_EQ(RankOfWork(candidates, Same, 2), 0) << "not among the candidates";
  EXPECT_EQ(RankOfWork({}, Same, 2), 0);
}

TEST(RankOfWorkTest, EditionsOfOneWorkAreNoRivals) {
  // Sources 10 and 11 are editions of one work, and so are 20 and 21.
  const auto work_of = [](int source) { return source / 10; };
  const auto candidates = Scored({{10, 0.9}, {11, 0.9}, {20, 0.8}, {21, 0.7}});
  EXPECT_EQ(RankOfWork(candidates, work_of, 1), 1);
  EXPECT_EQ(RankOfWork(candidates, work_of, 2), 2);
}

TEST(DrawExcerptsTest, LieInsideAndDependOnSeedNameAndLengthAlone) {
  const ExcerptPlan plan = {{2, 10}, 20, true, 1};
  const auto excerpts = DrawExcerpts(plan, 4, "a", 60);
  ASSERT_EQ(excerpts.size(), 41u);
  std::set<double> starts;
  for (const Excerpt& e : excerpts) {
    EXPECT_GE(e.start_s, 0);
    EXPECT_LE(e.start_s + e.length_s, 60 + 1e-9);
    EXPECT_EQ(e.recording, 4);
    starts.insert(e.start_s);
  }
  EXPECT_EQ(starts.size(), 41u);
  EXPECT_EQ(excerpts.back().length_s, 60);
  ExcerptPlan only_ten = plan;
  only_ten.lengths_s = {10};
  EXPECT_EQ(DrawExcerpts(only_ten, 0, "a", 60)[0].start_s, excerpts[20].start_s);
  EXPECT_NE(DrawExcerpts(plan, 4, "b", 60)[0].start_s, excerpts[0].start_s);
  only_ten.seed = 2;
  EXPECT_NE(DrawExcerpts(only_ten, 0, "a", 60)[0].start_s, excerpts[20].start_s);
}

TEST(DrawExcerptsTest, AShorterRecordingIsTakenWhole) {
  const auto excerpts = DrawExcerpts({{30}, 2, false, 1}, 0, "a", 12);
  for (const Excerpt& e : excerpts) {
    EXPECT_EQ(e.start_s, 0);
    EXPECT_EQ(e.length_s, 12);
    EXPECT_EQ(e.wanted_s, 30);
  }
}

TEST(DrawExcerptsTest, EvenlyFromTheBeginningToTheEnd) {
  const ExcerptPlan plan = {{5, 30, 40}, 4, true, 1, true};
  const auto excerpts = DrawExcerpts(plan, 2, "a", 35);
  ASSERT_EQ(excerpts.size(), 4u + 1 + 1 + 1) << "no more of a length than lie beside one another";
  for (int i = 0; i < 4; ++i) {
    EXPECT_DOUBLE_EQ(excerpts[i].start_s, 10.0 * i);
    EXPECT_EQ(excerpts[i].length_s, 5);
    EXPECT_EQ(excerpts[i].recording, 2);
  }
  EXPECT_DOUBLE_EQ(excerpts[4].start_s, 2.5) << "one alone is in the middle";
  EXPECT_EQ(excerpts[5].start_s, 0);
  EXPECT_EQ(excerpts[5].length_s, 35) << "a shorter recording is taken whole";
  EXPECT_EQ(excerpts[5].wanted_s, 40);
  EXPECT_EQ(excerpts[6].wanted_s, 0);
}

TEST(AccuracyTest, CountsByTheLengthAskedFor) {
  std::vector<Outcome> outcomes;
  for (const auto& [wanted, rank] :
       std::vector<std::pair<double, int64_t>>{{5, 1}, {5, 3}, {5, 0}, {5, 6}, {0, 1}}) {
    outcomes.push_back({{0, wanted, 0, wanted}, {}, rank});
  }
  EXPECT_EQ(AccuracyAt(outcomes, 5).queries, 4);
  EXPECT_DOUBLE_EQ(AccuracyAt(outcomes, 5).at_1(), 0.25);
  EXPECT_DOUBLE_EQ(AccuracyAt(outcomes, 5).at_5(), 0.5);
  EXPECT_DOUBLE_EQ(AccuracyAt(outcomes, 0).at_1(), 1);
  EXPECT_EQ(AccuracyAt(outcomes, 10).queries, 0);
}

}  // namespace
}  // namespace antiphon::trainer::datasets
