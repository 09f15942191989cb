#include "core/alignment/played_score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/music/midi_file.h"

namespace antiphon::alignment {
namespace {

using ::testing::SizeIs;

// Four bars of 3/4 in quarter notes, at 120 to the minute.
music::Score Waltz() {
  music::Score score;
  score.title = "Waltz";
  score.tempo_map = *music::TempoMap::Create({{0, 0.5}}, {{0, 3, 4}});
  for (int i = 0; i < 12; ++i) {
    music::Note note;
    note.onset_s = 0.5 * i;
    note.offset_s = note.sounding_offset_s = 0.5 * i + 0.4;
    note.pitch = 60 + i;
    score.notes.push_back(note);
  }
  score.duration_s = 6;
  return score;
}

// Adds a passage that plays the beats [from, to) of the waltz from `start_s` on.
void Play(Performance& performance, int from, int to, double start_s, double beat_s) {
  PlayedPassage passage;
  passage.start_s = start_s;
  passage.end_s = start_s + beat_s * (to - from);
  passage.score_start_s = 0.5 * from;
  passage.score_end_s = 0.5 * to;
  const int number = static_cast<int>(performance.passages.size());
  performance.passages.push_back(passage);
  for (int i = from; i < to; ++i) {
    const double at_s = start_s + beat_s * (i - from);
    performance.beats.push_back(
        {.score_s = 0.5 * i, .passage = number, .at_s = at_s, .beats_per_minute = 60 / beat_s});
    performance.notes.push_back(
        {.note = i, .passage = number, .onset_s = at_s, .offset_s = at_s + 0.8 * beat_s});
  }
}

TEST(PlayedScore, NotesAreWhereTheyArePlayedAndBarsFollow) {
  Performance performance;
  Play(performance, 0, 12, 3.7, 0.61);
  const music::Score played = PlayedScore(Waltz(), performance);
  ASSERT_THAT(played.notes, SizeIs(12));
  for (int i = 0; i < 12; ++i) {
    EXPECT_NEAR(played.notes[i].onset_s, 3.7 + 0.61 * i, 1e-9);
    EXPECT_NEAR(played.tempo_map.BeatsAt(played.notes[i].onset_s), 2 + i, 1e-6)
        << "the first beat comes after two that are waited for";
  }
  const music::ScorePosition second = music::PositionAt(played, 3.7 + 0.61 * 3 + 0.01);
  const music::ScorePosition first = music::PositionAt(played, 3.7 + 0.01);
  EXPECT_EQ(second.bar.bar, first.bar.bar + 1);
  EXPECT_NEAR(second.bar.beat, 1, 0.1);
}

TEST(PlayedScore, IsReadBackFromAMidiFileAtTheSameTimes) {
  Performance performance;
  Play(performance, 0, 12, 0.313, 0.47);
  Play(performance, 6, 12, 6.2, 0.66);
  const auto midi = music::WriteMidi(PlayedScore(Waltz(), performance));
  ASSERT_TRUE(midi.ok()) << midi.status();
  const auto read = music::ReadMidi(*midi);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_THAT(read->notes, SizeIs(18));
  for (size_t i = 0; i < read->notes.size(); ++i)
    EXPECT_NEAR(read->notes[i].onset_s, performance.notes[i].onset_s, 0.003) << i;
  EXPECT_EQ(read->title, "Waltz");
}

TEST(PlayedScore, APassageThatEndsWithinABarLeavesAShorterOne) {
  Performance performance;
  Play(performance, 0, 4, 0, 0.5);   // to the second beat of bar 2
  Play(performance, 9, 12, 2, 0.5);  // bar 4
  const music::Score played = PlayedScore(Waltz(), performance);
  const music::ScorePosition jump = music::PositionAt(played, 2.01);
  EXPECT_EQ(jump.bar.bar, 3);
  EXPECT_NEAR(jump.bar.beat, 1, 0.1);
}

TEST(PlayedScore, AWaitOfAMinuteCanBeWritten) {
  Performance performance;
  Play(performance, 0, 6, 40, 0.5);
  Play(performance, 6, 12, 110, 0.5);
  const auto midi = music::WriteMidi(PlayedScore(Waltz(), performance));
  ASSERT_TRUE(midi.ok()) << midi.status();
  const auto read = music::ReadMidi(*midi);
  ASSERT_TRUE(read.ok());
  EXPECT_NEAR(read->notes[0].onset_s, 40, 0.003);
  EXPECT_NEAR(read->notes[6].onset_s, 110, 0.02);
}

TEST(PlayedScore, NothingPlayedIsNothingWritten) {
  const music::Score played = PlayedScore(Waltz(), {});
  EXPECT_TRUE(played.notes.empty());
  EXPECT_EQ(played.duration_s, 0);
}

}  // namespace
}  // namespace antiphon::alignment
