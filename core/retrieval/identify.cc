#include "core/retrieval/identify.h"

#include <algorithm>
#include <cmath>

#include "core/retrieval/voting.h"

namespace antiphon::retrieval {
namespace {

std::vector<Vote> VotesOf(std::span<const Neighbour> neighbours) {
  std::vector<Vote> votes;
  votes.reserve(neighbours.size());
  for (const Neighbour& n : neighbours) {
    votes.push_back({n.window, n.source, n.query_middle_s(), n.reference_middle_s(), n.slope(), n.similarity});
  }
  return votes;
}

// The best score among sources of other pieces than that of scores[of]; scores are best first.
double BestOther(const std::vector<SourceScore>& scores, size_t of, const std::function<bool(int, int)>& same_piece) {
  for (size_t i = 0; i < scores.size(); ++i) {
    if (i != of && !same_piece(scores[i].source, scores[of].source)) return scores[i].score;
  }
  return 0;
}

}  // namespace

double Confidence(const ConfidenceModel& model, double score, double best_other_score) {
  const double margin = VoteMargin(score, best_other_score);
  return 1.0 / (1.0 + std::exp(-(model.bias + model.score_weight * score + model.margin_weight * margin)));
}

Identification Judge(std::span<const Neighbour> neighbours, int windows, catalog::Side side,
                     const IdentifyOptions& options, const std::function<bool(int, int)>& same_piece) {
  const std::vector<Vote> votes = VotesOf(neighbours);
  const bool in_time = options.method == VoteMethod::kInTime;
  const std::vector<SourceScore> scores =
      in_time ? VoteInTime(votes, windows, {.source_is_sound = side == catalog::Side::kRecordings}) : PlainVote(votes);
  // Plain scores are counts; their shares are comparable between queries.
  const double scale = in_time ? 1.0 : 1.0 / std::max<double>(1.0, static_cast<double>(votes.size()));
  Identification result;
  result.windows = windows;
  const size_t count = std::min(scores.size(), static_cast<size_t>(options.top_k));
  for (size_t i = 0; i < count; ++i) {
    const SourceScore& score = scores[i];
    const double confidence = Confidence(in_time ? kInTimeConfidence : kPlainConfidence, scale * score.score,
                                         scale * BestOther(scores, i, same_piece));
    result.candidates.push_back(
        {score.source, confidence, score.score, score.votes, score.query_s, score.reference_s, score.slope});
  }
  const bool match = !result.candidates.empty() && result.candidates[0].confidence >= options.min_confidence;
  result.verdict = match ? Verdict::kMatch : Verdict::kNoMatch;
  return result;
}

}  // namespace antiphon::retrieval
