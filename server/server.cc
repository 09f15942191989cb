#include "server/server.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "grpc/support/log.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/health_check_service_interface.h"
#include "server/call_gate.h"
#include "server/call_runner.h"
#include "server/service_admin.h"
#include "server/service_catalog.h"
#include "server/service_retrieval.h"
#include "server/stream_runner.h"
#include "server/work_queue.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

WorkQueueOptions QueueOptions(const Config& config) {
  WorkQueueOptions options;
  options.workers = config.EffectiveWorkers();
  options.capacity = config.queue_capacity;
  options.capacity_bytes = int64_t{config.queue_mib} << 20;
  return options;
}

StreamRunnerOptions StreamOptions(const Config& config) {
  return {.max_streams = config.max_streams, .patience = absl::Seconds(config.stream_idle_s)};
}

// gRPC's own messages, which tell of connections and sockets.
void LogFromGrpc(gpr_log_func_args* args) {
  const auto level = args->severity == GPR_LOG_SEVERITY_ERROR ? spdlog::level::warn : spdlog::level::debug;
  spdlog::log(level, "grpc: {}", args->message);
}

// Health checking, reflection and logging are set for the whole process, before any server is built.
void EnablePlugins() {
  static const bool done = [] {
    gpr_set_log_function(LogFromGrpc);
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    return true;
  }();
  (void)done;
}

}  // namespace

struct Server::Impl {
  Impl(const Config& config, Store& store, Metrics& metrics)
      : metrics(metrics),
        gate(store, lifecycle, metrics),
        queue(QueueOptions(config)),
        runner(gate, queue),
        streams(gate, StreamOptions(config)),
        retrieval(runner, metrics, config.RequestLimits()),
        catalog(runner, streams, store, config.RequestLimits()),
        admin(runner, store, lifecycle, AdminFacts{config.device, config.RequestLimits(), config.queue_capacity}) {}

  void MoveTo(ServerState state) {
    if (absl::Status status = lifecycle.MoveTo(state); !status.ok()) spdlog::error("{}", std::string(status.message()));
    metrics.SetState(lifecycle.state());
  }

  // Destroyed from the bottom up: first the source of calls, then those who work on them, then what they use.
  Metrics& metrics;
  Lifecycle lifecycle;
  CallGate gate;
  WorkQueue queue;
  CallRunner runner;
  StreamRunner streams;
  RetrievalService retrieval;
  CatalogService catalog;
  AdminService admin;
  int port = 0;
  std::unique_ptr<grpc::Server> grpc;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Config& config, Store& store, Metrics& metrics) {
  EnablePlugins();
  auto impl = std::make_unique<Impl>(config, store, metrics);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(config.listen, grpc::InsecureServerCredentials(), &impl->port);
  builder.SetMaxReceiveMessageSize(config.max_message_mib << 20);
  // Two servers on one port would each get a share of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterService(&impl->retrieval);
  builder.RegisterService(&impl->catalog);
  builder.RegisterService(&impl->admin);
  // Calls that come before the state changes get Unavailable.
  impl->grpc = builder.BuildAndStart();
  if (impl->grpc == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("listen: cannot listen on ", config.listen, "; is the address in use, or not this machine's?"));
  }
  metrics.SetQueueDepthSource([queue = &impl->queue] { return queue->depth(); });
  metrics.SetInFlightSource([lifecycle = &impl->lifecycle] { return lifecycle->in_flight(); });
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
  impl_->grpc->GetHealthCheckService()->SetServingStatus(false);
  // The port stays open meanwhile: who asks for health, status or anything else gets an answer, not a broken
  // connection.
  const bool finished = impl_->lifecycle.WaitIdle(deadline);
  if (!finished) spdlog::warn("{} calls did not finish in time and are cancelled", impl_->lifecycle.in_flight());
  // What has been answered still gets a moment to be sent. Not more: clients that watch the health would hold the
  // server until the deadline.
  impl_->grpc->Shutdown(absl::ToChronoTime(absl::Now() + absl::Milliseconds(250)));
  impl_->grpc->Wait();
  impl_->queue.Stop();
  impl_->streams.Stop();
  impl_->metrics.SetQueueDepthSource(nullptr);
  impl_->metrics.SetInFlightSource(nullptr);
  impl_->MoveTo(ServerState::kStopped);
  return finished;
}

int Server::port() const { return impl_->port; }

ServerState Server::state() const { return impl_->lifecycle.state(); }

std::shared_ptr<grpc::Channel> Server::InProcessChannel() {
  return impl_->grpc->InProcessChannel(grpc::ChannelArguments());
}

}  // namespace antiphon::server
