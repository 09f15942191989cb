// What a command line asks for, and the configuration that it gives together with the environment
// (ANTIPHON_*) and a TOML file: a flag beats the environment, the environment beats the file, and
// the file beats the default.
#ifndef ANTIPHON_SERVER_COMMAND_LINE_H_
#define ANTIPHON_SERVER_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/config.h"

namespace antiphon::server {

struct ParsedCommandLine {
  enum class Action {
    kServe,
    kPrint,
    kHashKey  // read an API key from standard input, and print its hash
  } action = Action::kServe;
  Config config;  // with kServe; nothing is wrong with its values
  // With kPrint, for standard output: help, the version, the effective configuration, that it is
  // valid, or the options as the table of docs/operations.md.
  std::string text;
  // For the log: what of the environment looks as if it were meant for the server, and is not read.
  std::vector<std::string> warnings;
};

// `environment` holds "NAME=value" entries. InvalidArgument has a line for everything that is
// wrong: which option, what is wrong with it, and where it comes from. With --check-config that
// includes the files and directories that the configuration names (config_check.h).
[[nodiscard]] absl::StatusOr<ParsedCommandLine> ParseCommandLine(
    const std::vector<std::string>& arguments, const std::vector<std::string>& environment);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_COMMAND_LINE_H_
