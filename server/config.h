// What an operator can set: from a TOML file, the environment (ANTIPHON_*) and flags, where a flag
// beats the environment and the environment beats the file. Every setting is declared once, in
// config.cc. Plain values.
#ifndef ANTIPHON_SERVER_CONFIG_H_
#define ANTIPHON_SERVER_CONFIG_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/wire/limits.h"

namespace antiphon::server {

struct Config {
  std::string bundle;        // directory, required
  bool read_only = false;    // change nothing in the bundle, which another server may have
  std::string snapshot_dir;  // directory of snapshots; empty: there are none
  std::string listen = "127.0.0.1:50051";  // host:port, or unix:PATH; port 0 takes a free one
  std::string metrics_listen =
      "127.0.0.1:9464";            // host:port of /metrics and /healthz; empty or "0" turns it off
  std::string device = "cpu";      // "cpu", "cuda:N" or "auto"
  std::string precision = "auto";  // "auto", "float32" or "bfloat16"
  int workers = 0;                 // requests worked on at once, 0 to 1024; 0: twice the cores
  int queue_capacity = 256;        // requests waiting for a worker, 1 to 1,000,000
  int queue_mib = 1024;            // their total size, MiB, 1 to 1,048,576
  int compute_threads = 0;         // of one run of the network, 0 to 1024; 0: the cores
  int index_threads = 0;           // of one search of the index, 0 to 1024; 0: OpenMP's choice
  int batch_windows = 64;          // windows encoded at once, over all requests, 1 to 4096
  double batch_delay_ms = 2.0;     // wait for a batch to fill, milliseconds, 0 to 1000
  int hnsw_search_breadth = 128;   // efSearch of an HNSW index, 8 to 4000
  int ivf_probes = 16;             // lists searched in an IVF index, 1 to 100,000
  int max_message_mib = 64;        // size of a request, MiB, 1 to 1024
  double max_audio_s = 3600;       // length of a query, seconds, 1 to 86,400
  int max_query_windows = 240;     // windows of a query that are compared, 1 to 100,000
  int max_streams = 16;            // streaming calls at once, 1 to 1024
  double stream_idle_s = 60;       // a stream that nothing is sent on ends, seconds, 1 to 86,400
  double grace_period_s = 20;      // for calls under way when told to stop, seconds, 0 to 3600
  bool warmup = true;              // answer a query of one's own before listening
  bool watch_current = true;       // reload when the bundle's CURRENT changes
  std::string tls_cert;            // file of the server's certificates; empty: no TLS
  std::string tls_key;             // file of its private key
  std::string tls_client_ca;  // file of authorities of clients' certificates; empty: none asked for
  std::string api_keys_file;  // see api_keys.h; empty: no keys are asked for
  bool allow_unauthenticated =
      false;  // listen beyond this machine without keys or clients' certificates
  std::string reflection = "auto";  // "on", "off" or "auto": on unless API keys are asked for
  std::string log_format = "text";  // "text" or "json", a line each
  std::string log_level = "info";   // "trace", "debug", "info", "warning", "error" or "off"

  // InvalidArgument naming the option and its range.
  [[nodiscard]] absl::Status Validate() const;

  Limits RequestLimits() const;
  int EffectiveWorkers() const;
  bool TlsEnabled() const { return !tls_cert.empty(); }
  bool AuthenticationEnabled() const { return !api_keys_file.empty(); }
  bool ReflectionEnabled() const {
    return reflection == "on" || (reflection == "auto" && !AuthenticationEnabled());
  }
  bool MetricsEnabled() const { return !metrics_listen.empty() && metrics_listen != "0"; }
};

// What a command line asks for.
struct ParsedCommandLine {
  enum class Action {
    kServe,
    kPrint,
    kHashKey  // read an API key from standard input, and print its hash
  } action = Action::kServe;
  Config config;  // valid with kServe
  std::string
      text;  // with kPrint: help, version or the effective configuration, for standard output
};

// `environment` holds "NAME=value" entries; those not of an option are ignored. InvalidArgument
// says which option, and from where, is wrong: unknown, malformed, out of range, or a configuration
// file that cannot be read.
[[nodiscard]] absl::StatusOr<ParsedCommandLine> ParseCommandLine(
    const std::vector<std::string>& arguments, const std::vector<std::string>& environment);

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_CONFIG_H_
