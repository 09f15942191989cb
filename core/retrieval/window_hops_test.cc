#include "core/retrieval/window_hops.h"

#include <gtest/gtest.h>

namespace antiphon::retrieval {
namespace {

using matching::Identification;
using matching::IdentifyOptions;

struct Hops {
  std::optional<double> first_s;
  double last_s;
};

void ExpectHops(const IdentifyOptions& options, double length_s, const Hops& expected) {
  const WindowHops hops = HopsFor(options, length_s);
  EXPECT_EQ(hops.first_s, expected.first_s) << length_s;
  EXPECT_EQ(hops.last_s, expected.last_s) << length_s;
}

TEST(WindowHops, FollowFromTheLengthOfTheQuery) {
  ExpectHops({}, 0, {{}, 0.25});
  ExpectHops({}, 4.99, {{}, 0.25});
  ExpectHops({}, 5, {{}, 0.5});
  ExpectHops({}, 6.99, {{}, 0.5});
  ExpectHops({}, 7, {1.0, 0.5});
  ExpectHops({}, 20, {1.0, 0.5});
  ExpectHops({}, 20.01, {{}, 0.25});
  ExpectHops({}, 3600, {{}, 0.25});
}

TEST(WindowHops, AreWhatTheRequestSays) {
  for (const double length_s : {2.0, 10.0, 60.0}) ExpectHops({.hop_s = 0.3}, length_s, {{}, 0.3});
}

TEST(WindowHops, OfPlainVotesAreFine) {
  for (const double length_s : {2.0, 10.0, 60.0})
    ExpectHops({.method = matching::VoteMethod::kPlain}, length_s, {{}, 0.25});
}

TEST(WindowHops, AreNotWideAtFirstWhereAllWindowsAreWanted) {
  ExpectHops({.evidence = true}, 10, {{}, 0.5});
  ExpectHops({.follow_paths = false}, 10, {{}, 0.5});
}

// Of ten seconds that one piece goes along with.
Identification Sure() {
  matching::Candidate best;
  best.confidence = 0.99;
  best.match.query = {0, 9.5};
  best.passages = {best.match};
  return {.verdict = matching::Verdict::kMatch, .windows = 10, .candidates = {best, {}}};
}

TEST(IsBeyondDoubt, WhereOnePieceGoesAlongFromEndToEnd) { EXPECT_TRUE(IsBeyondDoubt(Sure(), 10)); }

TEST(IsBeyondDoubt, NotWithoutAMatch) {
  EXPECT_FALSE(IsBeyondDoubt({}, 10));
  Identification answer = Sure();
  answer.verdict = matching::Verdict::kNoMatch;  // a request may want more confidence than that
  EXPECT_FALSE(IsBeyondDoubt(answer, 10));
}

TEST(IsBeyondDoubt, NotWithLessConfidence) {
  Identification answer = Sure();
  answer.candidates[0].confidence = 0.98;
  EXPECT_FALSE(IsBeyondDoubt(answer, 10));
}

TEST(IsBeyondDoubt, NotWhereSomethingElseHasTheSameMusic) {
  Identification answer = Sure();
  answer.candidates[0].same_music.push_back({.source = 1});
  EXPECT_FALSE(IsBeyondDoubt(answer, 10));
}

TEST(IsBeyondDoubt, NotWhereTheQueryJumps) {
  Identification answer = Sure();
  answer.candidates[0].passages.push_back({.query = {9.5, 10}});
  EXPECT_FALSE(IsBeyondDoubt(answer, 10));
}

TEST(IsBeyondDoubt, NotWhereASecondOfTheQueryIsLeftOut) {
  EXPECT_TRUE(IsBeyondDoubt(Sure(), 10.4));
  EXPECT_FALSE(IsBeyondDoubt(Sure(), 10.6));
}

}  // namespace
}  // namespace antiphon::retrieval
