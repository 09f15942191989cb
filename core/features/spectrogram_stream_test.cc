// The parts of audio_front_end.h that hold whatever the front end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>
#include <vector>

#include "core/features/audio_front_end.h"
#include "core/testing/feature_signals.h"

namespace antiphon::features {
namespace {

using ::testing::Each;

TEST(AudioFrontEndTest, CreationRefusesWhatSettingsRefuse) {
  for (NamedSettings front_end : BothFrontEnds()) {
    front_end.settings.hop_length = 0;
    const auto created = AudioFrontEnd::Create(front_end.settings);
    EXPECT_EQ(created.status().code(), absl::StatusCode::kInvalidArgument) << front_end.name;
    EXPECT_THAT(std::string(created.status().message()), ::testing::HasSubstr("hop_length"));
  }
}

class SpectrogramTest : public ::testing::TestWithParam<NamedSettings> {
 protected:
  const FeatureSettings& settings() const { return GetParam().settings; }

  const std::unique_ptr<const AudioFrontEnd> front_end_ = MakeFrontEnd(GetParam().settings);
};

FeatureSequence InChunks(const AudioFrontEnd& front_end, std::span<const float> samples,
                         size_t chunk) {
  FeatureSequence sequence;
  SpectrogramStream stream(front_end);
  for (size_t at = 0; at < samples.size(); at += chunk) {
    stream.Push(samples.subspan(at, std::min(chunk, samples.size() - at)), sequence);
  }
  stream.Finish(sequence);
  return sequence;
}

TEST_P(SpectrogramTest, TheChunkSizeChangesNoBit) {
  std::vector<float> samples = Chord(70'001, settings().sample_rate, 3);
  const std::vector<float> noise = WhiteNoise(70'001, 4);
  for (size_t n = 0; n < samples.size(); ++n) samples[n] += 0.01f * noise[n];
  const FeatureSequence whole = ComputeSpectrogram(*front_end_, samples);
  ASSERT_EQ(whole.frames(), 67);
  for (const size_t chunk : {1, 7, 1000, 1050, 65536, 65537, 70'001}) {
    const FeatureSequence sequence = InChunks(*front_end_, samples, chunk);
    EXPECT_EQ(sequence.cells, whole.cells) << "chunks of " << chunk;
    EXPECT_EQ(sequence.bands, whole.bands);
    EXPECT_EQ(sequence.frame_rate, whole.frame_rate);
  }
  std::mt19937 rng(5);
  for (int trial = 0; trial < 3; ++trial) {  // chunks of uneven sizes, empty ones among them
    FeatureSequence sequence;
    SpectrogramStream stream(*front_end_);
    for (size_t at = 0; at < samples.size();) {
      const size_t chunk =
          std::min<size_t>(std::uniform_int_distribution(0, 9000)(rng), samples.size() - at);
      stream.Push(std::span(samples).subspan(at, chunk), sequence);
      at += chunk;
    }
    stream.Finish(sequence);
    EXPECT_EQ(sequence.cells, whole.cells);
  }
}

// Frames of long sound are transformed many at a time, and some of them where the caller's samples
// lie.
TEST_P(SpectrogramTest, LongChunksChangeNoBitEither) {
  const int hop = settings().hop_length;
  const std::vector<float> samples = WhiteNoise(400 * hop + 17, 11);
  const FeatureSequence whole = ComputeSpectrogram(*front_end_, samples);
  ASSERT_EQ(whole.frames(), 401);
  const size_t length = front_end_->frame_length();
  for (const size_t chunk : {length - 1, length, length + 1, length + 200 * hop, 399 * size_t(hop)})
    EXPECT_EQ(InChunks(*front_end_, samples, chunk).cells, whole.cells) << "chunks of " << chunk;
}

// Where hops have no divisors, constant-Q frames share nothing.
TEST_P(SpectrogramTest, TheChunkSizeChangesNoBitWithAPrimeHop) {
  FeatureSettings prime = settings();
  prime.hop_length = 1049;
  const auto front_end = MakeFrontEnd(prime);
  const std::vector<float> samples = WhiteNoise(100'000, 12);
  const FeatureSequence whole = ComputeSpectrogram(*front_end, samples);
  ASSERT_EQ(whole.frames(), 96);
  for (const size_t chunk : {777, 40'000})
    EXPECT_EQ(InChunks(*front_end, samples, chunk).cells, whole.cells) << "chunks of " << chunk;
}

TEST_P(SpectrogramTest, AFrameHasTheSameBitsHoweverManyAreTransformedAtOnce) {
  constexpr int kFrames = 20;
  const int64_t length = front_end_->frame_length(), hop = settings().hop_length;
  const std::vector<float> samples = WhiteNoise(length + (kFrames - 1) * hop, 13);
  std::vector<float> together(kFrames * settings().bands);
  const auto scratch = front_end_->NewScratch();
  front_end_->Transform(samples, together, *scratch);
  for (int frame = 0; frame < kFrames; ++frame) {
    const std::vector<float> alone =
        Magnitudes(*front_end_, std::span(samples).subspan(frame * hop, length));
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(),
                           together.begin() + frame * int64_t{settings().bands}))
        << frame;
  }
}

TEST_P(SpectrogramTest, FramesComeAsSoonAsTheirSamplesAreThere) {
  const int64_t half = front_end_->frame_length() / 2;
  FeatureSequence sequence;
  SpectrogramStream stream(*front_end_);
  const std::vector<float> sample(1, 0.5f);
  for (int64_t received = 1; received <= half + 3 * settings().hop_length; ++received) {
    stream.Push(sample, sequence);
    const int64_t complete = received < half ? 0 : (received - half) / settings().hop_length + 1;
    ASSERT_EQ(sequence.frames(), complete) << received;
  }
}

TEST_P(SpectrogramTest, ThereIsAFrameForEveryHopBegun) {
  const int hop = settings().hop_length;
  for (const int samples :
       {0, 1, hop - 1, hop, hop + 1, 2 * hop, 10 * hop - 1, 10 * hop, 10 * hop + 1}) {
    const FeatureSequence sequence =
        ComputeSpectrogram(*front_end_, std::vector<float>(samples, 0.1f));
    EXPECT_EQ(sequence.frames(), (samples + hop - 1) / hop) << samples;
    EXPECT_EQ(sequence.channels, 1);
    EXPECT_EQ(sequence.bands, settings().bands);
    EXPECT_EQ(sequence.cells.size(), static_cast<size_t>(sequence.frames()) * settings().bands);
    EXPECT_DOUBLE_EQ(sequence.frame_rate, settings().frame_rate());
  }
}

TEST_P(SpectrogramTest, AHopLongerThanTheFrameSkipsSound) {
  FeatureSettings sparse = settings();
  sparse.hop_length = 90'000;
  const auto front_end = MakeFrontEnd(sparse);
  const std::vector<float> samples = WhiteNoise(200'000, 6);
  const FeatureSequence whole = ComputeSpectrogram(*front_end, samples);
  EXPECT_EQ(whole.frames(), 3);
  EXPECT_EQ(InChunks(*front_end, samples, 777).cells, whole.cells);
}

TEST_P(SpectrogramTest, AnImpulseOnAFramesCentreIsLoudestThereInEveryBand) {
  constexpr int kFrames = 60, kAt = 31;
  std::vector<float> samples(kFrames * settings().hop_length, 0.0f);
  // Loud enough for the bass, whose windows are the longest.
  samples[kAt * settings().hop_length] = 50.0f;
  const FeatureSequence sequence = ComputeSpectrogram(*front_end_, samples);
  for (int band = 0; band < settings().bands; ++band) {
    const auto level = [&](int64_t frame) {
      return sequence.cells[frame * settings().bands + band];
    };
    for (int distance = 1; distance < 20; ++distance) {
      const int before = level(kAt - distance), after = level(kAt + distance),
                nearer = level(kAt + distance - 1);
      // Where a band's window has ended, an impulse so loud may leave a trace near the lowest
      // level.
      constexpr int kResidue = 4;
      EXPECT_NEAR(std::max(before, kResidue), std::max(after, kResidue), 1)
          << "band " << band << ", " << distance;
      EXPECT_LE(after, std::max(nearer, kResidue)) << "band " << band << ", " << distance;
    }
    EXPECT_GT(level(kAt), level(kAt + 19)) << band;
  }
}

TEST_P(SpectrogramTest, ADelayOfOneHopMovesEveryFrameByOne) {
  const int hop = settings().hop_length;
  const std::vector<float> samples = Chord(20 * hop + 123, settings().sample_rate, 8);
  const FeatureSequence original = ComputeSpectrogram(*front_end_, samples);
  for (const int shift : {1, 3}) {
    std::vector<float> delayed(shift * hop, 0.0f);
    delayed.insert(delayed.end(), samples.begin(), samples.end());
    const FeatureSequence moved = ComputeSpectrogram(*front_end_, delayed);
    ASSERT_EQ(moved.frames(), original.frames() + shift);
    EXPECT_TRUE(std::equal(original.cells.begin(), original.cells.end(),
                           moved.cells.begin() + int64_t{shift} * settings().bands));
  }
}

TEST_P(SpectrogramTest, SilenceIsAllZeros) {
  const FeatureSequence sequence =
      ComputeSpectrogram(*front_end_, std::vector<float>(50'000, 0.0f));
  ASSERT_EQ(sequence.frames(), 48);
  EXPECT_THAT(sequence.cells, Each(0));
  EXPECT_THAT(Magnitudes(*front_end_, std::vector<float>(front_end_->frame_length(), 0.0f)),
              Each(0.0f));
}

TEST_P(SpectrogramTest, TheLoudestSoundThatIsDecodedStaysFinite) {
  const std::vector<float> samples(front_end_->frame_length(), 1e10f);
  for (const float magnitude : Magnitudes(*front_end_, samples))
    EXPECT_TRUE(std::isfinite(magnitude));
}

TEST_P(SpectrogramTest, TenDecibelsLessLowerEveryLevelByTwenty) {
  std::vector<float> samples = WhiteNoise(30'000, 9);
  const FeatureSequence loud = ComputeSpectrogram(*front_end_, samples);
  for (float& sample : samples) sample *= std::pow(10.0f, -0.5f);
  const FeatureSequence soft = ComputeSpectrogram(*front_end_, samples);
  ASSERT_EQ(loud.cells.size(), soft.cells.size());
  for (size_t i = 0; i < loud.cells.size(); ++i) {
    ASSERT_GT(soft.cells[i], 0);
    ASSERT_NEAR(loud.cells[i] - soft.cells[i], 20, 1);  // 1: rounding on either side
  }
}

TEST_P(SpectrogramTest, ThreadsShareAFrontEnd) {
  const std::vector<float> samples = Chord(20'000, settings().sample_rate, 10);
  const FeatureSequence expected = ComputeSpectrogram(*front_end_, samples);
  std::vector<FeatureSequence> results(4);
  std::vector<std::thread> threads;
  for (FeatureSequence& result : results) {
    threads.emplace_back([&] { result = ComputeSpectrogram(*front_end_, samples); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const FeatureSequence& result : results) EXPECT_EQ(result.cells, expected.cells);
}

INSTANTIATE_TEST_SUITE_P(FrontEnds, SpectrogramTest, ::testing::ValuesIn(BothFrontEnds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace antiphon::features
