// antiphon-server: parses the command line, wires the parts together, reports.

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/collection_engine.h"
#include "server/config.h"
#include "server/live_store.h"
#include "server/metrics.h"
#include "server/metrics_endpoint.h"
#include "server/server.h"
#include "server/signals.h"
#include "server/version.h"
#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "antiphon-server: %s\n", std::string(status.message()).c_str());
  return 1;
}

void SetUpLogging(const Config& config) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("antiphon"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  spdlog::set_level(spdlog::level::from_str(config.log_level));
}

void LogStart(const Config& config, const Engine& engine, int port) {
  const bundle::Manifest& manifest = engine.manifest();
  spdlog::info("serving generation {} of {}: {} pieces, {} recordings, {} + {} snippets, model {}", manifest.generation,
               config.bundle, manifest.pieces, manifest.recordings, manifest.score_vectors, manifest.recording_vectors,
               manifest.model_id);
  for (const std::string& reason : engine.rejected_generations()) spdlog::error("generation refused: {}", reason);
  const bool on_network = config.listen.rfind("127.", 0) != 0 && config.listen.rfind("localhost:", 0) != 0 &&
                          config.listen.rfind("[::1]", 0) != 0 && config.listen.rfind("unix:", 0) != 0;
  if (on_network)
    spdlog::warn("{} can be reached from other machines, by anyone: there is no authentication", config.listen);
  spdlog::info("antiphon-server {} ready on {}{}", Version(), config.listen,
               port > 0 ? absl::StrCat(", port ", port) : "");
}

int Serve(const Config& config) {
  SetUpLogging(config);
  StopSignals signals;
  if (absl::Status status = signals.Start(); !status.ok()) return Fail(status);
  Metrics metrics;
  std::unique_ptr<MetricsEndpoint> endpoint;
  if (config.MetricsEnabled()) {
    auto started = MetricsEndpoint::Start(config.metrics_listen, [&metrics] { return metrics.Text(); });
    if (!started.ok()) {
      return Fail(absl::Status(started.status().code(), absl::StrCat("metrics-listen: ", started.status().message())));
    }
    endpoint = *std::move(started);
  }
  auto store = OpenLiveStore(config, metrics);
  if (!store.ok()) {
    return Fail(absl::Status(store.status().code(),
                             absl::StrCat("cannot serve ", config.bundle, ": ", store.status().message())));
  }
  if (config.warmup) {
    if (absl::Status status = WarmUp(*(*store)->Current()); !status.ok()) {
      return Fail(absl::Status(status.code(), absl::StrCat("the warm-up query failed: ", status.message())));
    }
  }
  auto server = Server::Start(config, **store, metrics);
  if (!server.ok()) return Fail(server.status());
  LogStart(config, *(*store)->Current(), (*server)->port());

  signals.Serving();
  const int number = signals.Wait();
  spdlog::info("signal {}: finishing the calls under way, for at most {} s", number, config.grace_period_s);
  const bool finished = (*server)->Drain(absl::Seconds(config.grace_period_s));
  spdlog::info(finished ? "stopped" : "stopped; some calls were cancelled");
  spdlog::shutdown();
  return 0;
}

int Main(int argc, char** argv) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  const auto parsed = ParseCommandLine({argv + 1, argv + argc}, environment);
  if (!parsed.ok()) {
    const int code = Fail(parsed.status());
    std::fprintf(stderr, "antiphon-server --help lists every option.\n");
    return code;
  }
  if (parsed->action == ParsedCommandLine::Action::kPrint) {
    std::fputs(parsed->text.c_str(), stdout);
    return 0;
  }
  return Serve(parsed->config);
}

}  // namespace
}  // namespace antiphon::server

int main(int argc, char** argv) { return antiphon::server::Main(argc, argv); }
