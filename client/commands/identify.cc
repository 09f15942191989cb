#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/commands/commands.h"
#include "client/commands/rendering.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/table.h"
#include "client/rpc/rpc_status.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

// Queries in one call, so that the first answers do not wait for the last file.
constexpr int kMostAtOnce = 16;

// From here on a recording may well hold several pieces, or talk and applause, seconds.
constexpr double kLongRecording_s = 30;

v1::IdentifyRequest ToRequest(const IdentifyArguments& arguments, Query& query) {
  v1::IdentifyRequest request;
  if (query.is_audio()) {
    *request.mutable_audio() = std::get<v1::Audio>(std::move(query.content));
  } else {
    *request.mutable_score() = std::get<v1::Score>(std::move(query.content));
  }
  if (query.excerpt) *request.mutable_excerpt() = *query.excerpt;
  request.set_against(arguments.against);
  request.set_method(arguments.method);
  if (arguments.top_k) request.set_top_k(*arguments.top_k);
  if (arguments.min_confidence) request.set_min_confidence(*arguments.min_confidence);
  if (arguments.max_transposition) request.set_max_transposition(*arguments.max_transposition);
  if (arguments.query.hop_s) request.set_hop_seconds(*arguments.query.hop_s);
  SetMatch(arguments.match, request);
  return request;
}

// ", 2 semitones lower"; nothing at the pitch written.
std::string FormatTransposition(int semitones) {
  if (semitones == 0) return "";
  return absl::StrCat(", ", std::abs(semitones),
                      std::abs(semitones) == 1 ? " semitone " : " semitones ",
                      semitones > 0 ? "higher" : "lower");
}

// "0:03.0 of it is bar 5:1 (0:08.3), at 97 % of the tempo written".
std::string Place(const Query& query, const v1::Candidate& candidate) {
  const v1::Position& there = candidate.reference();
  const std::string bar = FormatBar(there);
  const std::string time = FormatTime(there.seconds());
  return absl::StrCat(
      FormatTime(query.offset_s + candidate.query_seconds()), " of it is ",
      bar.empty() ? absl::StrCat(time, " there") : absl::StrCat("bar ", bar, " (", time, ")"),
      ", at ", FormatTempo(candidate.tempo_ratio()),
      there.has_bar() ? " of the tempo written" : " of its tempo",
      FormatTransposition(candidate.transposition_semitones()));
}

// What the sound is to a recording; nothing where that is not known.
std::string DescribePerformance(v1::Performance performance) {
  switch (performance) {
    case v1::PERFORMANCE_SAME:
      return "this recording";
    case v1::PERFORMANCE_OTHER:
      return "another performance";
    default:
      return "";
  }
}

// The lines about a match: what, where, how it goes, and what else it may be.
std::string DescribeMatch(const Query& query, const v1::Candidate& best) {
  const std::string passages = DescribePassages(best.passages());
  std::string text = absl::StrCat(NameOf(best.source()), "\n  ", Place(query, best),
                                  best.has_part() ? absl::StrCat(", ", NameOf(best.part())) : "",
                                  "; confidence ", FormatScore(best.confidence()));
  if (best.performance() != v1::PERFORMANCE_UNSPECIFIED)
    absl::StrAppend(&text, "; ", DescribePerformance(best.performance()));
  if (!passages.empty()) absl::StrAppend(&text, "\n  it goes along ", passages);
  if (!best.same_music().empty())
    absl::StrAppend(&text, "\n", DescribeSameMusic(best.same_music(), "  "));
  return std::string(absl::StripSuffix(text, "\n"));
}

// A part of a long recording that is known does not make the whole of it a match.
std::string DescribeNoMatch(const Query& query, const v1::IdentifyResponse& response) {
  std::string text = "no match";
  if (!response.candidates().empty())
    text += ": no candidate is confident enough (--min-confidence, --transpose)";
  if (query.is_audio() && response.info().query_seconds() > kLongRecording_s) {
    text +=
        "; --long finds pieces within a long recording, and with talk or applause between "
        "them";
  }
  return response.candidates().empty() ? text : text + "; the nearest are";
}

bool IsOfWholeQuery(const v1::Warning& warning) {
  return warning.field() == "audio" || warning.field() == "score";
}

// Why, in the server's words; one of an earlier version has none.
std::string DescribeTooLittle(const v1::IdentifyResponse& response) {
  for (const v1::Warning& warning : response.info().warnings()) {
    if (IsOfWholeQuery(warning))
      return absl::StrCat("too little to compare: ", Printable(warning.message()));
  }
  return "too little to compare: silence, no notes, or shorter than half a window; send more "
         "of it";
}

std::string Headline(const Query& query, const v1::IdentifyResponse& response) {
  switch (response.verdict()) {
    case v1::VERDICT_MATCH:
      if (response.candidates().empty()) break;
      return DescribeMatch(query, response.candidates(0));
    case v1::VERDICT_NO_MATCH:
      return DescribeNoMatch(query, response);
    case v1::VERDICT_INSUFFICIENT_INPUT:
      return DescribeTooLittle(response);
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
               {"goes along", Align::kRight},
               {"tempo", Align::kRight},
               {"part", Align::kLeft, 28},
               {"performance", Align::kLeft},
               {"id", Align::kLeft, 200},
               {"work", Align::kLeft, 200},
               {"same music", Align::kLeft, 200}});
  for (int i = 0; i < response.candidates_size(); ++i) {
    const v1::Candidate& candidate = response.candidates(i);
    const v1::Position& there = candidate.reference();
    const bool goes_along = candidate.query_end_seconds() > candidate.query_start_seconds();
    table.AddRow(
        {absl::StrCat(i + 1), FormatScore(candidate.confidence()), FormatCount(candidate.votes()),
         candidate.source().title(), candidate.source().composer(),
         FormatTime(query.offset_s + candidate.query_seconds()), FormatBar(there),
         FormatTime(there.seconds()),
         goes_along ? FormatSpan(query.offset_s + candidate.query_start_seconds(),
                                 query.offset_s + candidate.query_end_seconds())
                    : "",
         FormatTempo(candidate.tempo_ratio()), candidate.has_part() ? NameOf(candidate.part()) : "",
         DescribePerformance(candidate.performance()), candidate.source().id(),
         candidate.source().work_id(), SameMusicIds(candidate.same_music())});
  }
  return table;
}

ExitCode Report(Context& context, const Query& query, const v1::IdentifyResponse& response) {
  if (context.json) {
    nlohmann::ordered_json json = {{"file", query.name}, {"offset_seconds", query.offset_s}};
    json.update(MessageToJson(response));
    Emit(context, json);
  } else {
    context.out << Printable(query.name) << ": " << Headline(query, response) << "\n";
    context.out << CandidateTable(query, response).Render();
    for (int i = 0; i < response.candidates_size(); ++i) {
      const v1::Candidate& candidate = response.candidates(i);
      context.out << RenderEvidence(absl::StrCat(i + 1, ": ", NameOf(candidate.source())),
                                    query.offset_s, candidate.evidence());
    }
    context.out << std::flush;
    // Why there is too little is in the headline.
    auto warnings = response.info().warnings();
    if (response.verdict() == v1::VERDICT_INSUFFICIENT_INPUT) {
      warnings.erase(std::remove_if(warnings.begin(), warnings.end(), IsOfWholeQuery),
                     warnings.end());
    }
    ReportWarnings(context, warnings, query.name);
  }
  return response.verdict() == v1::VERDICT_MATCH ? ExitCode::kOk : ExitCode::kNothing;
}

ExitCode IdentifyOne(const IdentifyArguments& arguments, Context& context) {
  const std::string& file = arguments.files.front();
  absl::StatusOr<Query> query = PrepareQuery(context, file, arguments.query);
  if (!query.ok()) return Fail(context, query.status(), file);
  const absl::StatusOr<v1::IdentifyResponse> response =
      context.connection.Call(kIdentify, ToRequest(arguments, *query));
  if (!response.ok()) return Fail(context, response.status(), query->name);
  return Report(context, *query, *response);
}

// Several files, in as few calls as the server's limits allow; reported in their order.
class Batch {
 public:
  Batch(const IdentifyArguments& arguments, Context& context, const v1::Limits& limits)
      : arguments_(arguments),
        context_(context),
        max_queries_(std::clamp(limits.max_batch_queries(), 1, kMostAtOnce)),
        max_bytes_(MaxBytes(limits)) {}

  // What became of the files that are reported by now.
  ExitCode Add(const std::string& file) {
    Item item{file, PrepareQuery(context_, file, arguments_.query), -1};
    ExitCode code = ExitCode::kOk;
    if (item.query.ok()) {
      v1::IdentifyRequest request = ToRequest(arguments_, *item.query);
      const auto bytes = static_cast<int64_t>(request.ByteSizeLong());
      if (bytes_ + bytes > max_bytes_ - kMessageOverheadBytes) code = Flush();
      bytes_ += bytes;
      item.place = request_.queries_size();
      *request_.add_queries()->mutable_identify() = std::move(request);
    }
    items_.push_back(std::move(item));
    return request_.queries_size() < max_queries_ ? code : Worse(code, Flush());
  }

  ExitCode Flush() {
    absl::StatusOr<v1::BatchResponse> response;
    if (request_.queries_size() > 0) response = context_.connection.Call(kBatch, request_);
    ExitCode worst = ExitCode::kOk;
    for (const Item& item : items_) {
      if (!context_.json && any_) context_.out << "\n";
      any_ = true;
      worst = Worse(worst, ReportItem(item, response));
      if (!response.ok() && worst == ExitCode::kUnreachable)
        break;  // nor will it be reached for the others
    }
    items_.clear();
    request_.Clear();
    bytes_ = 0;
    return worst;
  }

 private:
  struct Item {
    std::string file;
    absl::StatusOr<Query> query;
    int place = -1;  // in the request
  };

  ExitCode ReportItem(const Item& item, const absl::StatusOr<v1::BatchResponse>& response) {
    if (!item.query.ok()) return Fail(context_, item.query.status(), item.file);
    if (!response.ok()) return Fail(context_, response.status(), item.query->name);
    if (item.place >= response->results_size() || response->results(item.place).has_search()) {
      return Fail(context_, absl::InternalError("the server sent no answer to this"),
                  item.query->name);
    }
    const v1::BatchResult& result = response->results(item.place);
    if (result.has_error())
      return Fail(context_, FromErrorStatus(result.error()), item.query->name);
    return Report(context_, *item.query, result.identify());
  }

  const IdentifyArguments& arguments_;
  Context& context_;
  const int max_queries_;
  const int64_t max_bytes_;
  std::vector<Item> items_;
  v1::BatchRequest request_;
  int64_t bytes_ = 0;
  bool any_ = false;  // has been reported
};

}  // namespace

ExitCode RunIdentify(const IdentifyArguments& arguments, Context& context) {
  if (arguments.files.size() == 1) return IdentifyOne(arguments, context);
  const absl::StatusOr<v1::Limits> limits = context.connection.Limits();
  if (!limits.ok()) return Fail(context, limits.status(), arguments.files.front());
  Batch batch(arguments, context, *limits);
  ExitCode worst = ExitCode::kOk;
  for (const std::string& file : arguments.files) {
    const ExitCode code = batch.Add(file);
    worst = Worse(worst, code);
    if (code == ExitCode::kUnreachable) return worst;  // the next would only wait as long
  }
  return Worse(worst, batch.Flush());
}

}  // namespace antiphon::client
