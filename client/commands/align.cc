#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/commands/alignment_text.h"
#include "client/commands/commands.h"
#include "client/commands/rendering.h"
#include "client/commands/streams.h"
#include "client/input/pcm.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/progress.h"
#include "client/output/table.h"
#include "client/rpc/rpc_status.h"
#include "core/base/status_macros.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

constexpr char kInstead[] = "give the recording first, and then the score";

AlignUnit EachOf(const AlignArguments& arguments) {
  return arguments.each.value_or(arguments.format == AlignFormat::kTsv ? AlignUnit::kBeat
                                                                       : AlignUnit::kBar);
}

bool WantsNotes(const AlignArguments& arguments) {
  return arguments.format == AlignFormat::kJson ||
         (arguments.format != AlignFormat::kMidi && EachOf(arguments) == AlignUnit::kNote);
}

absl::StatusOr<v1::AlignOptions> ToOptions(const AlignArguments& arguments, Context& context) {
  v1::AlignOptions options;
  if (!arguments.score_file.empty()) {
    ASSIGN_OR_RETURN(const Input input, OpenInput(arguments.score_file, context.in));
    ASSIGN_OR_RETURN(const int64_t max_bytes, MaxBytesFor(context, input.size));
    ASSIGN_OR_RETURN(std::string file, MakeScoreFile(input, max_bytes));
    *options.mutable_score() = ToScore(std::move(file));
  } else if (!arguments.piece_id.empty()) {
    options.set_piece_id(arguments.piece_id);
  } else {
    SetScope(arguments.scope, options);
  }
  options.set_as_written(arguments.as_written);
  options.set_without_notes(!WantsNotes(arguments));
  options.set_include_midi(arguments.format == AlignFormat::kMidi);
  return options;
}

// A recording and what is known of where it comes from.
struct Aligned {
  std::string name;
  double offset_s = 0;
  v1::AlignResponse response;
};

absl::StatusOr<Aligned> AlignStream(const AlignArguments& arguments,
                                    const v1::AlignOptions& options, Context& context) {
  ASSIGN_OR_RETURN(const Input input,
                   OpenAudio(arguments.file, arguments.length_s, kInstead, context.in));
  v1::AlignStreamOptions stream;
  stream.set_encoding(v1::Pcm::ENCODING_INT16);
  stream.set_sample_rate(kStreamRate);
  stream.set_channels(1);
  *stream.mutable_align() = options;
  Progress progress(context.err, context.progress);
  std::vector<std::string> warnings;
  double sent_s = 0;
  auto response = context.connection.AlignLong(stream, [&](const auto& send) {
    return StreamAudio(
        input, arguments.start_s, arguments.length_s, /*pace=*/false,
        [&](const std::string& samples) {
          sent_s += static_cast<double>(samples.size()) / sizeof(int16_t) / kStreamRate;
          progress.Show(0, 0, absl::StrCat("sent ", FormatTime(sent_s)));
          return send(samples);
        },
        &warnings);
  });
  progress.Clear();
  WarnLocally(context, warnings, input.name);
  RETURN_IF_ERROR(response.status());
  return Aligned{input.name, arguments.start_s.value_or(0), *std::move(response)};
}

// That a request holds more sound than the server takes at once.
bool IsTooLong(const absl::Status& failure) {
  const auto blamed = FieldOf(failure);
  return absl::IsResourceExhausted(failure) && blamed &&
         (blamed->field == "audio.file" || blamed->field == "audio.pcm.samples");
}

// In one request where it fits, as a stream otherwise.
absl::StatusOr<Aligned> AlignFile(const AlignArguments& arguments, const v1::AlignOptions& options,
                                  Context& context) {
  if (arguments.file != "-") {
    ASSIGN_OR_RETURN(const Input input, OpenInput(arguments.file, context.in));
    const auto score_bytes = static_cast<int64_t>(options.ByteSizeLong());
    ASSIGN_OR_RETURN(const int64_t max_bytes, MaxBytesFor(context, input.size + score_bytes));
    if (input.size + score_bytes > max_bytes - kMessageOverheadBytes)
      return AlignStream(arguments, options, context);
  }
  QueryArguments query_arguments;
  query_arguments.as = Kind::kAudio;
  query_arguments.start_s = arguments.start_s;
  query_arguments.length_s = arguments.length_s;
  ASSIGN_OR_RETURN(Query query, PrepareQuery(context, arguments.file, query_arguments));
  v1::AlignRequest request;
  *request.mutable_options() = options;
  *request.mutable_audio() = std::get<v1::Audio>(std::move(query.content));
  if (query.excerpt) *request.mutable_excerpt() = *query.excerpt;
  auto response = context.connection.Call(kAlign, request);
  if (IsTooLong(response.status()) && arguments.file != "-")
    return AlignStream(arguments, options, context);
  RETURN_IF_ERROR(response.status());
  return Aligned{query.name, query.offset_s, *std::move(response)};
}

std::string Headline(const Aligned& aligned) {
  const v1::AlignResponse& response = aligned.response;
  const std::string what = response.has_source() ? NameOf(response.source()) : "the score";
  switch (response.verdict()) {
    case v1::VERDICT_MATCH:
      return absl::StrCat(what, "; agreement ", FormatScore(response.agreement()),
                          response.has_confidence()
                              ? absl::StrCat(", confidence ", FormatScore(response.confidence()))
                              : "");
    case v1::VERDICT_NO_MATCH:
      if (response.has_confidence() && !response.has_source())
        return "no match: it is no piece of the collection, as far as can be told";
      return absl::StrCat("no match: this is not a recording of ", what, " (agreement ",
                          FormatScore(response.agreement()), ")");
    default:
      return "too little to compare";
  }
}

std::string Rendered(const AlignArguments& arguments, const Aligned& aligned) {
  const AlignUnit each = EachOf(arguments);
  switch (arguments.format) {
    case AlignFormat::kTable:
      return absl::StrCat(Printable(aligned.name), ": ", Headline(aligned), "\n",
                          aligned.response.beats().empty()
                              ? ""
                              : AlignmentTable(aligned.response, aligned.offset_s, each));
    case AlignFormat::kJson: {
      nlohmann::ordered_json json = {{"file", aligned.name}, {"offset_seconds", aligned.offset_s}};
      json.update(MessageToJson(aligned.response));
      return JsonLine(json) + "\n";
    }
    case AlignFormat::kTsv:
      return AlignmentTsv(aligned.response, aligned.offset_s, each);
    case AlignFormat::kAudacity:
      return AlignmentLabels(aligned.response, aligned.offset_s, each);
    case AlignFormat::kSonicVisualiser:
      return AlignmentInstants(aligned.response, aligned.offset_s, each);
    case AlignFormat::kMidi:
      return aligned.response.midi();
  }
  return "";
}

}  // namespace

ExitCode RunAlign(const AlignArguments& arguments, Context& context) {
  context.json = arguments.format == AlignFormat::kJson;
  const absl::StatusOr<v1::AlignOptions> options = ToOptions(arguments, context);
  if (!options.ok()) return Fail(context, options.status(), arguments.score_file);
  const absl::StatusOr<Aligned> aligned = AlignFile(arguments, *options, context);
  if (absl::IsNotFound(aligned.status()))
    return Fail(context, WithHint(aligned.status(), "`antiphon pieces` lists them"));
  if (!aligned.ok()) return Fail(context, aligned.status(), arguments.file);
  const bool match = aligned->response.verdict() == v1::VERDICT_MATCH;
  const bool to_file = !arguments.output.empty() && arguments.output != "-";
  // A file with nothing in it would only be mistaken for an alignment.
  if (match || arguments.format == AlignFormat::kTable || arguments.format == AlignFormat::kJson) {
    const std::string text = Rendered(arguments, *aligned);
    if (!to_file) {
      context.out << text << std::flush;
    } else if (absl::Status written = WriteFile(arguments.output, text); !written.ok()) {
      return Fail(context, written);
    }
  }
  const bool told = !to_file && arguments.format == AlignFormat::kTable;
  if (!told && !context.json) {
    (to_file ? context.out : context.err)
        << Printable(to_file && match ? arguments.output : aligned->name) << ": "
        << Headline(*aligned) << "\n";
  }
  ReportWarnings(context, aligned->response.info().warnings(), aligned->name);
  return match ? ExitCode::kOk : ExitCode::kNothing;
}

}  // namespace antiphon::client
