#include "core/following/score_model.h"

#include <gtest/gtest.h>

#include "core/testing/played_score.h"

namespace antiphon::following {
namespace {

constexpr int kRate = 22050;

// What is heard so long after the last onset of the notes.
SoundFrame Heard(const std::vector<music::Note>& notes, double after_s) {
  const audio::Waveform audio = music::Play(notes, kRate, 0.5);
  FrameStream stream(kRate);
  SoundFrame last;
  const auto count = static_cast<size_t>((0.5 + notes.back().onset_s + after_s) * kRate);
  stream.Push(std::span(audio.samples).first(count),
              [&](const SoundFrame& frame) { last = frame; });
  return last;
}

TEST(ScoreModel, HasTheOnsetsOfTheScore) {
  SemitoneAnalyzer analyzer(kRate);
  const music::Score score = music::Melody({60, 62, 64}, 0.5);
  const ScoreModel model(score, analyzer);
  ASSERT_EQ(model.events().size(), 3u);
  EXPECT_EQ(model.events()[1].onset_s, 0.5);
  EXPECT_EQ(model.slices()[model.events()[1].first_slice].start_s, 0.5);
  EXPECT_EQ(model.slices()[model.events()[1].first_slice].event, 1);
  EXPECT_NEAR(model.end_s(), 1.45, 1e-9);
}

TEST(ScoreModel, WhatSoundsFitsItsOwnSliceBest) {
  SemitoneAnalyzer analyzer(kRate);
  const music::Score score = music::Melody({60, 66, 71, 77}, 0.5);
  const ScoreModel model(score, analyzer);
  for (int i = 0; i < 4; ++i) {
    const SoundFrame frame = Heard({score.notes.begin(), score.notes.begin() + i + 1}, 0.2);
    const float own = model.Fit(model.events()[i].first_slice, frame);
    EXPECT_GT(own, 0.7);
    for (int other = 0; other < 4; ++other) {
      if (other != i) EXPECT_LT(model.Fit(model.events()[other].first_slice, frame), own - 0.1);
    }
  }
}

TEST(ScoreModel, AnAttackIsThatOfItsPitches) {
  SemitoneAnalyzer analyzer(kRate);
  const music::Score score = music::Melody({60, 66, 71, 77}, 0.5);
  const ScoreModel model(score, analyzer);
  const SoundFrame attack = Heard({score.notes.begin(), score.notes.begin() + 2}, 0.03);
  EXPECT_GT(Novelty(attack), 1);
  EXPECT_GT(model.Attack(1, attack), 0);
  EXPECT_LT(model.Attack(2, attack), model.Attack(1, attack));
  const SoundFrame later = Heard({score.notes.begin(), score.notes.begin() + 2}, 0.3);
  EXPECT_EQ(Novelty(later), 0);
}

TEST(ScoreModel, KnowsWhereBarsBegin) {
  SemitoneAnalyzer analyzer(kRate);
  // Quarter notes at 120 a minute, 4/4.
  const ScoreModel model(music::WanderingMelody(12, 0.5), analyzer);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(model.events()[i].begins_bar, i % 4 == 0) << i;
}

TEST(ScoreModel, TakesManyNotesAtOnceAndPitchesOutOfRange) {
  SemitoneAnalyzer analyzer(kRate);
  music::Score score;
  for (int i = 0; i < 2000; ++i) {
    music::Note note;
    note.onset_s = i < 1000 ? 0 : 1;
    note.offset_s = note.sounding_offset_s = 1e6;
    note.pitch = i % 128;
    score.notes.push_back(note);
  }
  const ScoreModel model(score, analyzer);
  EXPECT_EQ(model.events().size(), 2u);
  EXPECT_LE(model.slices().size(), 8u);
}

}  // namespace
}  // namespace antiphon::following
