#include "core/collection/embedder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>

#include "core/features/pianoroll.h"
#include "core/testing/fake_encoder.h"

namespace antiphon::collection {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kFrameRate = 21.0;
constexpr int kWindow = 42;

music::Score SteadyScore(double length_s, double step_s = 0.25) {
  music::Score score;
  std::mt19937 rng(7);
  for (double onset_s = 0; onset_s < length_s - 1e-9; onset_s += step_s) {
    music::Note note;
    note.onset_s = onset_s;
    note.offset_s = note.sounding_offset_s = std::min(length_s, onset_s + step_s);
    note.pitch = std::uniform_int_distribution(45, 92)(rng);
    score.notes.push_back(note);
  }
  score.duration_s = length_s;
  return score;
}

features::FeatureSequence Frames(int64_t count, int bands = 3) {
  features::FeatureSequence sequence{
      .channels = 1, .bands = bands, .frame_rate = kFrameRate, .cells = {}};
  sequence.cells.assign(count * bands, 1);
  return sequence;
}

TEST(SelectWindows, CutsEveryHopFromTheStartWhileHalfAWindowLiesInside) {
  EXPECT_THAT(SelectWindows(Frames(63), kWindow, {.hop_s = 0.5}), ElementsAre(0, 11, 22, 33));
  EXPECT_THAT(SelectWindows(Frames(42 + 21), kWindow, {.hop_s = 1.0}), ElementsAre(0, 21, 42));
  EXPECT_THAT(SelectWindows(Frames(42 + 20), kWindow, {.hop_s = 1.0}), ElementsAre(0, 21));
}

TEST(SelectWindows, GivesOneWindowForAShortSource) {
  EXPECT_THAT(SelectWindows(Frames(1), kWindow, {}), ElementsAre(0));
  EXPECT_THAT(SelectWindows(Frames(21), kWindow, {}), ElementsAre(0));
  EXPECT_TRUE(SelectWindows(Frames(0), kWindow, {}).empty());
}

TEST(SelectWindows, HopsByOneFrameAtLeast) {
  const auto windows = SelectWindows(Frames(30), kWindow, {.hop_s = 1e-9});
  EXPECT_THAT(windows, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(SelectWindows, LeavesOutWindowsWithNothingInThem) {
  features::FeatureSequence sequence = Frames(210);
  std::fill(sequence.cells.begin() + 60 * 3, sequence.cells.begin() + 150 * 3, 0);
  for (const int64_t first : SelectWindows(sequence, kWindow, {.hop_s = 0.25})) {
    EXPECT_FALSE(sequence.IsEmptyWindow(first, kWindow));
    EXPECT_TRUE(first < 60 || first + kWindow > 150);
  }
}

TEST(SelectWindows, TakesStretchesSpreadEvenlyWhenThereAreTooMany) {
  const matching::WindowPlan all{.hop_s = 1 / kFrameRate};
  const matching::WindowPlan some{
      .hop_s = 1 / kFrameRate, .max_windows = 40, .stretch_windows = 10};
  const features::FeatureSequence sequence = Frames(1021);
  const auto every = SelectWindows(sequence, kWindow, all);
  const auto selected = SelectWindows(sequence, kWindow, some);
  ASSERT_EQ(every.size(), 1001u);
  ASSERT_EQ(selected.size(), 40u);
  EXPECT_EQ(selected.front(), every.front());
  EXPECT_EQ(selected.back(), every.back());
  EXPECT_EQ(std::set<int64_t>(selected.begin(), selected.end()).size(), selected.size());
  std::vector<int64_t> starts = {selected[0]};
  for (size_t i = 1; i < selected.size(); ++i) {
    if (selected[i] != selected[i - 1] + 1) starts.push_back(selected[i]);
  }
  EXPECT_THAT(starts, ElementsAre(0, 330, 660, 991));
}

TEST(SelectWindows, NeverTakesMoreThanItsLimit) {
  for (int max_windows = 1; max_windows < 60; ++max_windows) {
    for (const int stretch : {1, 7, 32, 100}) {
      const auto windows =
          SelectWindows(Frames(400), kWindow,
                        {.hop_s = 0.25, .max_windows = max_windows, .stretch_windows = stretch});
      EXPECT_GE(windows.size(), 1u);
      EXPECT_LE(windows.size(), static_cast<size_t>(max_windows));
      EXPECT_TRUE(std::is_sorted(windows.begin(), windows.end()));
    }
  }
}

TEST(EmbedScore, PlacesWindowsAtNominalTempo) {
  const testing::FakeEncoder encoder(encoder::Modality::kScore);
  for (const double ratio : {0.5, 1.0, 1.682, 2.0}) {
    const auto sequence = EmbedScore(encoder, SteadyScore(12), ratio, {.hop_s = 0.5});
    ASSERT_TRUE(sequence.ok()) << sequence.status();
    EXPECT_DOUBLE_EQ(sequence->tempo_ratio, ratio);
    EXPECT_NEAR(sequence->window_s, 2 * ratio, 1e-9);
    EXPECT_NEAR(sequence->hop_s, 11 / kFrameRate * ratio, 1e-9);
    ASSERT_FALSE(sequence->start_s.empty());
    EXPECT_EQ(sequence->embeddings.size(), sequence->start_s.size() * encoder.info().dimension);
    EXPECT_DOUBLE_EQ(sequence->start_s[0], 0);
    for (size_t i = 1; i < sequence->start_s.size(); ++i) {
      EXPECT_NEAR(sequence->start_s[i] - sequence->start_s[i - 1], sequence->hop_s, 1e-9);
    }
    // Half of the last window, but no more, lies beyond the end.
    EXPECT_NEAR(sequence->start_s.back() + sequence->window_s / 2, 12, sequence->hop_s + 0.1);
  }
}

TEST(EmbedScore, AFasterReadingEqualsTheScorePlayedFaster) {
  const testing::FakeEncoder encoder(encoder::Modality::kScore);
  const music::Score score = SteadyScore(12);
  const auto read = EmbedScore(encoder, score, 1.25, {});
  const auto played = EmbedScore(encoder, music::AtTempoRatio(score, 1.25), 1.0, {});
  ASSERT_TRUE(read.ok() && played.ok());
  EXPECT_EQ(read->embeddings, played->embeddings);
  ASSERT_EQ(read->start_s.size(), played->start_s.size());
  for (size_t i = 0; i < read->start_s.size(); ++i)
    EXPECT_NEAR(read->start_s[i], 1.25 * played->start_s[i], 1e-9);
}

TEST(EmbedScore, ALongScoreGoesThroughInSeveralCallsWithTheSameResult) {
  const testing::FakeEncoder encoder(encoder::Modality::kScore);
  const music::Score score = SteadyScore(130);
  const auto whole = EmbedScore(encoder, score, 1.0, {.hop_s = 1 / kFrameRate});
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(encoder.calls(), 3);
  EXPECT_EQ(encoder.windows(), static_cast<int64_t>(whole->start_s.size()));
  const auto sequence = ScoreFeatures(encoder.info().settings, score, 1.0);
  ASSERT_TRUE(sequence.ok());
  std::vector<uint8_t> window(kWindow * sequence->cells_per_frame());
  for (const size_t i : {size_t{0}, size_t{1023}, size_t{1024}, whole->start_s.size() - 1}) {
    sequence->CopyWindow(static_cast<int64_t>(i), kWindow, window.data());
    const auto row = encoder.Encode(window);
    ASSERT_TRUE(row.ok());
    EXPECT_TRUE(std::equal(row->begin(), row->end(),
                           whole->embeddings.begin() + i * encoder.info().dimension));
  }
}

TEST(EmbedScore, AScoreWithoutNotesGivesNoWindows) {
  const testing::FakeEncoder encoder(encoder::Modality::kScore);
  const auto sequence = EmbedScore(encoder, music::Score(), 1.0, {});
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  EXPECT_TRUE(sequence->start_s.empty());
  EXPECT_TRUE(sequence->embeddings.empty());
  EXPECT_EQ(encoder.calls(), 0);
}

TEST(EmbedScore, RefusesWhatIsOutOfRange) {
  const testing::FakeEncoder encoder(encoder::Modality::kScore);
  const music::Score score = SteadyScore(5);
  for (const double ratio : {0.0, -1.0, 0.05, 11.0, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_EQ(EmbedScore(encoder, score, ratio, {}).status().code(),
              absl::StatusCode::kInvalidArgument)
        << ratio;
  }
  for (const matching::WindowPlan& plan :
       {matching::WindowPlan{.hop_s = 0}, matching::WindowPlan{.hop_s = -1},
        matching::WindowPlan{.max_windows = -1}, matching::WindowPlan{.stretch_windows = 0}}) {
    EXPECT_EQ(EmbedScore(encoder, score, 1.0, plan).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(EmbedScore, RefusesAScoreMadeToBeSlow) {
  const testing::FakeEncoder encoder(encoder::Modality::kScore);
  music::Score score;
  music::Note note;
  note.offset_s = note.sounding_offset_s = 20000;
  score.notes.assign(100'000, note);
  const auto sequence = EmbedScore(encoder, score, 1.0, {});
  EXPECT_EQ(sequence.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(sequence.status().message(), HasSubstr("limit"));
}

TEST(EmbedScore, PassesTheEncodersFailureOn) {
  testing::FakeEncoder encoder(encoder::Modality::kScore);
  encoder.failure = absl::InternalError("the network is out of order");
  EXPECT_EQ(EmbedScore(encoder, SteadyScore(5), 1.0, {}).status(), encoder.failure);
}

TEST(EmbedFeatures, RefusesFeaturesThatDoNotFitTheEncoder) {
  const testing::FakeEncoder encoder(encoder::Modality::kScore);
  EXPECT_EQ(EmbedFeatures(encoder, Frames(100), 1.0, {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(EmbedFeatures, AsksWhetherToGoOnBeforeEveryCall) {
  const testing::FakeEncoder encoder(encoder::Modality::kScore);
  const auto sequence = ScoreFeatures(encoder.info().settings, SteadyScore(130), 1.0);
  ASSERT_TRUE(sequence.ok());
  int asked = 0;
  const auto result =
      EmbedFeatures(encoder, *sequence, 1.0, {.hop_s = 1 / kFrameRate}, [&]() -> absl::Status {
        return ++asked < 2 ? absl::OkStatus() : absl::CancelledError("the caller left");
      });
  EXPECT_EQ(result.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(encoder.calls(), 1);
}

TEST(EmbedBatches, SeveralTempiTogetherEqualEachAlone) {
  const testing::FakeEncoder encoder(encoder::Modality::kScore);
  const music::Score score = SteadyScore(20);
  std::vector<WindowBatch> batches;
  for (const double ratio : {0.5, 1.0, 2.0}) {
    auto batch = CutWindows(encoder.info(), *ScoreFeatures(encoder.info().settings, score, ratio),
                            ratio, {});
    ASSERT_TRUE(batch.ok());
    batches.push_back(*std::move(batch));
  }
  const auto together = EmbedBatches(encoder, std::move(batches));
  ASSERT_TRUE(together.ok());
  EXPECT_EQ(encoder.calls(), 1);
  ASSERT_EQ(together->size(), 3u);
  for (const matching::EmbeddingSequence& sequence : *together) {
    const auto alone = EmbedScore(encoder, score, sequence.tempo_ratio, {});
    ASSERT_TRUE(alone.ok());
    EXPECT_EQ(sequence.start_s, alone->start_s);
    EXPECT_EQ(sequence.embeddings, alone->embeddings);
    EXPECT_DOUBLE_EQ(sequence.hop_s, alone->hop_s);
  }
}

class EmbedAudioTest : public ::testing::Test {
 protected:
  const testing::FakeEncoder encoder_{encoder::Modality::kAudio};
  const std::unique_ptr<const features::AudioFrontEnd> front_end_ =
      features::AudioFrontEnd::Create(testing::FakeSettings()).value();
};

TEST_F(EmbedAudioTest, GivesAWindowForEveryHop) {
  audio::Waveform tone;
  for (int i = 0; i < 5 * 22050; ++i) tone.samples.push_back(0.3f * std::sin(i * 0.0627f));
  const auto sequence = EmbedAudio(encoder_, *front_end_, tone, {.hop_s = 0.5});
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  EXPECT_EQ(sequence->start_s.size(), 8u);  // 105 frames: 0, 11, … 77
  EXPECT_NEAR(sequence->start_s[1], 11 / kFrameRate, 1e-9);
  EXPECT_NEAR(sequence->window_s, 2.0, 1e-9);
}

TEST_F(EmbedAudioTest, SilenceGivesNoWindows) {
  const auto sequence =
      EmbedAudio(encoder_, *front_end_, {std::vector<float>(100'000, 0.0f), 22050}, {});
  ASSERT_TRUE(sequence.ok());
  EXPECT_TRUE(sequence->start_s.empty());
}

TEST_F(EmbedAudioTest, RefusesAnotherSampleRateAndAnotherModelsFrontEnd) {
  EXPECT_EQ(EmbedAudio(encoder_, *front_end_, {std::vector<float>(1000, 0.1f), 44100}, {})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
  const auto other = features::AudioFrontEnd::Create(features::DorferSettings()).value();
  EXPECT_EQ(
      EmbedAudio(encoder_, *other, {std::vector<float>(1000, 0.1f), 22050}, {}).status().code(),
      absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace antiphon::collection
