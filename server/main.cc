// antiphon-server: parses the command line, wires the parts together, reports.

#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/base/standard_output.h"
#include "core/base/status_macros.h"
#include "server/access/api_keys.h"
#include "server/command_line.h"
#include "server/config.h"
#include "server/config_check.h"
#include "server/runtime/listen_address.h"
#include "server/runtime/shutdown_guard.h"
#include "server/runtime/signals.h"
#include "server/runtime/version.h"
#include "server/server.h"
#include "server/serving/live_store.h"
#include "server/telemetry/logging.h"
#include "server/telemetry/metrics.h"
#include "server/telemetry/metrics_endpoint.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

// A message may have several lines, one for each thing that is wrong.
int Fail(const absl::Status& status) {
  for (const absl::string_view line : absl::StrSplit(status.message(), '\n'))
    std::fprintf(stderr, "antiphon-server: %s\n", std::string(line).c_str());
  return 1;
}

// What was asked for instead of serving.
int Print(const ParsedCommandLine& parsed) {
  for (const std::string& warning : parsed.warnings)
    std::fprintf(stderr, "antiphon-server: warning: %s\n", warning.c_str());
  std::fputs(parsed.text.c_str(), stdout);
  const absl::Status printed = FlushStandardOutput();
  return printed.ok() ? 0 : Fail(printed);
}

void LogStart(const Config& config, const retrieval::Collection& collection, int port) {
  const bundle::Manifest& manifest = collection.manifest();
  spdlog::info("serving generation {} of {}: {} pieces, {} recordings, {} + {} snippets, model {}",
               manifest.generation, config.store.bundle, collection.pieces().size(),
               collection.recordings().size(), collection.vector_count(catalog::Side::kScores),
               collection.vector_count(catalog::Side::kRecordings), manifest.model_id);
  for (const std::string& reason : collection.rejected_generations())
    spdlog::error("generation refused: {}", reason);
  if (!IsLocalAddress(config.listen)) {
    if (!config.api_keys.enabled() && config.tls.client_ca.empty())
      spdlog::warn("{} can be reached from other machines, by anyone: there is no authentication",
                   config.listen);
    if (!config.tls.enabled())
      spdlog::warn("{}: what is sent can be read on its way, API keys too", config.listen);
  }
  spdlog::info("antiphon-server {} ready on {}{}", Version(), config.listen,
               port > 0 ? absl::StrCat(", port ", port) : "");
}

// How long to wait, once calls have been cancelled, for what cannot be.
constexpr absl::Duration kPatience = absl::Seconds(3);

// Serves until it is told to stop, and stops in time.
void Run(const Config& config, Signals& signals, std::unique_ptr<Store> store,
         std::unique_ptr<Server> server) {
  signals.Serving();
  int number = 0;
  while ((number = signals.Wait()) == SIGHUP) server->ReloadAll("SIGHUP");
  const absl::Duration grace = absl::Seconds(config.grace_period_s);
  const absl::Duration delay = absl::Seconds(config.drain_delay_s);
  spdlog::info("signal {}: taking calls for {} s more, then finishing them for at most {} s",
               number, config.drain_delay_s, config.grace_period_s);
  const ShutdownGuard whatever_happens(After(delay + grace + kPatience));
  const bool finished = server->Drain(grace, delay);
  spdlog::info(finished ? "stopped" : "stopped; some calls were abandoned");
  const ShutdownGuard with_no_call_under_way(After(kPatience));
  server.reset();
  store.reset();
}

// What /healthz says. A lame duck is finishing: nobody should begin with it.
MetricsEndpoint::Health HealthOf(const Metrics& metrics) {
  const ServerState state = metrics.state();
  if (state == ServerState::kServing && !metrics.port_answers()) return {false, "UNREACHABLE"};
  return {state == ServerState::kServing, absl::AsciiStrToUpper(ServerStateName(state))};
}

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> StartEndpoint(const Config& config,
                                                               const Metrics& metrics) {
  if (!config.metrics.enabled()) return nullptr;
  auto endpoint = MetricsEndpoint::Start(
      config.metrics, [&metrics] { return metrics.Text(); },
      [&metrics] { return HealthOf(metrics); });
  return MapError(std::move(endpoint), [](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat("metrics-listen: ", status.message()));
  });
}

absl::Status Serve(Config config) {
  Signals signals;
  RETURN_IF_ERROR(signals.Start());
  RETURN_IF_ERROR(TrySnapshotDirectory(config.snapshots.directory));
  Metrics metrics;
  ASSIGN_OR_RETURN(const auto endpoint, StartEndpoint(config, metrics));
  const auto name_bundle = [&config](const absl::Status& status) {
    return absl::Status(status.code(),
                        absl::StrCat("cannot serve ", config.store.bundle, ": ", status.message()));
  };
  ASSIGN_OR_RETURN(config.store.collection.index.devices, OpenIndexDevices(config.store));
  ASSIGN_OR_RETURN(auto store, MapError(OpenLiveStore(config.store, metrics), name_bundle));
  ASSIGN_OR_RETURN(auto server, Server::Start(config, *store, metrics));
  LogStart(config, *store->Current(), server->port());
  Run(config, signals, std::move(store), std::move(server));
  return absl::OkStatus();
}

// Where the log is read by a machine, so is the reason why there is nothing to log.
int LogAndServe(const ParsedCommandLine& parsed) {
  const Config& config = parsed.config;
  const bool json = config.log.format == LogFormat::kJson;
  SetUpLogging(config.log);
  for (const std::string& warning : parsed.warnings) spdlog::warn("{}", warning);
  const absl::Status served = Serve(config);
  if (!served.ok() && json) spdlog::error("{}", std::string(served.message()));
  const int code = served.ok() ? 0 : json ? 1 : Fail(served);
  spdlog::shutdown();
  return code;
}

// Of `--hash-api-key`: the key is a line of standard input, so that it is in no history of
// commands.
int PrintKeyHash() {
  std::string key;
  std::getline(std::cin, key);
  const absl::StatusOr<std::string> hash =
      HashForFile(std::string(absl::StripTrailingAsciiWhitespace(key)));
  if (!hash.ok()) return Fail(hash.status());
  std::puts(hash->c_str());
  const absl::Status printed = FlushStandardOutput();
  return printed.ok() ? 0 : Fail(printed);
}

// Generations come and go in one thread after the other, and glibc gives threads arenas of their
// own, each of which keeps room for what it once held. Two arenas keep memory flat over hundreds of
// reloads, at the same pace. Each keeps up to 64 MiB that is free, for the layers of a network: the
// kernel would take them back after every batch, and zero them for the next. What takes 16 MiB and
// more in one piece goes back to the kernel at once.
void ConfigureMalloc() {
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_MMAP_THRESHOLD, 16 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

int Main(int argc, char** argv) {
  ConfigureMalloc();
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  const auto parsed = ParseCommandLine({argv + 1, argv + argc}, environment);
  if (!parsed.ok()) {
    const int code = Fail(parsed.status());
    std::fprintf(stderr, "antiphon-server --help lists every option.\n");
    return code;
  }
  if (parsed->action == ParsedCommandLine::Action::kPrint) return Print(*parsed);
  if (parsed->action == ParsedCommandLine::Action::kHashKey) return PrintKeyHash();
  return LogAndServe(*parsed);
}

}  // namespace
}  // namespace antiphon::server

int main(int argc, char** argv) { return antiphon::server::Main(argc, argv); }
