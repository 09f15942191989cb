#include "core/music/score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "tests/support/scores.h"

namespace antiphon::music {
namespace {

using ::antiphon::testing::IsSane;
using ::antiphon::testing::RandomScore;
using ::antiphon::testing::Rng;
using ::antiphon::testing::Uniform;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Note MakeNote(double onset_s, double offset_s, double sounding_offset_s, int pitch = 60) {
  Note note;
  note.onset_s = onset_s;
  note.offset_s = offset_s;
  note.sounding_offset_s = sounding_offset_s;
  note.pitch = pitch;
  return note;
}

Score MakeScore(std::vector<Note> notes, double duration_s) {
  Score score;
  score.notes = std::move(notes);
  score.duration_s = duration_s;
  return score;
}

TEST(ExcerptTest, KeepsWhatSoundsInTheIntervalAndShiftsIt) {
  const Score score = MakeScore({MakeNote(0, 1, 1, 50), MakeNote(0.5, 3, 3, 51),
                                 MakeNote(2.5, 3.5, 5, 52), MakeNote(4, 5, 5, 53)},
                                6);
  const Score excerpt = Excerpt(score, 1, 4);
  ASSERT_EQ(excerpt.notes.size(), 2u);  // neither what ends at 1 nor what begins at 4
  EXPECT_EQ(excerpt.notes[0].pitch, 51);
  EXPECT_EQ(excerpt.notes[0].onset_s, 0);
  EXPECT_EQ(excerpt.notes[0].offset_s, 2);
  EXPECT_EQ(excerpt.notes[1].pitch, 52);
  EXPECT_EQ(excerpt.notes[1].onset_s, 1.5);
  EXPECT_EQ(excerpt.notes[1].offset_s, 2.5);
  EXPECT_EQ(excerpt.notes[1].sounding_offset_s, 3);
  EXPECT_EQ(excerpt.duration_s, 3);
}

TEST(ExcerptTest, ANoteOfWhichRoundingLeavesNothingIsLeftOut) {
  // One step of a double before the end, which is none any more once the start is subtracted.
  const double start = 3.225, end = 7.45, onset = std::nextafter(end, 0);
  ASSERT_EQ(onset - start, end - start);
  const Score excerpt =
      Excerpt(MakeScore({MakeNote(4, 5, 5, 50), MakeNote(onset, 8, 8, 51)}, 8), start, end);
  EXPECT_TRUE(IsSane(excerpt));
  ASSERT_EQ(excerpt.notes.size(), 1u);
  EXPECT_EQ(excerpt.notes[0].pitch, 50);
}

TEST(ExcerptTest, ANoteThatOnlyThePedalHoldsIsHeld) {
  const Score excerpt = Excerpt(MakeScore({MakeNote(0, 1, 5)}, 6), 2, 4);
  ASSERT_EQ(excerpt.notes.size(), 1u);
  EXPECT_EQ(excerpt.notes[0].onset_s, 0);
  EXPECT_EQ(excerpt.notes[0].offset_s, 2);
  EXPECT_EQ(excerpt.notes[0].sounding_offset_s, 2);
}

TEST(ExcerptTest, SortsNotesThatNowBeginTogether) {
  const Score excerpt = Excerpt(MakeScore({MakeNote(0, 5, 5, 70), MakeNote(1, 5, 5, 40)}, 5), 2, 4);
  ASSERT_EQ(excerpt.notes.size(), 2u);
  EXPECT_EQ(excerpt.notes[0].pitch, 40);
}

TEST(ExcerptTest, StartsWithTheTempoMetreAndKeyThatHold) {
  Score score = MakeScore({}, 20);
  score.tempo_map = TempoMap::Create({{0, 0.5}, {4, 1.0}, {8, 0.25}}, {{0, 4, 4}, {4, 3, 4}},
                                     {{0, 2, false}, {4, -3, true}})
                        .value();
  // Beats 7 to 8 at 1 s, then 4 beats at 0.25 s; a bar line at 7.
  const Score excerpt = Excerpt(score, 5, 7);
  ASSERT_EQ(excerpt.tempo_map.tempi().size(), 2u);
  EXPECT_EQ(excerpt.tempo_map.tempi()[0].seconds_per_beat, 1.0);
  EXPECT_EQ(excerpt.tempo_map.tempi()[1].beat, 1.0);
  ASSERT_EQ(excerpt.tempo_map.time_signatures().size(), 1u);
  EXPECT_EQ(excerpt.tempo_map.time_signatures()[0].numerator, 3);
  ASSERT_EQ(excerpt.tempo_map.key_signatures().size(), 1u);
  EXPECT_EQ(excerpt.tempo_map.key_signatures()[0].fifths, -3);
  EXPECT_EQ(excerpt.tempo_map.key_signatures()[0].beat, 0);
}

TEST(ExcerptTest, ACutInsideABarLeavesAnUpbeat) {
  const Score excerpt = Excerpt(MakeScore({}, 20), 1.5, 10);  // from beat 4 of bar 1
  EXPECT_EQ(excerpt.tempo_map.BarAt(0.5).bar, 0);
  EXPECT_EQ(excerpt.tempo_map.BarAt(0.5).beat, 4.5);
  EXPECT_EQ(excerpt.tempo_map.BarAt(1).bar, 1);
  EXPECT_EQ(excerpt.tempo_map.BarAt(1).beat, 1.0);
  EXPECT_EQ(excerpt.tempo_map.BarAt(5).bar, 2);
}

TEST(ExcerptTest, KeepsBeatsAndBarLinesOfAnyScore) {
  Rng rng(1);
  for (int i = 0; i < 300; ++i) {
    const Score score = RandomScore(rng);
    const double start_s = Uniform(rng, -2, 20);
    const double end_s = start_s + Uniform(rng, 0.1, 15);
    const Score excerpt = Excerpt(score, start_s, end_s);
    EXPECT_TRUE(IsSane(excerpt));
    EXPECT_LE(excerpt.duration_s, end_s - start_s);
    const double start = score.tempo_map.BeatsAt(start_s);
    // Whatever the first one is called; before the start there are none.
    const int first_bar = score.tempo_map.BarAt(start).bar;
    const int first_bar_here = excerpt.tempo_map.BarAt(0).bar;
    const double next_bar_line = score.tempo_map.BeatsAtBar({first_bar + 1, 1.0});
    if (start > 0 && score.tempo_map.BarAt(start).beat > 1.01 &&
        score.tempo_map.SecondsAt(next_bar_line) < end_s - 0.01) {
      EXPECT_EQ(first_bar_here, 0) << "a bar that is cut leaves an upbeat";
    }
    for (double seconds = 0; seconds < end_s - start_s; seconds += 0.05) {
      const double beats = score.tempo_map.BeatsAt(start_s + seconds);
      EXPECT_NEAR(excerpt.tempo_map.BeatsAt(seconds), beats - start, 1e-9);
      if (start >= 0) {
        EXPECT_EQ(excerpt.tempo_map.BarAt(beats - start).bar,
                  score.tempo_map.BarAt(beats).bar - first_bar + first_bar_here);
      }
    }
  }
}

TEST(ExcerptTest, TheWholeIsTheScoreItself) {
  Rng rng(2);
  for (int i = 0; i < 50; ++i) {
    const Score score = RandomScore(rng);
    const Score excerpt = Excerpt(score, 0, std::numeric_limits<double>::infinity());
    ASSERT_EQ(excerpt.notes.size(), score.notes.size());
    for (size_t n = 0; n < score.notes.size(); ++n) {
      EXPECT_EQ(excerpt.notes[n].onset_s, score.notes[n].onset_s);
      EXPECT_EQ(excerpt.notes[n].sounding_offset_s, score.notes[n].sounding_offset_s);
    }
    EXPECT_EQ(excerpt.duration_s, score.duration_s);
    EXPECT_EQ(excerpt.tempo_map.tempi().size(), score.tempo_map.tempi().size());
    EXPECT_EQ(excerpt.tempo_map.time_signatures().size(), score.tempo_map.time_signatures().size());
  }
}

TEST(ExcerptTest, AnExcerptOfAnExcerptIsAnExcerpt) {
  Rng rng(3);
  for (int i = 0; i < 100; ++i) {
    const Score score = RandomScore(rng);
    const Score twice = Excerpt(Excerpt(score, 2, 15), 3, 8);
    const Score once = Excerpt(score, 5, 10);
    ASSERT_EQ(twice.notes.size(), once.notes.size());
    for (size_t n = 0; n < once.notes.size(); ++n) {
      EXPECT_NEAR(twice.notes[n].onset_s, once.notes[n].onset_s, 1e-12);
      EXPECT_NEAR(twice.notes[n].sounding_offset_s, once.notes[n].sounding_offset_s, 1e-12);
    }
  }
}

TEST(ExcerptTest, BeyondTheEndThereIsNothing) {
  const Score excerpt = Excerpt(MakeScore({MakeNote(0, 1, 1)}, 1), 5, 6);
  EXPECT_THAT(excerpt.notes, IsEmpty());
  EXPECT_EQ(excerpt.duration_s, 0);
}

TEST(AtTempoRatioTest, DividesEveryTimeAndKeepsEveryBeat) {
  Rng rng(4);
  for (int i = 0; i < 100; ++i) {
    const Score score = RandomScore(rng);
    const double ratio = Uniform(rng, 0.4, 2.5);
    const Score scaled = AtTempoRatio(score, ratio);
    EXPECT_TRUE(IsSane(scaled));
    ASSERT_EQ(scaled.notes.size(), score.notes.size());
    EXPECT_DOUBLE_EQ(scaled.duration_s, score.duration_s / ratio);
    for (size_t n = 0; n < score.notes.size(); ++n) {
      const Note& before = score.notes[n];
      const Note& after = scaled.notes[n];
      EXPECT_DOUBLE_EQ(after.onset_s, before.onset_s / ratio);
      EXPECT_DOUBLE_EQ(after.offset_s, before.offset_s / ratio);
      EXPECT_DOUBLE_EQ(after.sounding_offset_s, before.sounding_offset_s / ratio);
      EXPECT_EQ(after.pitch, before.pitch);
      EXPECT_NEAR(scaled.tempo_map.BeatsAt(after.onset_s), score.tempo_map.BeatsAt(before.onset_s),
                  1e-9);
    }
    const Score back = AtTempoRatio(scaled, 1 / ratio);
    EXPECT_NEAR(back.duration_s, score.duration_s, 1e-9);
  }
}

TEST(TransposedTest, MovesEveryPitchAndLeavesOutWhatHasNone) {
  Rng rng(5);
  for (int i = 0; i < 50; ++i) {
    const Score score = RandomScore(rng);
    for (const int semitones : {-100, -7, 0, 5}) {
      const Score transposed = Transposed(score, semitones);
      EXPECT_TRUE(IsSane(transposed));
      size_t n = 0;
      for (const Note& before : score.notes) {
        if (before.pitch + semitones < 0 || before.pitch + semitones > 127) continue;
        ASSERT_LT(n, transposed.notes.size());
        EXPECT_EQ(transposed.notes[n].pitch, before.pitch + semitones);
        EXPECT_EQ(transposed.notes[n].onset_s, before.onset_s);
        ++n;
      }
      EXPECT_EQ(n, transposed.notes.size());
    }
  }
}

TEST(PositionAtTest, WithoutBarsItIsWhatTheTempoMapSays) {
  Rng rng(6);
  for (int i = 0; i < 50; ++i) {
    const Score score = RandomScore(rng);
    for (double seconds = 0; seconds < 20; seconds += 0.7) {
      const ScorePosition position = PositionAt(score, seconds);
      const double beats = score.tempo_map.BeatsAt(seconds);
      EXPECT_EQ(position.beats, beats);
      EXPECT_EQ(position.written_beats, beats);
      EXPECT_EQ(position.bar.bar, score.tempo_map.BarAt(beats).bar);
      EXPECT_EQ(position.bar.beat, score.tempo_map.BarAt(beats).beat);
      EXPECT_EQ(position.label, std::to_string(position.bar.bar));
      EXPECT_EQ(position.pass, 1);
      ASSERT_EQ(TimesPlayed(score, beats).size(), 1u);
      EXPECT_NEAR(TimesPlayed(score, beats)[0], seconds, 1e-9);
    }
  }
  EXPECT_EQ(PositionAt(Score(), -1).beats, 0);
  EXPECT_THAT(TimesPlayed(Score(), -1), IsEmpty());
}

TEST(PositionAtTest, ARepeatedBarIsWhereItIsPrinted) {
  Score score = MakeScore({}, 8);
  score.tempo_map = TempoMap::Create({{0, 1.0}}, {}).value();
  score.bars = {{0, 4, 0, 0, 4, 1, "12a", 1}, {4, 4, 0, 0, 4, 1, "12a", 2}};
  const ScorePosition position = PositionAt(score, 5.5);
  EXPECT_EQ(position.beats, 5.5);
  EXPECT_EQ(position.written_beats, 1.5);
  EXPECT_EQ(position.bar.bar, 1);
  EXPECT_EQ(position.bar.beat, 2.5);
  EXPECT_EQ(position.label, "12a");
  EXPECT_EQ(position.pass, 2);
  EXPECT_EQ(PositionAt(score, 4 - 1e-9).pass, 2) << "rounding doesn't fall before a bar line";
  EXPECT_THAT(TimesPlayed(score, 1.5), ElementsAre(1.5, 5.5));
  EXPECT_THAT(TimesPlayed(score, 4), IsEmpty());
  const Score excerpt = Excerpt(score, 3, 6);
  ASSERT_EQ(excerpt.bars.size(), 2u);
  EXPECT_EQ(excerpt.bars[0].missing, 3);
  EXPECT_EQ(excerpt.bars[0].length, 1);
  EXPECT_EQ(excerpt.bars[1].beat, 1);
  EXPECT_EQ(excerpt.bars[1].length, 2);
  EXPECT_EQ(PositionAt(excerpt, 0.5).bar.beat, 4.5);
}

TEST(PartsTest, APartAloneKeepsItsPlaceInTime) {
  Score score;
  score.parts = {{"Flute", 0, 0, 73}, {"Rests", 1, 1, 0}, {"Cello", 0, 2, 42}};
  score.duration_s = 9;
  for (const auto& [onset_s, channel] : {std::pair(1.0, 0), std::pair(2.0, 2), std::pair(3.0, 0)}) {
    Note note = MakeNote(onset_s, onset_s + 1, onset_s + 1);
    note.channel = channel;
    score.notes.push_back(note);
  }
  EXPECT_THAT(SoundingParts(score), ElementsAre(0, 2));
  const Score flute = OnlyPart(score, 0);
  ASSERT_EQ(flute.notes.size(), 2u);
  EXPECT_EQ(flute.notes[1].onset_s, 3);
  EXPECT_EQ(flute.duration_s, 9);
  EXPECT_EQ(flute.parts.size(), 3u);
  EXPECT_EQ(OnlyPart(score, 1).notes.size(), 0u);
  EXPECT_THAT(SoundingParts(Score()), IsEmpty());
}

TEST(DistinctOnsetsTest, MergesWhatIsCloserThanTheTolerance) {
  const std::vector<Note> notes = {MakeNote(0, 9, 9),     MakeNote(0, 9, 9),
                                   MakeNote(0.004, 9, 9), MakeNote(0.009, 9, 9),
                                   MakeNote(0.012, 9, 9), MakeNote(1, 9, 9)};
  EXPECT_THAT(DistinctOnsets(notes), ElementsAre(0, 0.012, 1));
  EXPECT_THAT(DistinctOnsets(notes, 0), ElementsAre(0, 0.004, 0.009, 0.012, 1));
  EXPECT_THAT(DistinctOnsets({}), IsEmpty());
}

TEST(DistinctOnsetsTest, TakesNotesInAnyOrder) {
  const std::vector<Note> notes = {MakeNote(2, 9, 9), MakeNote(1, 9, 9), MakeNote(2, 9, 9)};
  EXPECT_THAT(DistinctOnsets(notes), ElementsAre(1, 2));
}

}  // namespace
}  // namespace antiphon::music
