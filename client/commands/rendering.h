// What several subcommands show alike. Free of state.
#ifndef ANTIPHON_CLIENT_COMMANDS_RENDERING_H_
#define ANTIPHON_CLIENT_COMMANDS_RENDERING_H_

#include <string>

#include "antiphon/v1/retrieval.pb.h"
#include "client/cli/arguments.h"

namespace antiphon::client {

// "12:3", or "0:3" in an upbeat; empty for a place in a recording.
std::string FormatBar(const v1::Position& place);

// "12:3–15:1"; empty for places in a recording.
std::string FormatBars(const v1::Position& start, const v1::Position& end);

// The windows of the query that voted for a source, and for which places; `offset_s` is where the
// query begins in its file. A table with the title in front, or nothing without evidence.
std::string RenderEvidence(const std::string& title, double offset_s,
                           const google::protobuf::RepeatedPtrField<v1::Evidence>& evidence);

// Into the messages of a request; what was not given stays unset.
bool HasFilter(const ScopeArguments& scope);
v1::Filter ToFilter(const ScopeArguments& scope);
v1::SearchMode ToMode(const ScopeArguments& scope);

template <typename Request>
void SetScope(const ScopeArguments& scope, Request& request) {
  if (HasFilter(scope)) *request.mutable_filter() = ToFilter(scope);
  request.set_mode(ToMode(scope));
}

// For requests with SetScope's fields, min_similarity and include_evidence.
template <typename Request>
void SetMatch(const MatchArguments& match, Request& request) {
  SetScope(match.scope, request);
  if (match.min_similarity) request.set_min_similarity(*match.min_similarity);
  request.set_include_evidence(match.evidence);
}

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_COMMANDS_RENDERING_H_
