#include "core/streaming/played_span.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

namespace antiphon::streaming {
namespace {

constexpr double kWindow_s = 2.0;

// A window of the query whose middle lies at `query_s`, found at `reference_s`.
matching::Evidence Vote(double query_s, double reference_s, double tempo = 1.0,
                        float similarity = 0.9f) {
  return {{{query_s - kWindow_s / 2, query_s + kWindow_s / 2},
           {reference_s - tempo * kWindow_s / 2, reference_s + tempo * kWindow_s / 2},
           tempo},
          similarity};
}

// Windows every quarter of a second from `from_s` to `to_s`, where `place` says.
std::vector<matching::Evidence> Votes(double from_s, double to_s,
                                      const std::function<double(double)>& place) {
  std::vector<matching::Evidence> votes;
  for (double s = from_s; s <= to_s + 1e-9; s += 0.25) votes.push_back(Vote(s, place(s)));
  return votes;
}

TEST(HeardTest, SpansTheWindowsAlongTheLine) {
  const auto heard = PlayedAlong(Votes(5, 10, [](double s) { return s + 20; }), {{7, 27}, 1.0});
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->windows, 21);
  EXPECT_DOUBLE_EQ(heard->reach.start_s, 4);
  EXPECT_DOUBLE_EQ(heard->reach.end_s, 11);
  EXPECT_DOUBLE_EQ(heard->match.query.start_s, 4.5);
  EXPECT_DOUBLE_EQ(heard->match.query.end_s, 10.5);
  EXPECT_DOUBLE_EQ(heard->match.reference.start_s, 24.5);
  EXPECT_DOUBLE_EQ(heard->match.reference.end_s, 30.5);
  EXPECT_NEAR(heard->match.slope, 1.0, 1e-9);
}

TEST(HeardTest, FollowsATempoThatGivesAndTakes) {
  const auto place = [](double s) {
    return s + 0.8 * std::sin(s / 2);
  };  // up to 40 % faster and slower
  const auto heard = PlayedAlong(Votes(0, 40, place), {{20, place(20)}, 1.0});
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->windows, 161);
  EXPECT_NEAR(heard->match.slope, (place(40) - place(0)) / 40, 1e-9);
}

TEST(HeardTest, StopsWhereTheLineIsLeft) {
  // From 20 s on, another place of the same piece.
  const auto votes = Votes(10, 30, [](double s) { return s < 20 ? s : s - 10; });
  EXPECT_NEAR(PlayedAlong(votes, {{15, 15}, 1.0})->match.query.end_s, 20.25, 0.3);
  EXPECT_NEAR(PlayedAlong(votes, {{25, 15}, 1.0})->match.query.start_s, 19.5, 0.3);
}

TEST(HeardTest, BridgesAGapOfAFewSecondsOnly) {
  std::vector<matching::Evidence> votes = Votes(0, 5, [](double s) { return s; });
  votes.push_back(Vote(8.5, 8.6));
  EXPECT_DOUBLE_EQ(PlayedAlong(votes, {{2, 2}, 1.0})->reach.end_s, 9.5);
  votes.back() = Vote(9.5, 9.5);
  EXPECT_DOUBLE_EQ(PlayedAlong(votes, {{2, 2}, 1.0})->reach.end_s, 6);
}

TEST(HeardTest, LeavesOutWindowsOfOtherTempiAndThoseHardlyAlike) {
  std::vector<matching::Evidence> votes = Votes(0, 5, [](double s) { return s; });
  votes.push_back(Vote(5.25, 5.25, 1.4));
  votes.push_back(Vote(5.5, 5.5, 1.0, 0.5f));
  EXPECT_EQ(PlayedAlong(votes, {{2, 2}, 1.0})->windows, 21);
  votes.push_back(Vote(5.75, 5.75, 0.84, 0.6f));
  EXPECT_EQ(PlayedAlong(votes, {{2, 2}, 1.0})->windows, 22);
}

TEST(HeardTest, CountsAWindowOnceHoweverOftenItVoted) {
  std::vector<matching::Evidence> votes = Votes(0, 5, [](double s) { return s; });
  for (const matching::Evidence& vote : Votes(0, 5, [](double s) { return s + 0.2; }))
    votes.push_back(vote);
  EXPECT_EQ(PlayedAlong(votes, {{2, 2}, 1.0})->windows, 21);
}

TEST(HeardTest, IsNothingWithoutAWindowOnTheLine) {
  EXPECT_FALSE(PlayedAlong({}, {{2, 2}, 1.0}));
  EXPECT_FALSE(PlayedAlong(Votes(0, 5, [](double s) { return s; }), {{2, 12}, 1.0}));
}

TEST(HeardTest, TakesTheStretchOfACandidateWithoutEvidence) {
  matching::Candidate candidate{.votes = 7, .place = {4, 8}, .match = {.slope = 1.1}};
  EXPECT_FALSE(PlayedSpanOf(candidate));
  candidate.match.query.start_s = 3;
  candidate.match.query.end_s = 5;
  candidate.match.reference.start_s = 6.9;
  candidate.match.reference.end_s = 9.1;
  const auto heard = PlayedSpanOf(candidate);
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->windows, 7);
  EXPECT_EQ(heard->match.query.end_s, 5);
  EXPECT_EQ(heard->match.reference.end_s, 9.1);
  candidate.evidence = Votes(1, 9, [](double s) { return 8 + s - 4; });
  candidate.match.slope = 1.0;
  EXPECT_EQ(PlayedSpanOf(candidate)->windows, 33);
}

TEST(HeardTest, CarriesOnAlongTheLineOnly) {
  const auto until = [](double end_s, double reference_end_s) {
    return PlayedSpan{.match = {.query = {0, end_s}, .reference = {0, reference_end_s}}};
  };
  PlayedSpan earlier = until(10, 30);
  earlier.match.slope = 1.2;
  EXPECT_TRUE(CarriesOn(earlier, until(12, 32.4)));
  EXPECT_TRUE(CarriesOn(earlier, until(12, 33.5)));
  EXPECT_FALSE(CarriesOn(earlier, until(12, 35)));
  EXPECT_FALSE(CarriesOn(earlier, until(12, 2)));
  EXPECT_TRUE(CarriesOn(earlier, until(22, 48)));
}

}  // namespace
}  // namespace antiphon::streaming
