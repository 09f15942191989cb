#include <filesystem>
#include <ostream>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/commands/commands.h"
#include "client/commands/rendering.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/table.h"
#include "core/base/status_macros.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

v1::SearchOptions ToOptions(const SearchArguments& arguments) {
  v1::SearchOptions options;
  if (arguments.top_k) options.set_top_k(*arguments.top_k);
  if (arguments.query.hop_s) options.set_hop_seconds(*arguments.query.hop_s);
  options.set_include_snippets(!arguments.snippets_dir.empty());
  SetMatch(arguments.match, options);
  return options;
}

absl::StatusOr<v1::SearchResponse> Ask(Connection& connection, Query& query,
                                       v1::SearchOptions options) {
  if (query.excerpt) *options.mutable_excerpt() = *query.excerpt;
  if (query.is_audio()) {
    v1::SearchScoresRequest request;
    *request.mutable_audio() = std::get<v1::Audio>(std::move(query.content));
    *request.mutable_options() = options;
    return connection.Call(kSearchScores, request);
  }
  v1::SearchRecordingsRequest request;
  *request.mutable_score() = std::get<v1::Score>(std::move(query.content));
  *request.mutable_options() = options;
  return connection.Call(kSearchRecordings, request);
}

// Moves the hits' snippets into files of the folder; returns their paths, empty where a hit has
// none. Their names begin with `prefix`.
absl::StatusOr<std::vector<std::string>> WriteSnippets(const std::string& dir,
                                                       const std::string& prefix, bool scores,
                                                       v1::SearchResponse& response) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error)
    return absl::InvalidArgumentError(
        absl::StrCat("cannot make the folder ", dir, ": ", error.message()));
  std::vector<std::string> paths;
  for (v1::Hit& hit : *response.mutable_hits()) {
    paths.emplace_back();
    if (hit.snippet().empty()) continue;
    // An id comes from the collection and need not be a name for a file; the rank is one, and it is
    // unique.
    const std::string name =
        absl::StrFormat("%shit-%02d.%s", prefix, paths.size(), scores ? "mid" : "wav");
    paths.back() = (std::filesystem::path(dir) / name).string();
    RETURN_IF_ERROR(WriteFile(paths.back(), hit.snippet()));
    hit.clear_snippet();
  }
  return paths;
}

void PrintJson(Context& context, const Query& query, const v1::SearchResponse& response,
               const std::vector<std::string>& paths) {
  nlohmann::ordered_json json = {{"file", query.name}, {"offset_seconds", query.offset_s}};
  json.update(MessageToJson(response));
  for (size_t i = 0; i < paths.size(); ++i) {
    if (!paths[i].empty()) json["hits"][i]["snippet_file"] = paths[i];
  }
  Emit(context, json);
}

void PrintTable(Context& context, const Query& query, const v1::SearchResponse& response,
                const std::vector<std::string>& paths) {
  context.out << Printable(query.name) << ": " << (query.is_audio() ? "audio" : "score") << ", "
              << FormatTime(response.info().query_seconds()) << " long; matching stretches of "
              << (query.is_audio() ? "scores" : "recordings") << ", best first\n";
  if (response.hits().empty()) {
    context.out << "nothing found: the query is silent, has no notes, or the collection holds "
                   "nothing to compare with\n";
    return;
  }
  Table table({{"#", Align::kRight},
               {"similarity", Align::kRight},
               {"query", Align::kRight},
               {"title"},
               {"composer", Align::kLeft, 28},
               {"bar:beat", Align::kRight},
               {query.is_audio() ? "in score" : "in recording", Align::kRight},
               {"tempo", Align::kRight},
               {"part", Align::kLeft, 28},
               {"id", Align::kLeft, 200},
               {"work", Align::kLeft, 200},
               {"file", Align::kLeft, 400}});
  for (int i = 0; i < response.hits_size(); ++i) {
    const v1::Hit& hit = response.hits(i);
    const v1::Position& start = hit.reference_start();
    const v1::Position& end = hit.reference_end();
    table.AddRow({absl::StrCat(i + 1), FormatScore(hit.similarity()),
                  FormatSpan(query.offset_s + hit.query_start_seconds(),
                             query.offset_s + hit.query_end_seconds()),
                  hit.source().title(), hit.source().composer(), FormatBars(start, end),
                  FormatSpan(start.seconds(), end.seconds()), FormatTempo(hit.tempo_ratio()),
                  hit.has_part() ? NameOf(hit.part()) : "", hit.source().id(),
                  hit.source().work_id(), paths.empty() ? "" : paths[i]});
  }
  context.out << table.Render();
  for (int i = 0; i < response.hits_size(); ++i) {
    const v1::Hit& hit = response.hits(i);
    context.out << RenderEvidence(absl::StrCat(i + 1, ": ", NameOf(hit.source())), query.offset_s,
                                  hit.evidence());
  }
}

// The file at `place` of those given.
ExitCode SearchOne(const SearchArguments& arguments, size_t place, Context& context) {
  const std::string& file = arguments.files[place];
  absl::StatusOr<Query> query = PrepareQuery(context, file, arguments.query);
  if (!query.ok()) return Fail(context, query.status(), file);
  const bool scores = query->is_audio();
  absl::StatusOr<v1::SearchResponse> response =
      Ask(context.connection, *query, ToOptions(arguments));
  if (!response.ok()) return Fail(context, response.status(), query->name);
  std::vector<std::string> paths;
  if (!arguments.snippets_dir.empty()) {
    const std::string prefix =
        arguments.files.size() > 1 ? absl::StrFormat("query-%02d-", place + 1) : "";
    absl::StatusOr<std::vector<std::string>> written =
        WriteSnippets(arguments.snippets_dir, prefix, scores, *response);
    if (!written.ok()) return Fail(context, written.status(), query->name);
    paths = *std::move(written);
  }
  context.json ? PrintJson(context, *query, *response, paths)
               : PrintTable(context, *query, *response, paths);
  ReportWarnings(context, response->info().warnings(), query->name);
  return response->hits().empty() ? ExitCode::kNothing : ExitCode::kOk;
}

}  // namespace

ExitCode RunSearch(const SearchArguments& arguments, Context& context) {
  ExitCode worst = ExitCode::kOk;
  for (size_t place = 0; place < arguments.files.size(); ++place) {
    if (!context.json && place > 0) context.out << "\n";
    const ExitCode code = SearchOne(arguments, place, context);
    worst = Worse(worst, code);
    if (code == ExitCode::kUnreachable) break;  // nor will it be reached for the others
  }
  return worst;
}

}  // namespace antiphon::client
