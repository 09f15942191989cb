#include "core/following/place_tracker.h"

#include <gtest/gtest.h>

#include "core/testing/played_score.h"

namespace antiphon::following {
namespace {

constexpr int kRate = 22050;

TEST(PlaceTracker, TakesUpAnotherPlaceAndCountsTheJump) {
  SemitoneAnalyzer analyzer(kRate);
  const music::Score score = music::WanderingMelody(160, 0.25);
  const ScoreModel model(score, analyzer);
  PlaceTracker tracker(model, TrackerModel(), 0);
  // Eight seconds, then on from second 24.
  std::vector<music::Note> played;
  for (music::Note note : score.notes) {
    if (note.onset_s > 7.9 && note.onset_s < 23.9) continue;
    if (note.onset_s > 23.9) {
      note.onset_s -= 16;
      note.offset_s -= 16;
    }
    played.push_back(note);
  }
  const audio::Waveform audio = music::Play(played, kRate);
  FrameStream stream(kRate);
  const auto hear = [&](int from_s, int to_s) {
    stream.Push(std::span(audio.samples).subspan(from_s * kRate, (to_s - from_s) * kRate),
                [&](const SoundFrame& frame) { tracker.Step(frame); });
  };
  hear(0, 8);
  EXPECT_NEAR(tracker.Where().place.score_s, 8, 0.1);
  EXPECT_EQ(tracker.Where().jumps, 0);
  EXPECT_GT(tracker.Where().explained, 0.6);
  hear(8, 11);
  EXPECT_NEAR(tracker.Where().place.score_s, 27, 0.1);
  EXPECT_GE(tracker.Where().jumps, 1);
}

}  // namespace
}  // namespace antiphon::following
