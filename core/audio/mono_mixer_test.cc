#include "core/audio/mono_mixer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/testing/audio_signals.h"

namespace antiphon::audio {
namespace {

constexpr int kRate = 22050;

std::vector<float> Interleave(const std::vector<std::vector<float>>& channels) {
  std::vector<float> interleaved;
  for (size_t i = 0; i < channels[0].size(); ++i)
    for (const std::vector<float>& channel : channels) interleaved.push_back(channel[i]);
  return interleaved;
}

std::vector<float> Mixed(const std::vector<std::vector<float>>& channels, size_t frames_at_once) {
  const std::vector<float> interleaved = Interleave(channels);
  const size_t piece = frames_at_once * channels.size();
  MonoMixer mixer(static_cast<int>(channels.size()));
  std::vector<float> mono;
  for (size_t at = 0; at < interleaved.size(); at += piece)
    mixer.Push(std::span(interleaved).subspan(at, std::min(piece, interleaved.size() - at)), mono);
  mixer.Finish(mono);
  return mono;
}

std::vector<float> Times(float factor, std::vector<float> samples) {
  for (float& sample : samples) sample *= factor;
  return samples;
}

TEST(MonoMixerTest, IsTheMeanHoweverItIsCut) {
  const std::vector<float> left = Sine(440, 1, kRate).samples, right = Sine(600, 1, kRate).samples;
  for (const size_t frames : {1, 7, 1024, 100'000}) {
    const std::vector<float> mono = Mixed({left, right}, frames);
    ASSERT_EQ(mono.size(), left.size());
    for (size_t i = 0; i < mono.size(); ++i) ASSERT_EQ(mono[i], (left[i] + right[i]) / 2) << i;
  }
  EXPECT_EQ(Mixed({left}, 100), left);
}

TEST(MonoMixerTest, ChannelsThatCancelAreNotSilence) {
  const std::vector<float> left = Arpeggio(2, kRate).samples;
  for (const float other : {-1.0f, -0.9f, -1.05f}) {
    const std::vector<float> mono = Mixed({left, Times(other, left)}, 1000);
    EXPECT_GT(std::abs(Correlation(mono, left, 0)), 0.999) << other;
    EXPECT_GT(Rms({mono, kRate}, 0, 2), 0.9 * Rms({left, kRate}, 0, 2)) << other;
  }
}

TEST(MonoMixerTest, WideStereoStaysTheMean) {
  const std::vector<float> left = Sine(440, 1, kRate).samples;
  // One channel alone, and two of which a quarter of the sound is left.
  EXPECT_EQ(Mixed({left, Times(0, left)}, 512), Times(0.5f, left));
  const std::vector<float> right = Times(-0.5f, left), mono = Mixed({left, right}, 512);
  for (size_t i = 0; i < mono.size(); ++i) ASSERT_EQ(mono[i], (left[i] + right[i]) / 2) << i;
}

TEST(MonoMixerTest, ChangesWithoutAJumpAndBack) {
  const std::vector<float> left = Sine(100, 6, kRate).samples;
  std::vector<float> right = left;
  for (size_t i = 2 * kRate; i < 4 * kRate; ++i) right[i] = -left[i];
  const std::vector<float> mono = Mixed({left, right}, 333);
  ASSERT_EQ(mono.size(), left.size());
  EXPECT_GT(Correlation(std::span(mono).first(2 * kRate), left, 0), 0.999);
  const std::span<const float> middle = std::span(mono).subspan(3 * kRate, kRate);
  EXPECT_GT(Correlation(middle, std::span(left).subspan(3 * kRate, kRate), 0), 0.999);
  const std::span<const float> end = std::span(mono).subspan(5 * kRate);
  EXPECT_LE(LargestDifference(end, std::span(left).subspan(5 * kRate)), 1e-6);
  // A sine of 100 Hz moves 0.014 from one sample to the next; where the right channel is turned
  // over there is a jump in the recording itself.
  for (size_t i = 1; i < mono.size(); ++i) {
    if (i % (2 * kRate) == 0) continue;
    ASSERT_LT(std::abs(mono[i] - mono[i - 1]), 0.02) << i;
  }
}

TEST(MonoMixerTest, SilenceAndNoSoundAtAllAreFine) {
  EXPECT_TRUE(Mixed({{}, {}}, 10).empty());
  EXPECT_EQ(Mixed({std::vector<float>(5000), std::vector<float>(5000)}, 10),
            std::vector<float>(5000));
}

}  // namespace
}  // namespace antiphon::audio
