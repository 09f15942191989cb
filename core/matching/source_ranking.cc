#include "core/matching/source_ranking.h"

#include <algorithm>
#include <cstdlib>

namespace antiphon::matching {
namespace {

std::vector<Vote> VotesOf(std::span<const Neighbour> neighbours) {
  std::vector<Vote> votes;
  votes.reserve(neighbours.size());
  for (const Neighbour& n : neighbours) {
    votes.push_back({n.window, n.source, n.match.middle(), n.match.slope, n.similarity,
                     n.match.query.length_s()});
  }
  return votes;
}

// The best score among sources of other pieces than that of scores[of]; scores are best first, so
// that the first one of another piece is it.
double BestOther(std::span<const SourceScore> scores, size_t of,
                 const std::function<bool(int, int)>& same_piece) {
  for (size_t i = 0; i < scores.size(); ++i) {
    if (i != of && !same_piece(scores[i].source, scores[of].source)) return scores[i].score;
  }
  return 0;
}

}  // namespace

std::vector<SourceScore> RankSources(std::span<const Neighbour> neighbours, int windows,
                                     catalog::Side side, VoteMethod method) {
  const std::vector<Vote> votes = VotesOf(neighbours);
  if (method == VoteMethod::kInTime) {
    return VoteInTime(votes, windows, {.source_is_audio = side == catalog::Side::kRecordings});
  }
  // Counts grow with the query; shares can be compared between queries. Without votes there are no
  // scores to divide.
  std::vector<SourceScore> scores = PlainVote(votes);
  for (SourceScore& score : scores) score.score /= static_cast<double>(votes.size());
  return scores;
}

Identification Judge(std::span<const SourceScore> scores, int windows, const ConfidenceModel& model,
                     const IdentifyOptions& options,
                     const std::function<bool(int, int)>& same_piece, int transposition) {
  // The search goes outwards a semitone at a time and ends at the first distance with a match: at
  // distance d it has tried the pitch as played and d on either side.
  const int chances = 1 + 2 * std::abs(transposition);
  Identification result;
  result.windows = windows;
  const size_t count = std::min(scores.size(), static_cast<size_t>(options.top_k));
  for (size_t i = 0; i < count; ++i) {
    const SourceScore& score = scores[i];
    const double confidence =
        Confidence(model, score.score, BestOther(scores, i, same_piece), windows, chances);
    result.candidates.push_back({.source = score.source,
                                 .confidence = confidence,
                                 .score = score.score,
                                 .votes = score.votes,
                                 .transposition = transposition,
                                 .place = score.place,
                                 .match = score.match,
                                 .similarity = score.similarity});
  }
  const double threshold = options.min_confidence.value_or(model.threshold);
  const bool match = !result.candidates.empty() && result.candidates[0].confidence >= threshold;
  result.verdict = match ? Verdict::kMatch : Verdict::kNoMatch;
  return result;
}

}  // namespace antiphon::matching
