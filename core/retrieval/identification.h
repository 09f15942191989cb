// Which source a query is: votes, paths, what else might explain it, and where it lies. Internal to
// core/retrieval. Safe from any thread as long as `timer` belongs to it.
#ifndef ANTIPHON_CORE_RETRIEVAL_IDENTIFICATION_H_
#define ANTIPHON_CORE_RETRIEVAL_IDENTIFICATION_H_

#include <functional>
#include <optional>

#include "absl/status/statusor.h"
#include "core/catalog/catalog.h"
#include "core/collection/loaded_collection.h"
#include "core/matching/answer.h"
#include "core/matching/embedding_sequence.h"
#include "core/matching/request.h"
#include "core/matching/stage_timer.h"
#include "core/retrieval/query.h"
#include "core/retrieval/search_space.h"

namespace antiphon::retrieval {

// Windows from all over a query, evenly spaced, read at `tempo_ratio`: for one that is too long for
// all of its windows to be compared.
using EvenWindows = std::function<absl::StatusOr<matching::EmbeddingSequence>(double tempo_ratio)>;

// Where a query is looked for that is to be identified. Borrows what it was made of.
struct IdentificationSpaces {
  SearchSpace sources;
  std::optional<SearchSpace> background;  // none: there is none for that side
};

IdentificationSpaces SpacesOf(const collection::LoadedCollection& loaded,
                              const matching::IdentifyOptions& options);
// Each of them so, see search_space.h.
IdentificationSpaces Remembering(IdentificationSpaces spaces, int dimension);

// `spaces` are those of the same options, but for the hop. `transposition`: semitones of the query
// over its source, undone in `query`. `even_windows` is empty where `query` has windows from all
// over it. Requires options in their ranges.
[[nodiscard]] absl::StatusOr<matching::Identification> Identify(
    const collection::LoadedCollection& loaded, const IdentificationSpaces& spaces,
    const EmbeddedQuery& query, int transposition, const matching::IdentifyOptions& options,
    const EvenWindows& even_windows, matching::StageTimer& timer);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_IDENTIFICATION_H_
