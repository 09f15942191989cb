#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <thread>
#include <utility>

#include "core/bundle/bundle.h"
#include "core/matching/tempo.h"
#include "core/retrieval/bundle_collection.h"
#include "core/testing/fake_encoder.h"
#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"

namespace antiphon::retrieval {
namespace {

using catalog::Side;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class SearchTest : public ::testing::Test {
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

  static inline testing::TemporaryFolder* folder_ = nullptr;
  static inline const BundleCollection* collection_ = nullptr;
};

// What the hit says of the query's middle is what was played there.
void ExpectOnLine(const matching::Hit& hit, double reference_at_0_s, double slope) {
  EXPECT_NEAR(hit.match.reference.start_s, reference_at_0_s + slope * hit.match.query.start_s, 1.0);
  EXPECT_NEAR(hit.match.reference.end_s, reference_at_0_s + slope * hit.match.query.end_s, 1.0);
}

TEST_F(SearchTest, ThePartsFitTogether) {
  EXPECT_TRUE(collection::CheckParts(collection_->loaded()).ok())
      << collection::CheckParts(collection_->loaded());
}

TEST_F(SearchTest, SoundFindsItsPlaceInTheScoresAtAnyTempo) {
  for (const double tempo : {0.6, 0.85, 1.0, 1.3, 1.8}) {
    const audio::Waveform query =
        testing::Play(music::Excerpt(testing::RandomPiece(2), 12, 12 + 10 * tempo), tempo);
    const auto hits = collection_->SearchScores(query, {}, {});
    ASSERT_TRUE(hits.ok()) << hits.status();
    ASSERT_FALSE(hits->empty());
    EXPECT_LE(hits->size(), 10u);
    const matching::Hit& best = hits->front();
    EXPECT_EQ(collection_->pieces()[best.source].id, "piece-2") << tempo;
    EXPECT_NEAR(best.match.slope / tempo, 1.0, 0.2);
    ExpectOnLine(best, 12, tempo);
    EXPECT_GT(best.match.query.end_s - best.match.query.start_s, 4.0);
    EXPECT_LE(best.match.query.end_s, query.duration_s());
    EXPECT_LE(best.similarity, 1.0f + 1e-4f);
  }
}

TEST_F(SearchTest, AScoreFindsItsPlaceInTheRecordings) {
  const auto hits =
      collection_->SearchRecordings(music::Excerpt(testing::RandomPiece(3), 10, 20), {}, {});
  ASSERT_TRUE(hits.ok()) << hits.status();
  ASSERT_FALSE(hits->empty());
  const matching::Hit& best = hits->front();
  EXPECT_EQ(collection_->recordings()[best.source].id, "recording-3");  // played at 1.3
  EXPECT_NEAR(matching::TempoRatio(Side::kRecordings, best.match.slope) / 1.3, 1.0, 0.2);
  ExpectOnLine(best, 10 / 1.3, 1 / 1.3);
}

TEST_F(SearchTest, HitsStayWithinTheSource) {
  const music::Score piece = testing::RandomPiece(1);
  const auto hits =
      collection_->SearchScores(testing::Play(music::Excerpt(piece, 30, 40)), {.top_k = 100}, {});
  ASSERT_TRUE(hits.ok());
  for (const matching::Hit& hit : *hits) {
    EXPECT_GE(hit.match.reference.start_s, 0);
    EXPECT_LE(hit.match.reference.end_s,
              collection_->view().duration_s(Side::kScores, hit.source) + 1e-9);
    EXPECT_LE(hit.match.reference.start_s, hit.match.reference.end_s);
  }
}

TEST_F(SearchTest, SoundIsIdentifiedWithPlaceAndTempo) {
  for (int piece = 0; piece < 6; ++piece) {
    for (const double tempo : {0.7, 1.19, 1.5}) {
      const audio::Waveform query =
          testing::Play(music::Excerpt(testing::RandomPiece(piece), 8, 8 + 12 * tempo), tempo);
      const auto result = collection_->IdentifyAudio(query, {}, {});
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(result->verdict, matching::Verdict::kMatch);
      ASSERT_FALSE(result->candidates.empty());
      const matching::Candidate& best = result->candidates[0];
      EXPECT_EQ(best.source, piece);
      EXPECT_NEAR(best.match.slope / tempo, 1.0, 0.05);
      EXPECT_NEAR(best.place.reference_s, 8 + tempo * best.place.query_s, 0.4);
      for (const matching::Candidate& candidate : result->candidates) {
        EXPECT_TRUE(candidate.confidence >= 0 && candidate.confidence <= 1);
      }
    }
  }
}

// Ten seconds have so many windows at first, and more than three times as many a half second apart.
constexpr int kFewWindows = 5;
constexpr double kHop_s = 0.52;

TEST_F(SearchTest, FewWindowsAreEnoughForWhatTheyTellSurely) {
  for (const double tempo : {0.8, 1.0, 1.2}) {
    const audio::Waveform query =
        testing::Play(music::Excerpt(testing::RandomPiece(3), 10, 10 + 10 * tempo), tempo);
    const auto few = collection_->IdentifyAudio(query, {}, {});
    const auto all = collection_->IdentifyAudio(query, {.hop_s = kHop_s}, {});
    ASSERT_TRUE(few.ok() && all.ok());
    EXPECT_EQ(few->windows, kFewWindows);
    EXPECT_GT(all->windows, 3 * kFewWindows);
    EXPECT_EQ(few->verdict, matching::Verdict::kMatch);
    ASSERT_FALSE(few->candidates.empty() || all->candidates.empty());
    const matching::Candidate &of_few = few->candidates[0], &of_all = all->candidates[0];
    EXPECT_EQ(of_few.source, 3);
    EXPECT_EQ(of_all.source, 3);
    EXPECT_NEAR(of_few.place.reference_s, 10 + tempo * of_few.place.query_s, 0.4);
    EXPECT_NEAR(of_few.match.slope, of_all.match.slope, 0.05);
    EXPECT_NEAR(of_few.match.query.end_s, of_all.match.query.end_s, 1.0);
    EXPECT_NEAR(of_few.confidence, of_all.confidence, 0.01);
  }
}

TEST_F(SearchTest, FewWindowsOfAScoreAreEnoughToo) {
  music::Score query = music::Excerpt(testing::RandomPiece(2), 10, 20);
  query.duration_s += 15;  // silence after the last note is nothing that is asked about
  for (const Side against : {Side::kScores, Side::kRecordings}) {
    const auto few = collection_->IdentifyScore(query, {.against = against}, {});
    const auto all = collection_->IdentifyScore(query, {.against = against, .hop_s = kHop_s}, {});
    ASSERT_TRUE(few.ok() && all.ok());
    ASSERT_FALSE(few->candidates.empty() || all->candidates.empty());
    EXPECT_EQ(few->candidates[0].source, 2);
    EXPECT_GT(all->windows, 3 * kFewWindows);
    // Among recordings the score is read at several tempi.
    EXPECT_EQ(few->windows, against == Side::kScores ? kFewWindows : all->windows);
  }
}

TEST_F(SearchTest, AWindowIsEncodedOnceHoweverOftenItIsAskedAbout) {
  const auto& encoder =
      dynamic_cast<const testing::FakeEncoder&>(*collection_->loaded().audio_encoder);
  const auto encoded = [&](const audio::Waveform& query, const matching::IdentifyOptions& options) {
    const int64_t before = encoder.windows();
    EXPECT_TRUE(collection_->IdentifyAudio(query, options, {}).ok());
    return encoder.windows() - before;
  };
  const audio::Waveform known = testing::Play(music::Excerpt(testing::RandomPiece(3), 10, 20));
  EXPECT_EQ(encoded(known, {}), kFewWindows);
  const audio::Waveform unknown = testing::Play(music::Excerpt(testing::RandomPiece(77), 10, 20));
  const int64_t all = encoded(unknown, {.hop_s = kHop_s});
  EXPECT_GT(all, 3 * kFewWindows);
  EXPECT_EQ(encoded(unknown, {}), all);
  // At every other pitch all are encoded.
  EXPECT_EQ(encoded(unknown, {.max_transposition = 2}), 5 * all);
}

TEST_F(SearchTest, WhereFewWindowsLeaveADoubtAllAreAskedAbout) {
  const auto expect_all_windows = [](const audio::Waveform& query) {
    const auto found = collection_->IdentifyAudio(query, {}, {});
    const auto all = collection_->IdentifyAudio(query, {.hop_s = kHop_s}, {});
    ASSERT_TRUE(found.ok() && all.ok());
    EXPECT_EQ(found->windows, all->windows);
    ASSERT_EQ(found->candidates.size(), all->candidates.size());
    for (size_t i = 0; i < all->candidates.size(); ++i) {
      EXPECT_EQ(found->candidates[i].source, all->candidates[i].source);
      EXPECT_EQ(found->candidates[i].confidence, all->candidates[i].confidence);
    }
  };
  {
    SCOPED_TRACE("unknown music");
    expect_all_windows(testing::Play(music::Excerpt(testing::RandomPiece(77), 10, 20)));
  }
  {
    SCOPED_TRACE("known music and four seconds of another piece");
    audio::Waveform query = testing::Play(music::Excerpt(testing::RandomPiece(3), 10, 18));
    const audio::Waveform other = testing::Play(music::Excerpt(testing::RandomPiece(78), 10, 14));
    query.samples.insert(query.samples.end(), other.samples.begin(), other.samples.end());
    expect_all_windows(query);
  }
}

// The copy lies behind the other, and so would be found after it.
TEST(CopiesTest, AreInTheOrderOfTheirIdsAndLeaveNoDoubt) {
  const testing::TemporaryFolder folder;
  const BundleCollection collection(
      testing::MakeTestCollection(folder.path(), {.pieces = 3, .more = {testing::RandomPiece(1)}}));
  for (const double start_s : {2.0, 11.0, 20.0}) {
    const auto result = collection.IdentifyAudio(
        testing::Play(music::Excerpt(testing::RandomPiece(1), start_s, start_s + 10)), {}, {});
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_GE(result->candidates.size(), 2u);
    EXPECT_EQ(collection.pieces()[result->candidates[0].source].id, "more-0");
    EXPECT_EQ(collection.pieces()[result->candidates[1].source].id, "piece-1");
    EXPECT_EQ(result->candidates[0].score, result->candidates[1].score);
    EXPECT_EQ(result->windows, kFewWindows);
  }
}

TEST_F(SearchTest, AScoreIsIdentifiedAmongScoresAndRecordings) {
  // At another tempo than the collection's: half as fast again.
  const music::Score query =
      music::AtTempoRatio(music::Excerpt(testing::RandomPiece(2), 10, 25), 1.5);
  const auto among_scores = collection_->IdentifyScore(query, {}, {});
  ASSERT_TRUE(among_scores.ok()) << among_scores.status();
  EXPECT_EQ(among_scores->verdict, matching::Verdict::kMatch);
  EXPECT_EQ(among_scores->candidates[0].source, 2);
  EXPECT_NEAR(among_scores->candidates[0].match.slope, 1.5, 0.08);

  const auto among_recordings =
      collection_->IdentifyScore(query, {.against = Side::kRecordings}, {});
  ASSERT_TRUE(among_recordings.ok()) << among_recordings.status();
  EXPECT_EQ(among_recordings->verdict, matching::Verdict::kMatch);
  const matching::Candidate& best = among_recordings->candidates[0];
  EXPECT_EQ(best.source, 2);  // played at 1.2
  EXPECT_NEAR(matching::TempoRatio(Side::kRecordings, best.match.slope), 1.2 / 1.5, 0.05);
  EXPECT_NEAR(best.place.reference_s, 10 / 1.2 + best.place.query_s * 1.5 / 1.2, 0.4);
  EXPECT_LE(best.score, 1.0);
}

TEST_F(SearchTest, SoundIsIdentifiedAmongRecordings) {
  // Recording 2 is piece 2 played at 1.2.
  const audio::Waveform recording = testing::Play(testing::RandomPiece(2), 1.2);
  audio::Waveform part;
  part.samples.assign(recording.samples.begin() + ptrdiff_t{10} * part.sample_rate,
                      recording.samples.begin() + ptrdiff_t{22} * part.sample_rate);
  const auto answer = collection_->IdentifyAudio(part, {.against = Side::kRecordings}, {});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->verdict, matching::Verdict::kMatch);
  const matching::Candidate& best = answer->candidates[0];
  EXPECT_EQ(best.source, 2);
  EXPECT_NEAR(best.match.slope, 1, 0.02);
  EXPECT_NEAR(best.place.reference_s, 10 + best.place.query_s, 0.2);
  EXPECT_EQ(best.performance, matching::Performance::kSame);
  for (const matching::Candidate& other : answer->candidates) {
    if (other.source != 2) EXPECT_NE(other.performance, matching::Performance::kSame);
  }
  const auto scores = collection_->IdentifyAudio(part, {}, {});
  ASSERT_TRUE(scores.ok());
  EXPECT_EQ(scores->candidates[0].performance, matching::Performance::kUnknown);
}

TEST_F(SearchTest, APieceThatIsNotThereIsNoMatch) {
  for (int seed = 50; seed < 55; ++seed) {
    const auto audio =
        collection_->IdentifyAudio(testing::Play(testing::RandomPiece(seed, 15)), {}, {});
    ASSERT_TRUE(audio.ok());
    EXPECT_EQ(audio->verdict, matching::Verdict::kNoMatch) << audio->candidates[0].confidence;
    const auto score = collection_->IdentifyScore(testing::RandomPiece(seed, 15), {}, {});
    ASSERT_TRUE(score.ok());
    EXPECT_EQ(score->verdict, matching::Verdict::kNoMatch) << score->candidates[0].confidence;
  }
}

TEST_F(SearchTest, SilenceIsInsufficientAndHasNoHits) {
  constexpr size_t kSamples = 110'250;  // five seconds
  audio::Waveform noise{std::vector<float>(kSamples), 22050};
  for (size_t i = 0; i < noise.samples.size(); ++i)
    noise.samples[i] = (i * 2654435761u % 1000 / 1000.0f - 0.5f) * 1e-4f;
  for (const audio::Waveform& query :
       {audio::Waveform{std::vector<float>(kSamples, 0.0f), 22050}, noise,
        audio::Waveform{{}, 22050}, testing::Play(testing::RandomPiece(0, 0.1))}) {
    const auto result = collection_->IdentifyAudio(query, {}, {});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->verdict, matching::Verdict::kInsufficientInput);
    EXPECT_TRUE(result->candidates.empty());
    EXPECT_EQ(result->windows, 0);
    const auto hits = collection_->SearchScores(query, {}, {});
    ASSERT_TRUE(hits.ok());
    EXPECT_TRUE(hits->empty());
  }
}

TEST_F(SearchTest, AScoreWithNothingToReadIsInsufficient) {
  music::Score too_high = testing::RandomPiece(0, 10);
  for (music::Note& note : too_high.notes) note.pitch = 120;
  for (const music::Score& query : {music::Score(), testing::RandomPiece(0, 0.1), too_high}) {
    for (const Side side : {Side::kScores, Side::kRecordings}) {
      const auto result = collection_->IdentifyScore(query, {.against = side}, {});
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_EQ(result->verdict, matching::Verdict::kInsufficientInput);
    }
    const auto hits = collection_->SearchRecordings(query, {}, {});
    ASSERT_TRUE(hits.ok());
    EXPECT_TRUE(hits->empty());
  }
}

TEST_F(SearchTest, RefusesOptionsOutOfRangeByName) {
  const audio::Waveform query = testing::Play(testing::RandomPiece(0, 5));
  const auto name = [&](const absl::Status& status, const char* field) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr(field));
  };
  name(collection_->SearchScores(query, {.top_k = 0}, {}).status(), "top_k");
  name(collection_->SearchScores(query, {.top_k = 1001}, {}).status(), "top_k");
  name(collection_->SearchScores(query, {.max_windows = 0}, {}).status(), "max_windows");
  name(collection_->SearchScores(query, {.hop_s = 0}, {}).status(), "hop");
  name(collection_->IdentifyAudio(query, {.top_k = 101}, {}).status(), "top_k");
  name(collection_->IdentifyAudio(query, {.neighbours = 0}, {}).status(), "neighbours");
  name(collection_->IdentifyAudio(query, {.min_confidence = 1.5}, {}).status(), "min_confidence");
  name(collection_->IdentifyScore(testing::RandomPiece(0, 5), {.hop_s = -1}, {}).status(), "hop");
}

TEST_F(SearchTest, AsksBeforeEveryStageAndStopsAtOnce) {
  const audio::Waveform query = testing::Play(testing::RandomPiece(0, 5));
  int asked = 0;
  matching::RequestContext count{.keep_going = [&] { return ++asked, absl::OkStatus(); },
                                 .on_stage = {}};
  ASSERT_TRUE(collection_->IdentifyAudio(query, {}, count).ok());
  EXPECT_GT(asked, 4);  // the vote asks again before each path
  const int questions = asked;
  for (int stop_at = 1; stop_at <= questions; ++stop_at) {
    asked = 0;
    std::map<matching::Stage, int> reported;
    const matching::RequestContext context{
        .keep_going =
            [&] { return ++asked < stop_at ? absl::OkStatus() : absl::CancelledError("gone"); },
        .on_stage =
            [&](matching::Stage stage, double seconds) {
              EXPECT_GE(seconds, 0);
              ++reported[stage];
            }};
    EXPECT_EQ(collection_->IdentifyAudio(query, {}, context).status().code(),
              absl::StatusCode::kCancelled);
    EXPECT_EQ(asked, stop_at);
    EXPECT_LT(reported.size(), stop_at <= 4 ? 4u : 5u);  // votes are followed up in steps
  }
}

TEST_F(SearchTest, ReportsEveryStageOnce) {
  for (const bool score_query : {false, true}) {
    std::vector<matching::Stage> reported;
    const matching::RequestContext context{
        .keep_going = {}, .on_stage = [&](matching::Stage s, double) { reported.push_back(s); }};
    const auto result =
        score_query
            ? collection_->IdentifyScore(testing::RandomPiece(0, 5), {.against = Side::kRecordings},
                                         context)
            : collection_->IdentifyAudio(testing::Play(testing::RandomPiece(0, 5)), {}, context);
    ASSERT_TRUE(result.ok());
    EXPECT_THAT(reported, UnorderedElementsAre(matching::Stage::kFeatures, matching::Stage::kEncode,
                                               matching::Stage::kSearch, matching::Stage::kVote));
  }
}

TEST_F(SearchTest, ReportsTheStageThatFailed) {
  auto encoder = std::make_shared<testing::FakeEncoder>(encoder::Modality::kAudio);
  encoder->failure = absl::InternalError("the network is out of order");
  auto loaded = std::make_shared<collection::LoadedCollection>(collection_->loaded());
  loaded->audio_encoder = encoder;
  const BundleCollection broken(loaded);
  std::vector<matching::Stage> reported;
  const matching::RequestContext context{
      .keep_going = {}, .on_stage = [&](matching::Stage s, double) { reported.push_back(s); }};
  const auto result = broken.IdentifyAudio(testing::Play(testing::RandomPiece(0, 5)), {}, context);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(reported, UnorderedElementsAre(matching::Stage::kFeatures, matching::Stage::kEncode));
}

TEST_F(SearchTest, AnswersDoNotDependOnWhoElseAsks) {
  const audio::Waveform query = testing::Play(music::Excerpt(testing::RandomPiece(4), 5, 15));
  const auto alone = collection_->IdentifyAudio(query, {}, {});
  ASSERT_TRUE(alone.ok());
  std::vector<std::thread> threads(4);
  for (std::thread& thread : threads) {
    thread = std::thread([&] {
      const auto result = collection_->IdentifyAudio(query, {}, {});
      ASSERT_TRUE(result.ok());
      EXPECT_EQ(result->candidates[0].source, alone->candidates[0].source);
      EXPECT_DOUBLE_EQ(result->candidates[0].place.reference_s,
                       alone->candidates[0].place.reference_s);
      EXPECT_DOUBLE_EQ(result->candidates[0].confidence, alone->candidates[0].confidence);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(SearchTest, WindowsEmbeddedBeforeAreIdentifiedAsTheirSoundIs) {
  const audio::Waveform query = testing::Play(music::Excerpt(testing::RandomPiece(4), 5, 15), 1.2);
  const auto whole = collection_->IdentifyAudio(query, {.hop_s = 0.25}, {});
  auto windows = collection_->EmbedAudio(query, {.hop_s = 0.25}, {});
  ASSERT_TRUE(whole.ok() && windows.ok());
  const auto embedded = collection_->IdentifyEmbedded(*windows, query.duration_s(), {}, {});
  ASSERT_TRUE(embedded.ok()) << embedded.status();
  EXPECT_EQ(embedded->verdict, matching::Verdict::kMatch);
  EXPECT_EQ(embedded->windows, whole->windows);
  ASSERT_EQ(embedded->candidates.size(), whole->candidates.size());
  for (size_t i = 0; i < whole->candidates.size(); ++i) {
    EXPECT_EQ(embedded->candidates[i].source, whole->candidates[i].source);
    EXPECT_DOUBLE_EQ(embedded->candidates[i].confidence, whole->candidates[i].confidence);
    EXPECT_DOUBLE_EQ(embedded->candidates[i].place.reference_s,
                     whole->candidates[i].place.reference_s);
  }
  // Later in a stream: the same windows an hour on.
  for (double& start_s : windows->start_s) start_s += 3600;
  const auto later = collection_->IdentifyEmbedded(*windows, 3600 + query.duration_s(), {}, {});
  ASSERT_TRUE(later.ok());
  EXPECT_NEAR(later->candidates[0].place.query_s, 3600 + whole->candidates[0].place.query_s, 1e-6);
  EXPECT_NEAR(later->candidates[0].place.reference_s, whole->candidates[0].place.reference_s, 1e-6);
}

TEST_F(SearchTest, EmbeddedWindowsThatCannotBeAreRefusedAndNoneAreInsufficient) {
  auto windows = collection_->EmbedAudio(testing::Play(testing::RandomPiece(0, 5)), {}, {});
  ASSERT_TRUE(windows.ok());
  matching::EmbeddingSequence none = *windows, other = *windows, timeless = *windows;
  none.start_s.clear();
  none.embeddings.clear();
  const auto nothing = collection_->IdentifyEmbedded(none, 5, {}, {});
  ASSERT_TRUE(nothing.ok());
  EXPECT_EQ(nothing->verdict, matching::Verdict::kInsufficientInput);
  other.embeddings.pop_back();
  EXPECT_EQ(collection_->IdentifyEmbedded(other, 5, {}, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
  timeless.start_s[1] = std::nan("");
  EXPECT_EQ(collection_->IdentifyEmbedded(timeless, 5, {}, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(SearchTest, EmbedsForThoseWhoSearchThemselves) {
  const music::Score score = testing::RandomPiece(0, 10);
  const auto audio = collection_->EmbedAudio(testing::Play(score), {.hop_s = 0.5}, {});
  const auto notes = collection_->EmbedScore(score, 1.0, {.hop_s = 0.5}, {});
  ASSERT_TRUE(audio.ok() && notes.ok());
  ASSERT_EQ(audio->start_s.size(), notes->start_s.size());
  for (size_t i = 0; i < audio->start_s.size(); ++i) {
    float similarity = 0;
    for (int d = 0; d < audio->dimension; ++d) {
      similarity +=
          audio->embeddings[i * audio->dimension + d] * notes->embeddings[i * audio->dimension + d];
    }
    EXPECT_GT(similarity, 0.6f) << "window " << i;  // the same music
  }
}

TEST(CheckPartsTest, NamesWhatDoesNotFit) {
  const testing::TemporaryFolder folder;
  const auto loaded = testing::MakeTestCollection(folder.path(), {.pieces = 1, .recordings = 1});
  const bundle::Manifest manifest = loaded->manifest;
  const auto expect_data_loss = [&](const char* what) {
    const absl::Status status = collection::CheckParts(*loaded);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr(what));
    loaded->manifest = manifest;
  };
  loaded->manifest.model_id = "another";
  expect_data_loss("another");
  loaded->manifest.dimension = 7;
  expect_data_loss("dimension");
  loaded->manifest.pieces = 2;
  expect_data_loss("pieces");
  loaded->manifest.recordings = 0;
  expect_data_loss("recordings");
  loaded->manifest.score_vectors += 1;
  expect_data_loss("score vectors");
  loaded->manifest.recording_vectors += 1;
  expect_data_loss("recording vectors");
  loaded->manifest.feature_settings = features::SettingsToJson(features::DorferSettings());
  expect_data_loss("feature settings");
  loaded->manifest.feature_settings = "{";
  expect_data_loss("feature settings");
  auto other = std::make_shared<testing::FakeEncoder>(encoder::Modality::kScore);
  other->info_.model_id = "fake-2";
  const auto encoder = std::exchange(loaded->score_encoder, other);
  expect_data_loss("fake-2");
  loaded->score_encoder = encoder;
  const auto load = [&](const char* name) {
    return index::VectorIndex::Load(folder.path() + "/" + name, {.dimension = manifest.dimension})
        .value();
  };
  loaded->view = collection::CollectionView::FromBase(
      catalog::Catalog::Open(folder.path() + "/" + bundle::kCatalogFile).value(),
      load(bundle::kRecordingIndexFile), load(bundle::kScoreIndexFile));  // the wrong way round
  expect_data_loss("vectors");
}

}  // namespace
}  // namespace antiphon::retrieval
