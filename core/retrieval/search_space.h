// Where the windows of a query are looked for: the sources of a collection, or the background.
// Internal to core/retrieval. Borrows what it is made of; safe from any thread, but for
// Remembering.
#ifndef ANTIPHON_CORE_RETRIEVAL_SEARCH_SPACE_H_
#define ANTIPHON_CORE_RETRIEVAL_SEARCH_SPACE_H_

#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/catalog/catalog.h"
#include "core/collection/background.h"
#include "core/collection/collection_view.h"

namespace antiphon::retrieval {

// What is compared with a query: a source, or one of its parts alone.
struct Reading {
  int source = 0;
  int part = catalog::kWhole;
  // About how fast it goes by, seconds of it per second of the query, where that is known.
  std::optional<double> slope = {};
};

struct SearchSpace {
  using Found = collection::CollectionView::Found;
  using Run = collection::CollectionView::SourceRun;

  // The k most similar vectors for each of the queries, [q, dimension], as CollectionView::Search.
  std::function<absl::StatusOr<std::vector<Found>>(std::span<const float> queries, int k)> search;
  // A source's runs, as CollectionView::ReadRuns.
  std::function<absl::StatusOr<std::vector<Run>>(int source, const collection::RunFilter& filter)>
      read_runs;
};

inline std::vector<SearchSpace::Run> RunsThatPass(std::span<const SearchSpace::Run> runs,
                                                  const collection::RunFilter& filter) {
  std::vector<SearchSpace::Run> passed;
  for (const SearchSpace::Run& run : runs) {
    if (filter.Passes(run.run)) passed.push_back(run);
  }
  return passed;
}

inline SearchSpace SpaceOf(const collection::CollectionView& view, catalog::Side side,
                           collection::ResolvedFilter scope) {
  return {.search = [&view, side, scope = std::move(scope)](
                        std::span<const float> queries,
                        int k) { return view.Search(side, queries, k, scope); },
          .read_runs =
              [&view, side](int source, const collection::RunFilter& filter) {
                return view.ReadRuns(side, source, filter);
              }};
}

inline SearchSpace SpaceOf(const collection::Background& background, catalog::Side side) {
  return {.search = [&background, side](std::span<const float> queries,
                                        int k) { return background.Search(side, queries, k); },
          .read_runs = [&background, side](int source, const collection::RunFilter& filter)
              -> absl::StatusOr<std::vector<SearchSpace::Run>> {
            return RunsThatPass(background.passages(side).at(source), filter);
          }};
}

// The same space, in which each vector, of `dimension` values, is looked for once for so many
// neighbours. For one request: from one thread at a time.
SearchSpace Remembering(SearchSpace space, int dimension);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_SEARCH_SPACE_H_
