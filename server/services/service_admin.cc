#include "server/services/service_admin.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "core/base/status_macros.h"
#include "server/runtime/version.h"
#include "server/telemetry/process_stats.h"
#include "server/wire/conversions.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

v1::ServerState ToWire(ServerState state) {
  switch (state) {
    case ServerState::kStarting:
      return v1::SERVER_STATE_STARTING;
    case ServerState::kServing:
      return v1::SERVER_STATE_SERVING;
    case ServerState::kLameDuck:
    case ServerState::kDraining:
      return v1::SERVER_STATE_DRAINING;
    case ServerState::kStopped:
      return v1::SERVER_STATE_STOPPED;
  }
  return v1::SERVER_STATE_UNSPECIFIED;
}

// A name that is a file of a directory, whatever it is: no way out of it, nothing hidden, no option
// of a command.
absl::Status CheckSnapshotName(const std::string& name) {
  constexpr size_t kMaxBytes = 100;
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_';
  });
  if (plain && !name.empty() && name.size() <= kMaxBytes && name[0] != '.' && name[0] != '-')
    return absl::OkStatus();
  return FieldError(absl::StatusCode::kInvalidArgument, "name",
                    name.empty() ? "missing" : "is no plain name",
                    "1 to 100 letters, digits, '.', '-' and '_', not beginning with '.' or '-'");
}

// What a store says of a generation is about the operator's files, and meant for him.
absl::Status ForOperator(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
      return CallerError(status.code(), status.message());
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
      return CallerError(absl::StatusCode::kFailedPrecondition, status.message());
    default:
      return status;
  }
}

}  // namespace

AdminService::AdminService(CallRunner& runner, Store& store, const Lifecycle& lifecycle,
                           AdminFacts facts)
    : runner_(runner), store_(store), lifecycle_(lifecycle), facts_(std::move(facts)) {}

template <typename Request, typename Response>
Method AdminService::OneAtATime(const char* name,
                                absl::Status (AdminService::*work)(const Request&, Response*)) {
  return runner_.Unary<Request, Response>(
      name, CallPolicy::kQueued,
      [this, work](Call&, const Request& request, Response* response) -> absl::Status {
        if (busy_.exchange(true)) {
          return CallerError(
              absl::StatusCode::kAborted,
              "a reload, merge, snapshot or restore is under way; ask again when it is done");
        }
        struct Release {
          std::atomic<bool>& busy;
          ~Release() { busy = false; }
        } release{busy_};
        return (this->*work)(request, response);
      });
}

std::vector<Method> AdminService::Methods() {
  using Self = AdminService;
  return {
      runner_.Unary("Admin.Status", CallPolicy::kInline, this, &Self::Status),
      OneAtATime("Admin.Reload", &Self::Reload),
      OneAtATime("Admin.Merge", &Self::Merge),
      OneAtATime("Admin.Snapshot", &Self::Snapshot),
      OneAtATime("Admin.Restore", &Self::Restore),
  };
}

absl::Status AdminService::Status(Call& call, const v1::StatusRequest& /*request*/,
                                  v1::StatusResponse* response) const {
  const retrieval::Collection& collection = call.collection();
  const bundle::Manifest& manifest = collection.manifest();
  response->set_version(Version());
  response->set_state(ToWire(lifecycle_.state()));
  response->set_uptime_seconds(SecondsSince(started_));
  response->set_generation(manifest.generation);
  response->set_created(manifest.created);
  response->set_model_id(manifest.model_id);
  response->set_device(facts_.device);
  response->set_dimension(manifest.dimension);
  response->set_feature_settings_json(manifest.feature_settings);
  response->set_window_seconds(collection.feature_settings().window_s());
  response->set_pieces(static_cast<int64_t>(collection.pieces().size()));
  response->set_recordings(static_cast<int64_t>(collection.recordings().size()));
  response->set_score_vectors(collection.vector_count(catalog::Side::kScores));
  response->set_recording_vectors(collection.vector_count(catalog::Side::kRecordings));
  for (const std::string& reason : collection.rejected_generations())
    response->add_rejected_generations(reason);
  *response->mutable_limits() =
      server::ToWire(facts_.limits, facts_.queue_capacity, facts_.max_streams);
  response->set_confidence_threshold(collection.confidence().threshold);
  response->set_false_accept_rate(collection.confidence().false_accept_rate);
  response->set_calibration_queries(collection.confidence().queries);
  const editing::CollectionStore::EditStatus edit_status = store_.edit_status();
  response->set_last_change(edit_status.last_change);
  response->set_unmerged_changes(edit_status.unmerged);
  for (const std::string& change : edit_status.rejected_changes)
    response->add_rejected_changes(change);
  response->set_resident_bytes(ReadProcessStats().resident_bytes);
  response->set_tls(facts_.tls);
  response->set_authentication(facts_.authentication);
  response->set_client_certificates(facts_.client_certificates);
  return absl::OkStatus();
}

absl::Status AdminService::Reload(const v1::ReloadRequest& /*request*/,
                                  v1::ReloadResponse* response) {
  ASSIGN_OR_RETURN(const auto reloaded, MapError(store_.Reload(), ForOperator));
  response->set_generation(reloaded.generation);
  response->set_previous_generation(reloaded.previous_generation);
  for (const std::string& reason : reloaded.rejected_generations)
    response->add_rejected_generations(reason);
  return absl::OkStatus();
}

absl::Status AdminService::Merge(const v1::MergeRequest& /*request*/, v1::MergeResponse* response) {
  ASSIGN_OR_RETURN(const auto merged, MapError(store_.Merge(), ForOperator));
  response->set_generation(merged.generation);
  response->set_merged_changes(merged.changes);
  return absl::OkStatus();
}

absl::Status AdminService::Snapshot(const v1::SnapshotRequest& request,
                                    v1::SnapshotResponse* response) {
  RETURN_IF_ERROR(CheckSnapshotName(request.name()));
  const auto told = [](const absl::Status& status) {
    return absl::IsAlreadyExists(status)
               ? FieldError(status.code(), "name", "there is a snapshot of this name")
               : ForOperator(status);
  };
  ASSIGN_OR_RETURN(const auto snapshot, MapError(store_.TakeSnapshot(request.name()), told));
  response->set_name(request.name());
  response->set_pieces(snapshot.manifest.pieces);
  response->set_recordings(snapshot.manifest.recordings);
  response->set_version(snapshot.version);
  response->set_bytes(snapshot.bytes);
  return absl::OkStatus();
}

absl::Status AdminService::Restore(const v1::RestoreRequest& request,
                                   v1::RestoreResponse* response) {
  RETURN_IF_ERROR(CheckSnapshotName(request.name()));
  const auto told = [](const absl::Status& status) {
    return absl::IsNotFound(status) ? FieldError(status.code(), "name", "no such snapshot")
                                    : ForOperator(status);
  };
  ASSIGN_OR_RETURN(const auto restored, MapError(store_.Restore(request.name()), told));
  response->set_generation(restored.generation);
  response->set_pieces(restored.pieces);
  response->set_recordings(restored.recordings);
  return absl::OkStatus();
}

}  // namespace antiphon::server
