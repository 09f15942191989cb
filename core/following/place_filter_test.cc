#include "core/following/place_filter.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/testing/played_score.h"

namespace antiphon::following {
namespace {

constexpr int kRate = 22050;

void Hear(std::span<const float> samples, PlaceFilter& filter) {
  FrameStream stream(kRate);
  stream.Push(samples, [&](const SoundFrame& frame) { filter.Step(frame); });
}

TEST(PlaceFilter, WaitsForTheFirstNote) {
  SemitoneAnalyzer analyzer(kRate);
  const ScoreModel model(music::WanderingMelody(40, 0.25), analyzer);
  PlaceFilter filter(model, PlayerModel(), 12);
  for (int i = 0; i < 300; ++i) filter.Step(SoundFrame());
  const PlaceFilter::Place place = filter.Where();
  EXPECT_EQ(place.event, 11);
  EXPECT_NEAR(place.score_s, 3, 1e-6);
  EXPECT_NEAR(place.waiting, 1, 1e-3);
  EXPECT_NEAR(place.probability, 1, 1e-3);
}

TEST(PlaceFilter, LearnsTheTempo) {
  SemitoneAnalyzer analyzer(kRate);
  const music::Score score = music::WanderingMelody(80, 0.25);
  const ScoreModel model(score, analyzer);
  for (const double ratio : {0.5, 0.8, 1.25, 2.0}) {
    PlaceFilter filter(model, PlayerModel(), 0);
    const audio::Waveform audio = music::Play(music::AtTempoRatio(score, ratio).notes, kRate);
    Hear(std::span(audio.samples).first(8 * kRate), filter);
    const PlaceFilter::Place place = filter.Where();
    EXPECT_NEAR(place.score_s, 8 * ratio, 0.1 * ratio) << ratio;
    EXPECT_NEAR(place.tempo_ratio / ratio, 1, 0.12) << ratio;
    EXPECT_GT(place.probability, 0.8) << ratio;
    EXPECT_NEAR(place.event, std::floor(place.score_s / 0.25), 1) << ratio;
  }
}

TEST(PlaceFilter, KeepsThePlaceThroughNotesThatAreNotPlayed) {
  SemitoneAnalyzer analyzer(kRate);
  const music::Score score = music::WanderingMelody(80, 0.125);
  const ScoreModel model(score, analyzer);
  std::vector<music::Note> played;
  for (size_t i = 0; i < score.notes.size(); ++i) {
    if (i < 30 || i % 2 == 0) played.push_back(score.notes[i]);
  }
  PlaceFilter filter(model, PlayerModel(), 0);
  const audio::Waveform audio = music::Play(played, kRate);
  Hear(std::span(audio.samples).first(9 * kRate), filter);
  EXPECT_NEAR(filter.Where().score_s, 9, 0.1);
}

TEST(PlaceFilter, FollowsAJumpFromBarToBar) {
  SemitoneAnalyzer analyzer(kRate);
  const music::Score score = music::WanderingMelody(160, 0.25);
  const ScoreModel model(score, analyzer);
  // Bars of two seconds: from second 8 on to second 24.
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
  PlaceFilter filter(model, PlayerModel(), 0);
  Hear(std::span(audio.samples).first(11 * kRate), filter);
  EXPECT_NEAR(filter.Where().score_s, 27, 0.1);
  EXPECT_GT(filter.Where().probability, 0.8);

  PlayerModel keeps_on;
  keeps_on.bar_jump_share = keeps_on.onset_jump_share = keeps_on.wait_jump_share = 0;
  PlaceFilter straight(model, keeps_on, 0);
  Hear(std::span(audio.samples).first(11 * kRate), straight);
  EXPECT_LT(straight.Where().score_s, 20);
}

TEST(PlaceFilter, ProbabilitiesAreThoseWhateverItHears) {
  SemitoneAnalyzer analyzer(kRate);
  const ScoreModel model(music::WanderingMelody(40, 0.25), analyzer);
  PlaceFilter filter(model, PlayerModel(), 0);
  SoundFrame frame;
  frame.energies.fill(0.1f);
  frame.loudness = 1;
  for (int i = 0; i < 3000; ++i) {
    frame.onsets.fill(i % 20 == 0 ? 1.0f : 0.0f);
    frame.novelty = frame.onsets[0];
    filter.Step(frame);
    EXPECT_TRUE(filter.attacked() >= 0 && filter.attacked() <= 1.001);
    if (i % 10 != 0) continue;
    const PlaceFilter::Place place = filter.Where();
    EXPECT_TRUE(place.probability > 0 && place.probability <= 1.001);
    EXPECT_TRUE(place.event >= -1 && place.event < 40);
    EXPECT_TRUE(place.score_s >= 0 && place.score_s <= model.end_s());
  }
}

}  // namespace
}  // namespace antiphon::following
