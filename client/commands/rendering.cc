#include "client/commands/rendering.h"

#include "absl/strings/str_cat.h"
#include "client/output/format.h"
#include "client/output/table.h"

namespace antiphon::client {

std::string FormatBar(const v1::Position& place) {
  return place.has_bar() ? FormatBarBeat(place.bar(), place.beat_in_bar()) : "";
}

std::string FormatBars(const v1::Position& start, const v1::Position& end) {
  if (!start.has_bar()) return "";
  return absl::StrCat(FormatBar(start), "–", FormatBar(end));
}

std::string RenderEvidence(const std::string& title, double offset_s,
                           const google::protobuf::RepeatedPtrField<v1::Evidence>& evidence) {
  if (evidence.empty()) return "";
  Table table({{"window", Align::kRight},
               {"bar:beat", Align::kRight},
               {"in it", Align::kRight},
               {"tempo", Align::kRight},
               {"similarity", Align::kRight}});
  for (const v1::Evidence& e : evidence) {
    table.AddRow({FormatSpan(offset_s + e.query_start_seconds(), offset_s + e.query_end_seconds()),
                  FormatBars(e.reference_start(), e.reference_end()),
                  FormatSpan(e.reference_start().seconds(), e.reference_end().seconds()),
                  FormatTempo(e.tempo_ratio()), FormatScore(e.similarity())});
  }
  return absl::StrCat("\n", Printable(title), "\n", table.Render());
}

bool HasFilter(const ScopeArguments& scope) {
  return !scope.composers.empty() || !scope.collections.empty() || !scope.piece_ids.empty();
}

v1::Filter ToFilter(const ScopeArguments& scope) {
  v1::Filter filter;
  for (const std::string& composer : scope.composers) filter.add_composers(composer);
  for (const std::string& collection : scope.collections) filter.add_collections(collection);
  for (const std::string& id : scope.piece_ids) filter.add_piece_ids(id);
  return filter;
}

v1::SearchMode ToMode(const ScopeArguments& scope) {
  return scope.exact ? v1::SEARCH_MODE_EXACT : v1::SEARCH_MODE_UNSPECIFIED;
}

}  // namespace antiphon::client
