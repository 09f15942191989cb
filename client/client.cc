#include "client/client.h"

#include <unistd.h>

#include <iostream>
#include <memory>
#include <variant>

#include "client/cli/command_line.h"
#include "client/commands/commands.h"
#include "client/rpc/connection.h"

namespace antiphon::client {
namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

ExitCode RunClient(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out,
                   std::ostream& err) {
  const absl::StatusOr<CommandLine> line = ParseCommandLine(arguments);
  if (!line.ok()) {
    err << "antiphon: " << line.status().message() << "\nantiphon --help says how it is used.\n";
    return ExitCode::kBadInput;
  }
  if (line->text) {
    out << *line->text;
    return ExitCode::kOk;
  }
  const absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(line->connection);
  if (!connection.ok()) {
    err << "antiphon: " << connection.status().message() << "\n";
    return ExitCode::kBadInput;
  }
  const bool progress = &err == &std::cerr && isatty(STDERR_FILENO) != 0;
  Context context{**connection, line->json, progress, in, out, err};
  return std::visit(
      Overloaded{
          [&](const StatusArguments& arguments) { return RunStatus(arguments, context); },
          [&](const AdminArguments& arguments) { return RunAdmin(arguments, context); },
          [&](const SearchArguments& arguments) { return RunSearch(arguments, context); },
          [&](const IdentifyArguments& arguments) { return RunIdentify(arguments, context); },
          [&](const IdentifyLongArguments& arguments) {
            return RunIdentifyLong(arguments, context);
          },
          [&](const IdentifyLiveArguments& arguments) {
            return RunIdentifyLive(arguments, context);
          },
          [&](const AlignArguments& arguments) { return RunAlign(arguments, context); },
          [&](const FollowArguments& arguments) { return RunFollow(arguments, context); },
          [&](const TranscribeArguments& arguments) { return RunTranscribe(arguments, context); },
          [&](const EmbedArguments& arguments) { return RunEmbed(arguments, context); },
          [&](const ListArguments& arguments) { return RunList(arguments, context); },
          [&](const SameMusicArguments& arguments) { return RunSameMusic(arguments, context); },
          [&](const ShowArguments& arguments) { return RunShow(arguments, context); },
          [&](const AddPieceArguments& arguments) { return RunAddPiece(arguments, context); },
          [&](const AddPiecesArguments& arguments) { return RunAddPieces(arguments, context); },
          [&](const UpdatePieceArguments& arguments) { return RunUpdatePiece(arguments, context); },
          [&](const AddRecordingArguments& arguments) {
            return RunAddRecording(arguments, context);
          },
          [&](const AddRecordingsArguments& arguments) {
            return RunAddRecordings(arguments, context);
          },
          [&](const UpdateRecordingArguments& arguments) {
            return RunUpdateRecording(arguments, context);
          },
          [&](const DeleteArguments& arguments) { return RunDelete(arguments, context); },
          [&](const SnippetArguments& arguments) { return RunSnippet(arguments, context); },
      },
      line->command);
}

}  // namespace antiphon::client
