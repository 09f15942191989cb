#include "core/alignment/alignment_features.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace antiphon::alignment {
namespace {

const features::FeatureSettings kSettings;

int Strongest(const FrameMatrix& matrix, int64_t row) {
  return static_cast<int>(std::max_element(matrix.row(row), matrix.row(row) + matrix.width) -
                          matrix.row(row));
}

float Sum(const FrameMatrix& matrix, int64_t row) {
  float sum = 0;
  for (int i = 0; i < matrix.width; ++i) sum += matrix.row(row)[i];
  return sum;
}

// Silence, and a level in one band from a frame on.
features::FeatureSequence Spectrogram(int64_t frames, int band, int64_t from) {
  features::FeatureSequence sequence{1, kSettings.bands, kSettings.frame_rate(), {}};
  sequence.cells.resize(frames * kSettings.bands);
  for (int64_t frame = from; frame < frames; ++frame)
    sequence.cells[frame * kSettings.bands + band] = 150;
  return sequence;
}

TEST(AlignmentFeaturesTest, ABandIsItsSemitone) {
  for (const int pitch : {0, 39, 87}) {
    const FrameFeatures features = FeaturesOfAudio(Spectrogram(20, 2 * pitch, 10), kSettings, 150);
    EXPECT_EQ(features.energies.width, kSettings.pitches);
    EXPECT_EQ(Sum(features.energies, 5), 0);
    EXPECT_EQ(Strongest(features.energies, 15), pitch);
    EXPECT_EQ(Strongest(features.onsets, 10), pitch);
    EXPECT_EQ(Sum(features.onsets, 14), 0);
  }
}

TEST(AlignmentFeaturesTest, LoudnessOfTheWholeDoesNotMatter) {
  features::FeatureSequence loud = Spectrogram(20, 60, 3);
  loud.cells[60] = 120;
  features::FeatureSequence quiet = loud;
  for (uint8_t& level : quiet.cells) level = level > 40 ? level - 40 : 0;
  const FrameFeatures a = FeaturesOfAudio(loud, kSettings, LoudestLevel(loud));
  const FrameFeatures b = FeaturesOfAudio(quiet, kSettings, LoudestLevel(quiet));
  for (size_t i = 0; i < a.energies.cells.size(); ++i)
    EXPECT_NEAR(a.energies.cells[i], b.energies.cells[i], 1e-5);
}

TEST(AlignmentFeaturesTest, ANoteBeginsDiesAwayAndEnds) {
  const std::vector<TimedNote> notes = {
      {10 / kSettings.frame_rate(), 30 / kSettings.frame_rate(), 60}};
  const FrameFeatures features = FeaturesOfNotes(notes, 50, kSettings);
  EXPECT_EQ(features.frames(), 50);
  EXPECT_EQ(Sum(features.energies, 9), 0);
  EXPECT_EQ(Strongest(features.energies, 10), 60 - kSettings.lowest_pitch);
  EXPECT_GT(Sum(features.energies, 12), Sum(features.energies, 25));
  EXPECT_GT(Sum(features.energies, 25), 0);
  EXPECT_EQ(Sum(features.energies, 34), 0);
  for (int64_t frame = 0; frame < 50; ++frame)
    EXPECT_LE(Sum(features.onsets, frame), Sum(features.onsets, 10));
  EXPECT_EQ(Sum(features.onsets, 12), 0);
}

TEST(AlignmentFeaturesTest, NotesOutsideTheFramesOrThePianoAreNoHarm) {
  const std::vector<TimedNote> notes = {
      {-5, -4, 60}, {100, 101, 60}, {0.5, 0.6, 127}, {0.5, 0.6, 0}};
  const FrameFeatures features = FeaturesOfNotes(notes, 40, kSettings);
  for (int64_t frame = 0; frame < 5; ++frame) EXPECT_EQ(Sum(features.energies, frame), 0);
}

TEST(AlignmentFeaturesTest, CoarseFeaturesFoldOctavesAndSumFrames) {
  FrameFeatures features{FrameMatrix(5, 88), FrameMatrix(5, 88)};
  features.energies.row(0)[3] = 1;
  features.energies.row(1)[15] = 2;
  features.energies.row(4)[87] = 4;
  const FrameFeatures coarse = CoarseFeatures(features, 2);
  ASSERT_EQ(coarse.frames(), 3);
  ASSERT_EQ(coarse.energies.width, 12);
  EXPECT_EQ(coarse.energies.row(0)[3], 3);
  EXPECT_EQ(coarse.energies.row(2)[87 % 12], 4);
  EXPECT_EQ(Sum(coarse.energies, 1), 0);
}

TEST(AlignmentFeaturesTest, NormalisedEnergiesHaveUnitLengthAndOnsetsDecay) {
  FrameFeatures features{FrameMatrix(100, 12), FrameMatrix(100, 12)};
  features.energies.row(7)[1] = 3;
  features.energies.row(7)[2] = 4;
  features.onsets.row(10)[5] = 8;
  features.onsets.row(80)[5] = 1;  // weak, but nothing stronger is near
  NormaliseFeatures(21, 3, features);
  EXPECT_NEAR(features.energies.row(7)[1], 0.6, 1e-5);
  EXPECT_EQ(Sum(features.energies, 8), 0);
  for (const int64_t frame : {10, 80}) {
    EXPECT_NEAR(features.onsets.row(frame)[5], 1, 1e-5);
    EXPECT_NEAR(features.onsets.row(frame + 1)[5], 2.0 / 3, 1e-5);
    EXPECT_NEAR(features.onsets.row(frame + 2)[5], 1.0 / 3, 1e-5);
    EXPECT_EQ(features.onsets.row(frame + 3)[5], 0);
    EXPECT_EQ(features.onsets.row(frame - 1)[5], 0);
  }
}

}  // namespace
}  // namespace antiphon::alignment
