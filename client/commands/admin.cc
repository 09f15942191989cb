#include <ostream>

#include "client/commands/commands.h"
#include "client/output/format.h"
#include "client/output/json.h"
#include "client/output/table.h"
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
  }
  return ExitCode::kBadInput;
}

}  // namespace antiphon::client
