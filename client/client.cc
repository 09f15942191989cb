#include "client/client.h"

#include <ostream>
#include <variant>

#include "client/command_line.h"
#include "client/commands/commands.h"
#include "client/connection.h"

namespace antiphon::client {
namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

ExitCode RunClient(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out, std::ostream& err) {
  const absl::StatusOr<CommandLine> line = ParseCommandLine(arguments);
  if (!line.ok()) {
    err << "antiphon: " << line.status().message() << "\nantiphon --help says how it is used.\n";
    return ExitCode::kBadInput;
  }
  if (line->text) {
    out << *line->text;
    return ExitCode::kOk;
  }
  Connection connection(line->connection);
  Context context{connection, line->json, in, out, err};
  return std::visit(Overloaded{
                        [&](const StatusArguments& arguments) { return RunStatus(arguments, context); },
                        [&](const SearchArguments& arguments) { return RunSearch(arguments, context); },
                        [&](const IdentifyArguments& arguments) { return RunIdentify(arguments, context); },
                        [&](const PiecesArguments& arguments) { return RunPieces(arguments, context); },
                        [&](const PieceArguments& arguments) { return RunPiece(arguments, context); },
                        [&](const SnippetArguments& arguments) { return RunSnippet(arguments, context); },
                        [&](const EmbedArguments& arguments) { return RunEmbed(arguments, context); },
                    },
                    line->command);
}

}  // namespace antiphon::client
