#include "core/retrieval/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <set>

#include "core/collection/bundle_builder.h"
#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"

namespace antiphon::retrieval {
namespace {

using catalog::Side;
using ::testing::Contains;
using ::testing::DoubleEq;
using ::testing::ElementsAre;

matching::EmbeddingSequence Sequence(double tempo_ratio, double hop_s, int windows,
                                     double start_s = 0) {
  matching::EmbeddingSequence sequence;
  sequence.tempo_ratio = tempo_ratio;
  sequence.window_s = 2 * tempo_ratio;
  sequence.hop_s = hop_s;
  for (int i = 0; i < windows; ++i) sequence.start_s.push_back(start_s + i * hop_s);
  return sequence;
}

TEST(NumberWindows, OneTempoNumbersItsWindowsInOrder) {
  EmbeddedQuery query;
  query.sequences = {Sequence(1.0, 5 / 21.0, 100)};
  NumberWindows(query);
  EXPECT_EQ(query.windows, 100);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(query.window_of[0][i], i);
}

TEST(NumberWindows, WindowsAtOnePlaceOfSeveralTempiShareANumber) {
  EmbeddedQuery query;
  query.sequences = {Sequence(0.5, 0.25, 40, 0.75), Sequence(1.0, 0.25, 38, 0.25),
                     Sequence(2.0, 0.25, 30, 0)};
  NumberWindows(query);
  EXPECT_EQ(query.windows, 40);
  // Middles: 1.25, 1.25 and 2.0 s.
  EXPECT_EQ(query.window_of[0][0], query.window_of[1][0]);
  EXPECT_EQ(query.window_of[0][3], query.window_of[2][0]);
  std::set<int> places;
  for (const auto& window_of : query.window_of) places.insert(window_of.begin(), window_of.end());
  EXPECT_LE(places.size(), 42u);
}

TEST(NumberWindows, ATempoWithWindowsCloserTogetherHasSeveralInOnePlace) {
  EmbeddedQuery query;
  query.sequences = {Sequence(1.0, 0.2, 50), Sequence(1.0, 0.3, 33)};
  NumberWindows(query);
  EXPECT_EQ(query.windows,
            34);  // middles from 1 to 10.8 s by 0.3 s, of the first; fewer of the second
  std::set<int> coarse(query.window_of[1].begin(), query.window_of[1].end());
  EXPECT_GE(coarse.size(), 32u);
}

TEST(NumberWindows, NothingHasNoWindows) {
  EmbeddedQuery query;
  NumberWindows(query);
  EXPECT_EQ(query.windows, 0);
}

class QueryTest : public ::testing::Test {
 protected:
  const testing::TemporaryFolder folder_;
  const std::unique_ptr<collection::LoadedCollection> loaded_ =
      testing::MakeTestCollection(folder_.path(), {.pieces = 2, .recordings = 2});
  const matching::RequestContext context_{};
  matching::StageTimer stages_{context_};
};

TEST_F(QueryTest, AScoreIsReadAtEveryTempoInOneGo) {
  const auto& encoder = dynamic_cast<const testing::FakeEncoder&>(*loaded_->score_encoder);
  const int before = encoder.calls();
  const auto query = EmbedScoreQuery(*loaded_->score_encoder, testing::RandomPiece(0, 20), {},
                                     collection::DefaultTempoRatios(), {.hop_s = 0.5}, stages_);
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_TRUE(query->sufficient);
  EXPECT_EQ(encoder.calls(), before + 1);
  ASSERT_EQ(query->sequences.size(), collection::DefaultTempoRatios().size());
  for (const matching::EmbeddingSequence& sequence : query->sequences) {
    EXPECT_NEAR(sequence.hop_s, 0.5, 0.06)
        << sequence.tempo_ratio;  // of the query, whatever the tempo
    EXPECT_GT(sequence.start_s.size(), 28u);
  }
}

TEST_F(QueryTest, NeighboursOfAPieceItselfAreItsOwnWindows) {
  const auto query = EmbedScoreQuery(*loaded_->score_encoder, testing::RandomPiece(1), {},
                                     std::vector<double>{1.0}, {.hop_s = 0.5}, stages_);
  ASSERT_TRUE(query.ok());
  const auto neighbours =
      FindNeighbours(SpaceOf(*loaded_->view, Side::kScores, {}), *query, 1, stages_);
  ASSERT_TRUE(neighbours.ok()) << neighbours.status();
  EXPECT_EQ(neighbours->size(), query->sequences[0].start_s.size());
  for (const matching::Neighbour& n : *neighbours) {
    EXPECT_EQ(n.source, 1);
    EXPECT_NEAR(n.similarity, 1.0, 1e-4);
    EXPECT_NEAR(n.match.query.middle_s(), n.match.reference.middle_s(), 0.05);
    EXPECT_DOUBLE_EQ(n.match.slope, 1.0);
  }
}

TEST_F(QueryTest, SlopesTurnSecondsOfTheQueryIntoSecondsOfTheSource) {
  const music::Score excerpt = music::Excerpt(testing::RandomPiece(1), 10, 20);
  const auto query = EmbedScoreQuery(*loaded_->score_encoder, excerpt, {},
                                     collection::DefaultTempoRatios(), {.hop_s = 0.5}, stages_);
  ASSERT_TRUE(query.ok());
  const auto neighbours =
      FindNeighbours(SpaceOf(*loaded_->view, Side::kRecordings, {}), *query, 3, stages_);
  ASSERT_TRUE(neighbours.ok());
  for (const matching::Neighbour& n : *neighbours) {
    EXPECT_THAT(collection::DefaultTempoRatios(), Contains(DoubleEq(1 / n.match.slope)));
    EXPECT_NEAR(n.match.reference.length_s(), n.match.slope * n.match.query.length_s(), 1e-6);
  }
}

TEST_F(QueryTest, MoreNeighboursThanThereAreGivesThemAll) {
  const auto query = EmbedScoreQuery(*loaded_->score_encoder, testing::RandomPiece(1, 3), {},
                                     std::vector<double>{1.0}, {.hop_s = 1}, stages_);
  ASSERT_TRUE(query.ok());
  const auto neighbours =
      FindNeighbours(SpaceOf(*loaded_->view, Side::kRecordings, {}), *query, 1000, stages_);
  ASSERT_TRUE(neighbours.ok());
  EXPECT_EQ(static_cast<int64_t>(neighbours->size()),
            loaded_->manifest.recording_vectors * query->windows);
}

TEST_F(QueryTest, QuietSoundIsReadAndNearSilenceIsNot) {
  for (const auto& [gain, sufficient] : {std::pair(0.01f, true), std::pair(1e-4f, false)}) {
    audio::Waveform audio = testing::Play(testing::RandomPiece(0, 5));
    for (float& sample : audio.samples) sample *= gain;
    const auto query = EmbedAudioQuery(*loaded_, audio, {}, {}, stages_);
    ASSERT_TRUE(query.ok());
    EXPECT_EQ(query->sufficient, sufficient) << gain;
  }
}

TEST_F(QueryTest, ASteadyHumIsNothingToCompare) {
  audio::Waveform hum = testing::Play(testing::RandomPiece(0, 5));
  for (size_t i = 0; i < hum.samples.size(); ++i) {
    const double turns = 50.0 * static_cast<double>(i) / hum.sample_rate;
    hum.samples[i] = static_cast<float>(0.3 * std::sin(2 * std::numbers::pi * turns) +
                                        0.2 * std::sin(6 * std::numbers::pi * turns));
  }
  auto query = EmbedAudioQuery(*loaded_, hum, {}, {}, stages_);
  ASSERT_TRUE(query.ok());
  EXPECT_FALSE(query->sufficient);
  // The same sound dying away is one that a piano may make.
  for (size_t i = 0; i < hum.samples.size(); ++i) {
    hum.samples[i] *= static_cast<float>(std::exp(-static_cast<double>(i) / hum.sample_rate));
  }
  query = EmbedAudioQuery(*loaded_, hum, {}, {}, stages_);
  ASSERT_TRUE(query.ok());
  EXPECT_TRUE(query->sufficient);
}

TEST_F(QueryTest, AnExcerptIsReadAsIfItWereAllButAtItsOwnTimes) {
  const audio::Waveform whole = testing::Play(testing::RandomPiece(0, 12));
  audio::Waveform cut = whole;
  cut.samples.assign(whole.samples.begin() + 3 * 22050, whole.samples.begin() + 8 * 22050);
  const auto excerpt = EmbedAudioQuery(*loaded_, whole, {.start_s = 3, .end_s = 8}, {}, stages_);
  const auto alone = EmbedAudioQuery(*loaded_, cut, {}, {}, stages_);
  ASSERT_TRUE(excerpt.ok() && alone.ok());
  EXPECT_DOUBLE_EQ(excerpt->begin_s, 3);
  EXPECT_DOUBLE_EQ(excerpt->end_s, 8);
  EXPECT_EQ(excerpt->windows, alone->windows);
  EXPECT_EQ(excerpt->window_of, alone->window_of);
  EXPECT_EQ(excerpt->sequences[0].embeddings, alone->sequences[0].embeddings);
  EXPECT_DOUBLE_EQ(excerpt->sequences[0].start_s[0], 3);
  for (size_t i = 0; i < alone->sequences[0].start_s.size(); ++i) {
    EXPECT_DOUBLE_EQ(excerpt->sequences[0].start_s[i], 3 + alone->sequences[0].start_s[i]);
  }
  const auto to_the_end =
      EmbedAudioQuery(*loaded_, whole, {.start_s = 5, .end_s = 1e9}, {}, stages_);
  ASSERT_TRUE(to_the_end.ok());
  EXPECT_DOUBLE_EQ(to_the_end->end_s, whole.duration_s());
}

TEST_F(QueryTest, AnExcerptOfAScoreKeepsTheScoresTimes) {
  const music::Score score = testing::RandomPiece(0, 20);
  const std::vector<double> ratios = {0.5, 1.0};
  const auto excerpt = EmbedScoreQuery(*loaded_->score_encoder, score, {.start_s = 6, .end_s = 13},
                                       ratios, {}, stages_);
  const auto alone = EmbedScoreQuery(*loaded_->score_encoder, music::Excerpt(score, 6, 13), {},
                                     ratios, {}, stages_);
  ASSERT_TRUE(excerpt.ok() && alone.ok());
  ASSERT_EQ(excerpt->sequences.size(), 2u);
  for (size_t s = 0; s < 2; ++s) {
    EXPECT_EQ(excerpt->sequences[s].embeddings, alone->sequences[s].embeddings);
    EXPECT_DOUBLE_EQ(excerpt->sequences[s].start_s[0], 6 + alone->sequences[s].start_s[0]);
  }
  EXPECT_EQ(excerpt->window_of, alone->window_of);
}

TEST_F(QueryTest, AShortExcerptOfALongQueryIsInsufficient) {
  const auto query = EmbedAudioQuery(*loaded_, testing::Play(testing::RandomPiece(0, 12)),
                                     {.start_s = 3, .end_s = 3.5}, {}, stages_);
  ASSERT_TRUE(query.ok());
  EXPECT_FALSE(query->sufficient);
}

}  // namespace
}  // namespace antiphon::retrieval
