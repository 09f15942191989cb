#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "client/commands/commands.h"
#include "client/format.h"
#include "client/json.h"
#include "client/table.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

std::string Render(const Rows& rows) {
  int width = 0;
  for (const auto& [name, unused] : rows) width = std::max(width, DisplayWidth(name));
  std::string text;
  for (const auto& [name, value] : rows) {
    absl::StrAppend(&text, name, std::string(width - DisplayWidth(name) + 2, ' '), Printable(value), "\n");
  }
  return text;
}

Rows Describe(const std::string& server, const v1::StatusResponse& status) {
  const std::string state =
      absl::AsciiStrToLower(absl::StripPrefix(v1::ServerState_Name(status.state()), "SERVER_STATE_"));
  const v1::Limits& limits = status.limits();
  Rows rows = {
      {"server",
       absl::StrCat(server, ", ", state, " for ", FormatTime(status.uptime_seconds()), ", version ", status.version())},
      {"collection", absl::StrCat(Plural(status.pieces(), "piece"), ", ", Plural(status.recordings(), "recording"))},
      {"snippets", absl::StrCat(FormatCount(status.score_vectors()), " of scores, ",
                                FormatCount(status.recording_vectors()), " of recordings")},
      {"generation", absl::StrCat(status.generation(), ", published ", status.created())},
      {"model", absl::StrCat(status.model_id(), ", ", status.dimension(), " dimensions, windows of ",
                             absl::StrFormat("%.2f", status.window_seconds()), " s, on ", status.device())},
      {"accepts", absl::StrCat("audio up to ", FormatTime(limits.max_audio_seconds()), ", MIDI up to ",
                               FormatBytes(limits.max_midi_bytes()), ", requests up to ",
                               FormatBytes(limits.max_message_bytes()))},
  };
  for (const std::string& reason : status.rejected_generations()) rows.emplace_back("refused", reason);
  return rows;
}

}  // namespace

ExitCode RunStatus(const StatusArguments&, Context& context) {
  const absl::StatusOr<v1::StatusResponse> status = context.connection.Status();
  if (!status.ok()) return Fail(context, status.status());
  if (context.json) {
    Emit(context, MessageToJson(*status));
  } else {
    context.out << Render(Describe(context.connection.server(), *status));
  }
  return status->state() == v1::SERVER_STATE_SERVING ? ExitCode::kOk : ExitCode::kUnreachable;
}

}  // namespace antiphon::client
