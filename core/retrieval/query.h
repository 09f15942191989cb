// A query on its way to an answer: embedded, and with the neighbours of its windows. Internal to
// retrieval. Functions are safe from any thread as long as `stages` belongs to it.
#ifndef ANTIPHON_CORE_RETRIEVAL_QUERY_H_
#define ANTIPHON_CORE_RETRIEVAL_QUERY_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/waveform.h"
#include "core/catalog/catalog.h"
#include "core/features/feature_sequence.h"
#include "core/music/score.h"
#include "core/retrieval/collection_parts.h"
#include "core/retrieval/embedder.h"
#include "core/retrieval/stages.h"

namespace antiphon::retrieval {

struct EmbeddedQuery {
  // The part of the query that was embedded, seconds of the whole query, as the windows' starts.
  double begin_s = 0;
  double end_s = 0;
  bool sufficient =
      false;        // at least half a window, with something in it; else there are no sequences
  int windows = 0;  // places in the query, however many tempi it was read at
  std::vector<EmbeddingSequence> sequences = {};  // one for each tempo ratio
  std::vector<std::vector<int>> window_of =
      {};  // for each sequence, the place that each of its windows counts for
};

// A query of windows embedded before; it is sufficient if there are any.
EmbeddedQuery QueryOf(EmbeddingSequence windows, double end_s);

// The part of a sound that is asked about, as its encoder reads it.
struct SoundQuery {
  double begin_s = 0;  // of the part, seconds of the whole sound
  double end_s = 0;
  bool sufficient = false;  // at least half a window, and audible; else there are no features
  features::FeatureSequence features = {};
};

// Takes the excerpt of the query, see PartOf (bounds.h) for what it may be.
[[nodiscard]] absl::StatusOr<SoundQuery> ReadSoundQuery(const CollectionParts& parts,
                                                        const audio::Waveform& query,
                                                        const QueryExcerpt& excerpt,
                                                        Stages& stages);

// As if it had been played so many semitones higher (or lower); other than 0 needs a whole number
// of bands to a semitone.
[[nodiscard]] absl::StatusOr<EmbeddedQuery> EmbedSoundQuery(const CollectionParts& parts,
                                                            const SoundQuery& query, int semitones,
                                                            const WindowPlan& plan, Stages& stages);

// Both of these, as it was played.
[[nodiscard]] absl::StatusOr<EmbeddedQuery> EmbedAudioQuery(const CollectionParts& parts,
                                                            const audio::Waveform& query,
                                                            const QueryExcerpt& excerpt,
                                                            const WindowPlan& plan, Stages& stages);

// The excerpt of the query, at each tempo ratio, with windows at about the same places of the
// query: the plan's hop and number of windows are for each ratio, in seconds of the query as
// written. Windows at several ratios whose middles lie within one hop count as one place. As if it
// were written so many semitones higher (or lower).
[[nodiscard]] absl::StatusOr<EmbeddedQuery> EmbedScoreQuery(const CollectionParts& parts,
                                                            const music::Score& query,
                                                            const QueryExcerpt& excerpt,
                                                            std::span<const double> tempo_ratios,
                                                            const WindowPlan& plan, Stages& stages,
                                                            int semitones = 0);

// Numbers the places of a query (see EmbeddedQuery::window_of). `windows` is the most that one
// sequence has, so that a tempo whose windows are further apart is not at a disadvantage.
void NumberWindows(EmbeddedQuery& query);

// A window of the query and one of its nearest neighbours. Windows may reach beyond the ends of
// query and source.
struct Neighbour {
  int window = 0;  // place in the query
  int source = 0;
  double query_start_s = 0;
  double query_end_s = 0;
  double reference_start_s = 0;  // seconds of the source, nominal tempo for scores
  double reference_end_s = 0;
  double query_tempo_ratio = 1.0;
  double reference_tempo_ratio = 1.0;
  float similarity = 0;

  double slope() const {
    return reference_tempo_ratio / query_tempo_ratio;
  }  // seconds of the source per second of the query
  double query_middle_s() const { return (query_start_s + query_end_s) / 2; }
  double reference_middle_s() const { return (reference_start_s + reference_end_s) / 2; }
};

// The k nearest neighbours in scope of every window of the query, in no particular order.
[[nodiscard]] absl::StatusOr<std::vector<Neighbour>> FindNeighbours(const CollectionParts& parts,
                                                                    catalog::Side side,
                                                                    const EmbeddedQuery& query,
                                                                    int k, const SearchScope& scope,
                                                                    Stages& stages);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_QUERY_H_
