// Where the windows of a query are looked for: the sources of a collection, or the background.
// Internal to core/retrieval. Borrows what it is made of; safe from any thread.
#ifndef ANTIPHON_CORE_RETRIEVAL_SEARCH_SPACE_H_
#define ANTIPHON_CORE_RETRIEVAL_SEARCH_SPACE_H_

#include <functional>
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
};

struct SearchSpace {
  using Found = collection::CollectionView::Found;
  using Run = collection::CollectionView::SourceRun;

  // The k most similar vectors for each of the queries, [q, dimension], as CollectionView::Search.
  std::function<absl::StatusOr<std::vector<Found>>(std::span<const float> queries, int k)> search;
  // Its runs, as CollectionView::ReadRuns.
  std::function<absl::StatusOr<std::vector<Run>>(const Reading&)> read_runs;
};

inline SearchSpace SpaceOf(const collection::CollectionView& view, catalog::Side side,
                           collection::ResolvedFilter scope) {
  return {.search = [&view, side, scope = std::move(scope)](
                        std::span<const float> queries,
                        int k) { return view.Search(side, queries, k, scope); },
          .read_runs =
              [&view, side](const Reading& reading) {
                return view.ReadRuns(side, reading.source, reading.part);
              }};
}

inline SearchSpace SpaceOf(const collection::Background& background, catalog::Side side) {
  return {
      .search = [&background, side](std::span<const float> queries,
                                    int k) { return background.Search(side, queries, k); },
      .read_runs = [&background,
                    side](const Reading& reading) -> absl::StatusOr<std::vector<SearchSpace::Run>> {
        return background.passages(side).at(reading.source);
      }};
}

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_SEARCH_SPACE_H_
