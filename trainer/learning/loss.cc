#include "trainer/learning/loss.h"

namespace antiphon::trainer {
namespace {

constexpr double kHingeMargin = 0.7;
constexpr double kMaxLogScale = 4.605;  // temperature 0.01, as Radford et al. (2021) clip it

torch::Tensor Hinge(const torch::Tensor& similarity) {
  const int64_t n = similarity.size(0);
  const torch::Tensor violation = (kHingeMargin - similarity.diagonal().unsqueeze(1) + similarity).clamp_min(0);
  return violation.masked_fill(torch::eye(n, similarity.options().dtype(torch::kBool)), 0).sum() / n;
}

}  // namespace

torch::Tensor PairLoss(Loss loss, const torch::Tensor& audio, const torch::Tensor& score,
                       const torch::Tensor& log_scale) {
  const torch::Tensor similarity = torch::matmul(audio, score.t());
  if (loss == Loss::kHinge) return 0.5 * (Hinge(similarity) + Hinge(similarity.t()));
  const torch::Tensor logits = similarity * log_scale.clamp_max(kMaxLogScale).exp();
  const torch::Tensor own = torch::arange(logits.size(0), logits.options().dtype(torch::kLong));
  return 0.5 * (torch::cross_entropy_loss(logits, own) + torch::cross_entropy_loss(logits.t(), own));
}

Ranking RankPairs(const torch::Tensor& audio, const torch::Tensor& score) {
  const torch::Tensor similarity = torch::matmul(audio, score.t());
  Ranking ranking;
  for (const torch::Tensor& one_way : {similarity, similarity.t()}) {
    // The true one counts itself, which is the 1 of the definition.
    // Not ">=": what is no number must not rank first.
    const torch::Tensor rank = (one_way < one_way.diagonal().unsqueeze(1)).logical_not().sum(1).to(torch::kFloat64);
    ranking.recall_at_1 += 0.5 * (rank <= 1).to(torch::kFloat64).mean().item<double>();
    ranking.mean_reciprocal_rank += 0.5 * rank.reciprocal().mean().item<double>();
  }
  return ranking;
}

}  // namespace antiphon::trainer
