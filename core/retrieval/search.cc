// The requests of a BundleCollection.
#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/collection/bundle_builder.h"
#include "core/features/transposition.h"
#include "core/matching/evidence.h"
#include "core/matching/hits.h"
#include "core/matching/source_ranking.h"
#include "core/matching/stage_timer.h"
#include "core/retrieval/bundle_collection.h"
#include "core/retrieval/path_match.h"
#include "core/retrieval/query.h"
#include "core/retrieval/search_filter.h"

namespace antiphon::retrieval {
namespace {

using catalog::Side;

absl::Status Check(const matching::SearchOptions& options) {
  RETURN_IF_ERROR(CheckRange("top_k", options.top_k, matching::SearchOptions::kTopKRange));
  RETURN_IF_ERROR(CheckRange("max_windows", options.max_windows, matching::kQueryWindowsRange));
  return CheckFilter(options.filter);
}

absl::Status Check(const collection::LoadedCollection& loaded,
                   const matching::IdentifyOptions& options) {
  using Options = matching::IdentifyOptions;
  RETURN_IF_ERROR(CheckRange("top_k", options.top_k, Options::kTopKRange));
  RETURN_IF_ERROR(CheckRange("neighbours", options.neighbours, Options::kNeighboursRange));
  RETURN_IF_ERROR(CheckRange("min_confidence", options.min_confidence.value_or(0),
                             Options::kMinConfidenceRange));
  RETURN_IF_ERROR(CheckRange("max_windows", options.max_windows, matching::kQueryWindowsRange));
  RETURN_IF_ERROR(
      CheckRange("max_transposition", options.max_transposition, Options::kMaxTranspositionRange));
  if (options.max_transposition > 0 && features::BandsPerSemitone(loaded.settings()) == 0) {
    return absl::InvalidArgumentError(
        "max_transposition must be 0 with this model, whose bands fit no semitone");
  }
  return CheckFilter(options.filter);
}

absl::Status CheckEmbedded(const collection::LoadedCollection& loaded,
                           const matching::EmbeddingSequence& windows, double duration_s) {
  const int dimension = loaded.audio_encoder->info().dimension;
  if (windows.dimension != dimension ||
      windows.embeddings.size() != windows.start_s.size() * dimension) {
    return absl::InvalidArgumentError(
        absl::StrCat("windows must be of ", dimension, " dimensions"));
  }
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(windows.start_s.begin(), windows.start_s.end(), finite) || !finite(duration_s) ||
      !(windows.hop_s > 0) || !(windows.window_s > 0) || !(windows.tempo_ratio > 0)) {
    return absl::InvalidArgumentError(
        "windows must have finite times, and a positive hop, length and tempo ratio");
  }
  constexpr int kMostWindows = matching::kQueryWindowsRange.high;
  if (windows.start_s.size() > kMostWindows)
    return absl::InvalidArgumentError(absl::StrCat("windows must be at most ", kMostWindows));
  return absl::OkStatus();
}

// Neighbours asked for each window: one place is found several times, by neighbouring windows and
// tempi.
int NeighboursForHits(int top_k) { return std::clamp(8 * top_k, 64, 1000); }

// Cuts a match to what there is, on both sides alike: windows at an end may be padded.
void CutToSource(const EmbeddedQuery& query, double source_s, matching::Match& match) {
  matching::Span &asked = match.query, &found = match.reference;
  const double early_s =
      std::max({0.0, query.begin_s - asked.start_s, -found.start_s / match.slope});
  const double late_s =
      std::max({0.0, asked.end_s - query.end_s, (found.end_s - source_s) / match.slope});
  asked.start_s += early_s;
  found.start_s += early_s * match.slope;
  asked.end_s = std::max(asked.start_s, asked.end_s - late_s);
  found.end_s = std::max(found.start_s, found.end_s - late_s * match.slope);
}

template <typename Answer>
void CutWithEvidence(const EmbeddedQuery& query, double source_s, Answer& answer) {
  CutToSource(query, source_s, answer.match);
  for (matching::Evidence& evidence : answer.evidence) CutToSource(query, source_s, evidence.match);
}

absl::StatusOr<std::vector<matching::Neighbour>> NeighboursWithin(
    const collection::LoadedCollection& loaded, Side side, const EmbeddedQuery& query, int k,
    const matching::SearchFilter& filter, matching::StageTimer& timer) {
  ASSIGN_OR_RETURN(
      std::vector<matching::Neighbour> neighbours,
      FindNeighbours(loaded, side, query, k, Resolve(*loaded.view, side, filter), timer));
  std::erase_if(neighbours,
                [&](const matching::Neighbour& n) { return n.similarity < filter.min_similarity; });
  return neighbours;
}

absl::StatusOr<std::vector<matching::Hit>> Search(const collection::LoadedCollection& loaded,
                                                  Side side, const EmbeddedQuery& query,
                                                  const matching::SearchOptions& options,
                                                  matching::StageTimer& timer) {
  ASSIGN_OR_RETURN(const std::vector<matching::Neighbour> neighbours,
                   NeighboursWithin(loaded, side, query, NeighboursForHits(options.top_k),
                                    options.filter, timer));
  std::vector<matching::Hit> hits =
      matching::MergeIntoHits(neighbours, options.top_k, options.evidence);
  for (matching::Hit& hit : hits)
    CutWithEvidence(query, loaded.view->duration_s(side, hit.source), hit);
  return hits;
}

// Looks at the best sources again, window by window, and ranks them anew by what that finds.
absl::Status FollowPaths(const collection::LoadedCollection& loaded, Side side,
                         const EmbeddedQuery& query, int top_k, const matching::StageTimer& timer,
                         std::vector<matching::SourceScore>& scores) {
  // A long query names its piece by votes alone: the fewer sources need another look, which costs
  // time by the window.
  const int wanted = std::max(top_k, std::clamp(1600 / std::max(1, query.windows), 5, 20));
  scores.resize(std::min(scores.size(), static_cast<size_t>(wanted)));
  std::vector<int> sources;
  for (const matching::SourceScore& score : scores) sources.push_back(score.source);
  ASSIGN_OR_RETURN(const std::vector<PathMatch> paths,
                   MatchPaths(loaded, side, query, sources, [&] { return timer.KeepGoing(); }));
  for (size_t i = 0; i < scores.size(); ++i) {
    const PathMatch& path = paths[i];
    if (path.windows == 0) continue;
    scores[i].score = path.score;
    scores[i].place = path.place;
    scores[i].match = path.match;
    scores[i].similarity = path.similarity;
  }
  std::stable_sort(scores.begin(), scores.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  return absl::OkStatus();
}

// The neighbours that spoke for each candidate.
void AddEvidence(std::span<const matching::Neighbour> neighbours,
                 std::vector<matching::Candidate>& candidates) {
  std::unordered_map<int, matching::Candidate*> by_source;
  for (matching::Candidate& candidate : candidates) by_source[candidate.source] = &candidate;
  for (const matching::Neighbour& neighbour : neighbours) {
    const auto it = by_source.find(neighbour.source);
    if (it != by_source.end()) it->second->evidence.push_back(matching::EvidenceOf(neighbour));
  }
  for (matching::Candidate& candidate : candidates) matching::TidyEvidence(candidate.evidence);
}

// `transposition`: of the query over its source, undone in `query`.
absl::StatusOr<matching::Identification> Identify(const collection::LoadedCollection& loaded,
                                                  Side side, const EmbeddedQuery& query,
                                                  int transposition,
                                                  const matching::IdentifyOptions& options,
                                                  matching::StageTimer& timer) {
  if (!query.sufficient)
    return matching::Identification{matching::Verdict::kInsufficientInput, 0, {}};
  ASSIGN_OR_RETURN(
      const std::vector<matching::Neighbour> neighbours,
      NeighboursWithin(loaded, side, query, options.neighbours, options.filter, timer));
  const auto same_piece = [&](int a, int b) {
    if (side == Side::kScores) return a == b;
    const std::vector<catalog::Recording>& recordings = loaded.view->recordings();
    return a == b ||
           (!recordings[a].piece_id.empty() && recordings[a].piece_id == recordings[b].piece_id);
  };
  ASSIGN_OR_RETURN(
      auto result,
      timer.Run(matching::Stage::kVote, [&]() -> absl::StatusOr<matching::Identification> {
        std::vector<matching::SourceScore> scores =
            matching::RankSources(neighbours, query.windows, side, options.method);
        if (options.method == matching::VoteMethod::kInTime && options.follow_paths) {
          RETURN_IF_ERROR(FollowPaths(loaded, side, query, options.top_k, timer, scores));
        }
        return matching::Judge(scores, query.windows, loaded.confidence, options, same_piece,
                               transposition);
      }));
  if (options.evidence) AddEvidence(neighbours, result.candidates);
  for (matching::Candidate& candidate : result.candidates) {
    const double source_s = loaded.view->duration_s(side, candidate.source);
    matching::Place& place = candidate.place;
    place.query_s = std::clamp(place.query_s, query.begin_s, query.end_s);
    place.reference_s = std::clamp(place.reference_s, 0.0, source_s);
    CutWithEvidence(query, source_s, candidate);
  }
  return result;
}

// Asks at the pitch as it was played and, as long as there is no match, ever further off. `ask`
// answers about a query that is so many semitones higher than its source. Without a match, the
// answer is that as it was played.
absl::StatusOr<matching::Identification> AtAnyPitch(
    const matching::IdentifyOptions& options,
    const std::function<absl::StatusOr<matching::Identification>(int transposition)>& ask) {
  ASSIGN_OR_RETURN(matching::Identification as_played, ask(0));
  for (int distance = 1;
       distance <= options.max_transposition && as_played.verdict == matching::Verdict::kNoMatch;
       ++distance) {
    ASSIGN_OR_RETURN(matching::Identification higher, ask(distance));
    ASSIGN_OR_RETURN(matching::Identification lower, ask(-distance));
    const auto confidence = [](const matching::Identification& answer) {
      return answer.verdict == matching::Verdict::kMatch ? answer.candidates[0].confidence : -1;
    };
    matching::Identification& best = confidence(higher) >= confidence(lower) ? higher : lower;
    if (best.verdict == matching::Verdict::kMatch) return std::move(best);
  }
  return as_played;
}

// Tempi at which a score is looked for in recordings, which are indexed at one.
std::vector<double> QueryTempoRatios() { return collection::DefaultTempoRatios(); }

matching::WindowPlan PlanOf(const matching::SearchOptions& options) {
  return {.hop_s = options.hop_s, .max_windows = options.max_windows};
}

// The plain vote takes its snippets one by one from all over the query (Dorfer et al. 2018); votes
// that are to agree in time need stretches.
matching::WindowPlan PlanOf(const matching::IdentifyOptions& options) {
  matching::WindowPlan plan{.hop_s = options.hop_s, .max_windows = options.max_windows};
  if (options.method == matching::VoteMethod::kPlain) plan.stretch_windows = 1;
  return plan;
}

}  // namespace

absl::StatusOr<std::vector<matching::Hit>> BundleCollection::SearchScores(
    const audio::Waveform& query, const matching::SearchOptions& options,
    const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Check(options));
  matching::StageTimer timer(context);
  ASSIGN_OR_RETURN(const auto embedded,
                   EmbedAudioQuery(*loaded_, query, options.excerpt, PlanOf(options), timer));
  return Search(*loaded_, Side::kScores, embedded, options, timer);
}

absl::StatusOr<std::vector<matching::Hit>> BundleCollection::SearchRecordings(
    const music::Score& query, const matching::SearchOptions& options,
    const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Check(options));
  matching::StageTimer timer(context);
  ASSIGN_OR_RETURN(const auto embedded,
                   EmbedScoreQuery(*loaded_, query, options.excerpt, QueryTempoRatios(),
                                   PlanOf(options), timer));
  return Search(*loaded_, Side::kRecordings, embedded, options, timer);
}

absl::StatusOr<matching::Identification> BundleCollection::IdentifyAudio(
    const audio::Waveform& query, const matching::IdentifyOptions& options,
    const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Check(*loaded_, options));
  matching::StageTimer timer(context);
  ASSIGN_OR_RETURN(const auto audio, ReadAudioQuery(*loaded_, query, options.excerpt, timer));
  return AtAnyPitch(options, [&](int transposition) -> absl::StatusOr<matching::Identification> {
    ASSIGN_OR_RETURN(const auto embedded,
                     EmbedAudioQuery(*loaded_, audio, -transposition, PlanOf(options), timer));
    return Identify(*loaded_, Side::kScores, embedded, transposition, options, timer);
  });
}

absl::StatusOr<matching::Identification> BundleCollection::IdentifyScore(
    const music::Score& query, Side side, const matching::IdentifyOptions& options,
    const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Check(*loaded_, options));
  matching::StageTimer timer(context);
  // Scores are indexed at every tempo, so that one of the query's is enough. The plain vote, which
  // would count the neighbours of wrong tempi as much as those of the right one, reads the score as
  // written (Dorfer et al. 2018).
  const bool as_written = side == Side::kScores || options.method == matching::VoteMethod::kPlain;
  const std::vector<double> ratios = as_written ? std::vector<double>{1.0} : QueryTempoRatios();
  // A recording that is higher than the score asked about is found by the score made higher.
  const int towards_source = side == Side::kScores ? -1 : 1;
  return AtAnyPitch(options, [&](int transposition) -> absl::StatusOr<matching::Identification> {
    ASSIGN_OR_RETURN(const auto embedded,
                     EmbedScoreQuery(*loaded_, query, options.excerpt, ratios, PlanOf(options),
                                     timer, towards_source * transposition));
    return Identify(*loaded_, side, embedded, transposition, options, timer);
  });
}

absl::StatusOr<matching::Identification> BundleCollection::IdentifyEmbedded(
    matching::EmbeddingSequence windows, double duration_s,
    const matching::IdentifyOptions& options, const matching::RequestContext& context) const {
  RETURN_IF_ERROR(Check(*loaded_, options));
  RETURN_IF_ERROR(CheckEmbedded(*loaded_, windows, duration_s));
  matching::StageTimer timer(context);
  return Identify(*loaded_, Side::kScores, QueryOf(std::move(windows), duration_s),
                  /*transposition=*/0, options, timer);
}

absl::StatusOr<matching::EmbeddingSequence> BundleCollection::EmbedAudio(
    const audio::Waveform& query, const matching::WindowPlan& plan,
    const matching::RequestContext& context) const {
  matching::StageTimer timer(context);
  ASSIGN_OR_RETURN(const auto sequence, timer.Run(matching::Stage::kFeatures, [&] {
    return collection::AudioFeatures(*loaded_->front_end, query);
  }));
  return timer.Run(matching::Stage::kEncode, [&] {
    return collection::EmbedFeatures(*loaded_->audio_encoder, sequence, 1.0, plan,
                                     [&timer] { return timer.KeepGoing(); });
  });
}

absl::StatusOr<matching::EmbeddingSequence> BundleCollection::EmbedScore(
    const music::Score& query, double tempo_ratio, const matching::WindowPlan& plan,
    const matching::RequestContext& context) const {
  matching::StageTimer timer(context);
  ASSIGN_OR_RETURN(const auto sequence, timer.Run(matching::Stage::kFeatures, [&] {
    return collection::ScoreFeatures(loaded_->score_encoder->info().settings, query, tempo_ratio);
  }));
  return timer.Run(matching::Stage::kEncode, [&] {
    return collection::EmbedFeatures(*loaded_->score_encoder, sequence, tempo_ratio, plan,
                                     [&timer] { return timer.KeepGoing(); });
  });
}

}  // namespace antiphon::retrieval
