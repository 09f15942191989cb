// The options of a request as the core takes them: each range checked, each failure naming its
// field.
//
// Stateless; safe from any thread. Failures are InvalidArgument (status_map.h) unless said
// otherwise.
#ifndef ANTIPHON_SERVER_SERVICES_REQUEST_OPTIONS_H_
#define ANTIPHON_SERVER_SERVICES_REQUEST_OPTIONS_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "antiphon/v1/retrieval.pb.h"
#include "antiphon/v1/types.pb.h"
#include "core/catalog/catalog.h"
#include "core/matching/embedding_sequence.h"
#include "core/matching/request.h"
#include "server/wire/limits.h"

namespace antiphon::server {

// Candidates that an identification may be asked for.
Range<int> IdentifyTopKRange(const Limits& limits);

// In what follows, `prefix` stands in front of the names of fields: "" or "options.".

// Fields: "filter", "filter.composers", "filter.collections", "filter.piece_ids",
// "filter.work_ids", "mode", "min_similarity".
[[nodiscard]] absl::StatusOr<matching::SearchFilter> ToSearchFilter(
    absl::string_view prefix, const v1::Filter& filter, v1::SearchMode mode,
    std::optional<double> min_similarity, const Limits& limits);

// Fields: "excerpt.start_seconds", "excerpt.end_seconds".
[[nodiscard]] absl::StatusOr<matching::QueryExcerpt> ToExcerpt(absl::string_view prefix,
                                                               const v1::Excerpt& excerpt);

// That the excerpt begins before the end of a query of `duration_s`. Field:
// "excerpt.start_seconds".
[[nodiscard]] absl::Status CheckExcerpt(absl::string_view prefix,
                                        const matching::QueryExcerpt& excerpt, double duration_s);

// Fields: "options.top_k", "options.hop_seconds" and, with the prefix "options.", those of the
// functions above.
[[nodiscard]] absl::StatusOr<matching::SearchOptions> ToSearchOptions(
    const v1::SearchOptions& options, const Limits& limits);

// Field: "against".
[[nodiscard]] absl::StatusOr<catalog::Side> ToSide(absl::string_view prefix, v1::Side against);

// Fields: "top_k", "min_confidence", "hop_seconds", "method" and those of the functions above.
[[nodiscard]] absl::StatusOr<matching::IdentifyOptions> ToIdentifyOptions(
    const v1::IdentifyRequest& request, const Limits& limits);

struct EmbedPlan {
  matching::WindowPlan windows;
  double tempo_ratio = 1;
};

// Fields: "hop_seconds", "tempo_ratio".
[[nodiscard]] absl::StatusOr<EmbedPlan> ToEmbedPlan(const v1::EmbedRequest& request,
                                                    const Limits& limits);

// ResourceExhausted "hop_seconds" when a query of `duration_s` gives more windows than
// Limits::max_embed_windows.
[[nodiscard]] absl::Status CheckEmbedWindows(double duration_s, const EmbedPlan& plan,
                                             const Limits& limits);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_SERVICES_REQUEST_OPTIONS_H_
