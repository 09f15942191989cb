#include "client/commands/context.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <ostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/table.h"
#include "client/rpc/rpc_status.h"
#include "core/base/status_macros.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

// Smaller inputs fit into any server's limit, so that it need not be asked.
constexpr int64_t kAskForLimitAbove = 900 << 10;

}  // namespace

ExitCode Fail(Context& context, const absl::Status& failure, const std::string& file) {
  std::string message(failure.message());
  // Messages about a field of the request do not know which file it came from.
  if (!file.empty() && !absl::StrContains(message, file))
    message = absl::StrCat(file, ": ", message);
  context.err << "antiphon: " << Printable(message);
  if (const auto id = RequestIdOf(failure)) context.err << " [request " << Printable(*id) << "]";
  context.err << "\n";
  if (context.json) {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    if (!file.empty()) json["file"] = file;
    json["error"] = FailureToJson(failure);
    Emit(context, json);
  }
  return ExitCodeOf(failure);
}

void WarnLocally(Context& context, const std::vector<std::string>& warnings,
                 const std::string& file) {
  for (const std::string& warning : warnings)
    context.err << "antiphon: warning: " << Printable(absl::StrCat(file, ": ", warning)) << "\n";
}

void Emit(Context& context, const nlohmann::ordered_json& json) {
  context.out << JsonLine(json) << "\n" << std::flush;
}

absl::StatusOr<Query> PrepareQuery(Context& context, const std::string& file,
                                   const QueryArguments& arguments, bool takes_excerpt) {
  ASSIGN_OR_RETURN(const Input input, OpenInput(file, context.in));
  QueryOptions options;
  options.as = arguments.as;
  options.start_s = arguments.start_s;
  options.length_s = arguments.length_s;
  ASSIGN_OR_RETURN(options.max_bytes, MaxBytesFor(context, input.size));
  options.takes_excerpt = takes_excerpt;
  ASSIGN_OR_RETURN(Query query, MakeQuery(input, options));
  WarnLocally(context, query.warnings, query.name);
  return query;
}

int64_t MaxBytes(const v1::Limits& limits) {
  return limits.max_message_bytes() > 0 ? limits.max_message_bytes() : kUsualMaxBytes;
}

absl::StatusOr<int64_t> MaxBytesFor(Context& context, int64_t size) {
  if (size <= kAskForLimitAbove) return kUsualMaxBytes;
  ASSIGN_OR_RETURN(const v1::Limits limits, context.connection.Limits());
  return MaxBytes(limits);
}

absl::Status WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (stream) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("cannot write ", path, ": ", std::strerror(errno)));
}

std::string NameOf(const v1::Source& source) {
  std::string name = source.title().empty() ? source.id() : source.title();
  if (!source.composer().empty()) absl::StrAppend(&name, " – ", source.composer());
  return Printable(name);
}

std::string NameOf(const v1::Part& part) {
  return part.name().empty() ? absl::StrCat("part ", part.index() + 1) : Printable(part.name());
}

std::string Plural(int64_t count, const std::string& noun, const std::string& plural) {
  return absl::StrCat(FormatCount(count), " ",
                      count == 1       ? noun
                      : plural.empty() ? noun + "s"
                                       : plural);
}

absl::Status WithHint(const absl::Status& failure, const std::string& hint) {
  absl::Status hinted(failure.code(), absl::StrCat(failure.message(), "; ", hint));
  failure.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { hinted.SetPayload(url, payload); });
  return hinted;
}

}  // namespace antiphon::client
