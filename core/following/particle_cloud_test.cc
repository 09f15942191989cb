#include "core/following/particle_cloud.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/testing/played_score.h"

namespace antiphon::following {
namespace {

constexpr int kRate = 22050;

TEST(ParticleCloud, LearnsTheTempoFromWrongOnes) {
  SemitoneAnalyzer analyzer(kRate);
  const music::Score score = music::WanderingMelody(60, 0.25);
  const ScoreModel model(score, analyzer);
  FrameEvidence evidence(model);
  ParticleCloud cloud(model, PlayerModel(), 800, {-1e-6, -1e-6, 1, 0.45, true}, 1);
  const audio::Waveform audio = music::Play(music::AtTempoRatio(score, 1.25).notes, kRate);
  FrameStream stream(kRate);
  int frames = 0;
  stream.Push(std::span(audio.samples).first(8 * kRate), [&](const SoundFrame& frame) {
    evidence.SetFrame(frame);
    EXPECT_TRUE(std::isfinite(cloud.Step(evidence)));
    ++frames;
  });
  EXPECT_EQ(frames, 800);
  const ParticleCloud::Place place = cloud.Where();
  EXPECT_NEAR(place.score_s, 10, 0.1);
  EXPECT_NEAR(place.tempo_ratio, 1.25, 0.15);
  EXPECT_GT(place.share, 0.8);
  EXPECT_EQ(place.event, static_cast<int>(std::floor(place.score_s / 0.25)));
}

TEST(ParticleCloud, IsTheSameForTheSameSeed) {
  SemitoneAnalyzer analyzer(kRate);
  const music::Score score = music::WanderingMelody(20, 0.25);
  const ScoreModel model(score, analyzer);
  const audio::Waveform audio = music::Play(score.notes, kRate);
  const auto place = [&](uint64_t seed) {
    FrameEvidence evidence(model);
    ParticleCloud cloud(model, PlayerModel(), 100, {0, 0.2, 1, 0.3, false}, seed);
    FrameStream stream(kRate);
    stream.Push(audio.samples, [&](const SoundFrame& frame) {
      evidence.SetFrame(frame);
      cloud.Step(evidence);
    });
    return cloud.Where().score_s;
  };
  EXPECT_EQ(place(3), place(3));
  EXPECT_NE(place(3), place(4));
}

TEST(ParticleCloud, NeverLeavesTheScore) {
  SemitoneAnalyzer analyzer(kRate);
  const ScoreModel model(music::WanderingMelody(4, 0.25), analyzer);
  FrameEvidence evidence(model);
  ParticleCloud cloud(model, PlayerModel(), 100, {0, 0, 1, 1, false}, 1);
  SoundFrame frame;
  frame.loudness = 1;
  for (int i = 0; i < 1000; ++i) {
    evidence.SetFrame(frame);
    cloud.Step(evidence);
    const ParticleCloud::Place place = cloud.Where();
    EXPECT_TRUE(place.event >= -1 && place.event < 4);
    EXPECT_GE(place.score_s, 0);
  }
}

}  // namespace
}  // namespace antiphon::following
