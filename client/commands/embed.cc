#include <bit>
#include <cstring>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/commands/commands.h"
#include "client/commands/rendering.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/table.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

static_assert(std::endian::native == std::endian::little, "the array is written as '<f4'");

constexpr int kValuesShown = 6;

v1::EmbedRequest ToRequest(const EmbedArguments& arguments, Query& query) {
  v1::EmbedRequest request;
  if (query.is_audio()) {
    *request.mutable_audio() = std::get<v1::Audio>(std::move(query.content));
  } else {
    *request.mutable_score() = std::get<v1::Score>(std::move(query.content));
  }
  if (arguments.query.hop_s) request.set_hop_seconds(*arguments.query.hop_s);
  if (arguments.tempo_ratio) request.set_tempo_ratio(*arguments.tempo_ratio);
  return request;
}

// NumPy's format, version 1.0 (numpy.lib.format): magic, header length, a Python literal padded to
// 64 bytes, the data.
std::string ToNpy(const v1::EmbedResponse& response) {
  std::string header =
      absl::StrFormat("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }",
                      response.start_seconds_size(), response.dimension());
  const size_t prefix = 10;
  header.append(63 - (prefix + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 0xFF);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(response.values().data()),
               response.values_size() * sizeof(float));
  return bytes;
}

// The first numbers of every window: enough to see that they differ.
std::string RenderRows(const Query& query, const v1::EmbedResponse& response) {
  Table table({{"window", Align::kRight}, {"embedding"}});
  for (int i = 0; i < response.start_seconds_size(); ++i) {
    const double start_s = query.offset_s + response.start_seconds(i);
    std::string row;
    for (int d = 0; d < std::min(kValuesShown, response.dimension()); ++d) {
      absl::StrAppendFormat(&row, "%s%6.3f", d == 0 ? "" : " ",
                            response.values(i * response.dimension() + d));
    }
    if (response.dimension() > kValuesShown) row += " …";
    table.AddRow({FormatSpan(start_s, start_s + response.window_seconds()), row});
  }
  return table.Render();
}

}  // namespace

ExitCode RunEmbed(const EmbedArguments& arguments, Context& context) {
  absl::StatusOr<Query> query =
      PrepareQuery(context, arguments.file, arguments.query, /*takes_excerpt=*/false);
  if (!query.ok()) return Fail(context, query.status(), arguments.file);
  absl::StatusOr<v1::EmbedResponse> response =
      context.connection.Call(kEmbed, ToRequest(arguments, *query));
  if (!response.ok()) return Fail(context, response.status(), query->name);
  const int windows = response->start_seconds_size();
  if (int64_t{windows} * response->dimension() != response->values_size()) {
    return Fail(context,
                absl::InternalError("the server sent embeddings of another size than it says"),
                query->name);
  }
  if (!arguments.output.empty()) {
    if (absl::Status status = WriteFile(arguments.output, ToNpy(*response)); !status.ok()) {
      return Fail(context, status, query->name);
    }
  }
  if (context.json) {
    nlohmann::ordered_json json = {{"file", query->name}, {"offset_seconds", query->offset_s}};
    json.update(MessageToJson(*response));
    Emit(context, json);
  } else {
    context.out << Printable(query->name) << ": " << Plural(windows, "window")
                << absl::StrFormat(" of %.2f s with something in them, %d numbers for each\n",
                                   response->window_seconds(), response->dimension());
    if (!arguments.output.empty()) {
      context.out << "written to " << Printable(arguments.output) << "\n";
    } else if (windows > 0) {
      context.out << RenderRows(*query, *response) << "-o FILE.npy or --json gives all of them\n";
    }
  }
  ReportWarnings(context, response->info().warnings(), query->name);
  return windows == 0 ? ExitCode::kNothing : ExitCode::kOk;
}

}  // namespace antiphon::client
