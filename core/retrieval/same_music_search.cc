#include "core/retrieval/same_music_search.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "core/base/status_macros.h"
#include "core/matching/source_ranking.h"
#include "core/music/same_music.h"
#include "core/retrieval/heard_passages.h"
#include "core/retrieval/path_match.h"
#include "core/retrieval/query.h"
#include "core/retrieval/read_score.h"
#include "core/retrieval/search_space.h"
#include "core/retrieval/whole_path.h"

namespace antiphon::retrieval {
namespace {

using catalog::Side;
using matching::SharedMusic;

// Windows that look for the piece: so many stretches of it, each so long.
constexpr int64_t kStretches = 8, kStretchWindows = 16;
constexpr int kNeighbours = 25;
constexpr int kMostOthers = 20;  // pieces whose notes are compared
// Mean cosine of the best stretch from which notes are compared: the same notes are read alike by
// one encoder, up to what an edition changes.
constexpr double kSimilar = 0.7;
constexpr int kLeastWindows = 8;  // on that stretch
constexpr double kLeast_s = 8.0;
// A passage is compared in parts of this length: it may leave the other piece's notes half way.
constexpr double kPart_s = 8.0;

// The piece's windows as it is written, in order of time.
matching::EmbeddingSequence AsWritten(const std::vector<SearchSpace::Run>& runs, int dimension) {
  matching::EmbeddingSequence sequence{.dimension = dimension};
  double nearest = 0;  // of the tempi that there are
  for (const auto& [run, vectors] : runs) {
    if (nearest == 0 || std::abs(std::log(run.tempo_ratio)) < std::abs(std::log(nearest)))
      nearest = run.tempo_ratio;
  }
  for (const auto& [run, vectors] : runs) {
    if (run.tempo_ratio != nearest || !(run.hop_s > 0)) continue;
    sequence.tempo_ratio = run.tempo_ratio;
    sequence.window_s = run.window_s;
    sequence.hop_s = run.hop_s;
    for (int64_t i = 0; i < run.count; ++i)
      sequence.start_s.push_back(run.start_s + static_cast<double>(i) * run.hop_s);
    sequence.embeddings.insert(sequence.embeddings.end(), vectors.begin(), vectors.end());
  }
  return sequence;
}

// Stretches from all over the sequence.
matching::EmbeddingSequence Sampled(const matching::EmbeddingSequence& all) {
  const auto count = static_cast<int64_t>(all.start_s.size());
  constexpr int64_t kMost = kStretches * kStretchWindows;
  if (count <= kMost) return all;
  matching::EmbeddingSequence sampled = all;
  sampled.start_s.clear();
  sampled.embeddings.clear();
  for (int64_t i = 0; i < kStretches; ++i) {
    const int64_t begin = i * (count - kStretchWindows) / (kStretches - 1);
    const int64_t end = begin + kStretchWindows;
    sampled.start_s.insert(sampled.start_s.end(), all.start_s.begin() + begin,
                           all.start_s.begin() + end);
    sampled.embeddings.insert(sampled.embeddings.end(),
                              all.embeddings.begin() + begin * all.dimension,
                              all.embeddings.begin() + end * all.dimension);
  }
  return sampled;
}

// Parts of a passage, each with the moments in it.
std::vector<music::HeardPassage> PartsOf(const music::HeardPassage& passage) {
  std::vector<music::HeardPassage> parts;
  const double length_s = passage.back().heard_s - passage.front().heard_s;
  const int count = std::max(1, static_cast<int>(length_s / kPart_s));
  for (const music::HeardAt& at : passage) {
    const auto part = std::min(count - 1, static_cast<int>((at.heard_s - passage.front().heard_s) *
                                                           count / std::max(1e-9, length_s)));
    while (std::ssize(parts) <= part) {
      music::HeardPassage next;
      if (!parts.empty()) next.push_back(parts.back().back());  // they join
      parts.push_back(std::move(next));
    }
    if (parts.back().empty() || at.heard_s > parts.back().back().heard_s)
      parts.back().push_back(at);
  }
  std::erase_if(parts, [](const music::HeardPassage& part) { return part.size() < 2; });
  return parts;
}

// The stretches of the passage along which both scores have the same notes.
void AppendShared(const music::Score& score, const music::Score& other,
                  const music::HeardPassage& passage, SharedMusic pair,
                  std::vector<SharedMusic>& shared) {
  bool open = false;
  for (const music::HeardPassage& part : PartsOf(passage)) {
    const music::HeardAt &first = part.front(), &last = part.back();
    const music::HeardPassage itself = {{first.heard_s, first.heard_s},
                                        {last.heard_s, last.heard_s}};
    const auto here = music::OnsetsHeard(score, {&itself, 1});
    const auto there = music::OnsetsHeard(other, {&part, 1});
    const bool same = music::IsSameMusic(music::CompareOnsets(here, there));
    if (same && open) {
      shared.back().in_piece.end_s = last.heard_s;
      shared.back().in_other.end_s = last.score_s;
    } else if (same) {
      pair.in_piece = {first.heard_s, last.heard_s};
      pair.in_other = {first.score_s, last.score_s};
      shared.push_back(pair);
    }
    open = same;
  }
}

// Pieces whose windows are much like the piece's in some stretch, and about how fast they go by.
absl::StatusOr<std::vector<std::pair<int, double>>> Proposed(
    const collection::LoadedCollection& loaded, int piece,
    const matching::EmbeddingSequence& windows, matching::StageTimer& timer) {
  std::vector<bool> others(loaded.view->pieces().size(), true);
  others[piece] = false;
  const SearchSpace space = SpaceOf(*loaded.view, Side::kScores, {.sources = std::move(others)});
  const EmbeddedQuery query = QueryOf(Sampled(windows), windows.start_s.back() + windows.window_s);
  ASSIGN_OR_RETURN(auto neighbours, FindNeighbours(space, query, kNeighbours, timer));
  // Pieces are compared whole.
  std::erase_if(neighbours, [](const matching::Neighbour& n) { return n.part != catalog::kWhole; });
  return timer.Run(
      matching::Stage::kVote, [&]() -> absl::StatusOr<std::vector<std::pair<int, double>>> {
        auto ranked = matching::RankSources(neighbours, query.windows, Side::kScores,
                                            matching::VoteMethod::kInTime);
        ranked.resize(std::min<size_t>(ranked.size(), kMostOthers));
        std::vector<Reading> readings;
        readings.reserve(ranked.size());
        for (const matching::SourceScore& score : ranked) readings.push_back({score.source});
        ASSIGN_OR_RETURN(const std::vector<PathMatch> paths,
                         MatchPaths(space, query, readings, [&] { return timer.KeepGoing(); }));
        std::vector<std::pair<int, double>> proposed;
        for (size_t i = 0; i < readings.size(); ++i) {
          if (paths[i].similarity >= kSimilar && paths[i].windows >= kLeastWindows)
            proposed.emplace_back(readings[i].source, paths[i].match.slope);
        }
        return proposed;
      });
}

}  // namespace

absl::StatusOr<std::vector<SharedMusic>> FindSameMusic(const collection::LoadedCollection& loaded,
                                                       int piece, matching::StageTimer& timer) {
  std::vector<SharedMusic> shared;
  if (loaded.view->duration_s(Side::kScores, piece) < kLeast_s) return shared;
  ASSIGN_OR_RETURN(const auto runs,
                   loaded.view->ReadRuns(Side::kScores, piece, {.part = catalog::kWhole}));
  const matching::EmbeddingSequence windows = AsWritten(runs, loaded.manifest.dimension);
  if (windows.start_s.empty()) return shared;
  ASSIGN_OR_RETURN(const auto proposed, Proposed(loaded, piece, windows, timer));
  if (proposed.empty()) return shared;
  ASSIGN_OR_RETURN(const auto score, ReadScore(loaded, piece));
  for (const auto& [other, slope] : proposed) {
    ASSIGN_OR_RETURN(const auto other_runs,
                     loaded.view->ReadRuns(Side::kScores, other, {.part = catalog::kWhole}));
    ASSIGN_OR_RETURN(const WholePath path, timer.Run(matching::Stage::kVote, [&, slope = slope] {
      return TraceWhole(windows, other_runs, slope, [&] { return timer.KeepGoing(); });
    }));
    ASSIGN_OR_RETURN(const auto other_score, ReadScore(loaded, other));
    for (const music::HeardPassage& passage : HeardPassagesOf(path))
      AppendShared(*score, *other_score, passage, {.piece = piece, .other = other}, shared);
  }
  std::erase_if(shared, [](const SharedMusic& one) { return one.in_piece.length_s() < kLeast_s; });
  std::stable_sort(shared.begin(), shared.end(), [](const auto& a, const auto& b) {
    return a.in_piece.length_s() > b.in_piece.length_s();
  });
  return shared;
}

}  // namespace antiphon::retrieval
