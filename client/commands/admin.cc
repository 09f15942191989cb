#include <algorithm>
#include <optional>
#include <ostream>
#include <string>

#include "client/commands/commands.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/table.h"
#include "core/base/status_macros.h"
#include "nlohmann/json.hpp"

namespace antiphon::client {
namespace {

void Print(const v1::ReloadResponse& response, std::ostream& out) {
  if (response.generation() == response.previous_generation()) {
    out << "generation " << response.generation() << " serves already: there is nothing newer\n";
  } else {
    out << "generation " << response.generation() << " serves now, after "
        << response.previous_generation() << "\n";
  }
  for (const std::string& reason : response.rejected_generations())
    out << "refused: " << Printable(reason) << "\n";
}

void Print(const v1::MergeResponse& response, std::ostream& out) {
  if (response.merged_changes() == 0) {
    out << "there was nothing to merge; generation " << response.generation() << " serves\n";
  } else {
    out << Plural(response.merged_changes(), "change") << " merged; generation "
        << response.generation() << " serves now\n";
  }
}

void Print(const v1::SnapshotResponse& response, std::ostream& out) {
  out << "snapshot " << Printable(response.name()) << ": " << Plural(response.pieces(), "piece")
      << ", " << Plural(response.recordings(), "recording") << ", up to version "
      << response.version() << ", " << FormatBytes(response.bytes()) << "\n";
}

void Print(const v1::RestoreResponse& response, std::ostream& out) {
  out << "restored: " << Plural(response.pieces(), "piece") << ", "
      << Plural(response.recordings(), "recording") << "; generation " << response.generation()
      << " serves now\n";
}

// "2024-05-06 07:08:09" for a person.
std::string FormatCreated(const std::string& rfc3339) {
  std::string text = rfc3339;
  if (const size_t t = text.find('T'); t != std::string::npos) text[t] = ' ';
  if (text.ends_with('Z')) text.pop_back();
  return text;
}

void Print(const v1::ListSnapshotsResponse& response, std::ostream& out) {
  if (response.snapshots().empty()) {
    out << "there are no snapshots\n";
    return;
  }
  Table table({{"snapshot", Align::kLeft, 200},
               {"taken (UTC)"},
               {"pieces", Align::kRight},
               {"recordings", Align::kRight},
               {"version", Align::kRight},
               {"size", Align::kRight},
               {"model", Align::kLeft, 60},
               {"remark", Align::kLeft, 200}});
  for (const v1::SnapshotInfo& snapshot : response.snapshots()) {
    const bool known = !snapshot.created().empty();
    const auto count = [&](int64_t number) { return known ? FormatCount(number) : std::string(); };
    std::string remark;
    if (!snapshot.restorable()) remark = "cannot be restored: " + snapshot.problem();
    if (snapshot.restorable() && !snapshot.same_model()) remark = "of another model";
    table.AddRow({snapshot.name(), FormatCreated(snapshot.created()), count(snapshot.pieces()),
                  count(snapshot.recordings()), count(snapshot.version()),
                  FormatBytes(snapshot.bytes()), snapshot.model_id(), remark});
  }
  out << table.Render() << FormatCount(response.snapshots_size()) << " of "
      << Plural(response.total(), "snapshot") << "\n";
}

void Print(const v1::DeleteSnapshotResponse& response, std::ostream& out) {
  out << "deleted snapshot " << Printable(response.name()) << ", " << FormatBytes(response.bytes())
      << "\n";
}

// All pages, or as many as `limit` needs, as one response.
absl::StatusOr<v1::ListSnapshotsResponse> ListSnapshots(std::optional<int> limit,
                                                        Connection& connection) {
  constexpr int kPageSize = 1000;
  v1::ListSnapshotsResponse all;
  do {
    v1::ListSnapshotsRequest request;
    request.set_page_size(limit ? std::min(*limit - all.snapshots_size(), kPageSize) : kPageSize);
    request.set_page_token(all.next_page_token());
    ASSIGN_OR_RETURN(v1::ListSnapshotsResponse page, connection.Call(kListSnapshots, request));
    if (page.snapshots().empty()) page.clear_next_page_token();  // whatever it says
    all.mutable_snapshots()->MergeFrom(page.snapshots());
    all.set_next_page_token(page.next_page_token());
    all.set_total(page.total());
  } while (!all.next_page_token().empty() && (!limit || all.snapshots_size() < *limit));
  return all;
}

template <typename Response>
ExitCode Report(Context& context, const absl::StatusOr<Response>& response) {
  if (!response.ok()) return Fail(context, response.status());
  context.json ? Emit(context, MessageToJson(*response)) : Print(*response, context.out);
  return ExitCode::kOk;
}

}  // namespace

ExitCode RunAdmin(const AdminArguments& arguments, Context& context) {
  switch (arguments.action) {
    case AdminArguments::Action::kReload:
      return Report(context, context.connection.Call(kReload, {}));
    case AdminArguments::Action::kMerge:
      return Report(context, context.connection.Call(kMerge, {}));
    case AdminArguments::Action::kSnapshot: {
      v1::SnapshotRequest request;
      request.set_name(arguments.name);
      return Report(context, context.connection.Call(kSnapshot, request));
    }
    case AdminArguments::Action::kRestore: {
      v1::RestoreRequest request;
      request.set_name(arguments.name);
      return Report(context, context.connection.Call(kRestore, request));
    }
    case AdminArguments::Action::kSnapshots: {
      const auto response = ListSnapshots(arguments.limit, context.connection);
      const ExitCode code = Report(context, response);
      return response.ok() && response->snapshots().empty() ? ExitCode::kNothing : code;
    }
    case AdminArguments::Action::kDeleteSnapshot: {
      v1::DeleteSnapshotRequest request;
      request.set_name(arguments.name);
      return Report(context, context.connection.Call(kDeleteSnapshot, request));
    }
  }
  return ExitCode::kBadInput;
}

}  // namespace antiphon::client
