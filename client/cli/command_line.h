// From the words of a command line to what the user asks for. Every option is declared once: those
// of all commands in command_line.cc, those of a group of commands in parse_*.cc. Safe from any
// thread.
#ifndef ANTIPHON_CLIENT_CLI_COMMAND_LINE_H_
#define ANTIPHON_CLIENT_CLI_COMMAND_LINE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/arguments.h"
#include "client/rpc/connection_options.h"

namespace antiphon::client {

struct CommandLine {
  ConnectionOptions connection;
  bool json = false;
  Command command;
  std::optional<std::string> text;  // help or version: to be printed instead of anything else
};

// Without the program's name. InvalidArgument says what is wrong.
[[nodiscard]] absl::StatusOr<CommandLine> ParseCommandLine(std::vector<std::string> arguments);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_CLI_COMMAND_LINE_H_
