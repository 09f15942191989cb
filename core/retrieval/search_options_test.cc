// What a request may ask for beside the query: bounds, an excerpt, evidence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/matching/tempo.h"
#include "core/retrieval/bundle_collection.h"
#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"

namespace antiphon::retrieval {
namespace {

using catalog::Side;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SearchOptionsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder();
    collection_ = new BundleCollection(
        testing::MakeTestCollection(folder_->path(), {.pieces = 6, .recordings = 4}));
  }
  static void TearDownTestSuite() {
    delete collection_;
    delete folder_;
    collection_ = nullptr;
    folder_ = nullptr;
  }

  static testing::TemporaryFolder* folder_;
  static const Collection* collection_;
};

testing::TemporaryFolder* SearchOptionsTest::folder_ = nullptr;
const Collection* SearchOptionsTest::collection_ = nullptr;

TEST_F(SearchOptionsTest, RefusesBoundsAndExcerptsThatCannotBe) {
  const audio::Waveform audio = testing::Play(testing::RandomPiece(0, 5));
  const music::Score score = testing::RandomPiece(0, 5);
  const auto refused = [&](const char* what, const matching::SearchFilter& filter,
                           const matching::QueryExcerpt& excerpt) {
    for (const absl::Status& status :
         {collection_->SearchScores(audio, {.filter = filter, .excerpt = excerpt}, {}).status(),
          collection_->SearchRecordings(score, {.filter = filter, .excerpt = excerpt}, {}).status(),
          collection_->IdentifyAudio(audio, {.filter = filter, .excerpt = excerpt}, {}).status(),
          collection_->IdentifyScore(score, {.filter = filter, .excerpt = excerpt}, {}).status()}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << what;
      EXPECT_THAT(status.message(), HasSubstr(what));
    }
  };
  refused("min_similarity", {.min_similarity = 1.5f}, {});
  refused("min_similarity", {.min_similarity = std::nanf("")}, {});
  refused("excerpt start", {}, {.start_s = -1});
  refused("excerpt start", {}, {.start_s = 7});
  refused("excerpt end", {}, {.start_s = 2, .end_s = 2});
  refused("excerpt end", {}, {.start_s = 2, .end_s = std::nan("")});
}

TEST_F(SearchOptionsTest, OnlyWhatPassesTheFilterIsAnAnswer) {
  const audio::Waveform query = testing::Play(music::Excerpt(testing::RandomPiece(2), 12, 22));
  const auto sources = [&](const matching::SearchFilter& filter) {
    std::set<int> found;
    for (const bool exact : {false, true}) {
      matching::SearchFilter either = filter;
      either.exact = exact;
      const auto hits = collection_->SearchScores(query, {.top_k = 50, .filter = either}, {});
      const auto result = collection_->IdentifyAudio(query, {.top_k = 50, .filter = either}, {});
      EXPECT_TRUE(hits.ok() && result.ok());
      for (const matching::Hit& hit : *hits) found.insert(hit.source);
      for (const matching::Candidate& candidate : result->candidates)
        found.insert(candidate.source);
      EXPECT_EQ(result->verdict,
                found.contains(2) ? matching::Verdict::kMatch : matching::Verdict::kNoMatch);
    }
    return found;
  };
  EXPECT_THAT(sources({}), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(sources({.sources = {.composers = {"cHANCE", "Nobody"}}}), ElementsAre(0, 2, 4));
  EXPECT_THAT(sources({.sources = {.composers = {"Accident"}}}), ElementsAre(1, 3, 5));
  EXPECT_THAT(sources({.sources = {.collections = {"shelf-2", "shelf-1"}}}),
              ElementsAre(1, 2, 4, 5));
  EXPECT_THAT(sources({.sources = {.collections = {"Shelf-2"}}}), ElementsAre());  // exactly
  EXPECT_THAT(sources({.sources = {.piece_ids = {"piece-2", "piece-3"}}}), ElementsAre(2, 3));
  EXPECT_THAT(sources({.sources = {.composers = {"chance"},
                                   .collections = {"shelf-1"},
                                   .piece_ids = {"piece-4"}}}),
              ElementsAre(4));
  EXPECT_THAT(sources({.sources = {.work_ids = {"work-1", "work-2"}}}), ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(sources({.sources = {.composers = {"Accident"}, .work_ids = {"work-1"}}}),
              ElementsAre(3));
  EXPECT_THAT(sources({.sources = {.composers = {"chance"}, .piece_ids = {"piece-3"}}}),
              ElementsAre());
}

TEST_F(SearchOptionsTest, RecordingsPassByTheirPieceItsWorkComposerAndCollection) {
  const music::Score query = music::Excerpt(testing::RandomPiece(3), 10, 20);
  const auto found = [&](const matching::SourceFilter& filter) {
    const auto hits = collection_->SearchRecordings(query, {.filter = {.sources = filter}}, {});
    const auto result = collection_->IdentifyScore(
        query, {.against = Side::kRecordings, .filter = {.sources = filter}}, {});
    EXPECT_TRUE(hits.ok() && result.ok());
    std::set<int> sources;
    for (const matching::Hit& hit : *hits) sources.insert(hit.source);
    for (const matching::Candidate& candidate : result->candidates)
      sources.insert(candidate.source);
    return sources;
  };
  EXPECT_THAT(found({.composers = {"accident"}}), ElementsAre(1, 3));
  EXPECT_THAT(found({.collections = {"shelf-0"}}), ElementsAre(0, 3));
  EXPECT_THAT(found({.piece_ids = {"piece-3", "recording-1"}}), ElementsAre(3));
  EXPECT_THAT(found({.work_ids = {"work-1"}}), ElementsAre(2, 3));
}

TEST_F(SearchOptionsTest, NeighboursBelowTheLeastSimilarityDoNotCount) {
  const audio::Waveform query = testing::Play(music::Excerpt(testing::RandomPiece(2), 12, 22));
  const matching::SearchOptions options{
      .top_k = 100, .filter = {.min_similarity = 0.6f}, .evidence = true};
  const auto all = collection_->SearchScores(query, {.top_k = 100}, {});
  const auto some = collection_->SearchScores(query, options, {});
  ASSERT_TRUE(all.ok() && some.ok());
  EXPECT_LT(all->back().similarity, 0.6f);
  ASSERT_FALSE(some->empty());
  EXPECT_LT(some->size(), all->size());
  for (const matching::Hit& hit : *some) {
    EXPECT_GE(hit.similarity, 0.6f);
    for (const matching::Evidence& evidence : hit.evidence) EXPECT_GE(evidence.similarity, 0.6f);
  }
  const auto none = collection_->IdentifyAudio(query, {.filter = {.min_similarity = 1.0f}}, {});
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->verdict, matching::Verdict::kNoMatch);
  EXPECT_TRUE(none->candidates.empty());
  EXPECT_GT(none->windows, 0);
}

TEST_F(SearchOptionsTest, AnExcerptIsLookedAtAloneAndAnsweredInTheWholesTimes) {
  // 10 s of each of two pieces, one after the other.
  audio::Waveform query = testing::Play(music::Excerpt(testing::RandomPiece(1), 5, 15));
  const auto first = static_cast<double>(query.samples.size()) / query.sample_rate;
  const audio::Waveform second = testing::Play(music::Excerpt(testing::RandomPiece(4), 20, 30));
  query.samples.insert(query.samples.end(), second.samples.begin(), second.samples.end());
  const matching::QueryExcerpt excerpt{.start_s = first + 1, .end_s = first + 9};
  const auto result = collection_->IdentifyAudio(query, {.excerpt = excerpt, .evidence = true}, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->verdict, matching::Verdict::kMatch);
  const matching::Candidate& best = result->candidates[0];
  EXPECT_EQ(best.source, 4);
  EXPECT_GE(best.match.query.start_s, first + 1 - 1e-9);
  EXPECT_LE(best.match.query.end_s, first + 9 + 1e-9);
  EXPECT_NEAR(best.match.reference.start_s - 20, best.match.query.start_s - first, 0.5);
  EXPECT_NEAR(best.place.reference_s - 20, best.place.query_s - first, 0.4);
  for (const matching::Evidence& evidence : best.evidence) {
    EXPECT_GE(evidence.match.query.start_s, first + 1 - 1e-9);
    EXPECT_LE(evidence.match.query.end_s, first + 9 + 1e-9);
  }
  const auto hits = collection_->SearchScores(query, {.excerpt = excerpt}, {});
  ASSERT_TRUE(hits.ok() && !hits->empty());
  EXPECT_EQ(hits->front().source, 4);
  EXPECT_NEAR(hits->front().match.reference.start_s - 20, hits->front().match.query.start_s - first,
              1);
  EXPECT_LE(hits->front().match.query.end_s, first + 9 + 1e-9);
  const auto score = collection_->IdentifyScore(
      testing::RandomPiece(3),
      {.against = Side::kRecordings, .excerpt = {.start_s = 15, .end_s = 30}}, {});
  ASSERT_TRUE(score.ok());
  EXPECT_EQ(score->candidates[0].source, 3);
  EXPECT_GE(score->candidates[0].match.query.start_s, 15);
  EXPECT_NEAR(score->candidates[0].place.reference_s, score->candidates[0].place.query_s / 1.3,
              0.4);
}

// A candidate's stretch covers nearly all of a query from `reference_at_0_s` on, at `slope` seconds
// per second.
void ExpectStretch(const matching::Candidate& candidate, double duration_s, double reference_at_0_s,
                   double slope) {
  EXPECT_LE(candidate.match.query.start_s, 1.5);
  EXPECT_GE(candidate.match.query.end_s, duration_s - 2.5);
  EXPECT_LE(candidate.match.query.end_s, duration_s + 1e-9);
  EXPECT_NEAR(candidate.match.reference.start_s,
              reference_at_0_s + slope * candidate.match.query.start_s, 0.8);
  EXPECT_NEAR(candidate.match.reference.end_s,
              reference_at_0_s + slope * candidate.match.query.end_s, 0.8);
  EXPECT_TRUE(candidate.similarity > 0.4f && candidate.similarity <= 1.0001f)
      << candidate.similarity;
}

TEST_F(SearchOptionsTest, ACandidateSaysWhichStretchGoesAlongAndWhatSpokeForIt) {
  for (const bool follow_paths : {true, false}) {
    const double tempo = 1.3;
    const audio::Waveform query =
        testing::Play(music::Excerpt(testing::RandomPiece(2), 10, 10 + 9 * tempo), tempo);
    const matching::IdentifyOptions options{.follow_paths = follow_paths, .evidence = true};
    const auto result = collection_->IdentifyAudio(query, options, {});
    ASSERT_TRUE(result.ok() && !result->candidates.empty());
    const matching::Candidate& best = result->candidates[0];
    ASSERT_EQ(best.source, 2);
    ExpectStretch(best, query.duration_s(), 10, tempo);
    ASSERT_GE(best.evidence.size(), 20u);
    int on_line = 0;
    for (size_t i = 0; i < best.evidence.size(); ++i) {
      const matching::Evidence& evidence = best.evidence[i];
      EXPECT_GE(evidence.match.query.start_s, best.evidence[i > 0 ? i - 1 : 0].match.query.start_s);
      EXPECT_LE(evidence.match.query.end_s, query.duration_s() + 1e-9);
      EXPECT_TRUE(evidence.match.slope >= 0.5 && evidence.match.slope <= 2);
      on_line += std::abs(evidence.match.reference.start_s - 10 -
                          tempo * evidence.match.query.start_s) < 1;
    }
    EXPECT_GE(on_line, 15);
  }
  const auto without =
      collection_->IdentifyAudio(testing::Play(testing::RandomPiece(2, 10)), {}, {});
  ASSERT_TRUE(without.ok());
  EXPECT_TRUE(without->candidates[0].evidence.empty());
}

TEST_F(SearchOptionsTest, TempiOfEvidenceAreTheSoundsOverTheScoresAmongRecordingsToo) {
  const music::Score query = music::Excerpt(testing::RandomPiece(3), 10, 22);
  const auto result =
      collection_->IdentifyScore(query, {.against = Side::kRecordings, .evidence = true}, {});
  ASSERT_TRUE(result.ok());
  const matching::Candidate& best = result->candidates[0];
  ASSERT_EQ(best.source, 3);  // played at 1.3
  ExpectStretch(best, 12, 10 / 1.3, 1 / 1.3);
  const auto hits = collection_->SearchRecordings(query, {.evidence = true}, {});
  ASSERT_TRUE(hits.ok() && !hits->empty());
  ASSERT_EQ(hits->front().source, 3);
  for (const auto& evidence : {best.evidence, hits->front().evidence}) {
    ASSERT_FALSE(evidence.empty());
    const auto most =
        *std::max_element(evidence.begin(), evidence.end(),
                          [](const auto& a, const auto& b) { return a.similarity < b.similarity; });
    EXPECT_NEAR(matching::TempoRatio(Side::kRecordings, most.match.slope) / 1.3, 1, 0.2);
    EXPECT_NEAR(most.match.query.length_s() / most.match.reference.length_s() / 1.3, 1, 0.2);
  }
}

TEST_F(SearchOptionsTest, ThePlainVotePointsAtOneWindow) {
  const audio::Waveform query = testing::Play(music::Excerpt(testing::RandomPiece(2), 12, 22));
  const auto result = collection_->IdentifyAudio(
      query, {.method = matching::VoteMethod::kPlain, .evidence = true}, {});
  ASSERT_TRUE(result.ok());
  const matching::Candidate& best = result->candidates[0];
  EXPECT_EQ(best.source, 2);
  EXPECT_NEAR(best.match.query.end_s - best.match.query.start_s, 2, 0.01);
  EXPECT_NEAR(best.match.reference.start_s, 12 + best.match.query.start_s, 1);
  EXPECT_EQ(static_cast<int>(best.evidence.size()), best.votes);
  EXPECT_FLOAT_EQ(best.similarity, std::max_element(best.evidence.begin(), best.evidence.end(),
                                                    [](const auto& a, const auto& b) {
                                                      return a.similarity < b.similarity;
                                                    })
                                       ->similarity);
}

TEST_F(SearchOptionsTest, MusicInAnotherKeyIsFoundAsFarOffAsAllowed) {
  for (const int semitones : {-3, 2}) {
    const audio::Waveform query = testing::Play(
        music::Transposed(music::Excerpt(testing::RandomPiece(2), 12, 22), semitones));
    const auto as_played = collection_->IdentifyAudio(query, {}, {});
    ASSERT_TRUE(as_played.ok());
    ASSERT_EQ(as_played->verdict, matching::Verdict::kNoMatch);
    const auto too_near =
        collection_->IdentifyAudio(query, {.max_transposition = std::abs(semitones) - 1}, {});
    ASSERT_TRUE(too_near.ok());
    EXPECT_EQ(too_near->verdict, matching::Verdict::kNoMatch);
    ASSERT_EQ(too_near->candidates.size(), as_played->candidates.size());
    EXPECT_EQ(too_near->candidates[0].source, as_played->candidates[0].source);
    EXPECT_EQ(too_near->candidates[0].transposition, 0);
    const auto found =
        collection_->IdentifyAudio(query, {.max_transposition = 4, .evidence = true}, {});
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->verdict, matching::Verdict::kMatch);
    EXPECT_EQ(found->candidates[0].source, 2);
    EXPECT_EQ(found->candidates[0].transposition, semitones);
    EXPECT_FALSE(found->candidates[0].evidence.empty());
    ExpectStretch(found->candidates[0], query.duration_s(), 12, 1);
  }
}

TEST_F(SearchOptionsTest, AScoreInAnotherKeyIsFoundAmongScoresAndRecordings) {
  const music::Score query = music::Transposed(music::Excerpt(testing::RandomPiece(3), 10, 22), 2);
  for (const auto& [side, transposition] :
       {std::pair(Side::kScores, 2), std::pair(Side::kRecordings, -2)}) {
    const auto as_written = collection_->IdentifyScore(query, {.against = side}, {});
    ASSERT_TRUE(as_written.ok());
    EXPECT_EQ(as_written->verdict, matching::Verdict::kNoMatch);
    const auto found = collection_->IdentifyScore(
        query, {.against = side, .max_transposition = matching::kMaxTransposition}, {});
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->verdict, matching::Verdict::kMatch);
    EXPECT_EQ(found->candidates[0].source, 3);
    EXPECT_EQ(found->candidates[0].transposition, transposition);
  }
}

TEST_F(SearchOptionsTest, WhatMatchesAsItWasPlayedIsAnsweredSo) {
  const audio::Waveform query = testing::Play(music::Excerpt(testing::RandomPiece(2), 12, 22));
  const auto as_played = collection_->IdentifyAudio(query, {}, {});
  const auto result =
      collection_->IdentifyAudio(query, {.max_transposition = matching::kMaxTransposition}, {});
  ASSERT_TRUE(as_played.ok() && result.ok());
  EXPECT_EQ(result->candidates[0].source, 2);
  EXPECT_EQ(result->candidates[0].transposition, 0);
  EXPECT_EQ(result->candidates[0].confidence, as_played->candidates[0].confidence);
  for (const int out_of_range : {-1, matching::kMaxTransposition + 1}) {
    const auto refused = collection_->IdentifyAudio(query, {.max_transposition = out_of_range}, {});
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(refused.status().message(), HasSubstr("max_transposition"));
  }
}

TEST_F(SearchOptionsTest, AQueryOfManyWindowsIsMatchedInParts) {
  const audio::Waveform query = testing::Play(testing::RandomPiece(2));
  const auto result =
      collection_->IdentifyAudio(query, {.hop_s = 0.01, .max_windows = 100'000}, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_GT(result->windows, 3 * 256);
  EXPECT_EQ(result->verdict, matching::Verdict::kMatch);
  EXPECT_EQ(result->candidates[0].source, 2);
  EXPECT_GT(result->candidates[0].score, 0.6);  // of all parts together
}

}  // namespace
}  // namespace antiphon::retrieval
