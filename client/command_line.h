// What the user asks for. Plain values; every option is declared once, in command_line.cc. Safe from any thread.
#ifndef ANTIPHON_CLIENT_COMMAND_LINE_H_
#define ANTIPHON_CLIENT_COMMAND_LINE_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "antiphon/v1/retrieval.pb.h"
#include "client/connection.h"
#include "client/input.h"

namespace antiphon::client {

// An option that is left out is left out of the request too, so that the server's default holds; its ranges are the
// server's to check.
struct QueryArguments {
  Kind as = Kind::kUnknown;        // as the contents say
  std::optional<double> start_s;   // seconds of the input
  std::optional<double> length_s;  // seconds
  std::optional<double> hop_s;     // between query windows, seconds
};

struct SearchArguments {
  std::string file;
  QueryArguments query;
  std::optional<int> top_k;
  std::string snippets_dir;  // where to write what was matched; empty: nowhere
};

struct IdentifyArguments {
  std::vector<std::string> files;
  QueryArguments query;
  std::optional<int> top_k;
  std::optional<double> min_confidence;
  v1::Side against = v1::SIDE_UNSPECIFIED;
  v1::VoteMethod method = v1::VOTE_METHOD_UNSPECIFIED;
};

struct EmbedArguments {
  std::string file;
  QueryArguments query;
  std::optional<double> tempo_ratio;
  std::string output;  // .npy; empty: none
};

struct PiecesArguments {
  std::string filter;
  std::optional<int> limit;  // pieces shown; left out: all
};

struct PieceArguments {
  std::string id;
};

struct SnippetArguments {
  std::string id;
  bool of_recording = false;
  std::optional<double> start_s;
  std::optional<double> end_s;
  std::string output;  // file or "-"; empty only with --json
};

struct StatusArguments {};

struct CommandLine {
  ConnectionOptions connection;
  bool json = false;
  std::variant<StatusArguments, SearchArguments, IdentifyArguments, PiecesArguments, PieceArguments, SnippetArguments,
               EmbedArguments>
      command;
  std::optional<std::string> text;  // help or version: to be printed instead of anything else
};

// Without the program's name. InvalidArgument says what is wrong.
[[nodiscard]] absl::StatusOr<CommandLine> ParseCommandLine(std::vector<std::string> arguments);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_COMMAND_LINE_H_
