#include "server/service_admin.h"

#include <utility>

#include "server/conversions.h"
#include "server/version.h"

namespace antiphon::server {
namespace {

v1::ServerState ToWire(ServerState state) {
  switch (state) {
    case ServerState::kStarting:
      return v1::SERVER_STATE_STARTING;
    case ServerState::kServing:
      return v1::SERVER_STATE_SERVING;
    case ServerState::kDraining:
      return v1::SERVER_STATE_DRAINING;
    case ServerState::kStopped:
      return v1::SERVER_STATE_STOPPED;
  }
  return v1::SERVER_STATE_UNSPECIFIED;
}

}  // namespace

AdminService::AdminService(CallRunner& runner, Store& store, const Lifecycle& lifecycle, AdminFacts facts)
    : runner_(runner), store_(store), lifecycle_(lifecycle), facts_(std::move(facts)) {}

grpc::ServerUnaryReactor* AdminService::Status(grpc::CallbackServerContext* context, const v1::StatusRequest* request,
                                               v1::StatusResponse* response) {
  return runner_.Run("Admin.Status", Placement::kInline, context, *request, response,
                     [=, this](Call& call) { return DoStatus(call, response); });
}

absl::Status AdminService::DoStatus(Call& call, v1::StatusResponse* response) const {
  const Engine& engine = call.engine();
  const bundle::Manifest& manifest = engine.manifest();
  response->set_version(Version());
  response->set_state(ToWire(lifecycle_.state()));
  response->set_uptime_seconds(absl::ToDoubleSeconds(absl::Now() - started_));
  response->set_generation(manifest.generation);
  response->set_created(manifest.created);
  response->set_model_id(manifest.model_id);
  response->set_device(facts_.device);
  response->set_dimension(manifest.dimension);
  response->set_feature_settings_json(manifest.feature_settings);
  response->set_window_seconds(engine.feature_settings().window_s());
  response->set_pieces(static_cast<int64_t>(engine.pieces().size()));
  response->set_recordings(static_cast<int64_t>(engine.recordings().size()));
  response->set_score_vectors(engine.vector_count(catalog::Side::kScores));
  response->set_recording_vectors(engine.vector_count(catalog::Side::kRecordings));
  for (const std::string& reason : engine.rejected_generations()) response->add_rejected_generations(reason);
  *response->mutable_limits() = server::ToWire(facts_.limits, facts_.queue_capacity);
  return absl::OkStatus();
}

}  // namespace antiphon::server
