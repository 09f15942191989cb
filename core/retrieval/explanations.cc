#include "core/retrieval/explanations.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <utility>

#include "core/base/status_macros.h"
#include "core/retrieval/heard_passages.h"
#include "core/retrieval/read_score.h"
#include "core/retrieval/search_space.h"

namespace antiphon::retrieval {
namespace {

using catalog::Side;

// Mean cosine of two recordings' windows at the same places of the query, from which they are of
// the same music.
constexpr double kSameSound = 0.7;
constexpr int kLeastPlaces = 4;  // to compare
constexpr int kMostComparisons = 40;
// Of the scores of whole paths. Windows of a query in step with those of a score all lie equally
// far from them: scores then say how far that is as much as how well the music agrees.
constexpr double kTie = 0.01, kTieInStep = 0.05;

// The vector of the window whose middle lies nearest to a moment of the source; null without one
// within its hop.
const float* VectorAt(const std::vector<SearchSpace::Run>& runs, double middle_s, int dimension) {
  for (const auto& [run, vectors] : runs) {
    const auto index = std::llround((middle_s - run.window_s / 2 - run.start_s) / run.hop_s);
    if (index >= 0 && index < run.count) return vectors.data() + index * dimension;
  }
  return nullptr;
}

// Where the other path is at a moment of the query; NaN where it is nowhere.
double ReferenceAt(const WholePath& path, double query_s) {
  for (const TracedPassage& passage : path.passages) {
    const matching::Span& heard = passage.match.query;
    if (query_s < heard.start_s || query_s > heard.end_s) continue;
    for (const matching::Place& place : passage.trace) {
      if (place.query_s == query_s) return place.reference_s;
    }
  }
  return std::nan("");
}

}  // namespace

bool AreOfOnePiece(const collection::LoadedCollection& loaded, Side side, int one, int other) {
  if (one == other) return true;
  if (side == Side::kScores) return false;
  const std::vector<catalog::Recording>& recordings = loaded.view->recordings();
  const std::string& piece = recordings[one].piece_id;
  return !piece.empty() && piece == recordings[other].piece_id;
}

absl::StatusOr<const WholePath*> Explanations::PathOf(int source) {
  Source& kept = sources_[source];
  if (kept.path != nullptr) return kept.path.get();
  const auto [part, slope] = noted_.at(source);
  ASSIGN_OR_RETURN(const std::vector<SearchSpace::Run> runs,
                   loaded_.view->ReadRuns(side_, source, {.part = part}));
  ASSIGN_OR_RETURN(WholePath path,
                   TraceWhole(windows_, runs, slope, [this] { return timer_.KeepGoing(); }));
  kept.path = std::make_unique<const WholePath>(std::move(path));
  return kept.path.get();
}

double Explanations::tie() const {
  if (side_ == Side::kRecordings) return kTie;
  const double rate = loaded_.settings().frame_rate();
  const double apart = std::round(windows_.hop_s * rate);
  const double score_apart = std::round(loaded_.manifest.score_hop_s * rate);
  return score_apart > 0 && std::fmod(apart, score_apart) == 0 ? kTieInStep : kTie;
}

absl::StatusOr<const std::vector<music::Onset>*> Explanations::OnsetsOf(int piece) {
  ASSIGN_OR_RETURN(const WholePath* path, PathOf(piece));
  Source& kept = sources_[piece];
  if (kept.onsets != nullptr) return kept.onsets.get();
  ASSIGN_OR_RETURN(const std::shared_ptr<const music::Score> score, ReadScore(loaded_, piece));
  const int part = noted_.at(piece).part;
  const auto passages = HeardPassagesOf(*path);
  kept.onsets = std::make_unique<const std::vector<music::Onset>>(
      part == catalog::kWhole ? music::OnsetsHeard(*score, passages)
                              : music::OnsetsHeard(music::OnlyPart(*score, part), passages));
  return kept.onsets.get();
}

absl::StatusOr<bool> Explanations::SameNotes(int one, int other) {
  ASSIGN_OR_RETURN(const std::vector<music::Onset>* first, OnsetsOf(one));
  ASSIGN_OR_RETURN(const std::vector<music::Onset>* second, OnsetsOf(other));
  return music::IsSameMusic(music::CompareOnsets(*first, *second));
}

absl::StatusOr<bool> Explanations::SameSound(int one, int other) {
  if (AreOfOnePiece(loaded_, side_, one, other)) return true;
  ASSIGN_OR_RETURN(const WholePath* first, PathOf(one));
  ASSIGN_OR_RETURN(const WholePath* second, PathOf(other));
  ASSIGN_OR_RETURN(const auto first_runs, loaded_.view->ReadRuns(side_, one));
  ASSIGN_OR_RETURN(const auto second_runs, loaded_.view->ReadRuns(side_, other));
  const int dimension = loaded_.manifest.dimension;
  double sum = 0;
  int places = 0;
  for (const TracedPassage& passage : first->passages) {
    for (const matching::Place& place : passage.trace) {
      const double there_s = ReferenceAt(*second, place.query_s);
      if (std::isnan(there_s)) continue;
      const float* a = VectorAt(first_runs, place.reference_s, dimension);
      const float* b = VectorAt(second_runs, there_s, dimension);
      if (a == nullptr || b == nullptr) continue;
      sum += std::inner_product(a, a + dimension, b, 0.0);
      ++places;
    }
  }
  return places >= kLeastPlaces && sum / places >= kSameSound;
}

bool Explanations::SameMusic(int one, int other) {
  if (one == other) return true;
  const auto [low, high] = std::minmax(one, other);
  const int64_t pair = int64_t{low} << 32 | high;
  if (const auto known = same_.find(pair); known != same_.end()) return known->second;
  if (comparisons_ == kMostComparisons || !status_.ok()) return false;
  ++comparisons_;
  const absl::StatusOr<bool> same =
      side_ == Side::kScores ? SameNotes(low, high) : SameSound(low, high);
  if (!same.ok() && !absl::IsDataLoss(same.status())) status_ = same.status();
  return same_[pair] = same.ok() && *same;
}

}  // namespace antiphon::retrieval
