#include "core/features/feature_sequence.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace antiphon::features {
namespace {

constexpr int kChannels = 2, kBands = 3, kFrames = 10;

// Cell [frame, channel, band] holds frame · 10 + channel · 3 + band + 1, so that every cell says
// where it comes from.
uint8_t Expected(int64_t frame, int channel, int band) {
  return frame < 0 || frame >= kFrames
             ? 0
             : static_cast<uint8_t>(frame * 10 + channel * kBands + band + 1);
}

FeatureSequence MakeSequence() {
  FeatureSequence sequence;
  sequence.channels = kChannels;
  sequence.bands = kBands;
  sequence.frame_rate = 20;
  for (int frame = 0; frame < kFrames; ++frame) {
    for (int channel = 0; channel < kChannels; ++channel) {
      for (int band = 0; band < kBands; ++band)
        sequence.cells.push_back(Expected(frame, channel, band));
    }
  }
  return sequence;
}

// The window, checked cell by cell; the byte before and the byte after it must be left alone.
void ExpectWindow(const FeatureSequence& sequence, int64_t first, int count) {
  const int64_t size = int64_t{count} * kChannels * kBands;
  std::vector<uint8_t> buffer(size + 2, 0xee);
  sequence.CopyWindow(first, count, buffer.data() + 1);
  EXPECT_EQ(buffer.front(), 0xee);
  EXPECT_EQ(buffer.back(), 0xee);
  for (int64_t i = 0; i < size; ++i) {
    const int64_t frame = first > kFrames || first < -count ? -1 : first + i / (kChannels * kBands);
    const int cell = static_cast<int>(i % (kChannels * kBands));
    ASSERT_EQ(buffer[1 + i], Expected(frame, cell / kBands, cell % kBands))
        << "window " << first << " + " << count << ", cell " << i;
  }
}

TEST(FeatureSequenceTest, CountsItsFrames) {
  EXPECT_EQ(MakeSequence().frames(), kFrames);
  EXPECT_EQ(MakeSequence().cells_per_frame(), kChannels * kBands);
  EXPECT_EQ(FeatureSequence().frames(), 0);
}

TEST(FeatureSequenceTest, EveryWindowIsCutWithZerosAroundTheSequence) {
  const FeatureSequence sequence = MakeSequence();
  for (int count : {0, 1, 4, kFrames, 25}) {
    for (int64_t first = -30; first <= 30; ++first) ExpectWindow(sequence, first, count);
  }
}

TEST(FeatureSequenceTest, WindowsWhollyOutsideAreZerosHoweverFarAway) {
  const FeatureSequence sequence = MakeSequence();
  constexpr int64_t kFar = std::numeric_limits<int64_t>::max();
  for (const int64_t first :
       {int64_t{-4}, int64_t{kFrames}, -kFar - 1, -kFar, kFar, kFar - 3, int64_t{1} << 40}) {
    ExpectWindow(sequence, first, 4);
    EXPECT_TRUE(sequence.IsEmptyWindow(first, 4)) << first;
  }
}

TEST(FeatureSequenceTest, AnEmptySequenceGivesZeros) {
  FeatureSequence sequence;
  sequence.channels = 1;
  sequence.bands = 2;
  std::vector<uint8_t> window(6, 0xee);
  sequence.CopyWindow(-1, 3, window.data());
  EXPECT_EQ(window, std::vector<uint8_t>(6, 0));
  EXPECT_TRUE(sequence.IsEmptyWindow(-1, 3));
}

TEST(FeatureSequenceTest, AWindowIsEmptyExactlyWhenItsCopyIsAllZeros) {
  FeatureSequence sequence = MakeSequence();
  std::fill(sequence.cells.begin(), sequence.cells.end(), uint8_t{0});
  sequence.cells[6 * kChannels * kBands + 5] = 1;  // the last cell of frame 6
  for (int64_t first = -5; first < 15; ++first) {
    EXPECT_EQ(sequence.IsEmptyWindow(first, 3), !(first <= 6 && 6 < first + 3)) << first;
  }
}

}  // namespace
}  // namespace antiphon::features
