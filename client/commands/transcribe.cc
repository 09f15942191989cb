#include <ostream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/rendering.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/table.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

v1::TranscribeRequest ToRequest(const TranscribeArguments& arguments, Query& query) {
  v1::TranscribeRequest request;
  *request.mutable_audio() = std::get<v1::Audio>(std::move(query.content));
  if (query.excerpt) *request.mutable_excerpt() = *query.excerpt;
  SetScope(arguments.scope, request);
  if (arguments.min_similarity) request.set_min_similarity(*arguments.min_similarity);
  request.set_without_velocity(!arguments.velocity);
  return request;
}

std::string Headline(const v1::TranscribeResponse& response) {
  switch (response.verdict()) {
    case v1::VERDICT_MATCH:
      return absl::StrCat(
          Plural(response.notes_size(), "note"), " from ",
          Plural(response.stretches_size(), "stretch", "stretches"),
          response.gaps().empty() ? "" : absl::StrCat(", ", Plural(response.gaps_size(), "gap")));
    case v1::VERDICT_NO_MATCH:
      return "no notes: nothing in the collection is near (--min-similarity)";
    default:
      return "too little to compare";
  }
}

// Stretches and gaps, by time.
Table StretchTable(double offset_s, const v1::TranscribeResponse& response) {
  Table table({{"from–to", Align::kRight},
               {"title"},
               {"composer", Align::kLeft, 28},
               {"bars", Align::kRight},
               {"similarity", Align::kRight},
               {"confidence", Align::kRight},
               {"how"},
               {"id", Align::kLeft, 200}});
  int gap = 0;
  const auto add_gaps_before = [&](double seconds) {
    for (; gap < response.gaps_size() && response.gaps(gap).start_seconds() < seconds; ++gap) {
      table.AddRow({FormatSpan(offset_s + response.gaps(gap).start_seconds(),
                               offset_s + response.gaps(gap).end_seconds()),
                    "", "", "", "", "", "gap", ""});
    }
  };
  for (const v1::TranscribedStretch& stretch : response.stretches()) {
    add_gaps_before(stretch.start_seconds());
    table.AddRow({FormatSpan(offset_s + stretch.start_seconds(), offset_s + stretch.end_seconds()),
                  stretch.source().title(), stretch.source().composer(),
                  FormatBars(stretch.reference_start(), stretch.reference_end()),
                  FormatScore(stretch.similarity()), FormatScore(stretch.confidence()),
                  stretch.aligned() ? "recognised" : "near", stretch.source().id()});
  }
  add_gaps_before(response.info().query_seconds() + 1);
  return table;
}

}  // namespace

ExitCode RunTranscribe(const TranscribeArguments& arguments, Context& context) {
  QueryArguments query_arguments;
  query_arguments.as = Kind::kAudio;
  query_arguments.start_s = arguments.start_s;
  query_arguments.length_s = arguments.length_s;
  absl::StatusOr<Query> query = PrepareQuery(context, arguments.file, query_arguments);
  if (!query.ok()) return Fail(context, query.status(), arguments.file);
  const absl::StatusOr<v1::TranscribeResponse> response =
      context.connection.Call(kTranscribe, ToRequest(arguments, *query));
  if (!response.ok()) return Fail(context, response.status(), query->name);
  const bool match = response->verdict() == v1::VERDICT_MATCH;
  if (match && arguments.output == "-") {
    context.out << response->midi() << std::flush;
  } else if (match && !arguments.output.empty()) {
    if (absl::Status status = WriteFile(arguments.output, response->midi()); !status.ok())
      return Fail(context, status, query->name);
  }
  if (context.json) {
    nlohmann::ordered_json json = {{"file", query->name}, {"offset_seconds", query->offset_s}};
    json.update(MessageToJson(*response));
    Emit(context, json);
  } else if (!match || arguments.output != "-") {
    context.out << Printable(query->name) << ": " << Headline(*response) << "\n"
                << StretchTable(query->offset_s, *response).Render();
    if (match && !arguments.output.empty())
      context.out << "written to " << Printable(arguments.output) << "\n";
    context.out << std::flush;
  }
  ReportWarnings(context, response->info().warnings(), query->name);
  return match ? ExitCode::kOk : ExitCode::kNothing;
}

}  // namespace antiphon::client
