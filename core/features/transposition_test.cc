#include "core/features/transposition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/features/audio_front_end.h"
#include "core/testing/feature_signals.h"

namespace antiphon::features {
namespace {

constexpr int kBands = 20, kFrames = 6;

TEST(TranspositionTest, ShiftingThereAndBackLosesOnlyTheEdge) {
  std::vector<uint8_t> cells(kBands * kFrames);
  std::iota(cells.begin(), cells.end(), 1);
  const std::vector<uint8_t> before = cells;
  ShiftBands(cells, kBands, 4);
  for (int frame = 0; frame < kFrames; ++frame) {
    for (int band = 0; band < kBands; ++band) {
      EXPECT_EQ(cells[frame * kBands + band], band < 4 ? 0 : before[frame * kBands + band - 4]);
    }
  }
  ShiftBands(cells, kBands, -4);
  EXPECT_EQ(cells[10], before[10]);
  EXPECT_EQ(cells[kBands - 1], 0);
  ShiftBands(cells, kBands, 1000);
  EXPECT_EQ(std::count(cells.begin(), cells.end(), 0), std::ssize(cells));
}

TEST(TranspositionTest, ATransposedToneIsTheToneAtItsNewPitch) {
  const FeatureSettings settings;
  const auto front_end = MakeFrontEnd(settings);
  const auto band_of = [&](const FeatureSequence& sequence) {
    const auto* frame = sequence.cells.data() + sequence.frames() / 2 * sequence.bands;
    return std::max_element(frame, frame + sequence.bands) - frame;
  };
  const auto heard = [&](double pitch) {
    return ComputeSpectrogram(
        *front_end, Sine(PitchFrequency(pitch), settings.sample_rate, settings.sample_rate));
  };
  for (const int semitones : {-6, -1, 0, 1, 6}) {
    EXPECT_EQ(band_of(Transposed(heard(60), settings, semitones)), band_of(heard(60 + semitones)))
        << semitones;
  }
}

TEST(TranspositionTest, BandsThatAreNoWholeNumberToASemitoneAreTold) {
  EXPECT_EQ(BandsPerSemitone(FeatureSettings()), 2);
  EXPECT_EQ(BandsPerSemitone(DorferSettings()), 0);
}

}  // namespace
}  // namespace antiphon::features
