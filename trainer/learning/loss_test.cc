#include "trainer/learning/loss.h"

#include <gtest/gtest.h>

#include <cmath>

namespace antiphon::trainer::learning {
namespace {

torch::Tensor UnitRows(int rows, int dimension, int seed) {
  torch::manual_seed(seed);
  return torch::nn::functional::normalize(torch::randn({rows, dimension}));
}

const torch::Tensor kLogScale = torch::tensor(2.0f);

TEST(LossTest, InfoNceOfEqualSimilaritiesIsTheLogarithmOfTheBatch) {
  const torch::Tensor same = torch::ones({8, 4}) / 2;
  EXPECT_NEAR(PairLoss(Loss::kInfoNce, same, same, kLogScale).item<double>(), std::log(8.0), 1e-5);
}

TEST(LossTest, HingeByHand) {
  const torch::Tensor audio = torch::tensor({{1.0f, 0.0f}, {0.0f, 1.0f}});
  const torch::Tensor score = torch::tensor({{0.6f, 0.8f}, {0.0f, 1.0f}});
  // Similarities: own 0.6 and 1; others 0 and 0.8. Audio→score: max(0, 0.7 - 0.6 + 0) + max(0, 0.7
  // - 1 + 0.8) = 0.6; score→audio: max(0, 0.7 - 0.6 + 0.8) + max(0, 0.7 - 1 + 0) = 0.9; each over
  // two rows, and their mean.
  EXPECT_NEAR(PairLoss(Loss::kHinge, audio, score, kLogScale).item<double>(), (0.3 + 0.45) / 2,
              1e-6);
}

TEST(LossTest, BothLossesPreferTheTruePairing) {
  const torch::Tensor audio = UnitRows(32, 16, 1);
  for (Loss loss : {Loss::kInfoNce, Loss::kHinge}) {
    const double matched = PairLoss(loss, audio, audio, kLogScale).item<double>();
    const double shifted = PairLoss(loss, audio, audio.roll(1, 0), kLogScale).item<double>();
    EXPECT_LT(matched, shifted) << LossName(loss);
  }
}

// Two of each, and a third score that is no sound's.
TEST(LossTest, ScoresOfNoAudioAreRivalsForAllAudio) {
  const torch::Tensor same = torch::ones({2, 4}) / 2, with_rival = torch::ones({3, 4}) / 2;
  EXPECT_NEAR(PairLoss(Loss::kInfoNce, same, with_rival, kLogScale).item<double>(),
              (std::log(3.0) + std::log(2.0)) / 2, 1e-5);
  const torch::Tensor audio = torch::tensor({{1.0f, 0.0f}, {0.0f, 1.0f}});
  const torch::Tensor score = torch::tensor({{1.0f, 0.0f}, {0.0f, 1.0f}, {0.6f, 0.8f}});
  // The pairs match and are far apart. The rival is at 0.6 from the first sound and 0.8 from the
  // second, own 1: max(0, 0.7 - 1 + 0.6) + max(0, 0.7 - 1 + 0.8) = 0.8 over two rows one way,
  // nothing the other.
  EXPECT_NEAR(PairLoss(Loss::kHinge, audio, score, kLogScale).item<double>(), 0.4 / 2, 1e-6);
}

TEST(LossTest, RankingOfPerfectAndOfTiedEmbeddings) {
  const torch::Tensor audio = UnitRows(50, 16, 2);
  EXPECT_DOUBLE_EQ(RankPairs(audio, audio).recall_at_1, 1.0);
  const torch::Tensor same = torch::ones({50, 16}) / 4;
  EXPECT_DOUBLE_EQ(RankPairs(same, same).recall_at_1, 0.0);
  EXPECT_NEAR(RankPairs(same, same).mean_reciprocal_rank, 1.0 / 50, 1e-9);
}

}  // namespace
}  // namespace antiphon::trainer::learning
