#include "core/streaming/stream_identifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numbers>
#include <random>

#include "absl/strings/str_cat.h"
#include "core/retrieval/bundle_collection.h"
#include "core/streaming/segments.h"
#include "core/testing/temporary_folder.h"
#include "core/testing/test_collection.h"

namespace antiphon::streaming {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kRate = 22050;

// A collection of so many pieces, with an encoder of one's own.
std::shared_ptr<const collection::LoadedCollection> MakeParts(
    const std::string& folder, int pieces, std::shared_ptr<const testing::FakeEncoder> encoder) {
  std::unique_ptr<collection::LoadedCollection> loaded =
      testing::MakeTestCollection(folder, {.pieces = pieces});
  loaded->audio_encoder = std::move(encoder);
  return loaded;
}

class StreamIdentifierTest : public ::testing::Test {
 protected:
  const testing::TemporaryFolder folder_;
  const std::shared_ptr<testing::FakeEncoder> encoder_ =
      std::make_shared<testing::FakeEncoder>(encoder::Modality::kAudio);
  const std::shared_ptr<const collection::LoadedCollection> loaded_ =
      MakeParts(folder_.path(), 8, encoder_);
  const retrieval::BundleCollection collection_{loaded_};
};

std::vector<StreamAnswer> Listen(const retrieval::Collection& collection,
                                 const std::vector<float>& audio, const StreamOptions& options = {},
                                 size_t chunk = 8000) {
  StreamIdentifier identifier(options);
  std::vector<StreamAnswer> answers;
  const auto keep = [&](absl::StatusOr<std::vector<StreamAnswer>> more) {
    ASSERT_TRUE(more.ok()) << more.status();
    answers.insert(answers.end(), more->begin(), more->end());
  };
  for (size_t begin = 0; begin < audio.size(); begin += chunk) {
    keep(identifier.Push(collection,
                         std::span(audio).subspan(begin, std::min(chunk, audio.size() - begin))));
  }
  keep(identifier.Finish(collection));
  return answers;
}

// Sound put together from parts of pieces, silence and noise.
class Programme {
 public:
  Programme& Piece(int piece, double start_s, double end_s, double tempo = 1.0) {
    return Add(
        testing::Play(music::Excerpt(testing::RandomPiece(piece), start_s, end_s), tempo).samples);
  }
  Programme& Silence(double seconds) {
    return Add(std::vector<float>(static_cast<size_t>(seconds * kRate), 0.0f));
  }
  Programme& Noise(double seconds) {
    std::mt19937 rng(1);
    std::vector<float> noise(static_cast<size_t>(seconds * kRate));
    for (float& sample : noise) sample = std::normal_distribution<float>(0, 0.05f)(rng);
    return Add(noise);
  }
  Programme& Hum(double seconds) {
    std::vector<float> hum(static_cast<size_t>(seconds * kRate));
    for (size_t i = 0; i < hum.size(); ++i) {
      hum[i] = 0.05f * static_cast<float>(
                           std::sin(2 * std::numbers::pi * 200 * static_cast<double>(i) / kRate));
    }
    return Add(hum);
  }
  double end_s() const { return static_cast<double>(samples.size()) / kRate; }

  std::vector<float> samples;

 private:
  Programme& Add(const std::vector<float>& more) {
    samples.insert(samples.end(), more.begin(), more.end());
    return *this;
  }
};

// Events other than updates, with the piece that started.
std::vector<std::string> Events(const std::vector<StreamAnswer>& answers) {
  std::vector<std::string> events;
  for (const StreamAnswer& answer : answers) {
    if (answer.event == StreamEvent::kPieceStarted) events.push_back(answer.ids[0]);
    if (answer.event == StreamEvent::kPieceEnded) events.push_back("end");
    if (answer.event == StreamEvent::kPaused) events.push_back("pause");
    if (answer.event == StreamEvent::kResumed) events.push_back("resume");
  }
  return events;
}

// When the n-th of these events came.
double When(const std::vector<StreamAnswer>& answers, StreamEvent event, int n = 0) {
  for (const StreamAnswer& answer : answers) {
    if (answer.event == event && n-- == 0) return answer.at_s;
  }
  return -1;
}

std::vector<StreamSegment> Segments(const std::vector<StreamAnswer>& answers) {
  SegmentBuilder builder;
  for (const StreamAnswer& answer : answers) EXPECT_TRUE(builder.Add(answer).ok());
  return builder.Finish();
}

TEST_F(StreamIdentifierTest, AnswersEverySecondAndTellsWhereTheMusicIs) {
  Programme programme;
  programme.Piece(2, 5, 25, 1.2);
  const auto answers = Listen(collection_, programme.samples);
  ASSERT_THAT(Events(answers), ElementsAre("piece-2"));
  ASSERT_EQ(answers.size(), static_cast<size_t>(programme.end_s()) + 1);
  for (size_t i = 0; i < answers.size(); ++i) {
    const StreamAnswer& answer = answers[i];
    EXPECT_NEAR(answer.at_s, std::min(i + 1.0, programme.end_s()), 1e-3);
    if (answer.at_s < 5) continue;
    EXPECT_EQ(answer.identification.verdict, matching::Verdict::kMatch);
    ASSERT_FALSE(answer.ids.empty());
    EXPECT_EQ(answer.ids[0], "piece-2");
    const matching::Candidate& now = answer.identification.candidates[0];
    EXPECT_EQ(now.place.query_s, answer.at_s);
    EXPECT_NEAR(now.place.reference_s, 5 + 1.2 * answer.at_s, 0.8) << answer.at_s;
    EXPECT_TRUE(now.evidence.empty());
  }
}

TEST_F(StreamIdentifierTest, TheBeginningIsTooLittle) {
  Programme programme;
  programme.Piece(2, 5, 15);
  const auto answers = Listen(collection_, programme.samples);
  ASSERT_GE(answers.size(), 4u);
  EXPECT_EQ(answers[0].identification.verdict, matching::Verdict::kInsufficientInput);
  EXPECT_THAT(answers[0].ids, IsEmpty());
  EXPECT_EQ(answers[3].identification.verdict, matching::Verdict::kMatch);
  EXPECT_LE(When(answers, StreamEvent::kPieceStarted), 5);
  EXPECT_EQ(Listen(collection_, Programme().Piece(2, 5, 5.5).samples).back().identification.verdict,
            matching::Verdict::kInsufficientInput);
}

TEST_F(StreamIdentifierTest, AChangeIsToldWithinSecondsAndPutWhereItWas) {
  const std::vector<std::vector<int>> programmes = {{0, 3, 5}, {1, 7, 4}, {6, 2, 0}};
  double latest_s = 0, farthest_s = 0;
  for (const std::vector<int>& pieces : programmes) {
    Programme programme;
    for (const int piece : pieces) programme.Piece(piece, 10, 30);
    const auto answers = Listen(collection_, programme.samples);
    std::vector<std::string> expected;
    for (const int piece : pieces) expected.push_back(absl::StrCat("piece-", piece));
    ASSERT_EQ(Events(answers), expected);
    const auto segments = Segments(answers);
    ASSERT_EQ(segments.size(), 3u);
    for (int i = 0; i < 3; ++i) {
      const double start_s = i * programme.end_s() / 3, end_s = (i + 1) * programme.end_s() / 3;
      latest_s = std::max(latest_s, When(answers, StreamEvent::kPieceStarted, i) - start_s);
      farthest_s = std::max({farthest_s, std::abs(segments[i].match.query.start_s - start_s),
                             std::abs(segments[i].match.query.end_s - end_s)});
      EXPECT_EQ(segments[i].source_id, expected[i]);
      EXPECT_NEAR(segments[i].match.reference.start_s, 10, 1);
      EXPECT_NEAR(segments[i].match.reference.end_s, 30, 1);
      EXPECT_NEAR(segments[i].match.slope, 1, 0.05);
      EXPECT_GE(segments[i].confidence, 0.9);
    }
  }
  RecordProperty("latest_s", absl::StrCat(latest_s));
  RecordProperty("farthest_s", absl::StrCat(farthest_s));
  EXPECT_LE(latest_s, 5.5);
  EXPECT_LE(farthest_s, 0.8);
}

TEST_F(StreamIdentifierTest, APieceEndsInNoise) {
  Programme programme;
  programme.Piece(1, 10, 30).Noise(12);
  const auto answers = Listen(collection_, programme.samples);
  ASSERT_THAT(Events(answers), ElementsAre("piece-1", "end"));
  EXPECT_NEAR(When(answers, StreamEvent::kPieceEnded), 27.5, 1.6);
  EXPECT_NEAR(Segments(answers)[0].match.query.end_s, 20, 0.8);
  EXPECT_EQ(answers.back().identification.verdict, matching::Verdict::kNoMatch);
}

TEST_F(StreamIdentifierTest, NoiseAndHumAreNoPiece) {
  Programme programme;
  programme.Noise(15).Hum(15);
  const auto answers = Listen(collection_, programme.samples);
  EXPECT_THAT(Events(answers), IsEmpty());
  for (const StreamAnswer& answer : answers)
    EXPECT_NE(answer.identification.verdict, matching::Verdict::kMatch);
}

TEST_F(StreamIdentifierTest, PausesAreToldAndThePieceGoesOnAfterThem) {
  Programme programme;
  programme.Piece(1, 5, 20).Silence(4).Piece(1, 20, 35);
  const auto answers = Listen(collection_, programme.samples);
  ASSERT_THAT(Events(answers), ElementsAre("piece-1", "pause", "resume"));
  EXPECT_NEAR(When(answers, StreamEvent::kPaused), 16.5, 0.2);
  EXPECT_NEAR(When(answers, StreamEvent::kResumed), 19, 0.2);
  const auto segments = Segments(answers);
  ASSERT_EQ(segments.size(), 1u);
  EXPECT_NEAR(segments[0].match.query.end_s, programme.end_s(), 0.5);
  EXPECT_NEAR(segments[0].match.reference.end_s, 35, 0.8);
  for (size_t i = 1; i < answers.size(); ++i) EXPECT_GE(answers[i].at_s, answers[i - 1].at_s);
}

TEST_F(StreamIdentifierTest, ALongSilenceEndsThePiece) {
  Programme programme;
  programme.Piece(1, 5, 15).Silence(20);
  const auto answers = Listen(collection_, programme.samples);
  ASSERT_THAT(Events(answers), ElementsAre("piece-1", "pause", "end"));
  EXPECT_EQ(answers.back().identification.verdict, matching::Verdict::kInsufficientInput);
  EXPECT_NEAR(Segments(answers)[0].match.query.end_s, 10, 0.8);
}

TEST_F(StreamIdentifierTest, TheSamePieceAgainIsAnotherSegment) {
  Programme programme;
  programme.Piece(4, 0, 40).Piece(4, 0, 20);
  const auto segments = Segments(Listen(collection_, programme.samples));
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_NEAR(segments[0].match.query.end_s, programme.end_s() - 20, 1.0);
  EXPECT_NEAR(segments[1].match.query.start_s, programme.end_s() - 20, 1.0);
  EXPECT_NEAR(segments[1].match.reference.start_s, 0, 1.0);
}

bool Same(const StreamAnswer& a, const StreamAnswer& b) {
  const auto& x = a.identification;
  const auto& y = b.identification;
  if (a.event != b.event || a.at_s != b.at_s || a.ids != b.ids || x.verdict != y.verdict ||
      x.windows != y.windows) {
    return false;
  }
  return std::equal(
      x.candidates.begin(), x.candidates.end(), y.candidates.begin(), y.candidates.end(),
      [](const matching::Candidate& c, const matching::Candidate& d) {
        return c.source == d.source && c.confidence == d.confidence &&
               c.place.query_s == d.place.query_s && c.place.reference_s == d.place.reference_s &&
               c.match.slope == d.match.slope && c.match.query.start_s == d.match.query.start_s &&
               c.match.query.end_s == d.match.query.end_s;
      });
}

TEST_F(StreamIdentifierTest, ChunksMakeNoDifference) {
  Programme programme;
  programme.Piece(0, 0, 12).Silence(2).Piece(3, 5, 12);
  const auto whole = Listen(collection_, programme.samples, {}, programme.samples.size());
  for (const size_t chunk : {size_t{333}, size_t{22050}, size_t{50'001}}) {
    const auto answers = Listen(collection_, programme.samples, {}, chunk);
    ASSERT_EQ(answers.size(), whole.size());
    for (size_t i = 0; i < answers.size(); ++i)
      EXPECT_TRUE(Same(answers[i], whole[i])) << chunk << " " << i;
  }
}

TEST_F(StreamIdentifierTest, TheOptionsOfAnIdentificationHold) {
  Programme programme;
  programme.Piece(0, 0, 10);
  StreamOptions options{.update_s = 2.5};
  options.identify = {.top_k = 1, .min_confidence = 1.0, .evidence = true};
  const auto answers = Listen(collection_, programme.samples, options);
  EXPECT_NEAR(answers[0].at_s, 2.5, 1e-3);
  EXPECT_NEAR(answers[1].at_s, 5, 1e-3);
  EXPECT_EQ(answers[2].identification.verdict, matching::Verdict::kNoMatch);
  ASSERT_EQ(answers[2].identification.candidates.size(), 1u);
  EXPECT_EQ(answers[2].ids.size(), 1u);
  EXPECT_FALSE(answers[2].identification.candidates[0].evidence.empty());
  EXPECT_THAT(Events(answers), IsEmpty());
}

// Answers nothing, at once.
class IdleCollection final : public retrieval::BundleCollection {
 public:
  using BundleCollection::BundleCollection;
  absl::StatusOr<matching::Identification> IdentifyEmbedded(
      matching::EmbeddingSequence windows, double, const matching::IdentifyOptions&,
      const matching::RequestContext&) const override {
    most_windows = std::max(most_windows, windows.start_s.size());
    return matching::Identification{};
  }
  mutable size_t most_windows = 0;
};

int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * 4096;
}

TEST_F(StreamIdentifierTest, AnHourTakesNoMoreMemoryThanAMinuteAndEachWindowIsEncodedOnce) {
  const IdleCollection collection(loaded_);
  const int64_t encoded_before = encoder_->windows();
  Programme minute;
  minute.Piece(0, 0, 30).Silence(2).Noise(8).Piece(3, 0, 25);
  StreamIdentifier identifier({});
  size_t early = 0, late = 0;
  [[maybe_unused]] int64_t early_resident = 0;
  for (int i = 0; identifier.received_s() < 3600; ++i) {
    for (size_t begin = 0; begin < minute.samples.size(); begin += 10'000) {
      const size_t count = std::min<size_t>(10'000, minute.samples.size() - begin);
      ASSERT_TRUE(
          identifier.Push(collection, std::span(minute.samples).subspan(begin, count)).ok());
      (i < 2 ? early : late) = std::max(i < 2 ? early : late, identifier.bytes());
    }
    if (i == 5) early_resident = ResidentBytes();
  }
  EXPECT_GT(early, 0u);
  EXPECT_LE(late, early * 11 / 10);
  EXPECT_LE(collection.most_windows, 52u) << "12 s at 5 frames of 21/s";
#ifndef __SANITIZE_ADDRESS__  // which keeps what is freed
  EXPECT_LT(ResidentBytes() - early_resident, 2 << 20);
#endif
  EXPECT_LE(encoder_->windows() - encoded_before,
            static_cast<int64_t>(identifier.received_s() / 5 * 21 + 1));
}

TEST_F(StreamIdentifierTest, AnotherCollectionIsAskedFromThePushOn) {
  Programme programme;
  programme.Piece(5, 0, 40);
  const testing::TemporaryFolder folder;
  const retrieval::BundleCollection other(MakeParts(folder.path(), 3, encoder_));
  StreamIdentifier identifier({});
  const std::span<const float> audio(programme.samples);
  const auto before = identifier.Push(collection_, audio.first(20 * kRate));
  const auto after = identifier.Push(other, audio.subspan(20 * kRate));
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_THAT(Events(*before), ElementsAre("piece-5"));
  EXPECT_THAT(Events(*after), ElementsAre("end")) << "it is not there any more";
}

TEST_F(StreamIdentifierTest, AnotherModelForgetsWhatWasHeardButNotTheTime) {
  Programme programme;
  programme.Piece(5, 0, 40);
  const testing::TemporaryFolder folder;
  auto encoder = std::make_shared<testing::FakeEncoder>(encoder::Modality::kAudio);
  encoder->info_.model_id = "fake-2";
  const retrieval::BundleCollection other(MakeParts(folder.path(), 8, encoder));
  StreamIdentifier identifier({});
  const std::span<const float> audio(programme.samples);
  ASSERT_TRUE(identifier.Push(collection_, audio.first(20 * kRate + 500)).ok());
  const auto after = identifier.Push(other, audio.subspan(20 * kRate + 500));
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_NEAR(after->front().at_s, 21, 0.1);
  EXPECT_EQ(after->front().identification.verdict, matching::Verdict::kInsufficientInput);
  EXPECT_THAT(Events(*after), IsEmpty()) << "it is the same piece, going on";
  EXPECT_EQ(after->at(10).ids[0], "piece-5");
  EXPECT_NEAR(after->at(10).identification.candidates[0].place.reference_s, after->at(10).at_s,
              0.5);
}

TEST_F(StreamIdentifierTest, StopsWhenNobodyWaits) {
  StreamIdentifier identifier({});
  const Programme programme = Programme().Piece(0, 0, 10);
  int asked = 0;
  const matching::RequestContext context{
      .keep_going = [&] { return ++asked > 6 ? absl::CancelledError("gone") : absl::OkStatus(); },
      .on_stage = {}};
  EXPECT_TRUE(absl::IsCancelled(identifier.Push(collection_, programme.samples, context).status()));
}

TEST_F(StreamIdentifierTest, FailsAsTheEncoderDoes) {
  StreamIdentifier identifier({});
  encoder_->failure = absl::InternalError("out of order");
  EXPECT_EQ(identifier.Push(collection_, Programme().Piece(0, 0, 10).samples).status(),
            encoder_->failure);
}

TEST_F(StreamIdentifierTest, AStreamWithoutSoundIsTooLittle) {
  StreamIdentifier identifier({});
  const auto answers = identifier.Finish(collection_);
  ASSERT_TRUE(answers.ok());
  ASSERT_EQ(answers->size(), 1u);
  EXPECT_EQ(answers->front().identification.verdict, matching::Verdict::kInsufficientInput);
  EXPECT_EQ(answers->front().at_s, 0);
}

}  // namespace
}  // namespace antiphon::streaming
