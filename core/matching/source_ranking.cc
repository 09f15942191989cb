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
                     n.match.query.length_s(), n.part});
  }
  return votes;
}

// The best score of the candidate's music, and that of any other. Scores are best first.
struct Standing {
  double score = 0;
  double rival = 0;  // in the collection
};

Standing StandingOf(std::span<const SourceScore> scores, size_t of, const Rivals& rivals) {
  Standing standing{scores[of].score};
  bool same_found = false;
  for (size_t i = 0; i < scores.size(); ++i) {
    const bool same = i == of || rivals.same_music(scores[i].source, scores[of].source);
    if (same && !same_found) standing.score = scores[i].score;
    same_found = same_found || same;
    if (same) continue;
    standing.rival = std::max(standing.rival, scores[i].score);
    if (same_found) break;
  }
  return standing;
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
                     const IdentifyOptions& options, const Rivals& rivals, int transposition) {
  // The search goes outwards a semitone at a time and ends at the first distance with a match: at
  // distance d it has tried the pitch as played and d on either side.
  const int chances = 1 + 2 * std::abs(transposition);
  Identification result;
  result.background = rivals.background;
  const size_t count = std::min(scores.size(), static_cast<size_t>(options.top_k));
  for (size_t i = 0; i < count; ++i) {
    const SourceScore& score = scores[i];
    const Standing standing = StandingOf(scores, i, rivals);
    const double confidence = Confidence(
        model, standing.score, std::max(standing.rival, rivals.background), windows, chances);
    if (i == 0) result.rival = standing.rival;
    result.candidates.push_back({.source = score.source,
                                 .confidence = confidence,
                                 .score = score.score,
                                 .votes = score.votes,
                                 .transposition = transposition,
                                 .place = score.place,
                                 .match = score.match,
                                 .similarity = score.similarity,
                                 .part = score.part});
  }
  const double threshold = options.min_confidence.value_or(model.threshold);
  const bool match = !result.candidates.empty() && result.candidates[0].confidence >= threshold;
  result.verdict = match ? Verdict::kMatch : Verdict::kNoMatch;
  return result;
}

}  // namespace antiphon::matching
