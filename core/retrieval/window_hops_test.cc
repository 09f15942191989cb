#include "core/retrieval/window_hops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace antiphon::retrieval {
namespace {

using matching::Identification;
using matching::IdentifyOptions;
using ::testing::ElementsAre;

TEST(WindowHops, FollowFromTheLengthOfTheQuery) {
  EXPECT_THAT(HopsFor({}, 0, 1), ElementsAre(0.25));
  EXPECT_THAT(HopsFor({}, 4.99, 1), ElementsAre(0.25));
  EXPECT_THAT(HopsFor({}, 5, 1), ElementsAre(0.52));
  EXPECT_THAT(HopsFor({}, 6.99, 1), ElementsAre(0.52));
  EXPECT_THAT(HopsFor({}, 7, 1), ElementsAre(2.1, 0.52));
  EXPECT_THAT(HopsFor({}, 20, 1), ElementsAre(2.1, 0.52));
  EXPECT_THAT(HopsFor({}, 20.01, 1), ElementsAre(0.25));
  EXPECT_THAT(HopsFor({}, 3600, 1), ElementsAre(0.25));
}

TEST(WindowHops, AreWhatTheRequestSays) {
  for (const double length_s : {2.0, 10.0, 60.0})
    EXPECT_THAT(HopsFor({.hop_s = 0.3}, length_s, 1), ElementsAre(0.3));
}

TEST(WindowHops, OfPlainVotesAreFine) {
  for (const double length_s : {2.0, 10.0, 60.0})
    EXPECT_THAT(HopsFor({.method = matching::VoteMethod::kPlain}, length_s, 1), ElementsAre(0.25));
}

TEST(WindowHops, OfSoundAmongRecordingsAreFine) {
  for (const double length_s : {5.0, 10.0, 20.0})
    EXPECT_THAT(HopsFor({.against = catalog::Side::kRecordings}, length_s, 1), ElementsAre(0.25));
  EXPECT_THAT(HopsFor({.against = catalog::Side::kRecordings}, 10, 5), ElementsAre(0.52));
}

TEST(WindowHops, AreNotWideAtFirstWhereAllWindowsAreWanted) {
  EXPECT_THAT(HopsFor({.evidence = true}, 10, 1), ElementsAre(0.52));
  EXPECT_THAT(HopsFor({.follow_paths = false}, 10, 1), ElementsAre(0.52));
}

TEST(WindowHops, AreNotWideAtSeveralTempi) {
  EXPECT_THAT(HopsFor({}, 10, 5), ElementsAre(0.52));
  EXPECT_THAT(HopsFor({}, 30, 9), ElementsAre(0.25));
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

TEST(IsBeyondDoubt, AlsoWhereAnotherEditionHasTheSameMusic) {
  Identification answer = Sure();
  answer.candidates[0].same_music.push_back({.source = 1});
  EXPECT_TRUE(IsBeyondDoubt(answer, 10));
}

TEST(IsBeyondDoubt, NotWhereTheQueryJumps) {
  Identification answer = Sure();
  answer.candidates[0].passages.push_back({.query = {9.5, 10}});
  EXPECT_FALSE(IsBeyondDoubt(answer, 10));
}

TEST(IsBeyondDoubt, NotWhereMoreThanItsEndIsLeftOut) {
  EXPECT_TRUE(IsBeyondDoubt(Sure(), 10.55));
  EXPECT_FALSE(IsBeyondDoubt(Sure(), 10.65));
}

}  // namespace
}  // namespace antiphon::retrieval
