#include "core/matching/voting.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace antiphon::matching {
namespace {

using Rng = std::mt19937;

double Uniform(Rng& rng, double low, double high) {
  return std::uniform_real_distribution(low, high)(rng);
}

constexpr double kHop = 0.25;
constexpr double kHypotheses[] = {0.5, 0.707, 1.0, 1.414, 2.0};

// What a search gives for a query played along one line: each window finds its place at the two
// hypotheses around the real slope, the reference cut every half second as played.
struct LineSource {
  int source = 0;
  double slope = 1.0;
  double reference_s = 20.0;  // at query time 0
  double found = 0.6;         // the part of the windows that find their place
  float similarity = 0.7f;
  double noise_s = 0.05;
};

void AddLine(Rng& rng, const LineSource& line, int windows, std::vector<Vote>& votes) {
  for (int w = 0; w < windows; ++w) {
    if (Uniform(rng, 0, 1) > line.found) continue;
    const double query_s = 1 + w * kHop;
    for (const double hypothesis : kHypotheses) {
      if (std::abs(std::log(hypothesis / line.slope)) > std::log(1.41)) continue;
      const double grid = 0.5 * hypothesis;
      const double exact =
          line.reference_s + line.slope * query_s + line.noise_s * Uniform(rng, -1, 1);
      votes.push_back({w,
                       line.source,
                       {query_s, std::round(exact / grid) * grid},
                       hypothesis,
                       line.similarity + static_cast<float>(Uniform(rng, -0.05, 0.05))});
    }
  }
}

// Neighbours anywhere in a piece of `length_s`, at any hypothesis, `per_window` for each window.
void AddScatter(Rng& rng, int source, double length_s, int windows, int per_window,
                std::vector<Vote>& votes) {
  for (int w = 0; w < windows; ++w) {
    for (int i = 0; i < per_window; ++i) {
      votes.push_back({w,
                       source,
                       {1 + w * kHop, Uniform(rng, 0, length_s)},
                       kHypotheses[std::uniform_int_distribution(0, 8)(rng)],
                       static_cast<float>(Uniform(rng, 0.5, 0.8))});
    }
  }
}

void ExpectEqual(const std::vector<SourceScore>& a, const std::vector<SourceScore>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].source, b[i].source);
    EXPECT_EQ(a[i].votes, b[i].votes);
    EXPECT_DOUBLE_EQ(a[i].score, b[i].score);
    EXPECT_DOUBLE_EQ(a[i].place.query_s, b[i].place.query_s);
    EXPECT_DOUBLE_EQ(a[i].place.reference_s, b[i].place.reference_s);
    EXPECT_DOUBLE_EQ(a[i].match.slope, b[i].match.slope);
  }
}

TEST(PlainVote, CountsNeighboursAndPointsAtTheMostSimilar) {
  const std::vector<Vote> votes = {{0, 7, {0.0, 10.0}, 1.0, 0.5f},
                                   {0, 3, {0.0, 5.0}, 1.0, 0.9f},
                                   {1, 7, {0.5, 30.0}, 1.19, 0.8f},
                                   {2, 7, {1.0, 12.0}, 1.0, 0.6f}};
  const std::vector<SourceScore> scores = PlainVote(votes);
  ASSERT_EQ(scores.size(), 2u);
  EXPECT_EQ(scores[0].source, 7);
  EXPECT_EQ(scores[0].votes, 3);
  EXPECT_DOUBLE_EQ(scores[0].score, 3.0);
  EXPECT_DOUBLE_EQ(scores[0].place.query_s, 0.5);
  EXPECT_DOUBLE_EQ(scores[0].place.reference_s, 30.0);
  EXPECT_DOUBLE_EQ(scores[0].match.slope, 1.19);
  EXPECT_EQ(scores[1].source, 3);
}

TEST(Voting, NoVotesGiveNoScores) {
  EXPECT_TRUE(PlainVote({}).empty());
  EXPECT_TRUE(VoteInTime({}, 0).empty());
  EXPECT_TRUE(VoteInTime({}, 10).empty());
}

TEST(Voting, TheOrderOfTheVotesDoesNotMatter) {
  Rng rng(1);
  for (int round = 0; round < 20; ++round) {
    std::vector<Vote> votes;
    AddLine(rng, {.source = 1, .slope = Uniform(rng, 0.6, 1.8)}, 40, votes);
    for (int source = 2; source < 6; ++source) AddScatter(rng, source, 60, 40, 2, votes);
    votes.insert(votes.end(), votes.begin(), votes.begin() + 10);  // ties
    const auto in_time = VoteInTime(votes, 40);
    const auto plain = PlainVote(votes);
    std::shuffle(votes.begin(), votes.end(), rng);
    ExpectEqual(VoteInTime(votes, 40), in_time);
    ExpectEqual(PlainVote(votes), plain);
  }
}

TEST(VoteInTime, ALineBeatsScatteredVotesAndGivesPlaceAndTempo) {
  Rng rng(2);
  for (int round = 0; round < 100; ++round) {
    const double slope = Uniform(rng, 0.52, 1.9);
    const double reference_s = Uniform(rng, 0, 200);
    std::vector<Vote> votes;
    AddLine(rng, {.source = 4, .slope = slope, .reference_s = reference_s}, 33, votes);
    for (int source = 5; source < 20; ++source) AddScatter(rng, source, 120, 33, 1, votes);
    const auto scores = VoteInTime(votes, 33);
    ASSERT_FALSE(scores.empty());
    EXPECT_EQ(scores[0].source, 4) << "slope " << slope;
    EXPECT_GT(scores[0].score, 1.5 * scores[1].score) << "slope " << slope;
    EXPECT_NEAR(scores[0].match.slope / slope, 1.0, 0.05);
    EXPECT_NEAR(scores[0].place.reference_s, reference_s + slope * scores[0].place.query_s, 0.25);
  }
}

TEST(VoteInTime, ATempoBetweenTwoHypothesesLosesNothing) {
  // 1.19 lies half-way between 1.0 and 1.414, where the votes of each hypothesis alone drift by 1.9
  // s in 10 s.
  Rng rng(3);
  std::vector<Vote> at, between;
  AddLine(rng, {.source = 1, .slope = 1.0, .found = 1.0}, 36, at);
  AddLine(rng, {.source = 1, .slope = 1.19, .found = 1.0}, 36, between);
  const auto score_at = VoteInTime(at, 36);
  const auto score_between = VoteInTime(between, 36);
  EXPECT_GE(score_between[0].votes, 33);
  EXPECT_GT(score_between[0].score, 0.9 * score_at[0].score);
  EXPECT_NEAR(score_between[0].match.slope, 1.19, 0.05 * 1.19);
}

TEST(VoteInTime, VotesOfDistantHypothesesDoNotSupportOneAnother) {
  std::vector<Vote> votes;
  for (int w = 0; w < 20; ++w) {
    const double query_s = w * kHop;
    votes.push_back({w, 0, {query_s, 10 + query_s}, w % 2 == 0 ? 1.0 : 2.0, 0.8f});
  }
  EXPECT_EQ(VoteInTime(votes, 20)[0].votes, 10);
}

TEST(VoteInTime, AConsistentSourceBeatsARepetitiveOneThatWinsThePlainVote) {
  Rng rng(4);
  for (int round = 0; round < 20; ++round) {
    std::vector<Vote> votes;
    AddLine(rng, {.source = 1, .slope = 1.1, .similarity = 0.6f}, 33, votes);
    AddScatter(rng, 2, 240, 33, 5, votes);
    EXPECT_EQ(PlainVote(votes)[0].source, 2);
    EXPECT_EQ(VoteInTime(votes, 33)[0].source, 1);
  }
}

TEST(VoteInTime, AQueryWindowCountsOnceHoweverManyNeighboursItHas) {
  std::vector<Vote> votes;
  for (int w = 0; w < 10; ++w) votes.push_back({w, 0, {w * kHop, 5 + w * kHop}, 1.0, 0.65f});
  const auto once = VoteInTime(votes, 10);
  std::vector<Vote> repeated = votes;
  for (const Vote& vote : votes) {
    for (int copy = 0; copy < 4; ++copy) {
      repeated.push_back(vote);
      repeated.back().similarity -= 0.05f * static_cast<float>(copy);
      repeated.back().place.reference_s += 0.01 * copy;
    }
  }
  const auto many = VoteInTime(repeated, 10);
  EXPECT_DOUBLE_EQ(once[0].score, many[0].score);
  EXPECT_EQ(many[0].votes, 10);
}

TEST(VoteInTime, TheScoreIsTheMeanWeightOfTheWindowsThatAgree) {
  std::vector<Vote> votes;
  for (int w = 0; w < 8; ++w)
    votes.push_back({w, 0, {w * kHop, 5 + w * kHop}, 1.0, w < 4 ? 1.0f : 0.65f});
  votes.push_back({8, 0, {8 * kHop, 5 + 8 * kHop}, 1.0, 0.2f});   // below the floor
  votes.push_back({9, 0, {9 * kHop, 50 + 9 * kHop}, 1.0, 1.0f});  // elsewhere
  const auto scores = VoteInTime(votes, 16);
  ASSERT_EQ(scores.size(), 1u);
  EXPECT_EQ(scores[0].votes, 8);
  EXPECT_NEAR(scores[0].score, (4 * 1.0 + 4 * 0.5) / 16, 1e-6);
}

TEST(VoteInTime, ATempoThatDriftsOverAMinuteStillAddsUp) {
  Rng rng(5);
  std::vector<Vote> votes;
  const int windows = 236;
  double reference_s = 3;
  for (int w = 0; w < windows; ++w) {
    const double query_s = w * kHop;
    const double slope = 1.0 + 0.15 * std::sin(query_s / 60 * 2 * 3.14159265);  // 0.85 to 1.15
    reference_s += slope * kHop;
    votes.push_back({w, 1, {query_s, reference_s + Uniform(rng, -0.1, 0.1)}, 1.0, 0.65f});
  }
  AddScatter(rng, 2, 300, windows, 2, votes);
  const auto scores = VoteInTime(votes, windows);
  EXPECT_EQ(scores[0].source, 1);
  EXPECT_GT(scores[0].votes, 0.9 * windows);
  EXPECT_GT(scores[0].score, 2 * scores[1].score);
}

TEST(VoteInTime, StretchesOfALongQueryAddUp) {
  // Eight stretches of 8 s, 60 s apart, as a long recording is sampled.
  std::vector<Vote> votes;
  int window = 0;
  for (int stretch = 0; stretch < 8; ++stretch) {
    for (int i = 0; i < 32; ++i, ++window) {
      const double query_s = stretch * 60 + i * kHop;
      votes.push_back({window, 0, {query_s, 1.05 * query_s + stretch * 0.7}, 1.0, 1.0f});
    }
  }
  const auto scores = VoteInTime(votes, window);
  EXPECT_EQ(scores[0].votes, window);
  EXPECT_NEAR(scores[0].score, 1.0, 1e-6);
}

TEST(VoteInTime, TheToleranceIsSecondsOfSound) {
  // Places off the line by up to 0.5 s of the source, to either side: a quarter of a second of the
  // query at twice the tempo, two at half of it.
  for (const double slope : {2.0, 0.5}) {
    std::vector<Vote> votes;
    for (int w = 0; w < 20; ++w) {
      votes.push_back(
          {w, 0, {w * kHop, 5 + slope * w * kHop + (w % 2 == 0 ? 0.5 : -0.5)}, slope, 0.8f});
    }
    EXPECT_EQ(VoteInTime(votes, 20)[0].votes, slope == 2.0 ? 20 : 10);
    EXPECT_EQ(VoteInTime(votes, 20, {.tolerance_s = 1.1, .source_is_audio = true})[0].votes, 20);
    EXPECT_EQ(VoteInTime(votes, 20, {.tolerance_s = 0.9, .source_is_audio = true})[0].votes, 10);
  }
}

TEST(VoteInTime, AShortQueryTakesItsTempoFromTheHypotheses) {
  std::vector<Vote> votes;
  for (int w = 0; w < 4; ++w) votes.push_back({w, 0, {w * kHop, 5 + 1.3 * w * kHop}, 1.189, 0.8f});
  EXPECT_NEAR(VoteInTime(votes, 4)[0].match.slope, 1.189, 1e-9);
}

TEST(VoteInTime, IsScaledToOneAtMostAndSurvivesOddVotes) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<Vote> votes = {{0, 1, {nan, 0}, 1.0, 0.9f},
                                   {0, 1, {0, inf}, 1.0, 0.9f},
                                   {0, 1, {0, 0}, 0.0, 0.9f},
                                   {0, 1, {0, 0}, -1.0, 0.9f},
                                   {0, 1, {0, 0}, 1.0, std::numeric_limits<float>::quiet_NaN()},
                                   {0, 2, {0, 0}, 1e300, 3.0f},
                                   {1, 2, {1e9, 1e300}, 1e-300, 1.0f},
                                   {-5, 2, {2, 1}, 1.0, 1.0f}};
  const auto scores = VoteInTime(votes, 1);
  ASSERT_EQ(scores.size(), 1u);
  EXPECT_EQ(scores[0].source, 2);
  EXPECT_DOUBLE_EQ(scores[0].score, 1.0);
  EXPECT_TRUE(std::isfinite(scores[0].match.slope) && std::isfinite(scores[0].place.query_s));
}

TEST(VoteInTime, TensOfThousandsOfVotesTakeLittleTime) {
  Rng rng(6);
  std::vector<Vote> votes;
  for (int source = 0; source < 60; ++source) AddScatter(rng, source, 300, 240, 4, votes);
  for (int source = 100; source < 2000; ++source) AddScatter(rng, source, 300, 10, 1, votes);
  AddLine(rng, {.source = 99, .slope = 1.3}, 240, votes);
  const auto start = std::chrono::steady_clock::now();
  const auto scores = VoteInTime(votes, 240);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  RecordProperty("votes", static_cast<int>(votes.size()));
  RecordProperty("milliseconds", static_cast<int>(seconds * 1000));
  EXPECT_EQ(scores[0].source, 99);
  EXPECT_LT(seconds,
            10.0);  // far from what it takes: a guard against quadratic time, on any machine
}

TEST(VoteInTimeTest, EachPartHasLinesOfItsOwnAndTheBestSpeaksForItsSource) {
  Rng rng(5);
  const auto of_part = [&](int part, const LineSource& line, std::vector<Vote>& votes) {
    std::vector<Vote> own;
    AddLine(rng, line, 40, own);
    for (Vote& vote : own) vote.part = part;
    votes.insert(votes.end(), own.begin(), own.end());
  };
  std::vector<Vote> votes;
  of_part(2, {.source = 7, .found = 0.9}, votes);
  of_part(catalog::kWhole, {.source = 7, .found = 0.3}, votes);
  of_part(0, {.source = 8, .found = 0.5}, votes);
  of_part(1, {.source = 8, .found = 0.5}, votes);
  const auto scores = VoteInTime(votes, 40);
  ASSERT_EQ(scores.size(), 2u);
  EXPECT_EQ(scores[0].source, 7);
  EXPECT_EQ(scores[0].part, 2);
  // Two parts at one place don't add up to more than either.
  std::vector<Vote> one;
  for (const Vote& vote : votes) {
    if (vote.source == 8 && vote.part == scores[1].part) one.push_back(vote);
  }
  EXPECT_DOUBLE_EQ(VoteInTime(one, 40)[0].score, scores[1].score);
}

}  // namespace
}  // namespace antiphon::matching
