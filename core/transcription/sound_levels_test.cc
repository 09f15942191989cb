#include "core/transcription/sound_levels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/testing/audio_signals.h"

namespace antiphon::transcription {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kRate = 22050;

// A4 from 1 s to 2 s of 4 s.
audio::Waveform OneTone() {
  audio::Waveform sound;
  sound.samples.assign(size_t{4} * kRate, 0.0f);
  const audio::Waveform tone = audio::Sine(440, 1, kRate);
  std::copy(tone.samples.begin(), tone.samples.end(), sound.samples.begin() + kRate);
  return sound;
}

SoundLevels LevelsOf(const audio::Waveform& sound) {
  auto levels = SoundLevels::Of(sound, features::FeatureSettings());
  EXPECT_TRUE(levels.ok()) << levels.status();
  return *std::move(levels);
}

TEST(SoundLevelsTest, ANoteHasAnAttackAtItsPitchAndMoment) {
  const SoundLevels levels = LevelsOf(OneTone());
  const auto attack = levels.AttackOf(69, 1);
  EXPECT_NEAR(attack.level, 2 * (100 - 6), 4) << "half decibels: -6 dB";
  EXPECT_GT(attack.rise, 40);
  EXPECT_LT(levels.AttackOf(69, 1.6).rise, 10) << "it sounds on";
  EXPECT_LT(levels.AttackOf(64, 1).level, 130) << "another pitch";
  EXPECT_EQ(levels.AttackOf(3, 1).level, 0) << "no band";
}

TEST(SoundLevelsTest, SilenceIsFoundWhereThereIsNoSound) {
  const SoundLevels levels = LevelsOf(OneTone());
  const auto silences = levels.Silences({0, 4}, 0.5);
  ASSERT_THAT(silences, SizeIs(2));
  EXPECT_EQ(silences[0].start_s, 0);
  EXPECT_NEAR(silences[0].end_s, 1, 0.4) << "windows of low bands are long";
  EXPECT_NEAR(silences[1].start_s, 2, 0.4);
  EXPECT_EQ(silences[1].end_s, 4);
  EXPECT_THAT(levels.Silences({1.2, 1.8}, 0.1), IsEmpty());
}

TEST(SoundLevelsTest, ACutBeginsOnAFrame) {
  const SoundLevels levels = LevelsOf(OneTone());
  double start_s = 0;
  const auto cut = levels.Cut({1.01, 2.03}, start_s);
  EXPECT_LE(start_s, 1.01);
  EXPECT_GT(start_s, 0.95);
  EXPECT_NEAR(static_cast<double>(cut.frames()) / cut.frame_rate, 1.05, 0.06);
}

TEST(SoundLevelsTest, SoundAtAnotherRateIsRefused) {
  audio::Waveform sound = OneTone();
  sound.sample_rate = 8000;
  EXPECT_EQ(SoundLevels::Of(sound, features::FeatureSettings()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(SoundLevelsTest, NoSoundAtAllHasNoFrames) {
  const SoundLevels levels = LevelsOf({});
  EXPECT_EQ(levels.AttackOf(69, 0).level, 0);
  EXPECT_THAT(levels.Silences({0, 0}, 0.5), IsEmpty());
}

}  // namespace
}  // namespace antiphon::transcription
