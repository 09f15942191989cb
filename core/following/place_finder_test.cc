#include "core/following/place_finder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/testing/played_score.h"

namespace antiphon::following {
namespace {

constexpr int kRate = 22050;

TEST(PlaceFinder, WaitsForTheFirstNote) {
  SemitoneAnalyzer analyzer(kRate);
  const music::Score score = music::WanderingMelody(40, 0.25);
  const ScoreModel model(score, analyzer);
  PlaceFinder finder(model, FinderModel(), 0);
  EXPECT_NEAR(finder.ShareNear(0, 0.1), 1, 1e-3);
}

TEST(PlaceFinder, FindsThePlaceWhereverTheMusicIs) {
  SemitoneAnalyzer analyzer(kRate);
  const music::Score score = music::WanderingMelody(200, 0.25);
  const ScoreModel model(score, analyzer);
  PlaceFinder finder(model, FinderModel(), 0);
  // It expects the beginning, and hears three seconds of the middle.
  const music::Score played = music::Excerpt(score, 24, 27);
  const audio::Waveform audio = music::Play(played.notes, kRate);
  FrameStream stream(kRate);
  stream.Push(std::span(audio.samples).first(3 * kRate),
              [&](const SoundFrame& frame) { finder.Step(frame, 1); });
  const auto candidates = finder.Candidates(2, 0.7, -10);
  ASSERT_FALSE(candidates.empty());
  EXPECT_NEAR(model.events()[candidates[0].event].onset_s, 27, 0.3);
  EXPECT_GT(candidates[0].share, 0.5);
  // What is near a place that is known already is no candidate.
  for (const auto& candidate : finder.Candidates(4, 0.7, 27))
    EXPECT_GE(std::abs(model.events()[candidate.event].onset_s - 27), 0.7);
}

TEST(PlaceFinder, SharesAddUpWhateverItHears) {
  SemitoneAnalyzer analyzer(kRate);
  const ScoreModel model(music::WanderingMelody(40, 0.25), analyzer);
  PlaceFinder finder(model, FinderModel(), 0);
  SoundFrame frame;
  frame.energies.fill(0.1f);
  for (int i = 0; i < 2000; ++i) {
    frame.onsets.fill(i % 20 == 0 ? 1.0f : 0.0f);
    frame.novelty = frame.onsets[0];
    finder.Step(frame, 1);
    EXPECT_NEAR(finder.ShareNear(0, 1000), 1, 1e-3);
  }
}

}  // namespace
}  // namespace antiphon::following
