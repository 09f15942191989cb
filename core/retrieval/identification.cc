#include "core/retrieval/identification.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/base/status_macros.h"
#include "core/matching/evidence.h"
#include "core/matching/source_ranking.h"
#include "core/retrieval/explanations.h"
#include "core/retrieval/path_match.h"
#include "core/retrieval/search_filter.h"
#include "core/retrieval/search_space.h"

namespace antiphon::retrieval {
namespace {

using catalog::Side;

// Of the background that are followed window by window: its best is wanted, and no other.
constexpr int kBackgroundPaths = 5;
// Part of the best score from which a source is looked at closely. What explains less is far behind
// whatever music it is.
constexpr double kNear = 0.4;

// Of a query that goes by at about one tempo. In a longer one it need not be that of the votes that
// agree best.
constexpr double kOneTempo_s = 30;

// Which of two sources comes first where both explain a query equally well.
using Precedes = std::function<bool(int source, int other)>;

// By id: the order of copies of one score must not depend on where they lie in the collection,
// which merging changes.
Precedes ById(const collection::CollectionView& view, Side side) {
  return [&view, side](int source, int other) {
    return side == Side::kScores ? view.pieces()[source].id < view.pieces()[other].id
                                 : view.recordings()[source].id < view.recordings()[other].id;
  };
}

void SortBestFirst(const Precedes& precedes, std::vector<matching::SourceScore>& scores) {
  std::sort(scores.begin(), scores.end(), [&](const auto& a, const auto& b) {
    return a.score != b.score ? a.score > b.score : precedes(a.source, b.source);
  });
}

// Looks at the best `count` sources again, window by window, and ranks them anew by what that
// finds; the others are dropped. Requires scores that are best first.
absl::Status FollowPaths(const SearchSpace& space, const EmbeddedQuery& query, int count,
                         const matching::StageTimer& timer, const Precedes& precedes,
                         std::vector<matching::SourceScore>& scores) {
  scores.resize(std::min(scores.size(), static_cast<size_t>(count)));
  std::vector<Reading> readings;
  readings.reserve(scores.size());
  const bool one_tempo = query.end_s - query.begin_s <= kOneTempo_s;
  for (const matching::SourceScore& score : scores) {
    readings.push_back({score.source, score.part});
    if (one_tempo) readings.back().slope = score.match.slope;
  }
  ASSIGN_OR_RETURN(const std::vector<PathMatch> paths,
                   MatchPaths(space, query, readings, [&] { return timer.KeepGoing(); }));
  for (size_t i = 0; i < scores.size(); ++i) {
    const PathMatch& path = paths[i];
    if (path.windows == 0) continue;
    scores[i].score = path.score;
    scores[i].place = path.place;
    scores[i].match = path.match;
    scores[i].similarity = path.similarity;
  }
  SortBestFirst(precedes, scores);
  return absl::OkStatus();
}

// Windows that the query would have at the hop that confidence is fitted at, of no more than
// `max_windows`.
int WindowsAsFitted(const EmbeddedQuery& query, int max_windows) {
  constexpr double kHop_s = matching::IdentifyOptions::kFineHop_s;
  const double most = std::min<double>(max_windows, (query.end_s - query.begin_s) / kHop_s);
  const double windows = std::min(most, query.windows * query.sequences.at(0).hop_s / kHop_s);
  return std::max(query.windows, static_cast<int>(std::lround(windows)));
}

bool FollowsPaths(const matching::IdentifyOptions& options) {
  return options.method == matching::VoteMethod::kInTime && options.follow_paths;
}

// A long query names its piece by votes alone: the fewer sources need another look, which costs
// time by the window.
int PathsFor(const EmbeddedQuery& query, int top_k) {
  return std::max(top_k, std::clamp(1600 / std::max(1, query.windows), 5, 20));
}

// The score of the background's best passage, found as that of a source of the collection is.
absl::StatusOr<double> BackgroundScore(const SearchSpace& space, const EmbeddedQuery& query,
                                       const matching::IdentifyOptions& options,
                                       matching::StageTimer& timer) {
  ASSIGN_OR_RETURN(const std::vector<matching::Neighbour> neighbours,
                   FindNeighbours(space, query, options.neighbours, timer));
  return timer.Run(matching::Stage::kVote, [&]() -> absl::StatusOr<double> {
    std::vector<matching::SourceScore> scores =
        matching::RankSources(neighbours, query.windows, options.against, options.method);
    if (FollowsPaths(options)) {
      RETURN_IF_ERROR(FollowPaths(space, query, kBackgroundPaths, timer, std::less<int>(), scores));
    }
    return scores.empty() ? 0 : scores[0].score;
  });
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

// The windows that say where the whole query lies in a source that goes by at `slope`. Scores are
// indexed at every tempo and the query is read at one; the other way about, the query's tempo
// undoes the slope.
absl::StatusOr<matching::EmbeddingSequence> WindowsOfWhole(const EmbeddedQuery& query,
                                                           const EvenWindows& even_windows,
                                                           double slope) {
  const matching::EmbeddingSequence& nearest = *std::min_element(
      query.sequences.begin(), query.sequences.end(), [&](const auto& a, const auto& b) {
        return std::abs(std::log(a.tempo_ratio * slope)) <
               std::abs(std::log(b.tempo_ratio * slope));
      });
  if (!even_windows) return nearest;
  ASSIGN_OR_RETURN(matching::EmbeddingSequence even, even_windows(nearest.tempo_ratio));
  const auto count = static_cast<double>(even.start_s.size());
  if (count > 1) even.hop_s = (even.start_s.back() - even.start_s.front()) / (count - 1);
  return even;
}

// Whether a source explains the query well enough, beside the best, to be looked at closely.
bool IsNear(const matching::SourceScore& score, const matching::SourceScore& best) {
  return score.score >= kNear * best.score;
}

// Puts those of the same music as the best in the order of how much of the query each explains,
// where that differs, in the places that they have together.
absl::Status OrderEditions(Explanations& explanations, std::vector<matching::SourceScore>& scores) {
  std::vector<size_t> places;
  std::vector<std::pair<double, matching::SourceScore>> editions;
  for (size_t i = 0; i < scores.size() && IsNear(scores[i], scores[0]); ++i) {
    if (!explanations.SameMusic(scores[0].source, scores[i].source)) continue;
    ASSIGN_OR_RETURN(const WholePath* path, explanations.PathOf(scores[i].source));
    places.push_back(i);
    editions.emplace_back(path->score, scores[i]);
  }
  // Insertion keeps those that are tied as the ranking has them; there are few.
  for (size_t i = 1; i < editions.size(); ++i) {
    for (size_t k = i; k > 0 && editions[k].first > editions[k - 1].first + explanations.tie(); --k)
      std::swap(editions[k], editions[k - 1]);
  }
  for (size_t i = 0; i < places.size(); ++i) scores[places[i]] = editions[i].second;
  return explanations.status();
}

// Puts the candidate where the whole query lies in it, and says which others show the same music
// there.
absl::Status Explain(Explanations& explanations, std::span<const matching::SourceScore> scores,
                     matching::Candidate& candidate) {
  ASSIGN_OR_RETURN(const WholePath* path, explanations.PathOf(candidate.source));
  if (path->passages.empty()) return absl::OkStatus();
  candidate.place = path->place;
  candidate.match = path->match;
  candidate.similarity = path->similarity;
  for (const TracedPassage& passage : path->passages) candidate.passages.push_back(passage.match);
  std::vector<std::pair<double, matching::SameMusic>> others;
  for (const matching::SourceScore& score : scores) {
    if (score.source == candidate.source || !IsNear(score, scores[0]) ||
        !explanations.SameMusic(candidate.source, score.source))
      continue;
    ASSIGN_OR_RETURN(const WholePath* other, explanations.PathOf(score.source));
    const bool tied = std::abs(other->score - path->score) <= explanations.tie();
    others.push_back({other->score, {score.source, other->match, tied, score.part}});
  }
  std::stable_sort(others.begin(), others.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (auto& [weight, other] : others) candidate.same_music.push_back(other);
  return explanations.status();
}

// Looks at what is ranked best closely, and judges it. Requires a score.
absl::StatusOr<matching::Identification> Judge(
    const collection::LoadedCollection& loaded, Side side,
    const matching::EmbeddingSequence& windows, double background, int query_windows,
    int transposition, const matching::IdentifyOptions& options, const matching::StageTimer& timer,
    std::vector<matching::SourceScore> scores) {
  Explanations explanations(loaded, side, windows, timer);
  for (const matching::SourceScore& score : scores)
    explanations.Note(score.source, score.part, score.match.slope);
  RETURN_IF_ERROR(OrderEditions(explanations, scores));
  std::unordered_set<int> near;
  for (const matching::SourceScore& score : scores) {
    if (IsNear(score, scores[0])) near.insert(score.source);
  }
  const auto same_music = [&](int a, int b) {
    return a == b || (near.contains(a) && near.contains(b) && explanations.SameMusic(a, b));
  };
  matching::Identification result = matching::Judge(
      scores, query_windows, loaded.confidence, options, {same_music, background}, transposition);
  RETURN_IF_ERROR(explanations.status());
  for (matching::Candidate& candidate : result.candidates) {
    if (near.contains(candidate.source)) RETURN_IF_ERROR(Explain(explanations, scores, candidate));
  }
  return result;
}

// Keeps what the answer says within the query and the source.
void CutAnswer(const EmbeddedQuery& query, double source_s, matching::Candidate& candidate) {
  matching::Place& place = candidate.place;
  place.query_s = std::clamp(place.query_s, query.begin_s, query.end_s);
  place.reference_s = std::clamp(place.reference_s, 0.0, source_s);
  // Ends that windows reach beyond; of a whole with jumps, each end is that of its own passage.
  if (candidate.passages.empty()) {
    CutToSource(query, source_s, candidate.match);
  } else {
    for (matching::Match& passage : candidate.passages) CutToSource(query, source_s, passage);
    const matching::Match &first = candidate.passages.front(), &last = candidate.passages.back();
    candidate.match.query = {first.query.start_s, last.query.end_s};
    candidate.match.reference = {first.reference.start_s, last.reference.end_s};
  }
  for (matching::Evidence& evidence : candidate.evidence)
    CutToSource(query, source_s, evidence.match);
}

}  // namespace

IdentificationSpaces SpacesOf(const collection::LoadedCollection& loaded,
                              const matching::IdentifyOptions& options) {
  const Side side = options.against;
  IdentificationSpaces spaces{
      .sources = SpaceOf(*loaded.view, side, Resolve(*loaded.view, side, options.filter)),
      .background = {}};
  if (loaded.background != nullptr && !loaded.background->empty(side))
    spaces.background = SpaceOf(*loaded.background, side);
  return spaces;
}

IdentificationSpaces Remembering(IdentificationSpaces spaces, int dimension) {
  spaces.sources = Remembering(std::move(spaces.sources), dimension);
  if (spaces.background.has_value())
    spaces.background = Remembering(*std::move(spaces.background), dimension);
  return spaces;
}

absl::StatusOr<matching::Identification> Identify(const collection::LoadedCollection& loaded,
                                                  const IdentificationSpaces& spaces,
                                                  const EmbeddedQuery& query, int transposition,
                                                  const matching::IdentifyOptions& options,
                                                  const EvenWindows& even_windows,
                                                  matching::StageTimer& timer) {
  if (!query.sufficient) return matching::Identification{matching::Verdict::kInsufficientInput};
  const Side side = options.against;
  ASSIGN_OR_RETURN(
      const std::vector<matching::Neighbour> neighbours,
      NeighboursWithin(spaces.sources, query, options.neighbours, options.filter, timer));
  const Precedes precedes = ById(*loaded.view, side);
  double background = 0;
  if (spaces.background.has_value()) {
    ASSIGN_OR_RETURN(background, BackgroundScore(*spaces.background, query, options, timer));
  }
  ASSIGN_OR_RETURN(
      std::vector<matching::SourceScore> scores,
      timer.Run(
          matching::Stage::kVote, [&]() -> absl::StatusOr<std::vector<matching::SourceScore>> {
            std::vector<matching::SourceScore> ranked =
                matching::RankSources(neighbours, query.windows, side, options.method);
            SortBestFirst(precedes, ranked);
            if (FollowsPaths(options)) {
              RETURN_IF_ERROR(FollowPaths(spaces.sources, query, PathsFor(query, options.top_k),
                                          timer, precedes, ranked));
            }
            return ranked;
          }));
  matching::Identification result;
  if (!FollowsPaths(options) || scores.empty()) {
    const auto same_piece = [&](int a, int b) { return AreOfOnePiece(loaded, side, a, b); };
    result = matching::Judge(scores, WindowsAsFitted(query, options.max_windows), loaded.confidence,
                             options, {same_piece, background}, transposition);
  } else {
    ASSIGN_OR_RETURN(const matching::EmbeddingSequence windows,
                     WindowsOfWhole(query, even_windows, scores[0].match.slope));
    ASSIGN_OR_RETURN(result, timer.Run(matching::Stage::kVote, [&] {
      return Judge(loaded, side, windows, background, WindowsAsFitted(query, options.max_windows),
                   transposition, options, timer, std::move(scores));
    }));
  }
  result.windows = query.windows;
  if (options.evidence) AddEvidence(neighbours, result.candidates);
  for (matching::Candidate& candidate : result.candidates)
    CutAnswer(query, loaded.view->duration_s(side, candidate.source), candidate);
  return result;
}

}  // namespace antiphon::retrieval
