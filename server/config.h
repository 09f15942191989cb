// What an operator can set: from a TOML file, the environment (ANTIPHON_*) and flags, where a flag
// beats the environment and the environment beats the file.
//
// A setting is declared, with its default, unit and range, in the options of the component that it
// belongs to; config.cc gives it a name. Plain values.
#ifndef ANTIPHON_SERVER_CONFIG_H_
#define ANTIPHON_SERVER_CONFIG_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/check_range.h"
#include "server/access/authenticator.h"
#include "server/access/tls.h"
#include "server/calls/stream_runner.h"
#include "server/calls/work_queue.h"
#include "server/hot_reload.h"
#include "server/serving/live_store.h"
#include "server/snapshots/snapshot_options.h"
#include "server/telemetry/logging.h"
#include "server/telemetry/metrics_endpoint.h"
#include "server/wire/limits.h"

namespace antiphon::server {

// Whether gRPC reflection describes the service to any caller.
enum class Reflection {
  kAuto,  // unless API keys are asked for
  kOn,
  kOff,
};
inline constexpr std::pair<std::string_view, Reflection> kReflectionNames[] = {
    {"auto", Reflection::kAuto},
    {"on", Reflection::kOn},
    {"off", Reflection::kOff},
};

struct Config {
  std::string listen = "127.0.0.1:50051";  // host:port, or unix:PATH; port 0 takes a free one
  bool allow_unauthenticated = false;  // beyond this machine without keys or clients' certificates
  Reflection reflection = Reflection::kAuto;
  static constexpr Range<double> kGracePeriodRange = {0, 3600};
  double grace_period_s = 20;  // for calls under way when told to stop, seconds

  LiveStoreOptions store;
  SnapshotOptions snapshots;
  HotReloadOptions hot_reload;
  WorkQueueOptions queue;
  StreamRunnerOptions streams;
  Limits limits;
  TlsFiles tls;
  AuthenticatorOptions api_keys;
  MetricsEndpointOptions metrics;
  LoggingOptions log;

  // InvalidArgument naming the option and its range.
  [[nodiscard]] absl::Status Validate() const;

  bool ReflectionEnabled() const {
    return reflection == Reflection::kOn ||
           (reflection == Reflection::kAuto && !api_keys.enabled());
  }
};

// What a command line asks for.
struct ParsedCommandLine {
  enum class Action {
    kServe,
    kPrint,
    kHashKey  // read an API key from standard input, and print its hash
  } action = Action::kServe;
  Config config;  // valid with kServe
  // With kPrint, for standard output: help, the version, the effective configuration, or the
  // options as the table of docs/operations.md.
  std::string text;
};

// `environment` holds "NAME=value" entries; those not of an option are ignored. InvalidArgument
// says which option, and from where, is wrong: unknown, malformed, out of range, or a configuration
// file that cannot be read.
[[nodiscard]] absl::StatusOr<ParsedCommandLine> ParseCommandLine(
    const std::vector<std::string>& arguments, const std::vector<std::string>& environment);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CONFIG_H_
