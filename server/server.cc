#include "server/server.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/steady_time.h"
#include "core/index/device_pool.h"
#include "grpc/support/log.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/impl/codegen/method_handler.h"
#include "grpcpp/impl/server_builder_option.h"
#include "server/access/authenticator.h"
#include "server/access/tls.h"
#include "server/calls/call_gate.h"
#include "server/calls/call_runner.h"
#include "server/calls/dispatcher.h"
#include "server/calls/receive_monitor.h"
#include "server/calls/stream_runner.h"
#include "server/calls/work_queue.h"
#include "server/hot_reload.h"
#include "server/performances/performance_service.h"
#include "server/runtime/descriptor_limit.h"
#include "server/self_probe.h"
#include "server/services/service_admin.h"
#include "server/services/service_catalog.h"
#include "server/services/service_health.h"
#include "server/services/service_retrieval.h"
#include "server/serving/metered_store.h"
#include "server/serving/one_at_a_time.h"
#include "server/snapshots/snapshot_keeper.h"
#include "server/snapshots/snapshot_schedule.h"
#include "server/transport/listener.h"
#include "server/transport/port_probe.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

// gRPC's own messages, which tell of connections and sockets.
void LogFromGrpc(gpr_log_func_args* args) {
  // What strangers do wrong with TLS is no error of this server.
  const bool handshake = absl::StrContains(args->message, "Handshake failed");
  const auto level = args->severity == GPR_LOG_SEVERITY_ERROR && !handshake ? spdlog::level::warn
                                                                            : spdlog::level::debug;
  spdlog::log(level, "grpc: {}", args->message);
}

// Once for the whole process, before any server is built.
void LogThroughUs() {
  static const bool done = [] {
    gpr_set_log_function(LogFromGrpc);
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

// Has reflection list a service whose methods gRPC does not know, because the dispatcher has them.
class NamedService final : public grpc::Service {
 public:
  explicit NamedService(const std::string& name) : path_(absl::StrCat("/", name, "/")) {
    // gRPC takes the name from the path of a method, of which there must be one. As a stream, it
    // answers UNIMPLEMENTED without reading anything.
    AddMethod(new grpc::internal::RpcServiceMethod(path_.c_str(),
                                                   grpc::internal::RpcMethod::BIDI_STREAMING,
                                                   new grpc::internal::UnknownMethodHandler("")));
  }

 private:
  const std::string path_;  // gRPC keeps no copy
};

constexpr char kPackage[] = "antiphon.v1";
constexpr const char* kServices[] = {"antiphon.v1.Retrieval", "antiphon.v1.Catalog",
                                     "antiphon.v1.Admin"};

constexpr absl::Duration kHandshake = absl::Seconds(20);  // TLS, and HTTP/2's settings
constexpr absl::Duration kPingAnswer = absl::Seconds(20);
// Clients may ping this often. gRPC would hang up on those that ping more than every five minutes.
constexpr absl::Duration kPingInterval = absl::Seconds(5);
constexpr int kCallsPerConnection = 256;
constexpr absl::Duration kProbePeriod = absl::Seconds(5);
constexpr absl::Duration kProbeTimeout = absl::Seconds(3);
// What has been read gets this long to be answered, and what has been answered to be sent.
constexpr absl::Duration kFlush = absl::Milliseconds(250);
// How long abandoned calls get to notice.
constexpr absl::Duration kAbandoned = absl::Seconds(1);

const char* LabelOf(ReceiveMonitor::Limit limit) {
  switch (limit) {
    case ReceiveMonitor::Limit::kMessage:
      return "message";
    case ReceiveMonitor::Limit::kConnection:
      return "connection";
    case ReceiveMonitor::Limit::kCaller:
      return "caller";
    case ReceiveMonitor::Limit::kServer:
      return "server";
    case ReceiveMonitor::Limit::kTime:
      return "time";
  }
  return "unknown";
}

// A connection gets twice what one request may be.
ReceiveOptions ReceiveOptionsOf(const Config& config) {
  ReceiveOptions options = config.receive;
  options.connection_mib = 2 * config.limits.max_message_mib;
  return options;
}

// The server's address, with the port that it got.
std::string OwnAddress(const std::string& listen, int port) {
  return port == 0 ? listen : absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port);
}

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
       std::unique_ptr<Listener> listening, std::unique_ptr<SnapshotStorage> storage)
      : metrics(metrics),
        config(config),
        guards(std::move(guards)),
        store(unmetered, metrics),
        listener(std::move(listening)),
        monitor(
            ReceiveOptionsOf(config),
            [this](const std::string& peer) { return listener->BytesReceived(peer); },
            [&metrics](ReceiveMonitor::Limit limit) {
              metrics.RecordReceiveLimit(LabelOf(limit));
            }),
        snapshots(std::move(storage), config.snapshots.directory, store, turns, metrics),
        tracer(config.tracing.enabled() ? std::make_unique<Tracer>(config.tracing) : nullptr),
        gate(store, lifecycle, metrics, this->guards.keys.get(), config.api_keys.quota,
             tracer.get()),
        queue(config.queue),
        runner(gate, queue, monitor, config.limits.max_message_bytes()),
        streams(gate, monitor, config.streams, config.limits.max_message_bytes()),
        edit_streams(
            gate, monitor,
            {.max_streams = config.max_edit_streams, .patience_s = config.streams.patience_s},
            config.limits.max_message_bytes()),
        retrieval(runner, streams, store, metrics, config.limits),
        performances(runner, streams, store, metrics, config.limits),
        catalog(runner, edit_streams, store, config.limits),
        admin(runner, store, snapshots, turns, lifecycle,
              AdminFacts{.device = config.store.collection.encoder.device,
                         .index_devices = config.store.collection.index.devices,
                         .limits = config.limits,
                         .queue_capacity = config.queue.capacity,
                         .max_streams = config.streams.max_streams,
                         .tls = config.tls.enabled(),
                         .authentication = config.api_keys.enabled(),
                         .client_certificates = !config.tls.client_ca.empty()}),
        health(runner, gate, {std::begin(kServices), std::end(kServices)}),
        dispatcher(gate) {
    dispatcher.Add(kPackage, Declared(retrieval.Methods()));
    dispatcher.Add(kPackage, Declared(performances.Methods()));
    dispatcher.Add(kPackage, Declared(catalog.Methods()));
    dispatcher.Add(kPackage, Declared(admin.Methods()));
    dispatcher.Add("grpc.health.v1", Declared(health.Methods()));
    metrics.DeclareMethod(Dispatcher::kUnknown);
  }

  std::vector<Method> Declared(std::vector<Method> methods) const {
    for (const Method& method : methods) metrics.DeclareMethod(method.name);
    return methods;
  }

  absl::Status Start();
  absl::Status Probe() const;

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
    sample.edit_streams = edit_streams.open();
    sample.connections_accepted = listener->accepted();
    sample.connections_refused = listener->refused();
    sample.receiving = monitor.messages_under_way();
    sample.receiving_bytes = monitor.bytes_under_way();
    sample.generation = collection->manifest().generation;
    sample.model_id = collection->manifest().model_id;
    sample.device = config.store.collection.encoder.device;
    sample.pieces = static_cast<int64_t>(collection->pieces().size());
    sample.recordings = static_cast<int64_t>(collection->recordings().size());
    sample.score_vectors = collection->vector_count(catalog::Side::kScores);
    sample.recording_vectors = collection->vector_count(catalog::Side::kRecordings);
    sample.last_change = edit_status.last_change;
    sample.unmerged_changes = edit_status.unmerged;
    sample.rejected_generations = static_cast<int>(collection->rejected_generations().size());
    sample.rejected_changes = static_cast<int>(edit_status.rejected_changes.size());
    if (guards.tls != nullptr) sample.certificate_expires = guards.tls->expires();
    sample.gpu_bytes = index::DeviceMemoryInUse(sample.device);
    sample.index_device = SampleOf(config.store.collection.index.devices.get());
    return sample;
  }

  // None where only the CPU was asked for.
  static std::optional<IndexDeviceSample> SampleOf(const index::DevicePool* devices) {
    if (devices == nullptr || !devices->wanted()) return std::nullopt;
    const index::DeviceStatus status = devices->Status();
    return IndexDeviceSample{.usable = status.usable,
                             .indexes = status.indexes,
                             .indexes_on_cpu = status.indexes_left_out,
                             .bytes = status.bytes,
                             .searches = status.searches,
                             .batches = status.batches,
                             .searches_on_cpu = status.searches_on_cpu};
  }

  // Destroyed from the bottom up: first the sources of calls and reloads, then those who work on
  // them, then what they use.
  Metrics& metrics;
  const Config config;
  const Guards guards;
  Lifecycle lifecycle;
  MeteredStore store;
  std::unique_ptr<Listener> listener;
  ReceiveMonitor monitor;
  OneAtATime turns;
  SnapshotKeeper snapshots;
  std::unique_ptr<Tracer> tracer;  // null: nothing is traced
  CallGate gate;
  WorkQueue queue;
  CallRunner runner;
  StreamRunner streams;
  StreamRunner edit_streams;
  RetrievalService retrieval;
  PerformanceService performances;
  CatalogService catalog;
  AdminService admin;
  HealthService health;
  Dispatcher dispatcher;
  std::vector<std::unique_ptr<NamedService>> named;  // for reflection
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  std::unique_ptr<grpc::Server> grpc;
  std::unique_ptr<HotReload> hot_reload;
  std::unique_ptr<SelfProbe> probe;
  std::unique_ptr<SnapshotSchedule> schedule;
};

absl::Status Server::Impl::Start() {
  const auto milliseconds = [](absl::Duration duration) {
    return static_cast<int>(
        std::min<int64_t>(absl::ToInt64Milliseconds(duration), std::numeric_limits<int>::max()));
  };
  grpc::ServerBuilder builder;
  acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      guards.tls ? guards.tls->Credentials() : grpc::InsecureServerCredentials());
  // Requests a little too large get an answer that says so, from messages.cc. Far larger ones do
  // not get so far (receive_monitor.h), unless they are compressed.
  builder.SetMaxReceiveMessageSize(std::min(2 * config.limits.max_message_mib, 2047) << 20);
  // What the monitor cannot measure is bound by this; gRPC then ends calls that nobody chose.
  grpc::ResourceQuota quota("antiphon");
  quota.Resize((2 * int64_t{config.receive.server_mib} << 20) +
               4 * config.limits.max_message_bytes());
  builder.SetResourceQuota(quota);
  const ConnectionOptions& connections = config.connections;
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kCallsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, milliseconds(kHandshake));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS,
                             milliseconds(absl::Seconds(connections.idle_s)));
  if (connections.age_s > 0) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                               milliseconds(absl::Seconds(connections.age_s)));
  }
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                             milliseconds(absl::Seconds(connections.keepalive_s)));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, milliseconds(kPingAnswer));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             milliseconds(kPingInterval));
  if (config.ReflectionEnabled()) {
    for (const char* name : kServices) {
      named.push_back(std::make_unique<NamedService>(name));
      builder.RegisterService(named.back().get());
    }
  } else {
    builder.SetOption(std::make_unique<NoReflection>());
  }
  builder.RegisterCallbackGenericService(&dispatcher);
  // Calls that come before the state changes get Unavailable.
  grpc = builder.BuildAndStart();
  if (grpc == nullptr) return absl::InternalError("gRPC cannot start; its log says why");
  listener->Start([this](int connection, int listening) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters taken;
    taken.fd = connection;
    taken.listener_fd = listening;
    acceptor->HandleNewConnection(&taken);
  });
  return absl::OkStatus();
}

// From outside, as far as any client gets without a key or a certificate; and from inside, through
// everything that a call goes through.
absl::Status Server::Impl::Probe() const {
  const PortTls tls = !config.tls.enabled()          ? PortTls::kNone
                      : config.tls.client_ca.empty() ? PortTls::kServer
                                                     : PortTls::kMutual;
  RETURN_IF_ERROR(ProbePort(OwnAddress(config.listen, listener->port()), tls, kProbeTimeout));
  return AskHealth(grpc->InProcessChannel(grpc::ChannelArguments()), kProbeTimeout);
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Config& config, Store& store,
                                                      Metrics& metrics) {
  LogThroughUs();
  const int64_t descriptors = RaiseDescriptorLimit();
  const auto name_option = [](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat("listen: ", status.message()));
  };
  ASSIGN_OR_RETURN(
      auto listener,
      MapError(Listener::Open(config.listen, descriptors - ReservedDescriptors(descriptors)),
               name_option));
  ASSIGN_OR_RETURN(Guards guards, OpenGuards(config, metrics));
  ASSIGN_OR_RETURN(auto storage, OpenSnapshotStorage(config.snapshots));
  auto impl = std::make_unique<Impl>(config, store, metrics, std::move(guards), std::move(listener),
                                     std::move(storage));
  RETURN_IF_ERROR(impl->Start());
  metrics.SetSource([impl = impl.get()] { return impl->TakeSample(); });
  impl->hot_reload =
      std::make_unique<HotReload>(config.hot_reload, config.store.bundle, impl->store,
                                  impl->guards.keys.get(), impl->guards.tls.get(), metrics);
  impl->schedule =
      std::make_unique<SnapshotSchedule>(ScheduleOf(config.snapshots), impl->snapshots, metrics);
  impl->probe = std::make_unique<SelfProbe>([impl = impl.get()] { return impl->Probe(); },
                                            kProbePeriod, metrics);
  impl->MoveTo(ServerState::kServing);
  impl->health.SetServing(true);
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  if (impl_->lifecycle.state() == ServerState::kServing) Drain(absl::ZeroDuration());
}

bool Server::Drain(absl::Duration grace, absl::Duration delay) {
  // First of all: a reload or a snapshot under way may keep the next lines waiting.
  impl_->health.SetServing(false);
  impl_->MoveTo(ServerState::kLameDuck);
  impl_->hot_reload->Stop();
  impl_->schedule->Stop();
  absl::SleepFor(delay);
  impl_->MoveTo(ServerState::kDraining);
  // The port stays open meanwhile: who asks for health, status or anything else gets an answer, not
  // a broken connection.
  const bool finished = impl_->lifecycle.WaitIdle(After(grace));
  if (!finished) {
    spdlog::warn("{} calls did not finish in time and are abandoned", impl_->lifecycle.in_flight());
    impl_->gate.AbandonAll(
        absl::UnavailableError("the server is shutting down; ask another, or again later"));
    impl_->lifecycle.WaitIdle(After(kAbandoned));
  }
  impl_->probe.reset();
  impl_->health.Stop();
  // gRPC ends calls that come while it shuts down with CANCELLED, as if their callers had gone. So
  // nothing more is read first: those callers see the connection end, which says UNAVAILABLE.
  impl_->listener->Stop();
  if (impl_->listener->StopReading() > 0) absl::SleepFor(kFlush);  // what has been read is answered
  // Says goodbye (GOAWAY) on every connection, and sends what has been answered.
  impl_->grpc->Shutdown(absl::ToChronoTime(absl::Now() + kFlush));
  impl_->grpc->Wait();
  impl_->queue.Stop();
  impl_->streams.Stop();
  impl_->edit_streams.Stop();
  impl_->metrics.SetSource(nullptr);
  impl_->MoveTo(ServerState::kStopped);
  return finished;
}

void Server::ReloadAll(const std::string& why) { impl_->hot_reload->ReloadAll(why); }

int Server::port() const { return impl_->listener->port(); }

bool Server::Answers(const std::string& path) const { return impl_->dispatcher.Has(path); }

ServerState Server::state() const { return impl_->lifecycle.state(); }

std::shared_ptr<grpc::Channel> Server::InProcessChannel() {
  return impl_->grpc->InProcessChannel(grpc::ChannelArguments());
}

}  // namespace antiphon::server
