#include "server/config.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "server/runtime/listen_address.h"
#include "server/runtime/version.h"

namespace antiphon::server {
namespace {

// "queue-capacity" is set by ANTIPHON_QUEUE_CAPACITY.
std::string EnvironmentName(absl::string_view option) {
  return absl::StrCat("ANTIPHON_",
                      absl::AsciiStrToUpper(absl::StrReplaceAll(option, {{"-", "_"}})));
}

struct CommandLine {
  CLI::App app{"antiphon-server: finds the score for a sound and the sound for a score, over gRPC.",
               "antiphon-server"};
  Config config;
  bool print_config = false;
  bool print_version = false;
  bool hash_key = false;
  std::vector<std::string> names;  // of options that the environment may set, without dashes

  template <typename T>
  void Add(const std::string& name, T& value, const std::string& description) {
    app.add_option("--" + name, value, description)
        ->envname(EnvironmentName(name))
        ->capture_default_str()
        ->take_last();
    names.push_back(name);
  }

  void AddSwitch(const std::string& name, bool& value, const std::string& description) {
    app.add_flag("--" + name + ",!--no-" + name, value, description)
        ->envname(EnvironmentName(name))
        ->default_str(value ? "true" : "false")
        ->take_last();
    names.push_back(name);
  }
};

void AddServing(CommandLine& c) {
  c.Add("bundle", c.config.bundle,
        "Directory of the bundle to serve (made by antiphon-trainer index); required");
  c.Add("snapshot-dir", c.config.snapshot_dir,
        "Directory that Admin.Snapshot writes to and Admin.Restore reads from");
  c.Add("listen", c.config.listen,
        "Address of the gRPC service, host:port or unix:PATH; port 0 takes a free one");
  c.Add("metrics-listen", c.config.metrics_listen,
        "Address of /metrics for Prometheus and of /healthz, host:port; 0 turns both off");
  c.Add("workers", c.config.workers, "Requests worked on at once; 0 is twice the number of cores");
  c.Add("queue-capacity", c.config.queue_capacity,
        "Requests that may wait for a worker; one more is refused at once");
  c.Add("queue-mib", c.config.queue_mib, "Total size of the requests that may wait, MiB");
  c.Add("grace-period", c.config.grace_period_s,
        "Seconds that calls under way get to finish after SIGTERM or SIGINT");
  c.Add("max-message-mib", c.config.max_message_mib, "Size of a request, MiB");
  c.Add("max-audio-seconds", c.config.max_audio_s, "Length of the audio of a query, seconds");
  c.Add("max-query-windows", c.config.max_query_windows,
        "Windows of a query that are compared; a longer query is sampled evenly");
  c.Add("max-streams", c.config.max_streams,
        "Streaming calls (IdentifyLong, IdentifyLive, AddPieces) at once");
  c.Add("stream-idle-seconds", c.config.stream_idle_s,
        "A stream on which nothing is sent for so long is ended");
  c.AddSwitch("read-only", c.config.read_only,
              "Refuse changes, as where the bundle cannot be written; several servers may serve "
              "one bundle that way");
  c.AddSwitch("warmup", c.config.warmup, "Answer a query of one's own before listening");
  c.AddSwitch("watch-current", c.config.watch_current,
              "Reload when the bundle's CURRENT names another generation");
  c.Add("log-level", c.config.log_level,
        "trace, debug, info, warning, error or off; logs go to standard error");
  c.Add("log-format", c.config.log_format, "text, or json for one JSON object on each line");
}

void AddSecurity(CommandLine& c) {
  c.Add("tls-cert", c.config.tls_cert,
        "PEM file of the server's certificate and those between it and its authority");
  c.Add("tls-key", c.config.tls_key, "PEM file of its private key");
  c.Add("tls-client-ca", c.config.tls_client_ca,
        "PEM file of authorities; clients must show a certificate by one of them");
  c.Add("api-keys-file", c.config.api_keys_file,
        "File of API keys, a line each: NAME read|admin SHA256 [REQUESTS-PER-SECOND]; calls need "
        "one of them");
  c.AddSwitch("allow-unauthenticated", c.config.allow_unauthenticated,
              "Listen on an address that other machines reach though nobody has to say who he is");
  c.Add("reflection", c.config.reflection,
        "on, off or auto: whether gRPC reflection describes the service to anybody; "
        "auto is on unless there are API keys");
}

void AddComputing(CommandLine& c) {
  c.Add("device", c.config.device, "Where encoders and indexes run: cpu, cuda:N or auto");
  c.Add("precision", c.config.precision,
        "Of the encoders: auto, float32 or bfloat16; auto is bfloat16 where it is fast");
  c.Add("compute-threads", c.config.compute_threads,
        "Threads of one run of the network; 0 is the number of cores");
  c.Add("index-threads", c.config.index_threads,
        "Threads of one search of the index; 0 leaves OpenMP's choice");
  c.Add("batch-windows", c.config.batch_windows, "Windows encoded at once, over all requests");
  c.Add("batch-delay-ms", c.config.batch_delay_ms,
        "How long to wait for a batch to fill, milliseconds");
  c.Add("hnsw-search-breadth", c.config.hnsw_search_breadth, "efSearch, where the index is HNSW");
  c.Add("ivf-probes", c.config.ivf_probes, "Lists searched, where the index is IVF");
}

std::unique_ptr<CommandLine> MakeCommandLine() {
  auto c = std::make_unique<CommandLine>();
  AddServing(*c);
  AddSecurity(*c);
  AddComputing(*c);
  c->app
      .set_config("--config", "",
                  "TOML file with any of these options, named as the flags without the dashes")
      ->envname(EnvironmentName("config"))
      ->take_last();
  c->names.push_back("config");
  c->app.allow_config_extras(CLI::config_extras_mode::error);
  c->app
      .add_flag("--print-config", c->print_config,
                "Print the effective configuration as TOML, and exit")
      ->configurable(false);
  c->app
      .add_flag("--hash-api-key", c->hash_key,
                "Read an API key from standard input, print its line's hash, and exit")
      ->configurable(false);
  c->app.add_flag("--version", c->print_version, "Print the version, and exit")
      ->configurable(false);
  c->app.footer(
      "A flag beats the environment, the environment beats the file. SIGTERM and SIGINT stop the "
      "server: it takes no\n"
      "new calls, finishes those under way within the grace period, and exits 0. SIGHUP makes it "
      "reload the "
      "collection,\n"
      "the API keys and the certificate.");
  return c;
}

template <typename T>
absl::Status CheckRange(absl::string_view option, T value, T low, T high) {
  if (value >= low && value <= high) return absl::OkStatus();  // NaN fails both
  return absl::InvalidArgumentError(
      absl::StrCat(option, ": ", value, " is not in ", low, " to ", high));
}

absl::Status CheckOneOf(absl::string_view option, absl::string_view value,
                        std::initializer_list<absl::string_view> all) {
  if (std::find(all.begin(), all.end(), value) != all.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(option, ": '", value, "' is none of ", absl::StrJoin(all, ", ")));
}

absl::Status CheckSecurity(const Config& config) {
  if (config.tls_cert.empty() != config.tls_key.empty()) {
    return absl::InvalidArgumentError(config.tls_cert.empty() ? "tls-key: needs tls-cert as well"
                                                              : "tls-cert: needs tls-key as well");
  }
  if (!config.tls_client_ca.empty() && config.tls_cert.empty()) {
    return absl::InvalidArgumentError("tls-client-ca: needs tls-cert and tls-key as well");
  }
  const bool authenticates = config.AuthenticationEnabled() || !config.tls_client_ca.empty();
  if (authenticates || config.allow_unauthenticated || IsLocalAddress(config.listen))
    return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("listen: ", config.listen,
                   " can be reached from other machines, and nobody has to say who he is; set "
                   "api-keys-file or tls-client-ca, or allow-unauthenticated to let everybody in"));
}

}  // namespace

absl::Status Config::Validate() const {
  if (bundle.empty()) {
    return absl::InvalidArgumentError(
        "bundle: missing; name the directory of a bundle, as in --bundle DIR");
  }
  if (listen.empty())
    return absl::InvalidArgumentError("listen: empty; give host:port, such as 127.0.0.1:50051");
  const bool is_device = device == "cpu" || device == "auto" || absl::StartsWith(device, "cuda:");
  if (!is_device)
    return absl::InvalidArgumentError(
        absl::StrCat("device: '", device, "' is none of cpu, cuda:N, auto"));
  for (const absl::Status& status : {
           CheckRange("workers", workers, 0, 1024),
           CheckRange("queue-capacity", queue_capacity, 1, 1'000'000),
           CheckRange("queue-mib", queue_mib, 1, 1 << 20),
           CheckRange("compute-threads", compute_threads, 0, 1024),
           CheckRange("index-threads", index_threads, 0, 1024),
           CheckRange("batch-windows", batch_windows, 1, 4096),
           CheckRange("batch-delay-ms", batch_delay_ms, 0.0, 1000.0),
           CheckRange("hnsw-search-breadth", hnsw_search_breadth, 8, 4000),
           CheckRange("ivf-probes", ivf_probes, 1, 100'000),
           CheckRange("max-message-mib", max_message_mib, 1, 1024),
           CheckRange("max-audio-seconds", max_audio_s, 1.0, 86'400.0),
           CheckRange("max-query-windows", max_query_windows, 1, 100'000),
           CheckRange("max-streams", max_streams, 1, 1024),
           CheckRange("stream-idle-seconds", stream_idle_s, 1.0, 86'400.0),
           CheckRange("grace-period", grace_period_s, 0.0, 3600.0),
           CheckOneOf("precision", precision, {"auto", "float32", "bfloat16"}),
           CheckOneOf("reflection", reflection, {"auto", "on", "off"}),
           CheckOneOf("log-format", log_format, {"text", "json"}),
           CheckOneOf("log-level", log_level,
                      {"trace", "debug", "info", "warning", "error", "off"}),
       }) {
    if (!status.ok()) return status;
  }
  return CheckSecurity(*this);
}

Limits Config::RequestLimits() const {
  Limits limits;
  limits.max_message_bytes = int64_t{max_message_mib} << 20;
  limits.max_audio_s = max_audio_s;
  limits.max_query_windows = max_query_windows;
  limits.max_streams = max_streams;
  return limits;
}

int Config::EffectiveWorkers() const {
  return workers > 0 ? workers
                     : 2 * std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

absl::StatusOr<ParsedCommandLine> ParseCommandLine(const std::vector<std::string>& arguments,
                                                   const std::vector<std::string>& environment) {
  const std::unique_ptr<CommandLine> c = MakeCommandLine();

  // CLI11 would let the file beat the environment. So the environment's settings are put in front
  // of the flags: whatever is given as an argument beats the file, and of two arguments the last
  // counts.
  std::vector<std::string> all;
  std::vector<std::string> from_environment;
  for (const std::string& name : c->names) {
    const std::string prefix = EnvironmentName(name) + "=";
    for (const std::string& entry : environment) {
      if (!absl::StartsWith(entry, prefix)) continue;
      all.push_back(absl::StrCat("--", name, "=", absl::StripPrefix(entry, prefix)));
      from_environment.push_back(EnvironmentName(name));
    }
  }
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::reverse(all.begin(), all.end());  // as CLI11 wants them

  ParsedCommandLine parsed;
  try {
    c->app.parse(std::move(all));
  } catch (const CLI::CallForHelp&) {
    parsed.action = ParsedCommandLine::Action::kPrint;
    parsed.text = c->app.help();
    return parsed;
  } catch (const CLI::Error& error) {
    std::string message = error.what();
    if (!from_environment.empty()) {
      absl::StrAppend(&message, " (set in the environment: ", absl::StrJoin(from_environment, ", "),
                      ")");
    }
    return absl::InvalidArgumentError(message);
  }
  if (c->print_version) {
    parsed.action = ParsedCommandLine::Action::kPrint;
    parsed.text = absl::StrCat("antiphon-server ", Version(), "\n");
    return parsed;
  }
  if (c->hash_key) {
    parsed.action = ParsedCommandLine::Action::kHashKey;
    return parsed;
  }
  if (c->print_config) {
    parsed.action = ParsedCommandLine::Action::kPrint;
    parsed.text = c->app.config_to_str(/*default_also=*/true, /*write_description=*/true);
    return parsed;
  }
  RETURN_IF_ERROR(c->config.Validate());
  parsed.config = c->config;
  return parsed;
}

}  // namespace antiphon::server
