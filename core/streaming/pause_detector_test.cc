#include "core/streaming/pause_detector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace antiphon::streaming {
namespace {

constexpr int kRate = 22050;

std::vector<float> Sine(double seconds, double decibels) {
  std::vector<float> samples(static_cast<size_t>(seconds * kRate));
  const double peak = std::pow(10.0, decibels / 20);
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<float>(
        peak * std::sin(2 * std::numbers::pi * 440 * static_cast<double>(i) / kRate));
  }
  return samples;
}

std::vector<float> Join(const std::vector<std::vector<float>>& loaded) {
  std::vector<float> all;
  for (const auto& part : loaded) all.insert(all.end(), part.begin(), part.end());
  return all;
}

TEST(PauseDetectorTest, TellsWhenSilenceHasLastedAndWhenItEnds) {
  PauseDetector detector(kRate, 1.5, 100);
  const auto changes = detector.Push(Join({Sine(3, -20), Sine(4, -200), Sine(1, -20)}));
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_TRUE(changes[0].paused);
  EXPECT_NEAR(changes[0].at_s, 104.5, 0.1);
  EXPECT_FALSE(changes[1].paused);
  EXPECT_NEAR(changes[1].at_s, 107, 0.1);
  EXPECT_FALSE(detector.paused());
}

TEST(PauseDetectorTest, AShortSilenceIsNone) {
  PauseDetector detector(kRate, 1.5, 0);
  const auto breath = Join({Sine(1, -20), Sine(1.3, -200)});
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(detector.Push(breath).empty());
}

TEST(PauseDetectorTest, SilenceIsBelowSeventyDecibels) {
  EXPECT_TRUE(PauseDetector(kRate, 1.5, 0).Push(Sine(5, -69)).empty());
  EXPECT_EQ(PauseDetector(kRate, 1.5, 0).Push(Sine(5, -71)).size(), 1u);
}

TEST(PauseDetectorTest, ChunksMakeNoDifference) {
  const std::vector<float> audio = Join({Sine(0.7, -20), Sine(2.2, -200), Sine(0.3, -40),
                                         Sine(1.7, -200), Sine(2, -10), Sine(3, -100)});
  const auto whole = PauseDetector(kRate, 1.5, 0).Push(audio);
  EXPECT_EQ(whole.size(), 5u);
  for (const size_t chunk : {size_t{1}, size_t{777}, size_t{1102}, size_t{22050}}) {
    PauseDetector detector(kRate, 1.5, 0);
    std::vector<PauseDetector::Change> changes;
    for (size_t begin = 0; begin < audio.size(); begin += chunk) {
      for (const auto& change :
           detector.Push(std::span(audio).subspan(begin, std::min(chunk, audio.size() - begin)))) {
        changes.push_back(change);
      }
    }
    ASSERT_EQ(changes.size(), whole.size()) << chunk;
    for (size_t i = 0; i < whole.size(); ++i) {
      EXPECT_EQ(changes[i].at_s, whole[i].at_s);
      EXPECT_EQ(changes[i].paused, whole[i].paused);
    }
  }
}

}  // namespace
}  // namespace antiphon::streaming
