#include "core/streaming/stream_windows.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/testing/test_collection.h"

namespace antiphon::streaming {
namespace {

constexpr int kRate = 22050;

std::vector<float> Sound(double seconds) {
  std::vector<float> samples = testing::Play(testing::RandomPiece(1, seconds)).samples;
  samples.resize(static_cast<size_t>(seconds * kRate));
  return samples;
}

class StreamWindowsTest : public ::testing::Test {
 protected:
  std::unique_ptr<StreamWindows> Make(double start_s = 0) const {
    return StreamWindows::Create(encoder_.info(), 0.25, start_s).value();
  }
  void Embed(StreamWindows& windows) const { ASSERT_TRUE(windows.Embed(encoder_, *stages_).ok()); }

  const testing::FakeEncoder encoder_{encoder::Modality::kAudio};
  const matching::RequestContext context_{};
  const std::unique_ptr<matching::StageTimer> stages_ =
      std::make_unique<matching::StageTimer>(context_);
};

TEST_F(StreamWindowsTest, AreThoseOfTheWholeSoundHoweverItComes) {
  const audio::Waveform audio = testing::Play(testing::RandomPiece(1, 13.7));
  const auto front_end = features::AudioFrontEnd::Create(encoder_.info().settings).value();
  const matching::EmbeddingSequence whole =
      collection::EmbedAudio(encoder_, *front_end, audio, {.hop_s = 0.25}).value();
  for (const size_t chunk : {size_t{997}, size_t{22050}, size_t{1} << 20}) {
    const auto windows = Make();
    for (size_t begin = 0; begin < audio.samples.size(); begin += chunk) {
      windows->Push(
          std::span(audio.samples).subspan(begin, std::min(chunk, audio.samples.size() - begin)));
      Embed(*windows);
    }
    ASSERT_TRUE(windows->Finish(encoder_, *stages_).ok());
    const matching::EmbeddingSequence streamed = windows->From(-100);
    EXPECT_EQ(streamed.hop_s, whole.hop_s);
    EXPECT_EQ(streamed.window_s, whole.window_s);
    EXPECT_EQ(streamed.dimension, whole.dimension);
    ASSERT_EQ(streamed.start_s, whole.start_s) << chunk;
    EXPECT_EQ(streamed.embeddings, whole.embeddings) << chunk;
  }
}

TEST_F(StreamWindowsTest, TellTheTimeOfTheStream) {
  const auto windows = Make(50);
  windows->Push(Sound(5));
  Embed(*windows);
  EXPECT_DOUBLE_EQ(windows->start_s(), 50);
  EXPECT_NEAR(windows->end_s(), 55, 0.3);
  EXPECT_NEAR(windows->From(53).start_s.front(), 52, 0.25);
  EXPECT_TRUE(windows->From(60).start_s.empty());
}

TEST_F(StreamWindowsTest, EachIsEmbeddedOnce) {
  const std::vector<float> audio = Sound(20);
  const auto windows = Make();
  for (size_t begin = 0; begin + kRate <= audio.size(); begin += kRate) {
    windows->Push(std::span(audio).subspan(begin, kRate));
    Embed(*windows);
    Embed(*windows);
  }
  EXPECT_EQ(encoder_.windows(), static_cast<int64_t>(windows->From(-100).start_s.size()));
}

TEST_F(StreamWindowsTest, SilenceHasNone) {
  const auto windows = Make();
  windows->Push(std::vector<float>(10 * kRate, 1e-5f));
  Embed(*windows);
  EXPECT_TRUE(windows->empty());
  EXPECT_FALSE(windows->AudibleFrom(0));
  windows->Push(Sound(4));
  Embed(*windows);
  EXPECT_GT(windows->start_s(), 7.5);
  EXPECT_TRUE(windows->AudibleFrom(0));
}

TEST_F(StreamWindowsTest, AHumIsNotAudible) {
  const auto windows = Make();
  std::vector<float> hum(8 * kRate);
  for (size_t i = 0; i < hum.size(); ++i)
    hum[i] = 0.1f * std::sin(2 * 3.14159265f * 200 * static_cast<float>(i % kRate) / kRate);
  windows->Push(hum);
  Embed(*windows);
  EXPECT_FALSE(windows->empty());
  EXPECT_FALSE(windows->AudibleFrom(0));
}

TEST_F(StreamWindowsTest, WhatIsForgottenStaysForgotten) {
  const auto windows = Make();
  const std::vector<float> audio = Sound(20);
  windows->Push(std::span(audio).first(10 * kRate));
  Embed(*windows);
  windows->ForgetBefore(12);
  EXPECT_TRUE(windows->empty());
  windows->Push(std::span(audio).subspan(10 * kRate));
  Embed(*windows);
  EXPECT_NEAR(windows->start_s(), 11, 0.25);
}

TEST_F(StreamWindowsTest, HoldsNoMoreInAnHourThanInAMinute) {
  const auto windows = Make();
  const std::vector<float> audio = Sound(10);
  size_t most_early = 0, most_late = 0;
  for (int i = 0; i < 360; ++i) {
    windows->Push(audio);
    Embed(*windows);
    windows->ForgetBefore(10.0 * i - 2);
    (i < 6 ? most_early : most_late) = std::max(i < 6 ? most_early : most_late, windows->bytes());
  }
  EXPECT_GT(most_early, 0u);
  EXPECT_LE(most_late, most_early * 5 / 4);
  EXPECT_NEAR(windows->end_s(), 3600, 10);
}

TEST_F(StreamWindowsTest, SaysWhatFailed) {
  EXPECT_TRUE(absl::IsInvalidArgument(StreamWindows::Create(encoder_.info(), 0, 0).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(StreamWindows::Create(encoder_.info(), std::nan(""), 0).status()));
  const auto windows = Make();
  windows->Push(Sound(5));
  testing::FakeEncoder broken(encoder::Modality::kAudio);
  broken.failure = absl::InternalError("out of order");
  EXPECT_EQ(windows->Embed(broken, *stages_), broken.failure);
}

}  // namespace
}  // namespace antiphon::streaming
