#include "core/features/vector_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "core/testing/feature_signals.h"

namespace antiphon::features {
namespace {

using Row = VectorKernels::Row;
using Tap = VectorKernels::Tap;

std::vector<Row> Rows(int count, uint32_t seed) {
  const std::vector<float> values = WhiteNoise(count * VectorKernels::kLanes, seed);
  std::vector<Row> rows(count);
  for (int i = 0; i < count; ++i) {
    std::copy_n(values.begin() + i * VectorKernels::kLanes, VectorKernels::kLanes, rows[i].lanes);
  }
  return rows;
}

class VectorKernelsTest : public ::testing::TestWithParam<InstructionSet> {
 protected:
  void SetUp() override {
    kernels_ = VectorKernels::ForInstructionSet(GetParam());
    if (kernels_ == nullptr) GTEST_SKIP() << "this processor lacks the instructions";
  }

  const VectorKernels* kernels_ = nullptr;
};

TEST_P(VectorKernelsTest, CorrelatesEveryStretchWithTheRows) {
  constexpr int kRows = 37, kStep = 11, kFrames = 23;
  const std::vector<Row> rows = Rows(kRows, 1);
  const std::vector<float> samples = WhiteNoise(kRows + kStep * (kFrames - 1), 2);
  std::vector<Row> sums(kFrames);
  kernels_->correlate(rows, samples.data(), kStep, sums);
  for (int f = 0; f < kFrames; ++f) {
    for (int lane = 0; lane < VectorKernels::kLanes; ++lane) {
      double sum = 0;
      for (int m = 0; m < kRows; ++m)
        sum += static_cast<double>(rows[m].lanes[lane]) * samples[f * kStep + m];
      EXPECT_NEAR(sums[f].lanes[lane], sum, 1e-5) << f << ' ' << lane;
    }
  }
}

TEST_P(VectorKernelsTest, AStretchHasTheSameBitsHoweverManyThereAre) {
  constexpr int kRows = 101, kStep = 7, kFrames = 40;
  const std::vector<Row> rows = Rows(kRows, 3);
  const std::vector<float> samples = WhiteNoise(kRows + kStep * (kFrames - 1), 4);
  std::vector<Row> alone(kFrames);
  for (int f = 0; f < kFrames; ++f)
    kernels_->correlate(rows, samples.data() + f * kStep, kStep, std::span(alone).subspan(f, 1));
  for (int frames = 0; frames <= kFrames; ++frames) {
    std::vector<Row> together(frames);
    kernels_->correlate(rows, samples.data(), kStep, together);
    for (int f = 0; f < frames; ++f)
      ASSERT_EQ(std::memcmp(&together[f], &alone[f], sizeof(Row)), 0) << frames << ' ' << f;
  }
}

TEST_P(VectorKernelsTest, NoRowsSumToZero) {
  std::vector<Row> sums(9);
  for (Row& sum : sums) std::fill_n(sum.lanes, VectorKernels::kLanes, 5.0f);
  kernels_->correlate({}, nullptr, 3, sums);
  for (const Row& sum : sums) {
    for (const float lane : sum.lanes) EXPECT_EQ(lane, 0);
  }
}

TEST_P(VectorKernelsTest, FiltersSeveralSignals) {
  constexpr int kOutputs = 3 * VectorKernels::kFilterBlock, kStride = kOutputs + 20;
  const std::vector<float> inputs = WhiteNoise(3 * kStride, 5);
  const std::vector<Tap> taps = {{0, 0, 0.5f}, {0, 7, -1.25f}, {1, 20, 2.0f}, {2, 3, 0.125f}};
  std::vector<float> outputs(kOutputs, 9.0f);
  kernels_->filter(taps, inputs.data(), kStride, outputs);
  for (int n = 0; n < kOutputs; ++n) {
    double sum = 0;
    for (const Tap& tap : taps)
      sum += static_cast<double>(tap.coefficient) * inputs[tap.signal * kStride + tap.shift + n];
    ASSERT_NEAR(outputs[n], sum, 1e-6) << n;
  }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, VectorKernelsTest,
                         ::testing::Values(InstructionSet::kBaseline, InstructionSet::kAvx2,
                                           InstructionSet::kAvx512),
                         [](const auto& info) {
                           switch (info.param) {
                             case InstructionSet::kBaseline:
                               return "Baseline";
                             case InstructionSet::kAvx2:
                               return "Avx2";
                             case InstructionSet::kAvx512:
                               return "Avx512";
                           }
                           return "Unknown";
                         });

TEST(FastestVectorKernelsTest, AreThoseOfASupportedInstructionSet) {
  const VectorKernels* fastest = &VectorKernels::Fastest();
  EXPECT_NE(VectorKernels::ForInstructionSet(InstructionSet::kBaseline), nullptr);
  bool found = false;
  for (const InstructionSet set :
       {InstructionSet::kBaseline, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    found = found || VectorKernels::ForInstructionSet(set) == fastest;
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace antiphon::features
