#include "core/following/semitone_analyzer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/testing/audio_signals.h"

namespace antiphon::following {
namespace {

using ::testing::Each;

int Index(int pitch) { return pitch - music::kLowestPianoPitch; }

int Loudest(const Pitches& pitches) {
  return static_cast<int>(std::max_element(pitches.begin(), pitches.end()) - pitches.begin());
}

std::vector<SoundFrame> Frames(std::span<const float> samples, int rate, size_t piece) {
  FrameStream stream(rate);
  std::vector<SoundFrame> frames;
  for (size_t at = 0; at < samples.size(); at += piece) {
    stream.Push(samples.subspan(at, std::min(piece, samples.size() - at)),
                [&](const SoundFrame& frame) { frames.push_back(frame); });
  }
  return frames;
}

TEST(SemitoneAnalyzer, HearsASineAtItsSemitoneAndAmplitude) {
  for (const int rate : {8000, 22050, 48000, 192'000}) {
    SemitoneAnalyzer analyzer(rate);
    for (const int pitch : {57, 69, 81, 93}) {
      const double hz = 440 * std::exp2((pitch - 69) / 12.0);
      const audio::Waveform sine = audio::Sine(hz, 0.5, rate, 0.5);
      const auto heard = analyzer.Analyze(sine.samples);
      EXPECT_EQ(Loudest(heard.steady), Index(pitch)) << rate;
      EXPECT_NEAR(heard.steady[Index(pitch)], 0.5, 0.25) << rate << ' ' << pitch;
    }
  }
}

TEST(FrameStream, FramesLieAHundredthOfASecondApartAtEveryRate) {
  for (const int rate : {8000, 11025, 44100}) {
    const audio::Waveform sine = audio::Sine(440, 3, rate);
    EXPECT_EQ(Frames(sine.samples, rate, 100).size(), 300u) << rate;
  }
}

TEST(FrameStream, DoesNotDependOnHowTheSoundIsCut) {
  const audio::Waveform music = audio::Arpeggio(2, 22050);
  const auto once = Frames(music.samples, 22050, music.samples.size());
  const auto pieces = Frames(music.samples, 22050, 77);
  ASSERT_EQ(once.size(), pieces.size());
  for (size_t i = 0; i < once.size(); ++i) {
    EXPECT_EQ(once[i].energies, pieces[i].energies);
    EXPECT_EQ(once[i].onsets, pieces[i].onsets);
  }
}

TEST(FrameStream, HearsAnOnsetWithinFiftyMilliseconds) {
  audio::Waveform sound;
  sound.sample_rate = 22050;
  sound.samples.resize(22050);
  const audio::Waveform sine = audio::Sine(880, 1, 22050);
  sound.samples.insert(sound.samples.end(), sine.samples.begin(), sine.samples.end());
  const auto frames = Frames(sound.samples, 22050, 441);
  // The frame that ends at second 1, before anything has sounded, is the hundredth.
  EXPECT_THAT(std::vector<float>(frames[99].onsets.begin(), frames[99].onsets.end()), Each(0));
  float sharpest = 0;
  for (int i = 100; i < 105; ++i) sharpest = std::max(sharpest, frames[i].onsets[Index(81)]);
  EXPECT_GT(sharpest, 0.8);
  EXPECT_LT(frames[130].onsets[Index(81)], 0.1);
}

TEST(FrameStream, SilenceIsSilent) {
  for (const SoundFrame& frame : Frames(std::vector<float>(22050), 22050, 441)) {
    EXPECT_EQ(frame.loudness, 0);
    EXPECT_EQ(frame.novelty, 0);
    EXPECT_THAT(frame.energies, Each(0));
  }
}

}  // namespace
}  // namespace antiphon::following
