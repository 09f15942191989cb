// A query on its way to an answer: embedded, and with the neighbours of its windows. Internal to
// core/retrieval. Functions are safe from any thread as long as `timer` belongs to it.
#ifndef ANTIPHON_CORE_RETRIEVAL_QUERY_H_
#define ANTIPHON_CORE_RETRIEVAL_QUERY_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/catalog/catalog.h"
#include "core/collection/embedder.h"
#include "core/collection/loaded_collection.h"
#include "core/encoder/window_encoder.h"
#include "core/features/feature_sequence.h"
#include "core/matching/answer.h"
#include "core/matching/neighbour.h"
#include "core/matching/request.h"
#include "core/matching/stage_timer.h"
#include "core/music/score.h"
#include "core/retrieval/search_space.h"

namespace antiphon::retrieval {

struct EmbeddedQuery {
  // The part of the query that was embedded, seconds of the whole query, as the windows' starts.
  double begin_s = 0;
  double end_s = 0;
  bool sufficient =
      false;        // at least half a window, with something in it; else there are no sequences
  int windows = 0;  // places in the query, however many tempi it was read at
  std::vector<matching::EmbeddingSequence> sequences = {};  // one for each tempo ratio
  std::vector<std::vector<int>> window_of =
      {};  // for each sequence, the place that each of its windows counts for
};

// A query of windows embedded before; it is sufficient if there are any.
EmbeddedQuery QueryOf(matching::EmbeddingSequence windows, double end_s);

// The part of a sound that is asked about, as its encoder reads it.
struct AudioQuery {
  double begin_s = 0;  // of the part, seconds of the whole sound
  double end_s = 0;
  bool sufficient = false;  // at least half a window, and audible; else there are no features
  features::FeatureSequence features = {};
};

// Takes the excerpt of the query, see PartOf (search_filter.h) for what it may be.
[[nodiscard]] absl::StatusOr<AudioQuery> ReadAudioQuery(const collection::LoadedCollection& loaded,
                                                        const audio::Waveform& query,
                                                        const matching::QueryExcerpt& excerpt,
                                                        matching::StageTimer& timer);

// As if it had been played so many semitones higher (or lower); other than 0 needs a whole number
// of bands to a semitone.
[[nodiscard]] absl::StatusOr<EmbeddedQuery> EmbedAudioQuery(
    const encoder::WindowEncoder& audio_encoder, const AudioQuery& query, int semitones,
    const matching::WindowPlan& plan, matching::StageTimer& timer);

// Both of these, as it was played.
[[nodiscard]] absl::StatusOr<EmbeddedQuery> EmbedAudioQuery(
    const collection::LoadedCollection& loaded, const audio::Waveform& query,
    const matching::QueryExcerpt& excerpt, const matching::WindowPlan& plan,
    matching::StageTimer& timer);

// The excerpt of a score, which ends with its last note; see PartOf (search_filter.h).
[[nodiscard]] absl::StatusOr<matching::Span> PartOfScore(const matching::QueryExcerpt& excerpt,
                                                         const music::Score& query);

// The excerpt of the query, at each tempo ratio, with windows at about the same places of the
// query: the plan's hop and number of windows are for each ratio, in seconds of the query as
// written. Windows at several ratios whose middles lie within one hop count as one place. As if it
// were written so many semitones higher (or lower).
[[nodiscard]] absl::StatusOr<EmbeddedQuery> EmbedScoreQuery(
    const encoder::WindowEncoder& score_encoder, const music::Score& query,
    const matching::QueryExcerpt& excerpt, std::span<const double> tempo_ratios,
    const matching::WindowPlan& plan, matching::StageTimer& timer, int semitones = 0);

// Numbers the places of a query (see EmbeddedQuery::window_of). `windows` is the most that one
// sequence has, so that a tempo whose windows are further apart is not at a disadvantage.
void NumberWindows(EmbeddedQuery& query);

// The k nearest neighbours of every window of the query, in no particular order.
[[nodiscard]] absl::StatusOr<std::vector<matching::Neighbour>> FindNeighbours(
    const SearchSpace& space, const EmbeddedQuery& query, int k, matching::StageTimer& timer);

// Of those, the ones that are as similar as the filter wants.
[[nodiscard]] absl::StatusOr<std::vector<matching::Neighbour>> NeighboursWithin(
    const SearchSpace& space, const EmbeddedQuery& query, int k,
    const matching::SearchFilter& filter, matching::StageTimer& timer);

// Cuts a match to what there is, on both sides alike: windows at an end may be padded. `source_s`
// is the source's length, seconds.
void CutToSource(const EmbeddedQuery& query, double source_s, matching::Match& match);

template <typename Answer>
void CutWithEvidence(const EmbeddedQuery& query, double source_s, Answer& answer) {
  CutToSource(query, source_s, answer.match);
  for (matching::Evidence& evidence : answer.evidence) CutToSource(query, source_s, evidence.match);
}

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_QUERY_H_
