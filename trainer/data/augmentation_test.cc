#include "trainer/data/augmentation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace antiphon::trainer::data {
namespace {

constexpr int kBands = 48, kFrames = 20;

std::vector<uint8_t> Window(uint8_t level) { return std::vector<uint8_t>(kBands * kFrames, level); }

TEST(AugmentationTest, EqualisingIsTheSameInEveryFrameAndLeavesSilence) {
  std::mt19937_64 random(1);
  std::vector<uint8_t> window = Window(120);
  std::fill_n(window.begin(), kBands, uint8_t{0});
  Equalise(window, kBands, 6, random);
  EXPECT_TRUE(std::all_of(window.begin(), window.begin() + kBands,
                          [](uint8_t level) { return level == 0; }));
  for (int frame = 2; frame < kFrames; ++frame) {
    EXPECT_TRUE(std::equal(window.begin() + kBands, window.begin() + 2 * kBands,
                           window.begin() + frame * kBands));
  }
  EXPECT_NE(window, Window(120));
}

TEST(AugmentationTest, NoiseStaysUnderWhatIsLoud) {
  for (int seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<uint8_t> window = Window(0);
    window[5] = 200;
    AddNoiseFloor(window, kBands, random);
    EXPECT_EQ(window[5], 200);
    const double mean = std::accumulate(window.begin(), window.end(), 0.0) / window.size();
    EXPECT_GT(mean, 200 - 2 * 85);
    EXPECT_LT(mean, 200 - 2 * 15);
  }
}

TEST(AugmentationTest, MaskingSilencesAtMostAnEighthAndOneCellAtLeast) {
  for (int seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<uint8_t> window = Window(100);
    Mask(window, kBands, random);
    const auto silent = std::count(window.begin(), window.end(), 0);
    EXPECT_GE(silent, std::min(kBands, kFrames));
    EXPECT_LE(silent, kBands * kFrames / 8);
  }
}

TEST(AugmentationTest, CutSilencesOneEndAndAtMostHalf) {
  std::mt19937_64 random(4);
  bool at_the_beginning = false, at_the_end = false;
  for (int i = 0; i < 100; ++i) {
    std::vector<uint8_t> window(42 * 20, 100);
    Cut(window, 20, random);
    const auto silent = std::count(window.begin(), window.end(), 0);
    EXPECT_GE(silent, 20);
    EXPECT_LE(silent, 21 * 20);
    EXPECT_EQ(silent % 20, 0);
    EXPECT_NE(window.front(), window.back());
    at_the_beginning |= window.front() == 0;
    at_the_end |= window.back() == 0;
  }
  EXPECT_TRUE(at_the_beginning && at_the_end);
}

}  // namespace
}  // namespace antiphon::trainer::data
