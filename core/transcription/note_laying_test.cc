#include "core/transcription/note_laying.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/testing/audio_signals.h"

namespace antiphon::transcription {
namespace {

using ::testing::SizeIs;

music::Note NoteAt(double onset_s, double offset_s, int pitch = 60) {
  music::Note note;
  note.onset_s = onset_s, note.offset_s = note.sounding_offset_s = offset_s, note.pitch = pitch;
  return note;
}

PathRun RunOf(int windows, double slope, double off_s = 0) {
  PathRun run;
  for (int i = 0; i < windows; ++i) {
    const double at_s = 10 + 0.5 * i;
    // Places of windows are a little off, to and fro.
    const double reference_s = 3 + slope * (at_s - 10) + (i % 2 == 0 ? off_s : -off_s);
    run.push_back({.middle = {at_s, reference_s}, .slope = slope, .similarity = 0.6});
  }
  return run;
}

TEST(MapOfTest, OneWindowIsALineOfItsTempo) {
  const music::TimeMap map = MapOf(RunOf(1, 0.8));
  EXPECT_NEAR(map.To(10), 3, 1e-9);
  EXPECT_NEAR(map.To(11), 3.8, 1e-9);
  EXPECT_NEAR(map.To(9), 2.2, 1e-9);
}

TEST(MapOfTest, PlacesAreAveraged) {
  const music::TimeMap map = MapOf(RunOf(20, 1.25, 0.1));
  EXPECT_NEAR(map.To(15), 3 + 1.25 * 5, 0.03);
}

TEST(MapOfTest, WindowsThatStandStillStillHaveAMap) {
  PathRun run = RunOf(6, 1);
  for (NearWindow& window : run) window.middle.reference_s = 3;
  const music::TimeMap map = MapOf(run);
  EXPECT_GT(map.To(12), map.To(11));
}

TEST(LaidNotesTest, NotesComeAtTheTimesOfTheSound) {
  const auto map = music::TimeMap::Create({{10, 0}, {12, 1}});
  const std::vector<music::Note> notes = {NoteAt(0, 0.5), NoteAt(0.5, 0.75), NoteAt(1, 2)};
  const auto laid = LaidNotes(notes, *map, {10, 12});
  ASSERT_THAT(laid, SizeIs(2)) << "the third begins where the stretch ends";
  EXPECT_NEAR(laid[0].onset_s, 10, 1e-9);
  EXPECT_NEAR(laid[1].onset_s, 11, 1e-9);
  EXPECT_NEAR(laid[1].offset_s, 11.5, 1e-9);
}

TEST(SetVelocitiesTest, LouderNotesHaveLargerOnes) {
  audio::Waveform sound;
  const std::vector<float> amplitudes = {0.5f, 0.05f, 0.25f};
  std::vector<music::Note> notes;
  for (size_t i = 0; i < amplitudes.size(); ++i) {
    const auto tone = audio::Sine(440, 0.5, sound.sample_rate, amplitudes[i]).samples;
    notes.push_back(NoteAt(static_cast<double>(sound.samples.size()) / sound.sample_rate, 0, 69));
    sound.samples.insert(sound.samples.end(), tone.begin(), tone.end());
    sound.samples.insert(sound.samples.end(), sound.sample_rate / 2, 0.0f);
  }
  const auto levels = SoundLevels::Of(sound, features::FeatureSettings());
  ASSERT_TRUE(levels.ok());
  SetVelocities(*levels, notes);
  EXPECT_LT(notes[1].velocity, notes[2].velocity - 10);
  EXPECT_LT(notes[2].velocity, notes[0].velocity - 5);
  EXPECT_TRUE(IsHeard(*levels, notes[0]));
  EXPECT_FALSE(IsHeard(*levels, NoteAt(notes[1].onset_s - 0.2, 0, 69))) << "nothing begins";
  EXPECT_FALSE(IsHeard(*levels, NoteAt(notes[0].onset_s + 0.3, 0, 69))) << "it has begun before";
  for (const music::Note& note : notes) {
    EXPECT_GE(note.velocity, 1);
    EXPECT_LE(note.velocity, 127);
  }
}

}  // namespace
}  // namespace antiphon::transcription
