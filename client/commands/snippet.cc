#include <ostream>
#include <string>

#include "client/commands/commands.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/table.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

v1::GetSnippetRequest ToRequest(const SnippetArguments& arguments) {
  v1::GetSnippetRequest request;
  if (arguments.of_recording) {
    request.set_recording_id(arguments.id);
  } else {
    request.set_piece_id(arguments.id);
  }
  if (arguments.start_s) request.set_start_seconds(*arguments.start_s);
  if (arguments.end_s) request.set_end_seconds(*arguments.end_s);
  return request;
}

}  // namespace

ExitCode RunSnippet(const SnippetArguments& arguments, Context& context) {
  absl::StatusOr<v1::GetSnippetResponse> response =
      context.connection.Call(kGetSnippet, ToRequest(arguments));
  if (absl::IsNotFound(response.status())) {
    return Fail(context, WithHint(response.status(), arguments.of_recording
                                                         ? "`antiphon recording list` lists them"
                                                         : "`antiphon pieces` lists them"));
  }
  if (!response.ok()) return Fail(context, response.status());
  if (arguments.output == "-") {
    context.out << response->content() << std::flush;
    return ExitCode::kOk;
  }
  const int64_t size = static_cast<int64_t>(response->content().size());
  if (!arguments.output.empty()) {
    if (absl::Status status = WriteFile(arguments.output, response->content()); !status.ok()) {
      return Fail(context, status);
    }
    response->clear_content();
  }
  if (context.json) {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    if (!arguments.output.empty()) json["file"] = arguments.output;
    json.update(MessageToJson(*response));
    Emit(context, json);
  } else {
    context.out << Printable(arguments.output) << ": " << NameOf(response->source()) << ", "
                << FormatSpan(response->start().seconds(), response->end().seconds()) << " ("
                << FormatBytes(size) << ")\n";
  }
  return ExitCode::kOk;
}

}  // namespace antiphon::client
