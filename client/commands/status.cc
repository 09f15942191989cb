#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "client/commands/commands.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/table.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

std::string Render(const Rows& rows) {
  int width = 0;
  for (const auto& [name, unused] : rows) width = std::max(width, DisplayWidth(name));
  std::string text;
  for (const auto& [name, value] : rows) {
    absl::StrAppend(&text, name, std::string(width - DisplayWidth(name) + 2, ' '), Printable(value),
                    "\n");
  }
  return text;
}

// Who may ask, and whether others can listen.
std::string Access(const v1::StatusResponse& status) {
  std::vector<std::string> means;
  if (status.authentication()) means.emplace_back("API keys");
  if (status.client_certificates()) means.emplace_back("certificates of clients");
  return absl::StrCat(
      status.tls() ? "over TLS" : "in the clear", ", ",
      means.empty() ? "by anybody" : absl::StrCat("with ", absl::StrJoin(means, " and ")));
}

std::string Changes(const v1::StatusResponse& status) {
  if (status.last_change() == 0) return "none";
  return absl::StrCat("up to version ", status.last_change(), ", ",
                      FormatCount(status.unmerged_changes()), " not in a generation yet");
}

std::string Match(const v1::StatusResponse& status) {
  std::string text =
      absl::StrCat("from confidence ", FormatScore(status.confidence_threshold()), " on");
  if (status.calibration_queries() > 0) {
    absl::StrAppendFormat(&text, "; %.1f %% of unknown pieces reach it (measured on %s queries)",
                          100 * status.false_accept_rate(),
                          FormatCount(status.calibration_queries()));
  }
  return text;
}

// Where indexes are searched, if a GPU was asked for.
std::string Indexes(const v1::IndexDevice& device) {
  std::string text = absl::StrCat(
      device.indexes(), " on ", device.indexes() > 0 ? device.device() : "the GPU", " (",
      FormatBytes(device.memory_bytes()), "), ", device.indexes_on_cpu(), " on the CPU instead");
  if (!device.problem().empty()) absl::StrAppend(&text, ": ", device.problem());
  return text;
}

Rows Describe(const std::string& server, const v1::StatusResponse& status) {
  const std::string state = absl::AsciiStrToLower(
      absl::StripPrefix(v1::ServerState_Name(status.state()), "SERVER_STATE_"));
  const v1::Limits& limits = status.limits();
  Rows rows = {
      {"server", absl::StrCat(server, ", ", state, " for ", FormatTime(status.uptime_seconds()),
                              ", version ", status.version())},
      {"access", Access(status)},
      {"collection", absl::StrCat(Plural(status.pieces(), "piece"), ", ",
                                  Plural(status.recordings(), "recording"))},
      {"snippets", absl::StrCat(FormatCount(status.score_vectors()), " of scores, ",
                                FormatCount(status.recording_vectors()), " of recordings")},
      {"generation", absl::StrCat(status.generation(), ", published ", status.created())},
      {"changes", Changes(status)},
      {"model",
       absl::StrCat(status.model_id(), ", ", status.dimension(), " dimensions, windows of ",
                    absl::StrFormat("%.2f", status.window_seconds()), " s, on ", status.device())},
      {"match", Match(status)},
      {"accepts",
       absl::StrCat("audio up to ", FormatTime(limits.max_audio_seconds()), ", MIDI up to ",
                    FormatBytes(limits.max_midi_bytes()), ", requests up to ",
                    FormatBytes(limits.max_message_bytes()), ", ",
                    Plural(limits.max_batch_queries(), "query", "queries"), " in a batch, ",
                    Plural(limits.max_streams(), "stream"), " at once")},
      {"memory", FormatBytes(status.resident_bytes())},
  };
  if (status.index_device().wanted()) rows.emplace_back("indexes", Indexes(status.index_device()));
  for (const std::string& reason : status.rejected_generations())
    rows.emplace_back("refused", reason);
  for (const std::string& reason : status.rejected_changes()) rows.emplace_back("damaged", reason);
  return rows;
}

}  // namespace

ExitCode RunStatus(const StatusArguments&, Context& context) {
  const absl::StatusOr<v1::StatusResponse> status = context.connection.Call(kStatus, {});
  if (!status.ok()) return Fail(context, status.status());
  if (context.json) {
    Emit(context, MessageToJson(*status));
  } else {
    context.out << Render(Describe(context.connection.server(), *status));
  }
  return status->state() == v1::SERVER_STATE_SERVING ? ExitCode::kOk : ExitCode::kUnreachable;
}

}  // namespace antiphon::client
