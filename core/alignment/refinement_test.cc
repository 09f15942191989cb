#include "core/alignment/refinement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

namespace antiphon::alignment {
namespace {

constexpr double kRate = 20;
constexpr int kLowest = 21;

// Rises of single pitches, a peak of three frames each.
FrameMatrix Rises(int64_t frames, const std::vector<std::pair<double, int>>& onsets) {
  FrameMatrix rises(frames, 88);
  for (const auto& [at_s, pitch] : onsets) {
    const auto frame = static_cast<int64_t>(std::lround(at_s * kRate));
    rises.row(frame)[pitch - kLowest] = 1;
    rises.row(frame - 1)[pitch - kLowest] = rises.row(frame + 1)[pitch - kLowest] = 0.5f;
  }
  return rises;
}

std::vector<OnsetGroup> Groups(double late_s) {
  std::vector<OnsetGroup> groups;
  for (int i = 0; i < 8; ++i) groups.push_back({1 + 0.5 * i + late_s, 0.5, {60 + i}});
  return groups;
}

std::vector<std::pair<double, int>> Heard() {
  std::vector<std::pair<double, int>> heard;
  for (int i = 0; i < 8; ++i) heard.emplace_back(1 + 0.5 * i, 60 + i);
  return heard;
}

TEST(RefineOnsetsTest, OnsetsMoveToWhereTheirPitchesBegin) {
  for (const double late_s : {-0.1, 0.0, 0.1}) {
    const auto times = RefineOnsets(Rises(200, Heard()), kRate, kLowest, Groups(late_s));
    ASSERT_EQ(times.size(), 8u);
    for (int i = 0; i < 8; ++i) EXPECT_NEAR(times[i], 1 + 0.5 * i, 0.015) << late_s;
  }
}

TEST(RefineOnsetsTest, OtherPitchesDoNotDrawThem) {
  auto heard = Heard();
  for (int i = 0; i < 8; ++i) heard.emplace_back(1.15 + 0.5 * i, 90 - i);
  const auto times = RefineOnsets(Rises(200, heard), kRate, kLowest, Groups(0.08));
  for (int i = 0; i < 8; ++i) EXPECT_NEAR(times[i], 1 + 0.5 * i, 0.03);
}

TEST(RefineOnsetsTest, WithoutEvidenceTheyStayAndAscend) {
  std::vector<OnsetGroup> close;
  for (int i = 0; i < 20; ++i) close.push_back({1 + 0.003 * i, 0.003, {60}});
  const auto times = RefineOnsets(FrameMatrix(100, 88), kRate, kLowest, close);
  for (size_t i = 1; i < times.size(); ++i) {
    EXPECT_GT(times[i], times[i - 1]);
    EXPECT_NEAR(times[i], close[i].at_s, 0.2);
  }
  EXPECT_TRUE(RefineOnsets(FrameMatrix(100, 88), kRate, kLowest, {}).empty());
}

}  // namespace
}  // namespace antiphon::alignment
