#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/format.h"
#include "client/json.h"
#include "client/table.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

v1::IdentifyRequest ToRequest(const IdentifyArguments& arguments, Query& query) {
  v1::IdentifyRequest request;
  if (query.is_audio()) {
    *request.mutable_audio() = std::get<v1::Audio>(std::move(query.content));
  } else {
    *request.mutable_score() = std::get<v1::Score>(std::move(query.content));
  }
  request.set_against(arguments.against);
  request.set_method(arguments.method);
  if (arguments.top_k) request.set_top_k(*arguments.top_k);
  if (arguments.min_confidence) request.set_min_confidence(*arguments.min_confidence);
  if (arguments.query.hop_s) request.set_hop_seconds(*arguments.query.hop_s);
  return request;
}

// "0:03.0 of it is bar 5:1 (0:08.3), at 97 % of the tempo written".
std::string Place(const Query& query, const v1::Candidate& candidate) {
  const v1::Position& there = candidate.reference();
  const std::string bar = FormatBarBeat(there.bar(), there.beat_in_bar());
  const std::string time = FormatTime(there.seconds());
  return absl::StrCat(FormatTime(query.offset_s + candidate.query_seconds()), " of it is ",
                      bar.empty() ? absl::StrCat(time, " there") : absl::StrCat("bar ", bar, " (", time, ")"), ", at ",
                      FormatTempo(candidate.tempo_ratio()), " of the tempo written");
}

std::string Headline(const Query& query, const v1::IdentifyResponse& response) {
  switch (response.verdict()) {
    case v1::VERDICT_MATCH: {
      if (response.candidates().empty()) break;
      const v1::Candidate& best = response.candidates(0);
      return absl::StrCat(NameOf(best.source()), "\n  ", Place(query, best), "; confidence ",
                          FormatScore(best.confidence()));
    }
    case v1::VERDICT_NO_MATCH:
      return response.candidates().empty()
                 ? "no match"
                 : "no match: no candidate is confident enough (--min-confidence); the nearest are";
    case v1::VERDICT_INSUFFICIENT_INPUT:
      return "too little to compare: silence, no notes, or shorter than half a window; send more of it";
    default:
      break;
  }
  return "the server gave no verdict";
}

Table CandidateTable(const Query& query, const v1::IdentifyResponse& response) {
  Table table({{"#", Align::kRight},
               {"confidence", Align::kRight},
               {"votes", Align::kRight},
               {"title"},
               {"composer", Align::kLeft, 28},
               {"query", Align::kRight},
               {"bar:beat", Align::kRight},
               {"in it", Align::kRight},
               {"tempo", Align::kRight},
               {"id", Align::kLeft, 200}});
  for (int i = 0; i < response.candidates_size(); ++i) {
    const v1::Candidate& candidate = response.candidates(i);
    const v1::Position& there = candidate.reference();
    table.AddRow({absl::StrCat(i + 1), FormatScore(candidate.confidence()), FormatCount(candidate.votes()),
                  candidate.source().title(), candidate.source().composer(),
                  FormatTime(query.offset_s + candidate.query_seconds()),
                  FormatBarBeat(there.bar(), there.beat_in_bar()), FormatTime(there.seconds()),
                  FormatTempo(candidate.tempo_ratio()), candidate.source().id()});
  }
  return table;
}

ExitCode IdentifyOne(const IdentifyArguments& arguments, const std::string& file, Context& context) {
  absl::StatusOr<Query> query = PrepareQuery(context, file, arguments.query);
  if (!query.ok()) return Fail(context, query.status(), file);
  const absl::StatusOr<v1::IdentifyResponse> response = context.connection.Identify(ToRequest(arguments, *query));
  if (!response.ok()) return Fail(context, response.status(), query->name);
  if (context.json) {
    nlohmann::ordered_json json = {{"file", query->name}, {"offset_seconds", query->offset_s}};
    json.update(MessageToJson(*response));
    Emit(context, json);
  } else {
    context.out << Printable(query->name) << ": " << Headline(*query, *response) << "\n";
    const Table table = CandidateTable(*query, *response);
    if (!table.empty()) context.out << table.Render();
    context.out << std::flush;
  }
  return response->verdict() == v1::VERDICT_MATCH ? ExitCode::kOk : ExitCode::kNothing;
}

}  // namespace

ExitCode RunIdentify(const IdentifyArguments& arguments, Context& context) {
  ExitCode worst = ExitCode::kOk;
  for (const std::string& file : arguments.files) {
    if (!context.json && &file != &arguments.files.front()) context.out << "\n";
    const ExitCode code = IdentifyOne(arguments, file, context);
    worst = Worse(worst, code);
    if (code == ExitCode::kUnreachable) break;  // the next file would only wait as long
  }
  return worst;
}

}  // namespace antiphon::client
