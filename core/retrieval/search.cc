#include "core/retrieval/search.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/retrieval/collection_builder.h"
#include "core/retrieval/hits.h"
#include "core/retrieval/identify.h"
#include "core/retrieval/path_match.h"
#include "core/retrieval/query.h"
#include "core/retrieval/stages.h"

namespace antiphon::retrieval {
namespace {

using catalog::Side;

absl::Status CheckRange(const char* name, int value, int low, int high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " must be from ", low, " to ", high, ", is ", value));
}

constexpr int kMaxQueryWindows = 100'000;

absl::Status Check(const SearchOptions& options) {
  if (auto status = CheckRange("top_k", options.top_k, 1, 1000); !status.ok()) return status;
  return CheckRange("max_windows", options.max_windows, 1, kMaxQueryWindows);
}

absl::Status Check(const IdentifyOptions& options) {
  if (auto status = CheckRange("top_k", options.top_k, 1, 100); !status.ok()) return status;
  if (auto status = CheckRange("neighbours", options.neighbours, 1, 1000); !status.ok()) return status;
  if (options.min_confidence && !(*options.min_confidence >= 0 && *options.min_confidence <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat("min_confidence must be from 0 to 1, is ", *options.min_confidence));
  }
  return CheckRange("max_windows", options.max_windows, 1, kMaxQueryWindows);
}

absl::Status CheckEmbedded(const CollectionParts& parts, const EmbeddingSequence& windows, double duration_s) {
  const int dimension = parts.audio_encoder->info().dimension;
  if (windows.dimension != dimension || windows.embeddings.size() != windows.start_s.size() * dimension) {
    return absl::InvalidArgumentError(absl::StrCat("windows must be of ", dimension, " dimensions"));
  }
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(windows.start_s.begin(), windows.start_s.end(), finite) || !finite(duration_s) ||
      !(windows.hop_s > 0) || !(windows.window_s > 0) || !(windows.tempo_ratio > 0)) {
    return absl::InvalidArgumentError("windows must have finite times, and a positive hop, length and tempo ratio");
  }
  if (windows.start_s.size() > kMaxQueryWindows) {
    return absl::InvalidArgumentError(absl::StrCat("windows must be at most ", kMaxQueryWindows));
  }
  return absl::OkStatus();
}

// Neighbours asked for each window: one place is found several times, by neighbouring windows and tempi.
int NeighboursForHits(int top_k) { return std::clamp(8 * top_k, 64, 1000); }

// Cut to what there is, on both sides alike: windows at an end may be padded. Requires tempo ratios that still are
// seconds of the source per second of the query.
void CutToSources(const CollectionParts& parts, Side side, double query_duration_s, std::vector<Hit>& hits) {
  for (Hit& hit : hits) {
    const double slope = hit.tempo_ratio;
    const double excess_s = std::max({0.0, hit.query_end_s - query_duration_s,
                                      (hit.reference_end_s - parts.contents->duration_s(side, hit.source)) / slope});
    hit.query_end_s = std::max(hit.query_start_s, hit.query_end_s - excess_s);
    hit.reference_end_s = std::max(hit.reference_start_s, hit.reference_end_s - excess_s * slope);
  }
}

absl::StatusOr<std::vector<Hit>> Search(const CollectionParts& parts, Side side, const EmbeddedQuery& query, int top_k,
                                        Stages& stages) {
  absl::StatusOr<std::vector<Neighbour>> neighbours =
      FindNeighbours(parts, side, query, NeighboursForHits(top_k), {}, stages);
  if (!neighbours.ok()) return neighbours.status();
  std::vector<Hit> hits = MergeIntoHits(*neighbours, top_k);
  CutToSources(parts, side, query.duration_s, hits);
  return hits;
}

// Looks at the best sources again, window by window, and ranks them anew by what that finds.
absl::Status FollowPaths(const CollectionParts& parts, Side side, const EmbeddedQuery& query, int top_k,
                         std::vector<SourceScore>& scores) {
  // A long query names its piece by votes alone: the fewer sources need another look, which costs time by the window.
  const int wanted = std::max(top_k, std::clamp(1600 / std::max(1, query.windows), 5, 20));
  scores.resize(std::min(scores.size(), static_cast<size_t>(wanted)));
  std::vector<int> sources;
  for (const SourceScore& score : scores) sources.push_back(score.source);
  const absl::StatusOr<std::vector<PathMatch>> paths = MatchPaths(parts, side, query, sources);
  if (!paths.ok()) return paths.status();
  for (size_t i = 0; i < scores.size(); ++i) {
    const PathMatch& path = (*paths)[i];
    if (path.windows == 0) continue;
    scores[i] = {scores[i].source, path.score, scores[i].votes, path.query_s, path.reference_s, path.slope};
  }
  std::stable_sort(scores.begin(), scores.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  return absl::OkStatus();
}

absl::StatusOr<Identification> Identify(const CollectionParts& parts, Side side, const EmbeddedQuery& query,
                                        const IdentifyOptions& options, Stages& stages) {
  if (!query.sufficient) return Identification{Verdict::kInsufficientInput, 0, {}};
  const absl::StatusOr<std::vector<Neighbour>> neighbours =
      FindNeighbours(parts, side, query, options.neighbours, {}, stages);
  if (!neighbours.ok()) return neighbours.status();
  const auto same_piece = [&](int a, int b) {
    if (side == Side::kScores) return a == b;
    const std::vector<catalog::Recording>& recordings = parts.contents->recordings();
    return a == b || (!recordings[a].piece_id.empty() && recordings[a].piece_id == recordings[b].piece_id);
  };
  auto result = stages.Run(Stage::kVote, [&]() -> absl::StatusOr<Identification> {
    std::vector<SourceScore> scores = RankSources(*neighbours, query.windows, side, options.method);
    if (options.method == VoteMethod::kInTime && options.follow_paths) {
      if (absl::Status status = FollowPaths(parts, side, query, options.top_k, scores); !status.ok()) return status;
    }
    return Judge(scores, query.windows, parts.confidence, options, same_piece);
  });
  if (!result.ok()) return result.status();
  for (Candidate& candidate : result->candidates) {
    candidate.query_s = std::clamp(candidate.query_s, 0.0, query.duration_s);
    candidate.reference_s = std::clamp(candidate.reference_s, 0.0, parts.contents->duration_s(side, candidate.source));
  }
  return result;
}

// Tempi at which a score is looked for in recordings, which are indexed at one.
std::vector<double> QueryTempoRatios() { return DefaultTempoRatios(); }

// The plain vote takes its snippets one by one from all over the query (Dorfer et al. 2018); votes that are to agree in
// time need stretches.
WindowPlan PlanOf(const IdentifyOptions& options) {
  WindowPlan plan{.hop_s = options.hop_s, .max_windows = options.max_windows};
  if (options.method == VoteMethod::kPlain) plan.stretch_windows = 1;
  return plan;
}

}  // namespace

absl::StatusOr<std::vector<Hit>> SearchScores(const CollectionParts& parts, const audio::Waveform& query,
                                              const SearchOptions& options, const RequestContext& context) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  Stages stages(context);
  const auto embedded =
      EmbedAudioQuery(parts, query, {.hop_s = options.hop_s, .max_windows = options.max_windows}, stages);
  if (!embedded.ok()) return embedded.status();
  return Search(parts, Side::kScores, *embedded, options.top_k, stages);
}

absl::StatusOr<std::vector<Hit>> SearchRecordings(const CollectionParts& parts, const music::Score& query,
                                                  const SearchOptions& options, const RequestContext& context) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  Stages stages(context);
  const auto embedded = EmbedScoreQuery(parts, query, QueryTempoRatios(),
                                        {.hop_s = options.hop_s, .max_windows = options.max_windows}, stages);
  if (!embedded.ok()) return embedded.status();
  auto hits = Search(parts, Side::kRecordings, *embedded, options.top_k, stages);
  if (!hits.ok()) return hits.status();
  for (Hit& hit : *hits) hit.tempo_ratio = 1 / hit.tempo_ratio;
  return hits;
}

absl::StatusOr<Identification> IdentifyAudio(const CollectionParts& parts, const audio::Waveform& query,
                                             const IdentifyOptions& options, const RequestContext& context) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  Stages stages(context);
  const auto embedded = EmbedAudioQuery(parts, query, PlanOf(options), stages);
  if (!embedded.ok()) return embedded.status();
  return Identify(parts, Side::kScores, *embedded, options, stages);
}

absl::StatusOr<Identification> IdentifyScore(const CollectionParts& parts, const music::Score& query, Side side,
                                             const IdentifyOptions& options, const RequestContext& context) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  Stages stages(context);
  // Scores are indexed at every tempo, so that one of the query's is enough. The plain vote, which would count the
  // neighbours of wrong tempi as much as those of the right one, reads the score as written (Dorfer et al. 2018).
  const bool as_written = side == Side::kScores || options.method == VoteMethod::kPlain;
  const std::vector<double> ratios = as_written ? std::vector<double>{1.0} : QueryTempoRatios();
  const auto embedded = EmbedScoreQuery(parts, query, ratios, PlanOf(options), stages);
  if (!embedded.ok()) return embedded.status();
  auto result = Identify(parts, side, *embedded, options, stages);
  if (!result.ok() || side == Side::kScores) return result;
  for (Candidate& candidate : result->candidates) candidate.tempo_ratio = 1 / candidate.tempo_ratio;
  return result;
}

absl::StatusOr<Identification> IdentifyEmbedded(const CollectionParts& parts, EmbeddingSequence windows,
                                                double duration_s, const IdentifyOptions& options,
                                                const RequestContext& context) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  if (absl::Status status = CheckEmbedded(parts, windows, duration_s); !status.ok()) return status;
  Stages stages(context);
  return Identify(parts, Side::kScores, QueryOf(std::move(windows), duration_s), options, stages);
}

absl::StatusOr<EmbeddingSequence> EmbedAudio(const CollectionParts& parts, const audio::Waveform& query,
                                             const WindowPlan& plan, const RequestContext& context) {
  Stages stages(context);
  const auto sequence = stages.Run(Stage::kFeatures, [&] { return AudioFeatures(*parts.front_end, query); });
  if (!sequence.ok()) return sequence.status();
  return stages.Run(Stage::kEncode, [&] {
    return EmbedFeatures(*parts.audio_encoder, *sequence, 1.0, plan, [&stages] { return stages.KeepGoing(); });
  });
}

absl::StatusOr<EmbeddingSequence> EmbedScore(const CollectionParts& parts, const music::Score& query,
                                             double tempo_ratio, const WindowPlan& plan,
                                             const RequestContext& context) {
  Stages stages(context);
  const auto sequence = stages.Run(
      Stage::kFeatures, [&] { return ScoreFeatures(parts.score_encoder->info().settings, query, tempo_ratio); });
  if (!sequence.ok()) return sequence.status();
  return stages.Run(Stage::kEncode, [&] {
    return EmbedFeatures(*parts.score_encoder, *sequence, tempo_ratio, plan, [&stages] { return stages.KeepGoing(); });
  });
}

}  // namespace antiphon::retrieval
