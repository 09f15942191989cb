#include "server/services/request_options.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/catalog/checks.h"
#include "server/wire/field_checks.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kTooMuch = absl::StatusCode::kResourceExhausted;
constexpr char kOptions[] = "options.";
constexpr double kUnknownDuration = std::numeric_limits<double>::infinity();

using Entries = google::protobuf::RepeatedPtrField<std::string>;

absl::Status CheckEntries(const std::string& field, const Entries& entries) {
  for (const std::string& entry : entries) {
    RETURN_IF_ERROR(CheckText(field, entry, 1, catalog::kMaxTextBytes));
  }
  return absl::OkStatus();
}

absl::StatusOr<matching::SourceFilter> ToSourceFilter(absl::string_view prefix,
                                                      const v1::Filter& filter,
                                                      const Limits& limits) {
  const int64_t entries = int64_t{filter.composers_size()} + filter.collections_size() +
                          filter.piece_ids_size() + filter.work_ids_size();
  if (entries > limits.max_filter_entries) {
    return FieldError(kInvalid, absl::StrCat(prefix, "filter"),
                      absl::StrCat("has ", entries, " entries"),
                      absl::StrCat("up to ", limits.max_filter_entries, " in all"));
  }
  RETURN_IF_ERROR(
      FirstFailure({CheckEntries(absl::StrCat(prefix, "filter.composers"), filter.composers()),
                    CheckEntries(absl::StrCat(prefix, "filter.collections"), filter.collections()),
                    CheckEntries(absl::StrCat(prefix, "filter.piece_ids"), filter.piece_ids()),
                    CheckEntries(absl::StrCat(prefix, "filter.work_ids"), filter.work_ids())}));
  const auto list = [](const Entries& from) {
    return std::vector<std::string>(from.begin(), from.end());
  };
  return matching::SourceFilter{list(filter.composers()), list(filter.collections()),
                                list(filter.piece_ids()), list(filter.work_ids())};
}

Range<double> HopRange(const Limits& limits) { return {limits.min_hop_s, limits.max_hop_s}; }

std::optional<double> MinSimilarity(const auto& message) {
  if (!message.has_min_similarity()) return std::nullopt;
  return message.min_similarity();
}

}  // namespace

Range<int> IdentifyTopKRange(const Limits& limits) {
  return {matching::IdentifyOptions::kTopKRange.low, limits.max_identify_top_k};
}

absl::StatusOr<matching::SearchFilter> ToSearchFilter(absl::string_view prefix,
                                                      const v1::Filter& filter, v1::SearchMode mode,
                                                      std::optional<double> min_similarity,
                                                      const Limits& limits) {
  matching::SearchFilter result;
  if (min_similarity.has_value()) {
    RETURN_IF_ERROR(CheckFieldRange(absl::StrCat(prefix, "min_similarity"), *min_similarity,
                                    matching::SearchFilter::kMinSimilarityRange));
    result.min_similarity = static_cast<float>(*min_similarity);
  }
  switch (mode) {
    case v1::SEARCH_MODE_UNSPECIFIED:
    case v1::SEARCH_MODE_INDEX:
      break;
    case v1::SEARCH_MODE_EXACT:
      result.exact = true;
      break;
    default:  // an open enum: a newer client may send what is not known here
      return FieldError(kInvalid, absl::StrCat(prefix, "mode"), "unknown",
                        "SEARCH_MODE_INDEX or SEARCH_MODE_EXACT");
  }
  ASSIGN_OR_RETURN(result.sources, ToSourceFilter(prefix, filter, limits));
  return result;
}

absl::StatusOr<matching::QueryExcerpt> ToExcerpt(absl::string_view prefix,
                                                 const v1::Excerpt& excerpt) {
  matching::QueryExcerpt out;
  if (excerpt.has_start_seconds()) out.start_s = excerpt.start_seconds();
  if (excerpt.has_end_seconds()) out.end_s = excerpt.end_seconds();
  RETURN_IF_ERROR(CheckExcerpt(prefix, out, kUnknownDuration));
  return out;
}

absl::Status CheckExcerpt(absl::string_view prefix, const matching::QueryExcerpt& excerpt,
                          double duration_s) {
  switch (matching::FaultOf(excerpt, duration_s)) {
    case matching::ExcerptFault::kNone:
      return absl::OkStatus();
    case matching::ExcerptFault::kStart:
      return FieldError(kInvalid, absl::StrCat(prefix, "excerpt.start_seconds"),
                        absl::StrCat(excerpt.start_s, " is out of range"),
                        duration_s == kUnknownDuration ? "0 to below the end of the query"
                                                       : absl::StrCat("0 to below ", duration_s));
    case matching::ExcerptFault::kEnd:
      return FieldError(kInvalid, absl::StrCat(prefix, "excerpt.end_seconds"),
                        absl::StrCat(*excerpt.end_s, " is not after the start, ", excerpt.start_s));
  }
  return absl::InternalError("unknown fault of an excerpt");
}

absl::StatusOr<matching::SearchOptions> ToSearchOptions(const v1::SearchOptions& options,
                                                        const Limits& limits) {
  matching::SearchOptions out;
  out.max_windows = limits.max_query_windows;
  out.evidence = options.include_evidence();
  if (options.has_top_k()) out.top_k = options.top_k();
  if (options.has_hop_seconds()) out.hop_s = options.hop_seconds();
  const int max_top_k = options.include_snippets() ? limits.max_snippets : limits.max_search_top_k;
  RETURN_IF_ERROR(
      FirstFailure({CheckFieldRange("options.top_k", out.top_k,
                                    Range<int>{matching::SearchOptions::kTopKRange.low, max_top_k}),
                    CheckFieldRange("options.hop_seconds", out.hop_s, HopRange(limits))}));
  ASSIGN_OR_RETURN(out.filter, ToSearchFilter(kOptions, options.filter(), options.mode(),
                                              MinSimilarity(options), limits));
  ASSIGN_OR_RETURN(out.excerpt, ToExcerpt(kOptions, options.excerpt()));
  return out;
}

absl::StatusOr<matching::IdentifyOptions> ToIdentifyOptions(const v1::IdentifyRequest& request,
                                                            const Limits& limits) {
  matching::IdentifyOptions out;
  out.max_windows = limits.max_query_windows;
  out.evidence = request.include_evidence();
  if (request.has_top_k()) out.top_k = request.top_k();
  if (request.has_hop_seconds()) out.hop_s = request.hop_seconds();
  if (request.has_min_confidence()) out.min_confidence = request.min_confidence();
  if (request.has_max_transposition()) out.max_transposition = request.max_transposition();
  RETURN_IF_ERROR(FirstFailure(
      {CheckFieldRange("top_k", out.top_k, IdentifyTopKRange(limits)),
       CheckFieldRange("hop_seconds", out.hop_s.value_or(matching::IdentifyOptions::kFineHop_s),
                       HopRange(limits)),
       CheckFieldRange("min_confidence", out.min_confidence.value_or(0),
                       matching::IdentifyOptions::kMinConfidenceRange),
       CheckFieldRange("max_transposition", out.max_transposition,
                       matching::IdentifyOptions::kMaxTranspositionRange)}));
  ASSIGN_OR_RETURN(out.filter, ToSearchFilter("", request.filter(), request.mode(),
                                              MinSimilarity(request), limits));
  ASSIGN_OR_RETURN(out.excerpt, ToExcerpt("", request.excerpt()));
  ASSIGN_OR_RETURN(out.against, ToSide("", request.against()));
  switch (request.method()) {
    case v1::VOTE_METHOD_UNSPECIFIED:
    case v1::VOTE_METHOD_IN_TIME:
      out.method = matching::VoteMethod::kInTime;
      return out;
    case v1::VOTE_METHOD_PLAIN:
      out.method = matching::VoteMethod::kPlain;
      return out;
    default:
      return FieldError(kInvalid, "method", "unknown", "VOTE_METHOD_IN_TIME or VOTE_METHOD_PLAIN");
  }
}

absl::StatusOr<catalog::Side> ToSide(absl::string_view prefix, v1::Side against) {
  switch (against) {
    case v1::SIDE_UNSPECIFIED:
    case v1::SIDE_SCORES:
      return catalog::Side::kScores;
    case v1::SIDE_RECORDINGS:
      return catalog::Side::kRecordings;
    default:
      return FieldError(kInvalid, absl::StrCat(prefix, "against"), "unknown",
                        "SIDE_SCORES or SIDE_RECORDINGS");
  }
}

absl::StatusOr<EmbedPlan> ToEmbedPlan(const v1::EmbedRequest& request, const Limits& limits) {
  EmbedPlan plan;
  if (request.has_hop_seconds()) plan.windows.hop_s = request.hop_seconds();
  if (request.has_tempo_ratio()) {
    if (request.query_case() == v1::EmbedRequest::kAudio) {
      return FieldError(kInvalid, "tempo_ratio", "only for a score");
    }
    plan.tempo_ratio = request.tempo_ratio();
  }
  RETURN_IF_ERROR(FirstFailure(
      {CheckFieldRange("hop_seconds", plan.windows.hop_s, HopRange(limits)),
       CheckFieldRange("tempo_ratio", plan.tempo_ratio,
                       Range<double>{limits.min_tempo_ratio, limits.max_tempo_ratio})}));
  return plan;
}

absl::Status CheckEmbedWindows(double duration_s, const EmbedPlan& plan, const Limits& limits) {
  const double windows = std::ceil(duration_s / plan.tempo_ratio / plan.windows.hop_s);
  if (windows <= limits.max_embed_windows) return absl::OkStatus();
  return FieldError(kTooMuch, "hop_seconds", absl::StrCat("gives ", windows, " windows"),
                    absl::StrCat("up to ", limits.max_embed_windows, " windows"));
}

}  // namespace antiphon::server
