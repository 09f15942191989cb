// What every subcommand works with. Context borrows everything it refers to.
#ifndef ANTIPHON_CLIENT_COMMANDS_CONTEXT_H_
#define ANTIPHON_CLIENT_COMMANDS_CONTEXT_H_

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "antiphon/v1/admin.pb.h"
#include "antiphon/v1/types.pb.h"
#include "client/cli/arguments.h"
#include "client/input/query.h"
#include "client/output/exit_code.h"
#include "client/rpc/connection.h"
#include "nlohmann/json_fwd.hpp"

namespace antiphon::client {

struct Context {
  Connection& connection;
  bool json = false;
  bool progress = false;  // `err` is a terminal, and somebody looks at it
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

// Says what went wrong: a line on `err`, and with --json {"file": …, "error": …} on `out`.
ExitCode Fail(Context& context, const absl::Status& failure, const std::string& file = "");

// Lines on `err` about what this side could not decode.
void WarnLocally(Context& context, const std::vector<std::string>& warnings,
                 const std::string& file);

// A line of JSON, flushed.
void Emit(Context& context, const nlohmann::ordered_json& json);

// The query in `file`. A large one is cut to what the server takes; it is asked for its limit.
// `takes_excerpt`: the request can name a part of a whole file.
[[nodiscard]] absl::StatusOr<Query> PrepareQuery(Context& context, const std::string& file,
                                                 const QueryArguments& arguments,
                                                 bool takes_excerpt = true);

// The largest request that a server of these limits takes, bytes.
int64_t MaxBytes(const v1::Limits& limits);

// MaxBytes for an input of `size` bytes; the server is asked only where that may matter.
[[nodiscard]] absl::StatusOr<int64_t> MaxBytesFor(Context& context, int64_t size);

// Replaces the file. InvalidArgument says why it cannot.
[[nodiscard]] absl::Status WriteFile(const std::string& path, const std::string& bytes);

// "Für Elise – Ludwig van Beethoven"; the id where there is no title.
std::string NameOf(const v1::Source& source);

// Its name in the score, or "part 2" where it has none.
std::string NameOf(const v1::Part& part);

// A count in words: Plural(1, "window") is "1 window". `plural` where it takes more than an s.
std::string Plural(int64_t count, const std::string& noun, const std::string& plural = "");

// The failure with a hint on what to do behind it.
absl::Status WithHint(const absl::Status& failure, const std::string& hint);

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_COMMANDS_CONTEXT_H_
