#include "core/features/pianoroll.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace antiphon::features {
namespace {

using music::Note;
using ::testing::Each;

using Cells = std::set<std::pair<int64_t, int>>;  // (frame, pitch)

constexpr int kFull = 255;

// Cells that differ by more than one step: the last bit of a shared onset may fall either way.
int Differences(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  EXPECT_EQ(a.size(), b.size());
  int different = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) different += std::abs(a[i] - b[i]) > 1;
  return different;
}

Note MakeNote(double onset_s, double offset_s, int pitch) {
  Note note;
  note.onset_s = onset_s;
  note.offset_s = offset_s;
  note.sounding_offset_s = offset_s + 1;  // the pedal; the roll goes by the key
  note.pitch = pitch;
  return note;
}

std::vector<Note> RandomNotes(uint32_t seed, int count = 60, int lowest = 21, int highest = 108) {
  std::mt19937 rng(seed);
  std::uniform_real_distribution<double> onset(0, 10), length(0.01, 1.5);
  std::uniform_int_distribution<int> pitch(lowest, highest);
  std::vector<Note> notes;
  for (int i = 0; i < count; ++i) {
    const double at = onset(rng);
    notes.push_back(MakeNote(at, at + length(rng), pitch(rng)));
  }
  return notes;
}

// Cells that sound, or that hold the greater part of an onset.
Cells CellsOf(const FeatureSequence& roll, int channel, const FeatureSettings& settings = {}) {
  Cells set;
  for (int64_t frame = 0; frame < roll.frames(); ++frame) {
    for (int row = 0; row < roll.bands; ++row) {
      const uint8_t cell = roll.cells[(frame * 2 + channel) * roll.bands + row];
      if (channel == 1) EXPECT_TRUE(cell == 0 || cell == kFull);
      if (cell > kFull / 2) set.emplace(frame, row + settings.lowest_pitch);
    }
  }
  return set;
}

std::vector<uint8_t> Window(const FeatureSequence& roll, int64_t first,
                            const FeatureSettings& settings) {
  std::vector<uint8_t> cells(static_cast<size_t>(settings.window_frames) * roll.cells_per_frame());
  roll.CopyWindow(first, settings.window_frames, cells.data());
  return cells;
}

TEST(PianorollTest, ANoteSoundsFromItsOnsetToItsKeysRelease) {
  const FeatureSettings settings;
  const std::vector<Note> notes = {MakeNote(10 / 21.0, 13 / 21.0, 60),
                                   MakeNote(11 / 21.0, 12.6 / 21.0, 64)};
  const FeatureSequence roll = ComputePianoroll(notes, settings);
  EXPECT_EQ(roll.channels, 2);
  EXPECT_EQ(roll.bands, 88);
  EXPECT_DOUBLE_EQ(roll.frame_rate, 21);
  EXPECT_EQ(roll.frames(), 14);
  EXPECT_EQ(CellsOf(roll, 0), (Cells{{10, 60}, {11, 64}}));
  EXPECT_EQ(CellsOf(roll, 1), (Cells{{10, 60}, {11, 60}, {12, 60}, {11, 64}, {12, 64}}));
}

TEST(PianorollTest, AnOnsetFallsInTheNearestFrame) {
  for (const double offset : {-0.49, -0.2, 0.0, 0.3, 0.49}) {
    const std::vector<Note> notes = {MakeNote((7 + offset) / 21.0, 1.0, 60)};
    EXPECT_EQ(CellsOf(ComputePianoroll(notes, {}), 0), (Cells{{7, 60}})) << offset;
  }
}

TEST(PianorollTest, AnOnsetIsSharedBetweenTwoFramesByItsDistance) {
  for (double exact = 5.0; exact < 7.0; exact += 0.03) {
    const FeatureSequence roll =
        ComputePianoroll(std::vector<Note>{MakeNote(exact / 21.0, 1.0, 60)}, {});
    double sum = 0, moment = 0;
    for (int64_t frame = 0; frame < roll.frames(); ++frame) {
      const uint8_t cell = roll.cells[frame * 2 * 88 + 60 - 21];
      sum += cell;
      moment += static_cast<double>(frame) * cell;
    }
    EXPECT_EQ(sum, kFull);
    EXPECT_NEAR(moment / sum, exact, 0.5 / kFull + 1e-9);
  }
}

TEST(PianorollTest, TheShortestNoteHasOneFrame) {
  const FeatureSequence roll = ComputePianoroll(std::vector<Note>{MakeNote(1, 1.0001, 60)}, {});
  EXPECT_EQ(CellsOf(roll, 0), (Cells{{21, 60}}));
  EXPECT_EQ(CellsOf(roll, 1), (Cells{{21, 60}}));
}

TEST(PianorollTest, ARepeatedNoteShowsEveryOnset) {
  const std::vector<Note> notes = {MakeNote(0, 10 / 21.0, 60), MakeNote(10 / 21.0, 20 / 21.0, 60)};
  const FeatureSequence roll = ComputePianoroll(notes, {});
  EXPECT_EQ(CellsOf(roll, 0), (Cells{{0, 60}, {10, 60}}));
  EXPECT_EQ(CellsOf(roll, 1).size(), 20u);
}

TEST(PianorollTest, NoNotesGiveNoFrames) {
  const FeatureSequence roll = ComputePianoroll({}, {});
  EXPECT_EQ(roll.frames(), 0);
  EXPECT_EQ(roll.cells_per_frame(), 176);
  EXPECT_THAT(ComputePianorollWindow({}, {}, 1.0, 0.0), Each(0));
}

TEST(PianorollTest, EveryOnsetIsASoundingCell) {
  for (const uint32_t seed : {1, 2, 3, 4, 5}) {
    const FeatureSequence roll = ComputePianoroll(RandomNotes(seed), {}, 0.7 + 0.2 * seed);
    const Cells onsets = CellsOf(roll, 0), sounding = CellsOf(roll, 1);
    EXPECT_FALSE(onsets.empty());
    EXPECT_TRUE(std::includes(sounding.begin(), sounding.end(), onsets.begin(), onsets.end()));
    EXPECT_GT(sounding.size(), onsets.size());
  }
}

TEST(PianorollTest, TheOrderOfTheNotesDoesNotMatter) {
  std::vector<Note> notes = RandomNotes(6);
  const FeatureSequence roll = ComputePianoroll(notes, {});
  std::shuffle(notes.begin(), notes.end(), std::mt19937(7));
  EXPECT_EQ(ComputePianoroll(notes, {}).cells, roll.cells);
}

TEST(PianorollTest, TheRollOfAllNotesIsTheUnionOfTheirRolls) {
  const std::vector<Note> notes = RandomNotes(8, 30);
  for (const int channel : {0, 1}) {
    Cells together;
    for (const Note& note : notes)
      together.merge(CellsOf(ComputePianoroll(std::span(&note, 1), {}), channel));
    EXPECT_EQ(CellsOf(ComputePianoroll(notes, {}), channel), together);
  }
}

TEST(PianorollTest, TransposingShiftsTheRows) {
  const std::vector<Note> notes = RandomNotes(9, 60, 40, 90);
  for (const int interval : {-19, -1, 1, 12, 18}) {
    std::vector<Note> transposed = notes;
    for (Note& note : transposed) note.pitch += interval;
    for (const int channel : {0, 1}) {
      Cells expected;
      for (const auto& [frame, pitch] : CellsOf(ComputePianoroll(notes, {}), channel)) {
        expected.emplace(frame, pitch + interval);
      }
      EXPECT_EQ(CellsOf(ComputePianoroll(transposed, {}), channel), expected) << interval;
    }
  }
}

TEST(PianorollTest, PitchesOutsideTheRowsAreLeftOut) {
  FeatureSettings settings;
  settings.lowest_pitch = 48;
  settings.pitches = 24;
  const std::vector<Note> all = RandomNotes(10, 200, 0, 127);
  std::vector<Note> inside;
  std::copy_if(all.begin(), all.end(), std::back_inserter(inside),
               [](const Note& note) { return note.pitch >= 48 && note.pitch < 72; });
  ASSERT_LT(inside.size(), all.size());
  const FeatureSequence roll = ComputePianoroll(all, settings);
  EXPECT_EQ(roll.bands, 24);
  for (const int channel : {0, 1}) {
    EXPECT_EQ(CellsOf(roll, channel, settings),
              CellsOf(ComputePianoroll(inside, settings), channel, settings));
  }
}

// Playing at tempo ratio r is the same as dividing every time by r.
TEST(PianorollTest, ATempoRatioScalesTheColumns) {
  const std::vector<Note> notes = RandomNotes(11);
  for (const double ratio : {0.5, 0.84, 1.0, 1.19, 2.0}) {
    std::vector<Note> played = notes;
    for (Note& note : played) {
      note.onset_s /= ratio;
      note.offset_s /= ratio;
    }
    EXPECT_EQ(
        Differences(ComputePianoroll(notes, {}, ratio).cells, ComputePianoroll(played, {}).cells),
        0)
        << ratio;
  }
}

TEST(PianorollTest, AtHalfTheTempoEveryOnsetColumnIsTwiceAsFar) {
  std::vector<Note> notes;
  for (int i = 0; i < 40; ++i) notes.push_back(MakeNote(3 * i / 21.0, (3 * i + 2) / 21.0, 40 + i));
  Cells expected;
  for (const auto& [frame, pitch] : CellsOf(ComputePianoroll(notes, {}), 0))
    expected.emplace(2 * frame, pitch);
  EXPECT_EQ(CellsOf(ComputePianoroll(notes, {}, 0.5), 0), expected);
}

TEST(PianorollWindowTest, AWindowOnTheGridIsCutFromTheWholeRoll) {
  const FeatureSettings settings;
  const std::vector<Note> notes = RandomNotes(12, 100);
  for (const double ratio : {0.5, 1.0, 1.3}) {
    const FeatureSequence roll = ComputePianoroll(notes, settings, ratio);
    for (int64_t first = -60; first < roll.frames() + 10; first += 7) {
      // A sample of the whole roll's own grid, in seconds as written. A note at the boundary of two
      // frames may fall to either side by rounding; none of these does.
      const double start_s = first / settings.frame_rate() * ratio;
      EXPECT_EQ(Differences(ComputePianorollWindow(notes, settings, ratio, start_s),
                            Window(roll, first, settings)),
                0)
          << first;
    }
  }
}

TEST(PianorollWindowTest, ANoteOutsideTheWindowChangesNothing) {
  const FeatureSettings settings;
  const std::vector<Note> notes = RandomNotes(13, 100);
  for (const double ratio : {0.6, 1.0, 1.7}) {
    for (double start_s = 0; start_s < 8; start_s += 0.61) {
      const auto window = ComputePianorollWindow(notes, settings, ratio, start_s);
      const double half_frame = 0.5 / settings.frame_rate() * ratio;
      const double end_s = start_s + settings.window_s() * ratio;
      std::vector<Note> more = notes;
      for (int pitch = 21; pitch <= 108; ++pitch) {
        more.push_back(MakeNote(start_s - 3, start_s - 1.01 * half_frame, pitch));
        more.push_back(MakeNote(start_s - 3, start_s - 2.9, pitch));
        more.push_back(MakeNote(end_s, end_s + 1, pitch));
        more.push_back(MakeNote(end_s + 5, end_s + 6, pitch));
      }
      EXPECT_EQ(ComputePianorollWindow(more, settings, ratio, start_s), window) << start_s;
    }
  }
}

TEST(PianorollWindowTest, ANoteHeldIntoTheWindowSoundsThereWithoutAnOnset) {
  const FeatureSettings settings;
  const auto cells =
      ComputePianorollWindow(std::vector<Note>{MakeNote(1, 3 + 2 / 21.0, 60)}, settings, 1.0, 3.0);
  int sounding = 0;
  for (int frame = 0; frame < settings.window_frames; ++frame) {
    EXPECT_EQ(cells[frame * 2 * 88 + 60 - 21], 0);
    sounding += cells[(frame * 2 + 1) * 88 + 60 - 21];
  }
  EXPECT_EQ(sounding, 2 * kFull);
}

TEST(PianorollWindowTest, MovingTheScoreAndTheWindowTogetherChangesNothing) {
  const FeatureSettings settings;
  const std::vector<Note> notes = RandomNotes(14);
  std::vector<Note> later = notes;
  for (Note& note : later) {
    note.onset_s += 16;
    note.offset_s += 16;
  }
  for (const double start_s : {-1.0, 0.0, 2.5, 7.25}) {
    EXPECT_EQ(Differences(ComputePianorollWindow(notes, settings, 1.25, start_s),
                          ComputePianorollWindow(later, settings, 1.25, start_s + 16)),
              0)
        << start_s;
  }
}

}  // namespace
}  // namespace antiphon::features
