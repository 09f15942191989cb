// What of the collection a request looks at, and which part of its query. Pure functions; safe from
// any thread. Internal to core/retrieval.
#ifndef ANTIPHON_CORE_RETRIEVAL_SEARCH_FILTER_H_
#define ANTIPHON_CORE_RETRIEVAL_SEARCH_FILTER_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/catalog/catalog.h"
#include "core/collection/collection_view.h"
#include "core/matching/match.h"
#include "core/matching/request.h"

namespace antiphon::retrieval {

// InvalidArgument names the option.
[[nodiscard]] absl::Status CheckFilter(const matching::SearchFilter& filter);

// The sources that pass the filter, and how to search.
collection::ResolvedFilter Resolve(const collection::CollectionView& view, catalog::Side side,
                                   const matching::SearchFilter& filter);

// The excerpt of a query of `duration_s`, with an end that is no later. InvalidArgument unless 0 <=
// start < end and the start lies within the query (at 0 of an empty one, too).
[[nodiscard]] absl::StatusOr<matching::Span> PartOf(const matching::QueryExcerpt& excerpt,
                                                    double duration_s);

}  // namespace antiphon::retrieval

#endif  // ANTIPHON_CORE_RETRIEVAL_SEARCH_FILTER_H_
