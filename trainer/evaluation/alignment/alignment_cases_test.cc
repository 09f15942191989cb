#include "trainer/evaluation/alignment/alignment_cases.h"

#include <gtest/gtest.h>

namespace antiphon::trainer::evaluation {
namespace {

music::Note NoteAt(double onset_s, int pitch) {
  music::Note note;
  note.onset_s = onset_s;
  note.offset_s = note.sounding_offset_s = onset_s + 0.5;
  note.pitch = pitch;
  return note;
}

TEST(AtEvenTempoTest, BeatsStayAndTheTempoIsOne) {
  music::Score score;
  score.tempo_map = *music::TempoMap::Create({{0, 0.5}, {4, 1.0}}, {{0, 3, 4}});
  score.notes = {NoteAt(0, 60), NoteAt(2, 62), NoteAt(5, 64)};
  score.duration_s = 6;  // eight beats
  const music::Score even = AtEvenTempo(score);
  ASSERT_EQ(even.notes.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(even.tempo_map.BeatsAt(even.notes[i].onset_s),
                score.tempo_map.BeatsAt(score.notes[i].onset_s), 1e-9);
  }
  EXPECT_NEAR(even.notes[2].onset_s, 7 * 6.0 / 8, 1e-9);
  EXPECT_EQ(even.tempo_map.tempi().size(), 1u);
  EXPECT_EQ(even.tempo_map.time_signatures().front().numerator, 3);
}

TEST(PairNotesTest, NotesOfAPitchAreTakenOnceAndNearby) {
  const std::vector<music::Note> written = {NoteAt(0, 60), NoteAt(1, 62), NoteAt(1.1, 62),
                                            NoteAt(4, 60)};
  // Twice as fast, a second later; 64 is written nowhere, and the second 62 is not played.
  const std::vector<music::Note> played = {NoteAt(1, 60), NoteAt(1.52, 62), NoteAt(2, 64),
                                           NoteAt(3, 60)};
  const std::vector<music::TimePoint> pairs = PairNotes(played, written, 0.3);
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_EQ(pairs[0].to_s, 0);
  EXPECT_EQ(pairs[1].from_s, 1.52);
  EXPECT_EQ(pairs[1].to_s, 1);
  EXPECT_EQ(pairs[2].to_s, 4);
  EXPECT_TRUE(PairNotes({}, written, 1).empty());
}

TEST(MapThroughTest, ChordsAreOnePoint) {
  const auto map = MapThrough({{0, 0}, {0.001, 0}, {1, 2}, {1.005, 2}, {2, 4}});
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_EQ(map->points().size(), 3u);
  EXPECT_NEAR(map->To(0.5), 1, 1e-9);
  EXPECT_FALSE(MapThrough({{0, 0}}).ok());
}

TEST(WithoutUnplayedTest, BeatsCrowdedIntoAJumpAreLeftOut) {
  // Forty beats of two notes each. Beats 10 to 29 are not played: an annotation has them within the
  // second before beat 30.
  std::vector<music::Note> written, played;
  std::vector<music::TimePoint> truth;
  for (int beat = 0; beat < 40; ++beat) {
    const bool left_out = beat >= 10 && beat < 30;
    const double at_s = left_out ? 10 + (beat - 10) / 20.0 : beat < 10 ? beat : beat - 19;
    truth.push_back({at_s, 1.0 * beat});
    for (const double into : {0.0, 0.5}) {
      written.push_back(NoteAt(beat + into, 60));
      if (!left_out) played.push_back(NoteAt(at_s + into, 60));
    }
  }
  const std::vector<music::TimePoint> kept = WithoutUnplayed(truth, played, written);
  ASSERT_EQ(kept.size(), 21u);  // the first beat left out is where the music jumps
  EXPECT_EQ(kept[10].to_s, 10);
  EXPECT_EQ(kept[11].to_s, 30);
  // All is played.
  std::vector<music::TimePoint> even;
  for (int beat = 0; beat < 40; ++beat) even.push_back({1.0 * beat, 1.0 * beat});
  EXPECT_EQ(WithoutUnplayed(even, written, written).size(), 40u);
}

TEST(WithoutUnplayedTest, RestsAndFewBeatsAreNoHarm) {
  const std::vector<music::TimePoint> few = {{0, 0}, {1, 1}, {2, 2}};
  EXPECT_EQ(WithoutUnplayed(few, {}, {NoteAt(0, 60), NoteAt(1, 60)}).size(), 3u);
  EXPECT_TRUE(WithoutUnplayed({}, {}, {}).empty());
  std::vector<music::TimePoint> rest;
  for (int beat = 0; beat < 20; ++beat) rest.push_back({1.0 * beat, 1.0 * beat});
  EXPECT_EQ(WithoutUnplayed(rest, {}, {}).size(), 20u);
}

}  // namespace
}  // namespace antiphon::trainer::evaluation
