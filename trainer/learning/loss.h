// Ranking losses over a batch of pairs. Internal to trainer/learning. Pure functions.
#ifndef ANTIPHON_TRAINER_LEARNING_LOSS_H_
#define ANTIPHON_TRAINER_LEARNING_LOSS_H_

#include <torch/torch.h>

#include "trainer/learning/train_options.h"

namespace antiphon::trainer::learning {

// `audio` is [n, d], `score` [n + m, d], with rows of length 1; row i of one belongs to row i of
// the other, and the last m of `score` to none: they are rivals for every row of `audio`.
// `log_scale` is the logarithm of the inverse temperature, used by InfoNCE alone. Gives a scalar,
// the mean of both directions.
torch::Tensor PairLoss(Loss loss, const torch::Tensor& audio, const torch::Tensor& score,
                       const torch::Tensor& log_scale);

// Recall at 1 and mean reciprocal rank over both directions, ties counted against: rank = 1 + the
// number of others at least as similar.
struct Ranking {
  double recall_at_1 = 0;
  double mean_reciprocal_rank = 0;
};
Ranking RankPairs(const torch::Tensor& audio, const torch::Tensor& score);

}  // namespace antiphon::trainer::learning

#endif  // ANTIPHON_TRAINER_LEARNING_LOSS_H_
