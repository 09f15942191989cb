// What every subcommand works with. Context borrows everything it refers to.
#ifndef ANTIPHON_CLIENT_COMMANDS_CONTEXT_H_
#define ANTIPHON_CLIENT_COMMANDS_CONTEXT_H_

#include <iosfwd>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "antiphon/v1/types.pb.h"
#include "client/command_line.h"
#include "client/connection.h"
#include "client/exit_code.h"
#include "client/query.h"
#include "nlohmann/json_fwd.hpp"

namespace antiphon::client {

struct Context {
  Connection& connection;
  bool json = false;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

// Says what went wrong: a line on `err`, and with --json {"file": …, "error": …} on `out`.
ExitCode Fail(Context& context, const absl::Status& failure, const std::string& file = "");

// A line of JSON, flushed.
void Emit(Context& context, const nlohmann::ordered_json& json);

// The query in `file`. A large one is cut to what the server takes; it is asked for its limit.
[[nodiscard]] absl::StatusOr<Query> PrepareQuery(Context& context, const std::string& file,
                                                 const QueryArguments& arguments);

// Replaces the file. InvalidArgument says why it cannot.
[[nodiscard]] absl::Status WriteFile(const std::string& path, const std::string& bytes);

// "Für Elise – Ludwig van Beethoven"; the id where there is no title.
std::string NameOf(const v1::Source& source);

// A count in words: Plural(1, "window") is "1 window".
std::string Plural(int64_t count, const std::string& noun);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_COMMANDS_CONTEXT_H_
