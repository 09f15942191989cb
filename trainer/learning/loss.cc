#include "trainer/learning/loss.h"

namespace antiphon::trainer::learning {
namespace {

constexpr double kHingeMargin = 0.7;
constexpr double kMaxLogScale = 4.605;  // temperature 0.01, as Radford et al. (2021) clip it

// Row i's own is column i.
torch::Tensor Hinge(const torch::Tensor& similarity) {
  const int64_t n = similarity.size(0), candidates = similarity.size(1);
  const torch::Tensor violation =
      (kHingeMargin - similarity.diagonal().unsqueeze(1) + similarity).clamp_min(0);
  return violation
             .masked_fill(torch::eye(n, candidates, similarity.options().dtype(torch::kBool)), 0)
             .sum() /
         n;
}

}  // namespace

torch::Tensor PairLoss(Loss loss, const torch::Tensor& audio, const torch::Tensor& score,
                       const torch::Tensor& log_scale) {
  const int64_t n = audio.size(0);
  const torch::Tensor to_score = torch::matmul(audio, score.t());
  const torch::Tensor to_audio = to_score.slice(1, 0, n).t();
  if (loss == Loss::kHinge) return 0.5 * (Hinge(to_score) + Hinge(to_audio));
  const torch::Tensor scale = log_scale.clamp_max(kMaxLogScale).exp();
  const torch::Tensor own = torch::arange(n, to_score.options().dtype(torch::kLong));
  return 0.5 * (torch::cross_entropy_loss(to_score * scale, own) +
                torch::cross_entropy_loss(to_audio * scale, own));
}

Ranking RankPairs(const torch::Tensor& audio, const torch::Tensor& score) {
  const torch::Tensor similarity = torch::matmul(audio, score.t());
  Ranking ranking;
  for (const torch::Tensor& one_way : {similarity, similarity.t()}) {
    // The true one counts itself, which is the 1 of the definition.
    // Not ">=": what is no number must not rank first.
    const torch::Tensor rank =
        (one_way < one_way.diagonal().unsqueeze(1)).logical_not().sum(1).to(torch::kFloat64);
    ranking.recall_at_1 += 0.5 * (rank <= 1).to(torch::kFloat64).mean().item<double>();
    ranking.mean_reciprocal_rank += 0.5 * rank.reciprocal().mean().item<double>();
  }
  return ranking;
}

}  // namespace antiphon::trainer::learning
