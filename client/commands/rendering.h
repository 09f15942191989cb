// What several subcommands show alike. Free of state; texts have been made printable.
#ifndef ANTIPHON_CLIENT_COMMANDS_RENDERING_H_
#define ANTIPHON_CLIENT_COMMANDS_RENDERING_H_

#include <string>

#include "antiphon/v1/catalog.pb.h"
#include "antiphon/v1/retrieval.pb.h"
#include "client/cli/arguments.h"
#include "client/commands/context.h"

namespace antiphon::client {

// "12:3", or "0:3" in an upbeat; empty for a place in a recording.
std::string FormatBar(const v1::Position& place);

// "12:3–15:1"; empty for places in a recording.
std::string FormatBars(const v1::Position& start, const v1::Position& end);

using Passages = google::protobuf::RepeatedPtrField<v1::Passage>;
using SameMusicList = google::protobuf::RepeatedPtrField<v1::SameMusic>;
using SameMusicPairs = google::protobuf::RepeatedPtrField<v1::SameMusicPair>;
using Warnings = google::protobuf::RepeatedPtrField<v1::Warning>;

// "bars 1:1–8:3, then 1:1–16:2", or seconds in a recording: how the music goes in the source, where
// it goes back or ahead; empty where it does not.
std::string DescribePassages(const Passages& passages);

// "elise_2 (Für Elise), bars 1:1–8:3", or seconds in a recording.
std::string DescribeStretch(const v1::SameMusic& music);

// "also: elise_2 (Für Elise), bars 1:1–8:3; a tie": a line for each, behind `indent`.
std::string DescribeSameMusic(const SameMusicList& same_music, const std::string& indent);

// "the same music as elise_2 (Für Elise), bars 1:1–8:3; here bars 5:1–12:3": a line for each pair,
// behind `indent`, about its first piece.
std::string DescribeShared(const SameMusicPairs& pairs, const std::string& indent);

// "elise_2 (tie), elise_3": for a table.
std::string SameMusicIds(const SameMusicList& same_music);

// On `err`, for a person; with --json they are part of the answer. `file` is what they are about.
void ReportWarnings(Context& context, const Warnings& warnings, const std::string& file);

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
