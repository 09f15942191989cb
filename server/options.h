// The options that the file, the environment and flags may set: names, what each sets, allows and
// means, in the order of --help. Internal to server/, and the only list of them: what reads,
// checks, prints and documents options goes through it.
//
// A visitor has
//   Text(name, value, allowed, meaning)     a std::string; `allowed` says it in words
//   Number(name, value, range, meaning)     an int or a double
//   Choice(name, value, names, meaning)     an enum; `names` is an array of (name, value)
//   Switch(name, value, meaning)            a bool: --name and --no-name
// Names are without dashes. In `allowed` and `meaning`, backticks stand around code.
#ifndef ANTIPHON_SERVER_OPTIONS_H_
#define ANTIPHON_SERVER_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "core/encoder/window_encoder.h"
#include "core/index/vector_index.h"
#include "core/matching/request.h"
#include "server/config.h"

namespace antiphon::server {

// "queue-capacity" is set by ANTIPHON_QUEUE_CAPACITY.
std::string EnvironmentName(absl::string_view option);

// The option that names the file of the others. It is none of those that a visitor sees.
inline constexpr char kConfigOption[] = "config";

// The names that a visitor sees, in that order.
std::vector<std::string> OptionNames();

// A text of this list without the backticks around code.
std::string Plain(absl::string_view text);

// What a range or a choice allows: "1 to 1,000,000", "`text`, `json`".
std::string Allowed(const Range<int>& range);
std::string Allowed(const Range<double>& range);
template <typename Names>
std::string Allowed(const Names& names) {
  return absl::StrJoin(names, ", ", [](std::string* out, const auto& name) {
    out->append("`").append(name.first).append("`");
  });
}

// The name of a value of a choice.
template <typename Names, typename Value>
std::string NameOf(const Names& names, Value value) {
  for (const auto& [name, named] : names) {
    if (named == value) return std::string(name);
  }
  return "";
}

// The options with their defaults, as the table of docs/operations.md.
std::string OptionTable();

template <typename AnyConfig, typename Visitor>
void VisitServing(AnyConfig& c, Visitor& v) {
  v.Text("bundle", c.store.bundle, "a directory",
         "Bundle to serve, made by `antiphon-trainer index`; required");
  v.Text("listen", c.listen, "`host:port`, `unix:PATH`, `unix-abstract:NAME`",
         "Address of the gRPC service; port 0 takes a free port and logs it. Beyond the loopback "
         "only with API keys or client certificates, or `--allow-unauthenticated`");
  v.Text("metrics-listen", c.metrics.listen, "`host:port`, or 0",
         "Address of `/metrics` for Prometheus and of `/healthz`, which require no key; 0 turns "
         "both off");
  v.Number("workers", c.queue.workers, WorkQueueOptions::kWorkersRange,
           "Requests processed at once; 0 is twice the number of cores");
  v.Number("queue-capacity", c.queue.capacity, WorkQueueOptions::kCapacityRange,
           "Requests that may wait for a worker; one more is refused at once");
  v.Number("queue-mib", c.queue.capacity_mib, WorkQueueOptions::kCapacityMibRange,
           "Total size of the requests that may wait, MiB");
  v.Number("grace-period", c.grace_period_s, Config::kGracePeriodRange,
           "Seconds that calls under way get to finish after SIGTERM or SIGINT");
  v.Number(
      "drain-delay", c.drain_delay_s, Config::kDrainDelayRange,
      "Seconds after SIGTERM or SIGINT in which new calls are still answered while health says "
      "`NOT_SERVING`, so that load balancers look away first");
  v.Number("max-message-mib", c.limits.max_message_mib, Limits::kMaxMessageMibRange,
           "Size of a request, MiB");
  v.Number("max-audio-seconds", c.limits.max_audio_s, Limits::kMaxAudioRange,
           "Length of the audio of a query, seconds");
  v.Number("max-align-seconds", c.limits.max_align_s, Limits::kMaxAlignRange,
           "Length of the audio of `AlignLong`, seconds");
  v.Number("max-query-windows", c.limits.max_query_windows, matching::kQueryWindowsRange,
           "Windows of a query that are compared; a longer query is sampled evenly");
  v.Number("max-streams", c.streams.max_streams, StreamRunnerOptions::kMaxStreamsRange,
           "Streaming calls with sound (`IdentifyLong`, `IdentifyLive`, `AlignLong`, `Follow`) at "
           "once, each with a thread of its own");
  v.Number("max-edit-streams", c.max_edit_streams, StreamRunnerOptions::kMaxStreamsRange,
           "`AddPieces` calls at once, besides");
  v.Number("stream-idle-seconds", c.streams.patience_s, StreamRunnerOptions::kPatienceRange,
           "A stream on which nothing is sent for this long is ended");
  v.Number("receive-mib", c.receive.server_mib, ReceiveOptions::kMibRange,
           "Total size of the requests that are on their way in, MiB; beyond it the largest are "
           "given up");
  v.Number("receive-timeout-seconds", c.receive.timeout_s, ReceiveOptions::kTimeoutRange,
           "A request that has not arrived after this long is given up");
  v.Number("connection-idle-seconds", c.connections.idle_s, ConnectionOptions::kIdleRange,
           "A connection without a call for this long is closed");
  v.Number("connection-age-seconds", c.connections.age_s, ConnectionOptions::kAgeRange,
           "A connection older than this is ended once its calls are, so that clients find other "
           "servers; 0 leaves them be");
  v.Number("keepalive-seconds", c.connections.keepalive_s, ConnectionOptions::kKeepaliveRange,
           "A connection silent for this long is pinged, and closed when nothing comes back within "
           "20 seconds");
  v.Switch("read-only", c.store.read_only,
           "Refuse changes, as if the bundle were not writable: for several servers over one "
           "bundle, of which one may be changed");
  v.Switch("warmup", c.store.warm_up, "Answer a query of its own before listening");
  v.Switch("watch-current", c.hot_reload.watch_current,
           "Reload when the bundle's `CURRENT` names another generation");
  v.Choice("log-level", c.log.level, kLogLevelNames,
           "Least severe entries that are logged, to standard error");
  v.Choice("log-format", c.log.format, kLogFormatNames,
           "One line per entry; with `json` each is a JSON object");
  v.Text("otlp-endpoint", c.tracing.endpoint, "`host:port`, `unix:PATH`",
         "Collector of OpenTelemetry that traces are sent to, over gRPC without TLS; without it "
         "there are none");
  v.Number("trace-share", c.tracing.share, TracingOptions::kShareRange,
           "Share of the calls without a `traceparent` that are traced; one that has it is traced "
           "if it says so");
}

template <typename AnyConfig, typename Visitor>
void VisitSnapshots(AnyConfig& c, Visitor& v) {
  v.Text("snapshot-dir", c.snapshots.directory, "a directory",
         "Where snapshots lie, or are on their way to and from `--snapshot-s3`; it must exist. "
         "Without it there are none");
  v.Number("snapshot-every", c.snapshots.every_h, SnapshotOptions::kEveryRange,
           "Hours between snapshots that the server takes by itself, 0.5 for instance; 0: it takes "
           "none");
  v.Number("snapshot-keep", c.snapshots.keep, SnapshotOptions::kKeepRange,
           "How many of the snapshots that it took by itself the server keeps");
  v.Text("snapshot-s3", c.snapshots.s3.location, "`https://ENDPOINT/BUCKET[/PREFIX]`",
         "S3-compatible object storage in which the snapshots lie. Credentials come from "
         "`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, or from a file");
  v.Text("snapshot-s3-region", c.snapshots.s3.region, "a region",
         "Region of `--snapshot-s3`, which is part of the signature");
  v.Text("snapshot-s3-credentials-file", c.snapshots.s3.credentials_file, "a file",
         "Credentials for `--snapshot-s3`, as in `~/.aws/credentials` (section `default`); read "
         "again for each request");
  v.Text("snapshot-s3-ca-file", c.snapshots.s3.ca_file, "a PEM file",
         "Authorities that sign the certificate of `--snapshot-s3`, in place of the system's");
  v.Switch("snapshot-s3-allow-http", c.snapshots.s3.allow_http,
           "Allow `http://` in `--snapshot-s3` beyond the loopback, without encryption");
}

template <typename AnyConfig, typename Visitor>
void VisitSecurity(AnyConfig& c, Visitor& v) {
  v.Text("tls-cert", c.tls.certificate, "a PEM file",
         "TLS with this certificate, followed by those between it and its authority; read again "
         "when it changes");
  v.Text("tls-key", c.tls.key, "a PEM file",
         "Private key of `--tls-cert`; read again when it changes");
  v.Text("tls-client-ca", c.tls.client_ca, "a PEM file",
         "Clients must present a certificate signed by one of these authorities");
  v.Text("api-keys-file", c.api_keys.keys_file, "a file",
         "API keys, a line each: `NAME read|admin SHA256 [REQUESTS-PER-SECOND] [streams=N] [mib=N] "
         "[batch=N]`; calls need one of them. Read again when it changes");
  v.Number(
      "key-streams", c.api_keys.quota.streams, Quota::kStreamsRange,
      "Streaming calls that one key, or one client's certificate, may have at once, unless its "
      "line says otherwise");
  v.Number("key-mib", c.api_keys.quota.mib, Quota::kMibRange,
           "Likewise, MiB of requests that are received, wait or are worked on");
  v.Number("key-batch", c.api_keys.quota.batch, Quota::kBatchRange,
           "Likewise, queries of a `Batch` call, at most 64");
  v.Switch("allow-unauthenticated", c.allow_unauthenticated,
           "Listen on an address that other machines can reach although no caller has to "
           "authenticate");
  v.Choice("reflection", c.reflection, kReflectionNames,
           "Whether gRPC reflection describes the service to any caller; `auto`: unless there are "
           "API keys");
}

template <typename AnyConfig, typename Visitor>
void VisitComputing(AnyConfig& c, Visitor& v) {
  auto& encoders = c.store.collection.encoder;
  auto& indexes = c.store.collection.index;
  v.Text("device", encoders.device, "`cpu`, `cuda:N`, `auto`",
         "Where encoders run, and indexes unless `--index-device` says otherwise");
  v.Text("index-device", c.store.index_device, "`cpu`, `cuda:N[,cuda:M…]`, `auto`",
         "Where indexes are searched, several GPUs with a part each; empty: as `--device`. What a "
         "GPU cannot take is searched on the CPU, which is logged");
  v.Choice("index-precision", indexes.device_precision, index::kDevicePrecisionNames,
           "Of the vectors on a GPU; `int8` of an IVF index only, a flat one has `float16` then");
  v.Number("device-memory", indexes.device_memory_mib, index::IndexOptions::kDeviceMemoryRange,
           "Memory of the GPUs that indexes may take, MiB, of which searching takes 1,536; 0: what "
           "is free");
  v.Choice("precision", encoders.precision, encoder::kPrecisionNames,
           "Of the encoders; `auto` is bfloat16 where it is fast");
  v.Number("compute-threads", c.store.compute_threads, encoder::kComputeThreadsRange,
           "Threads of one run of the network; 0 is the number of cores");
  v.Number("index-threads", indexes.threads, index::IndexOptions::kThreadsRange,
           "Threads of one search of the index, fewer while others compute; 0: a core each");
  v.Number("batch-windows", c.store.batching.max_windows, BatchingOptions::kMaxWindowsRange,
           "Windows encoded at once, over all requests");
  v.Number("batch-delay-ms", c.store.batching.max_delay_ms, BatchingOptions::kMaxDelayRange,
           "Longest wait for a batch to fill, milliseconds; 0: none");
  v.Number("hnsw-search-breadth", indexes.hnsw_search_breadth,
           index::IndexOptions::kHnswSearchBreadthRange, "efSearch, if the index is HNSW");
  v.Number("ivf-probes", indexes.ivf_probes, index::IndexOptions::kIvfProbesRange,
           "Lists searched, if the index is IVF");
}

template <typename AnyConfig, typename Visitor>
void VisitOptions(AnyConfig& config, Visitor& visitor) {
  VisitServing(config, visitor);
  VisitSnapshots(config, visitor);
  VisitSecurity(config, visitor);
  VisitComputing(config, visitor);
}

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_OPTIONS_H_
