#include "server/services/service_admin.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/runtime/version.h"
#include "server/services/pages.h"
#include "server/snapshots/snapshot_schedule.h"
#include "server/telemetry/process_stats.h"
#include "server/wire/conversions.h"
#include "server/wire/field_checks.h"
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

absl::Status CheckSnapshotName(const std::string& name) {
  if (IsSnapshotName(name)) return absl::OkStatus();
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
    case absl::StatusCode::kPermissionDenied:
      return CallerError(absl::StatusCode::kFailedPrecondition, status.message());
    default:
      return status;
  }
}

absl::Status NoSuchSnapshotOr(const absl::Status& status) {
  return absl::IsNotFound(status) ? FieldError(status.code(), "name", "no such snapshot")
                                  : ForOperator(status);
}

KeepGoing KeepGoingFor(const Call& call) {
  return [&call] { return call.KeepGoing(); };
}

v1::SnapshotInfo ToWire(const StoredSnapshot& snapshot, const bundle::Manifest& now) {
  v1::SnapshotInfo info;
  info.set_name(snapshot.name);
  info.set_created(snapshot.manifest.created);
  info.set_pieces(snapshot.manifest.pieces);
  info.set_recordings(snapshot.manifest.recordings);
  info.set_version(snapshot.manifest.last_change);
  info.set_bytes(snapshot.bytes);
  info.set_model_id(snapshot.manifest.model_id);
  info.set_restorable(snapshot.problem.empty());
  info.set_problem(snapshot.problem);
  info.set_same_model(snapshot.manifest.model_id == now.model_id);
  return info;
}

v1::IndexDevice ToWire(const index::DeviceStatus& status) {
  v1::IndexDevice device;
  device.set_device(status.device);
  device.set_wanted(status.wanted);
  device.set_usable(status.usable);
  device.set_indexes(status.indexes);
  device.set_indexes_on_cpu(status.indexes_left_out);
  device.set_memory_bytes(status.bytes);
  device.set_memory_limit_bytes(status.bytes_allowed);
  device.set_searches(status.searches);
  device.set_batches(status.batches);
  device.set_searches_on_cpu(status.searches_on_cpu);
  device.set_problem(status.problem);
  return device;
}

}  // namespace

AdminService::AdminService(CallRunner& runner, Store& store, SnapshotKeeper& snapshots,
                           OneAtATime& turns, const Lifecycle& lifecycle, AdminFacts facts)
    : runner_(runner),
      store_(store),
      snapshots_(snapshots),
      turns_(turns),
      lifecycle_(lifecycle),
      facts_(std::move(facts)) {}

std::vector<Method> AdminService::Methods() {
  using Self = AdminService;
  const auto queued = CallPolicy::kQueued;
  return {
      runner_.Unary("Admin.Status", CallPolicy::kInline, this, &Self::Status),
      runner_.Unary("Admin.Reload", queued, this, &Self::Reload),
      runner_.Unary("Admin.Merge", queued, this, &Self::Merge),
      runner_.Unary("Admin.Snapshot", queued, this, &Self::Snapshot),
      runner_.Unary("Admin.Restore", queued, this, &Self::Restore),
      runner_.Unary("Admin.ListSnapshots", queued, this, &Self::ListSnapshots),
      runner_.Unary("Admin.DeleteSnapshot", queued, this, &Self::DeleteSnapshot),
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
  *response->mutable_index_device() = ToWire(
      facts_.index_devices == nullptr ? index::DeviceStatus() : facts_.index_devices->Status());
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

absl::Status AdminService::Reload(Call& /*call*/, const v1::ReloadRequest& /*request*/,
                                  v1::ReloadResponse* response) {
  ASSIGN_OR_RETURN(const OneAtATime::Turn turn, turns_.Enter());
  ASSIGN_OR_RETURN(const auto reloaded, MapError(store_.Reload(), ForOperator));
  response->set_generation(reloaded.generation);
  response->set_previous_generation(reloaded.previous_generation);
  for (const std::string& reason : reloaded.rejected_generations)
    response->add_rejected_generations(reason);
  return absl::OkStatus();
}

absl::Status AdminService::Merge(Call& /*call*/, const v1::MergeRequest& /*request*/,
                                 v1::MergeResponse* response) {
  ASSIGN_OR_RETURN(const OneAtATime::Turn turn, turns_.Enter());
  ASSIGN_OR_RETURN(const auto merged, MapError(store_.Merge(), ForOperator));
  response->set_generation(merged.generation);
  response->set_merged_changes(merged.changes);
  return absl::OkStatus();
}

absl::Status AdminService::Snapshot(Call& call, const v1::SnapshotRequest& request,
                                    v1::SnapshotResponse* response) {
  RETURN_IF_ERROR(CheckSnapshotName(request.name()));
  if (IsScheduledName(request.name())) {
    return FieldError(absl::StatusCode::kInvalidArgument, "name",
                      "is one of those that the schedule gives, and removes again",
                      "any but auto-YYYYMMDD-HHMMSS");
  }
  const auto told = [](const absl::Status& status) {
    return absl::IsAlreadyExists(status)
               ? FieldError(status.code(), "name", "there is a snapshot of this name")
               : ForOperator(status);
  };
  ASSIGN_OR_RETURN(const bundle::Manifest taken,
                   MapError(snapshots_.Take(request.name(), KeepGoingFor(call)), told));
  response->set_name(request.name());
  response->set_pieces(taken.pieces);
  response->set_recordings(taken.recordings);
  response->set_version(taken.last_change);
  response->set_bytes(TotalBytes(taken));
  return absl::OkStatus();
}

absl::Status AdminService::Restore(Call& call, const v1::RestoreRequest& request,
                                   v1::RestoreResponse* response) {
  RETURN_IF_ERROR(CheckSnapshotName(request.name()));
  ASSIGN_OR_RETURN(
      const bundle::Manifest restored,
      MapError(snapshots_.Restore(request.name(), KeepGoingFor(call)), NoSuchSnapshotOr));
  response->set_generation(restored.generation);
  response->set_pieces(restored.pieces);
  response->set_recordings(restored.recordings);
  return absl::OkStatus();
}

absl::Status AdminService::ListSnapshots(Call& call, const v1::ListSnapshotsRequest& request,
                                         v1::ListSnapshotsResponse* response) {
  const Limits& limits = facts_.limits;
  const int page_size = request.has_page_size() ? request.page_size() : limits.default_page_size;
  RETURN_IF_ERROR(CheckFieldRange("page_size", page_size, Range<int>{1, limits.max_page_size}));
  ASSIGN_OR_RETURN(const std::vector<StoredSnapshot> snapshots,
                   MapError(snapshots_.List(KeepGoingFor(call)), ForOperator));
  std::vector<std::string> names;
  names.reserve(snapshots.size());
  for (const StoredSnapshot& snapshot : snapshots)
    names.push_back(absl::StrCat(snapshot.name, "\n", snapshot.manifest.created));
  ASSIGN_OR_RETURN(const SourcePage page, SelectPage(names, request.page_token(), page_size));
  for (const int position : page.positions)
    *response->add_snapshots() = ToWire(snapshots[position], call.collection().manifest());
  response->set_next_page_token(page.next_page_token);
  response->set_total(page.total);
  return absl::OkStatus();
}

absl::Status AdminService::DeleteSnapshot(Call& call, const v1::DeleteSnapshotRequest& request,
                                          v1::DeleteSnapshotResponse* response) {
  RETURN_IF_ERROR(CheckSnapshotName(request.name()));
  ASSIGN_OR_RETURN(
      const int64_t bytes,
      MapError(snapshots_.Remove(request.name(), KeepGoingFor(call)), NoSuchSnapshotOr));
  response->set_name(request.name());
  response->set_bytes(bytes);
  return absl::OkStatus();
}

}  // namespace antiphon::server
