// What an operator can set, as the server uses it.
//
// An option is declared, with its default, unit and range, in the options of the component that it
// belongs to; options.h gives it a name. command_line.h says where the values come from. Plain
// values.
#ifndef ANTIPHON_SERVER_CONFIG_H_
#define ANTIPHON_SERVER_CONFIG_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/check_range.h"
#include "server/access/authenticator.h"
#include "server/access/tls.h"
#include "server/calls/receive_monitor.h"
#include "server/calls/stream_runner.h"
#include "server/calls/work_queue.h"
#include "server/hot_reload.h"
#include "server/serving/live_store.h"
#include "server/snapshots/snapshot_options.h"
#include "server/telemetry/logging.h"
#include "server/telemetry/metrics_endpoint.h"
#include "server/telemetry/tracer.h"
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

// Of connections, in seconds.
struct ConnectionOptions {
  static constexpr Range<double> kIdleRange = {1, 86'400};
  double idle_s = 300;  // without a call; then it is closed
  static constexpr Range<double> kAgeRange = {0, 31'536'000};
  double age_s = 0;  // then it is asked to end, so that clients find other servers; 0: never
  static constexpr Range<double> kKeepaliveRange = {1, 86'400};
  double keepalive_s = 60;  // of silence; then the client is asked whether it is still there
};

// Something that is wrong with a configuration.
struct ConfigProblem {
  std::string message;               // "queue-capacity: 0 is not in 1 to 1000000"
  std::vector<std::string> options;  // whose values are to blame, without dashes
};

struct Config {
  std::string listen = "127.0.0.1:50051";  // see listen_address.h; port 0 takes a free one
  bool allow_unauthenticated = false;  // beyond this machine without keys or clients' certificates
  Reflection reflection = Reflection::kAuto;
  static constexpr Range<double> kGracePeriodRange = {0, 3600};
  double grace_period_s = 20;  // for calls under way when told to stop, seconds
  static constexpr Range<double> kDrainDelayRange = {0, 3600};
  double drain_delay_s = 0;  // before that, while new calls are still taken, seconds

  LiveStoreOptions store;
  SnapshotOptions snapshots;
  HotReloadOptions hot_reload;
  WorkQueueOptions queue;
  StreamRunnerOptions streams;
  int max_edit_streams = 4;  // AddPieces calls at once
  ReceiveOptions receive;
  ConnectionOptions connections;
  Limits limits;
  TlsFiles tls;
  AuthenticatorOptions api_keys;
  MetricsEndpointOptions metrics;
  LoggingOptions log;
  TracingOptions tracing;

  // Everything that is wrong with the values, in the order of options.h, as far as they alone say
  // it; config_check.h looks at what they name. Empty: nothing.
  std::vector<ConfigProblem> FindProblems() const;

  bool ReflectionEnabled() const {
    return reflection == Reflection::kOn ||
           (reflection == Reflection::kAuto && !api_keys.enabled());
  }
};

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CONFIG_H_
