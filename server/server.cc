#include "server/server.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/index/device_search.h"
#include "grpc/support/log.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/impl/server_builder_option.h"
#include "server/access/authenticator.h"
#include "server/access/tls.h"
#include "server/calls/call_gate.h"
#include "server/calls/call_runner.h"
#include "server/calls/stream_runner.h"
#include "server/calls/work_queue.h"
#include "server/hot_reload.h"
#include "server/runtime/listen_address.h"
#include "server/services/service_admin.h"
#include "server/services/service_catalog.h"
#include "server/services/service_retrieval.h"
#include "server/serving/metered_store.h"
#include "server/serving/one_at_a_time.h"
#include "server/snapshots/snapshot_keeper.h"
#include "server/snapshots/snapshot_schedule.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

// gRPC's own messages, which tell of connections and sockets.
void LogFromGrpc(gpr_log_func_args* args) {
  const auto level =
      args->severity == GPR_LOG_SEVERITY_ERROR ? spdlog::level::warn : spdlog::level::debug;
  spdlog::log(level, "grpc: {}", args->message);
}

// Health checking and logging are set for the whole process, before any server is built.
void EnablePlugins() {
  static const bool done = [] {
    gpr_set_log_function(LogFromGrpc);
    grpc::EnableDefaultHealthCheckService(true);
    return true;
  }();
  (void)done;
}

// Keeps one server from describing its services to anybody who asks. (Linking gRPC's library for it
// has every server of the process do so.)
class NoReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    const std::string name = grpc::reflection::ProtoServerReflectionPlugin().name();
    std::erase_if(*plugins, [&](const auto& plugin) { return plugin->name() == name; });
  }
};

SnapshotScheduleOptions ScheduleOf(const SnapshotOptions& options) {
  SnapshotScheduleOptions schedule;
  if (options.every_h > 0)
    schedule.every = std::max(absl::Hours(options.every_h), absl::Seconds(1));
  schedule.keep = options.keep;
  return schedule;
}

// What stands between the world and the services.
struct Guards {
  std::unique_ptr<Authenticator> keys;  // null where no keys are asked for
  std::unique_ptr<TlsIdentity> tls;     // null without TLS
};

absl::StatusOr<Guards> OpenGuards(const Config& config, Metrics& metrics) {
  Guards guards;
  if (config.api_keys.enabled()) {
    const auto name_option = [](const absl::Status& status) {
      return absl::Status(status.code(), absl::StrCat("api-keys-file: ", status.message()));
    };
    ASSIGN_OR_RETURN(guards.keys,
                     MapError(Authenticator::Open(config.api_keys, metrics), name_option));
  }
  if (config.tls.enabled()) {
    ASSIGN_OR_RETURN(guards.tls, TlsIdentity::Open(config.tls));
  }
  return guards;
}

}  // namespace

struct Server::Impl {
  Impl(const Config& config, Store& unmetered, Metrics& metrics, Guards guards,
       std::unique_ptr<SnapshotStorage> storage)
      : metrics(metrics),
        device(config.store.collection.encoder.device),
        guards(std::move(guards)),
        store(unmetered, metrics),
        snapshots(std::move(storage), config.snapshots.directory, store, turns, metrics),
        gate(store, lifecycle, metrics, this->guards.keys.get()),
        queue(config.queue),
        runner(gate, queue),
        streams(gate, config.streams),
        retrieval(runner, streams, store, metrics, config.limits),
        catalog(runner, streams, store, config.limits),
        admin(runner, store, snapshots, turns, lifecycle,
              AdminFacts{.device = device,
                         .limits = config.limits,
                         .queue_capacity = config.queue.capacity,
                         .max_streams = config.streams.max_streams,
                         .tls = config.tls.enabled(),
                         .authentication = config.api_keys.enabled()}) {}

  void MoveTo(ServerState state) {
    if (absl::Status status = lifecycle.MoveTo(state); !status.ok())
      spdlog::error("{}", std::string(status.message()));
    metrics.SetState(lifecycle.state());
  }

  Sample TakeSample() const {
    const std::shared_ptr<const retrieval::Collection> collection = store.Current();
    const editing::CollectionStore::EditStatus edit_status = store.edit_status();
    Sample sample;
    sample.queue_depth = queue.depth();
    sample.in_flight = lifecycle.in_flight();
    sample.streams = streams.open();
    sample.generation = collection->manifest().generation;
    sample.model_id = collection->manifest().model_id;
    sample.device = device;
    sample.pieces = static_cast<int64_t>(collection->pieces().size());
    sample.recordings = static_cast<int64_t>(collection->recordings().size());
    sample.score_vectors = collection->vector_count(catalog::Side::kScores);
    sample.recording_vectors = collection->vector_count(catalog::Side::kRecordings);
    sample.last_change = edit_status.last_change;
    sample.unmerged_changes = edit_status.unmerged;
    sample.rejected_generations = static_cast<int>(collection->rejected_generations().size());
    sample.rejected_changes = static_cast<int>(edit_status.rejected_changes.size());
    if (guards.tls != nullptr) sample.certificate_expires = guards.tls->expires();
    sample.gpu_bytes = index::DeviceMemoryInUse(device);
    return sample;
  }

  // Destroyed from the bottom up: first the sources of calls and reloads, then those who work on
  // them, then what they use.
  Metrics& metrics;
  const std::string device;
  const Guards guards;
  Lifecycle lifecycle;
  MeteredStore store;
  OneAtATime turns;
  SnapshotKeeper snapshots;
  CallGate gate;
  WorkQueue queue;
  CallRunner runner;
  StreamRunner streams;
  RetrievalService retrieval;
  CatalogService catalog;
  AdminService admin;
  int port = 0;
  std::unique_ptr<grpc::Server> grpc;
  std::unique_ptr<HotReload> hot_reload;
  std::unique_ptr<SnapshotSchedule> schedule;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Config& config, Store& store,
                                                      Metrics& metrics) {
  EnablePlugins();
  RETURN_IF_ERROR(MapError(CheckSocketIsFree(config.listen), [](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat("listen: ", status.message()));
  }));
  ASSIGN_OR_RETURN(Guards guards, OpenGuards(config, metrics));
  ASSIGN_OR_RETURN(auto storage, OpenSnapshotStorage(config.snapshots));
  auto impl = std::make_unique<Impl>(config, store, metrics, std::move(guards), std::move(storage));
  grpc::ServerBuilder builder;
  builder.AddListeningPort(
      config.listen,
      impl->guards.tls ? impl->guards.tls->Credentials() : grpc::InsecureServerCredentials(),
      &impl->port);
  builder.SetMaxReceiveMessageSize(config.limits.max_message_mib << 20);
  // Messages on their way in are held before anybody knows whose they are.
  grpc::ResourceQuota quota("antiphon");
  quota.Resize((int64_t{config.queue.capacity_mib} + 4 * config.limits.max_message_mib) << 20);
  builder.SetResourceQuota(quota);
  // Two servers on one port would each get a share of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  if (!config.ReflectionEnabled()) builder.SetOption(std::make_unique<NoReflection>());
  builder.RegisterService(&impl->retrieval);
  builder.RegisterService(&impl->catalog);
  builder.RegisterService(&impl->admin);
  // Calls that come before the state changes get Unavailable.
  impl->grpc = builder.BuildAndStart();
  if (impl->grpc == nullptr) {
    return absl::UnavailableError(absl::StrCat("listen: cannot listen on ", config.listen,
                                               "; is the address in use, or not this machine's?"));
  }
  metrics.SetSource([impl = impl.get()] { return impl->TakeSample(); });
  impl->hot_reload =
      std::make_unique<HotReload>(config.hot_reload, config.store.bundle, impl->store,
                                  impl->guards.keys.get(), impl->guards.tls.get(), metrics);
  impl->schedule =
      std::make_unique<SnapshotSchedule>(ScheduleOf(config.snapshots), impl->snapshots, metrics);
  impl->MoveTo(ServerState::kServing);
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  if (impl_->lifecycle.state() == ServerState::kServing) Drain(absl::ZeroDuration());
}

bool Server::Drain(absl::Duration grace) {
  const absl::Time deadline = absl::Now() + grace;
  impl_->MoveTo(ServerState::kDraining);
  impl_->hot_reload->Stop();
  impl_->schedule->Stop();
  impl_->grpc->GetHealthCheckService()->SetServingStatus(false);
  // The port stays open meanwhile: who asks for health, status or anything else gets an answer, not
  // a broken connection.
  const bool finished = impl_->lifecycle.WaitIdle(deadline);
  if (!finished)
    spdlog::warn("{} calls did not finish in time and are cancelled", impl_->lifecycle.in_flight());
  // What has been answered still gets a moment to be sent. Not more: clients that watch the health
  // would hold the server until the deadline.
  impl_->grpc->Shutdown(absl::ToChronoTime(absl::Now() + absl::Milliseconds(250)));
  impl_->grpc->Wait();
  impl_->queue.Stop();
  impl_->streams.Stop();
  impl_->metrics.SetSource(nullptr);
  impl_->MoveTo(ServerState::kStopped);
  return finished;
}

void Server::ReloadAll(const std::string& why) { impl_->hot_reload->ReloadAll(why); }

int Server::port() const { return impl_->port; }

ServerState Server::state() const { return impl_->lifecycle.state(); }

std::shared_ptr<grpc::Channel> Server::InProcessChannel() {
  return impl_->grpc->InProcessChannel(grpc::ChannelArguments());
}

}  // namespace antiphon::server
