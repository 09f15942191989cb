#include "server/telemetry/metrics.h"

#include <atomic>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "core/base/error_reason.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"
#include "server/runtime/version.h"
#include "server/telemetry/process_stats.h"
#include "server/wire/status_map.h"

namespace antiphon::server {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;

// Seconds: from a cached answer to a stream of minutes.
const std::vector<double> kLatencyBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                             0.5,   1,      2.5,   5,    10,    30,   60,  300};
const std::vector<double> kBatchBuckets = {1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 256, 1024, 4096};

constexpr Metrics::Refusal kRefusals[] = {
    Metrics::Refusal::kMissingKey, Metrics::Refusal::kUnknownKey, Metrics::Refusal::kForbidden,
    Metrics::Refusal::kOverLimit};
constexpr Metrics::Reloaded kReloaded[] = {Metrics::Reloaded::kCollection, Metrics::Reloaded::kKeys,
                                           Metrics::Reloaded::kCertificate};
constexpr Metrics::EditKind kEditKinds[] = {
    Metrics::EditKind::kAddPiece,        Metrics::EditKind::kUpdatePiece,
    Metrics::EditKind::kDeletePiece,     Metrics::EditKind::kAddRecording,
    Metrics::EditKind::kUpdateRecording, Metrics::EditKind::kDeleteRecording,
    Metrics::EditKind::kMerge,           Metrics::EditKind::kRestore};
constexpr char kUnchanged[] = "unchanged";  // of a snapshot; the others are kEditResults
constexpr const char* kEditResults[] = {"ok", "refused", "abandoned", "exhausted", "failed"};

// Those that a call can end with.
constexpr grpc::StatusCode kCodes[] = {
    grpc::StatusCode::OK,
    grpc::StatusCode::CANCELLED,
    grpc::StatusCode::INVALID_ARGUMENT,
    grpc::StatusCode::DEADLINE_EXCEEDED,
    grpc::StatusCode::NOT_FOUND,
    grpc::StatusCode::ALREADY_EXISTS,
    grpc::StatusCode::PERMISSION_DENIED,
    grpc::StatusCode::RESOURCE_EXHAUSTED,
    grpc::StatusCode::FAILED_PRECONDITION,
    grpc::StatusCode::ABORTED,
    grpc::StatusCode::UNIMPLEMENTED,
    grpc::StatusCode::INTERNAL,
    grpc::StatusCode::UNAVAILABLE,
    grpc::StatusCode::DATA_LOSS,
    grpc::StatusCode::UNAUTHENTICATED,
};

constexpr const char* kMethodsWithVerdict[] = {
    "Retrieval.Identify", "Retrieval.Batch",     "Retrieval.IdentifyLong", "Retrieval.IdentifyLive",
    "Retrieval.Align",    "Retrieval.AlignLong", "Retrieval.Follow",       "Retrieval.Transcribe"};

// "STAGE_DECODE" is "decode" in a label.
std::string StageLabel(v1::Stage stage) {
  return absl::AsciiStrToLower(absl::StripPrefix(v1::Stage_Name(stage), "STAGE_"));
}

std::string VerdictLabel(v1::Verdict verdict) {
  return absl::AsciiStrToLower(absl::StripPrefix(v1::Verdict_Name(verdict), "VERDICT_"));
}

const char* Label(Metrics::Refusal refusal) {
  switch (refusal) {
    case Metrics::Refusal::kMissingKey:
      return "missing_key";
    case Metrics::Refusal::kUnknownKey:
      return "unknown_key";
    case Metrics::Refusal::kForbidden:
      return "forbidden";
    case Metrics::Refusal::kOverLimit:
      return "over_limit";
  }
  return "unknown";
}

const char* Label(Metrics::Reloaded what) {
  switch (what) {
    case Metrics::Reloaded::kCollection:
      return "collection";
    case Metrics::Reloaded::kKeys:
      return "api_keys";
    case Metrics::Reloaded::kCertificate:
      return "certificate";
  }
  return "unknown";
}

const char* Label(Metrics::EditKind kind) {
  switch (kind) {
    case Metrics::EditKind::kAddPiece:
      return "add_piece";
    case Metrics::EditKind::kUpdatePiece:
      return "update_piece";
    case Metrics::EditKind::kDeletePiece:
      return "delete_piece";
    case Metrics::EditKind::kAddRecording:
      return "add_recording";
    case Metrics::EditKind::kUpdateRecording:
      return "update_recording";
    case Metrics::EditKind::kDeleteRecording:
      return "delete_recording";
    case Metrics::EditKind::kMerge:
      return "merge";
    case Metrics::EditKind::kRestore:
      return "restore";
  }
  return "unknown";
}

// One of kEditResults: whose fault it was.
const char* EditResult(const absl::Status& status) {
  if (ReasonOf(status) == ErrorReason::kStorageFull) return "failed";
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return "ok";
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
      return "refused";
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
      return "abandoned";
    case absl::StatusCode::kResourceExhausted:
      return "exhausted";
    default:
      return "failed";
  }
}

prometheus::ClientMetric Labelled(double value,
                                  std::vector<prometheus::ClientMetric::Label> labels) {
  prometheus::ClientMetric metric;
  metric.gauge.value = value;
  metric.label = std::move(labels);
  return metric;
}

// A gauge that is made when it is read.
prometheus::MetricFamily Gauge(std::string name, std::string help,
                               std::vector<prometheus::ClientMetric> metrics) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = prometheus::MetricType::Gauge;
  family.metric = std::move(metrics);
  return family;
}

prometheus::MetricFamily Gauge(std::string name, std::string help, double value) {
  return Gauge(std::move(name), std::move(help), {Labelled(value, {})});
}

prometheus::MetricFamily Counter(std::string name, std::string help, double value) {
  prometheus::ClientMetric metric;
  metric.counter.value = value;
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = prometheus::MetricType::Counter;
  family.metric.push_back(std::move(metric));
  return family;
}

// By the names that Prometheus's own clients give them.
std::vector<prometheus::MetricFamily> ProcessFamilies() {
  const ProcessStats stats = ReadProcessStats();
  const auto number = [](int64_t value) { return static_cast<double>(value); };
  return {
      Counter("process_cpu_seconds_total", "Processor time of the process", stats.cpu_s),
      Gauge("process_start_time_seconds", "When the process began, seconds since 1970",
            stats.start_time_s),
      Gauge("process_resident_memory_bytes", "Memory of the process that is in RAM",
            number(stats.resident_bytes)),
      Gauge("process_virtual_memory_bytes", "Memory that the process has mapped",
            number(stats.virtual_bytes)),
      Gauge("process_open_fds", "Open file descriptors", stats.open_descriptors),
      Gauge("process_max_fds", "File descriptors that may be open", number(stats.max_descriptors)),
      Gauge("process_threads", "Threads of the process", stats.threads),
  };
}

std::vector<prometheus::MetricFamily> FamiliesOf(const Sample& sample) {
  const auto number = [](int64_t value) { return static_cast<double>(value); };
  std::vector<prometheus::MetricFamily> families = {
      Gauge("antiphon_queue_depth", "Requests waiting for a worker", sample.queue_depth),
      Gauge("antiphon_requests_in_flight", "Calls let in and not yet answered, streams included",
            sample.in_flight),
      Gauge("antiphon_streams_open", "Streaming calls under way, by what they are for",
            {Labelled(sample.streams, {{"kind", "sound"}}),
             Labelled(sample.edit_streams, {{"kind", "edits"}})}),
      Counter("antiphon_connections_accepted_total", "Connections taken",
              number(sample.connections_accepted)),
      Counter("antiphon_connections_refused_total",
              "Connections closed at once, for lack of descriptors",
              number(sample.connections_refused)),
      Gauge("antiphon_receiving_requests", "Messages on their way in", sample.receiving),
      Gauge("antiphon_receiving_bytes", "What has come of the messages on their way in",
            number(sample.receiving_bytes)),
      Gauge("antiphon_generation", "Generation of the bundle served", number(sample.generation)),
      Gauge("antiphon_pieces", "Pieces that can be found", number(sample.pieces)),
      Gauge("antiphon_recordings", "Recordings that can be found", number(sample.recordings)),
      Gauge("antiphon_snippets", "Embedded windows that can be found, by side",
            {Labelled(number(sample.score_vectors), {{"side", "scores"}}),
             Labelled(number(sample.recording_vectors), {{"side", "recordings"}})}),
      Gauge("antiphon_last_change", "Version of the last change made to the collection",
            number(sample.last_change)),
      Gauge("antiphon_unmerged_changes", "Changes that are in the journal and in no generation yet",
            number(sample.unmerged_changes)),
      Gauge("antiphon_rejected_generations",
            "Generations that were refused when the collection was opened",
            sample.rejected_generations),
      Gauge("antiphon_rejected_changes", "Changes of the journal that were found damaged",
            sample.rejected_changes),
      Gauge("antiphon_info", "Always 1; says what is running in its labels",
            {Labelled(1, {{"version", Version()},
                          {"model_id", sample.model_id},
                          {"device", sample.device}})})};
  if (sample.certificate_expires.has_value()) {
    families.push_back(Gauge("antiphon_tls_certificate_expires_seconds",
                             "When the certificate in force expires, seconds since 1970",
                             number(absl::ToUnixSeconds(*sample.certificate_expires))));
  }
  if (sample.gpu_bytes.has_value()) {
    families.push_back(Gauge("antiphon_gpu_memory_bytes", "Memory of the GPU in use, by whomever",
                             number(*sample.gpu_bytes)));
  }
  if (sample.index_device.has_value()) {
    const IndexDeviceSample& device = *sample.index_device;
    families.push_back(Gauge("antiphon_index_device_usable",
                             "1 while the GPU for indexes can be used, 0 once it is lost",
                             device.usable ? 1 : 0));
    families.push_back(Gauge("antiphon_index_device_indexes",
                             "Indexes that belong on the GPU, by where they are searched",
                             {Labelled(device.indexes, {{"where", "gpu"}}),
                              Labelled(device.indexes_on_cpu, {{"where", "cpu"}})}));
    families.push_back(Gauge("antiphon_index_device_memory_bytes",
                             "Memory of the GPU that indexes and searching them have",
                             number(device.bytes)));
    families.push_back(Counter("antiphon_index_device_searches_total",
                               "Searches that the GPU answered", number(device.searches)));
    families.push_back(Counter("antiphon_index_device_searches_on_cpu_total",
                               "Searches that belong on the GPU and that the CPU answered",
                               number(device.searches_on_cpu)));
    families.push_back(Counter("antiphon_index_device_batches_total",
                               "Runs of the GPU, each for the searches that waited",
                               number(device.batches)));
  }
  return families;
}

}  // namespace

struct Metrics::Impl {
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();

  prometheus::Family<prometheus::Counter>& Counter(const char* name, const char* help) {
    return BuildCounter().Name(name).Help(help).Register(*registry);
  }
  prometheus::Family<prometheus::Histogram>& Histogram(const char* name, const char* help) {
    return BuildHistogram().Name(name).Help(help).Register(*registry);
  }

  prometheus::Family<prometheus::Counter>& requests =
      Counter("antiphon_requests_total", "Calls answered, by method and status code");
  prometheus::Family<prometheus::Histogram>& request_seconds =
      Histogram("antiphon_request_seconds", "From arrival to answer, failures included");
  prometheus::Family<prometheus::Histogram>& stage_seconds =
      Histogram("antiphon_stage_seconds",
                "StageTimer of calls, failures included; queue is the wait for a worker");
  prometheus::Family<prometheus::Histogram>& batch_windows =
      Histogram("antiphon_encoder_batch_windows", "Windows that an encoder ran at once");
  prometheus::Family<prometheus::Counter>& verdicts =
      Counter("antiphon_verdicts_total",
              "Answers of Identify, Align, Follow, Transcribe and those like them");
  prometheus::Family<prometheus::Counter>& refusals =
      Counter("antiphon_access_refused_total", "Callers turned away for their API key, by reason");
  prometheus::Family<prometheus::Counter>& keys =
      Counter("antiphon_key_requests_total", "Calls answered, by the name of the API key and code");
  prometheus::Family<prometheus::Counter>& receive_limits =
      Counter("antiphon_receive_refused_total",
              "Messages given up on their way in, by the limit that they met");
  prometheus::Family<prometheus::Counter>& edits =
      Counter("antiphon_edits_total", "Changes to the collection, by kind and result");
  prometheus::Family<prometheus::Counter>& reloads = Counter(
      "antiphon_reloads_total", "Attempts to take over what changed on disk, by what and result");
  prometheus::Family<prometheus::Counter>& snapshots =
      Counter("antiphon_snapshots_total", "Snapshots, asked for and scheduled, by result");
  prometheus::Family<prometheus::Gauge>& newest_snapshot =
      BuildGauge()
          .Name("antiphon_snapshot_last_success_seconds")
          .Help(
              "When the newest snapshot was taken, or found to be as the collection still is, "
              "seconds since 1970; 0: there is none")
          .Register(*registry);
  prometheus::Family<prometheus::Gauge>& newest_snapshot_bytes =
      BuildGauge()
          .Name("antiphon_snapshot_bytes")
          .Help("Size of the newest snapshot")
          .Register(*registry);
  prometheus::Counter& background_failures =
      Counter("antiphon_background_failures_total",
              "Merges and clean-ups that nobody asked for and that failed")
          .Add({});
  prometheus::Family<prometheus::Gauge>& states = BuildGauge()
                                                      .Name("antiphon_state")
                                                      .Help("1 for the state that the server is in")
                                                      .Register(*registry);

  absl::Mutex mutex;
  std::atomic<bool> port_answers = false;
  ServerState state ABSL_GUARDED_BY(mutex) = ServerState::kStarting;
  std::function<Sample()> source ABSL_GUARDED_BY(mutex);
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
  // Series that exist from the start can be alerted on before anything has happened.
  for (int stage = v1::STAGE_QUEUE; v1::Stage_IsValid(stage); ++stage) {
    impl_->stage_seconds.Add({{"stage", StageLabel(static_cast<v1::Stage>(stage))}},
                             kLatencyBuckets);
  }
  for (const Refusal refusal : kRefusals) impl_->refusals.Add({{"reason", Label(refusal)}});
  for (const EditKind kind : kEditKinds) {
    for (const char* result : kEditResults)
      impl_->edits.Add({{"kind", Label(kind)}, {"result", result}});
  }
  for (const char* result : kEditResults) impl_->snapshots.Add({{"result", result}});
  impl_->snapshots.Add({{"result", kUnchanged}});
  for (const Reloaded what : kReloaded) {
    for (const char* result : {"ok", "failed"})
      impl_->reloads.Add({{"what", Label(what)}, {"result", result}});
  }
  for (const char* method : kMethodsWithVerdict) {
    for (const v1::Verdict verdict :
         {v1::VERDICT_MATCH, v1::VERDICT_NO_MATCH, v1::VERDICT_INSUFFICIENT_INPUT})
      impl_->verdicts.Add({{"method", method}, {"verdict", VerdictLabel(verdict)}});
  }
  for (const char* modality : {"audio", "score"})
    impl_->batch_windows.Add({{"modality", modality}}, kBatchBuckets);
  for (const char* limit : {"message", "connection", "caller", "server", "time"})
    impl_->receive_limits.Add({{"limit", limit}});
  SetState(ServerState::kStarting);
}

Metrics::~Metrics() = default;

void Metrics::DeclareMethod(absl::string_view method) {
  const std::string name(method);
  for (const grpc::StatusCode code : kCodes)
    impl_->requests.Add({{"method", name}, {"code", CodeName(code)}});
  impl_->request_seconds.Add({{"method", name}}, kLatencyBuckets);
}

void Metrics::DeclareKey(absl::string_view key) {
  for (const grpc::StatusCode code : kCodes)
    impl_->keys.Add({{"key", std::string(key)}, {"code", CodeName(code)}});
}

void Metrics::RecordKey(absl::string_view key, grpc::StatusCode code) {
  impl_->keys.Add({{"key", std::string(key)}, {"code", CodeName(code)}}).Increment();
}

void Metrics::RecordReceiveLimit(absl::string_view limit) {
  impl_->receive_limits.Add({{"limit", std::string(limit)}}).Increment();
}

void Metrics::RecordCall(absl::string_view method, grpc::StatusCode code, double seconds) {
  const std::string name(method);
  impl_->requests.Add({{"method", name}, {"code", CodeName(code)}}).Increment();
  impl_->request_seconds.Add({{"method", name}}, kLatencyBuckets).Observe(seconds);
}

void Metrics::RecordStage(v1::Stage stage, double seconds) {
  impl_->stage_seconds.Add({{"stage", StageLabel(stage)}}, kLatencyBuckets).Observe(seconds);
}

void Metrics::RecordBatch(absl::string_view modality, int windows) {
  impl_->batch_windows.Add({{"modality", std::string(modality)}}, kBatchBuckets).Observe(windows);
}

void Metrics::RecordVerdict(absl::string_view method, v1::Verdict verdict) {
  impl_->verdicts.Add({{"method", std::string(method)}, {"verdict", VerdictLabel(verdict)}})
      .Increment();
}

void Metrics::RecordRefusal(Refusal refusal) {
  impl_->refusals.Add({{"reason", Label(refusal)}}).Increment();
}

void Metrics::RecordEdit(EditKind kind, const absl::Status& result) {
  impl_->edits.Add({{"kind", Label(kind)}, {"result", EditResult(result)}}).Increment();
}

void Metrics::RecordReload(Reloaded what, const absl::Status& result) {
  impl_->reloads.Add({{"what", Label(what)}, {"result", result.ok() ? "ok" : "failed"}})
      .Increment();
}

void Metrics::RecordSnapshot(const absl::Status& result) {
  impl_->snapshots.Add({{"result", EditResult(result)}}).Increment();
}

void Metrics::RecordUnchangedSnapshot() {
  impl_->snapshots.Add({{"result", kUnchanged}}).Increment();
}

void Metrics::SetNewestSnapshot(const std::optional<NewestSnapshot>& newest) {
  impl_->newest_snapshot.Add({}).Set(
      newest.has_value() ? static_cast<double>(absl::ToUnixSeconds(newest->at)) : 0);
  impl_->newest_snapshot_bytes.Add({}).Set(newest.has_value() ? static_cast<double>(newest->bytes)
                                                              : 0);
}

void Metrics::RecordBackgroundFailure() { impl_->background_failures.Increment(); }

void Metrics::SetState(ServerState state) {
  absl::MutexLock lock(&impl_->mutex);
  impl_->state = state;
  for (const ServerState each :
       {ServerState::kStarting, ServerState::kServing, ServerState::kLameDuck,
        ServerState::kDraining, ServerState::kStopped}) {
    impl_->states.Add({{"state", ServerStateName(each)}}).Set(each == state ? 1 : 0);
  }
}

ServerState Metrics::state() const {
  absl::MutexLock lock(&impl_->mutex);
  return impl_->state;
}

void Metrics::SetPortAnswers(bool answers) { impl_->port_answers = answers; }
bool Metrics::port_answers() const { return impl_->port_answers; }

void Metrics::SetSource(std::function<Sample()> source) {
  absl::MutexLock lock(&impl_->mutex);
  impl_->source = std::move(source);
}

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families = impl_->registry->Collect();
  absl::MutexLock lock(&impl_->mutex);
  for (prometheus::MetricFamily& family : FamiliesOf(impl_->source ? impl_->source() : Sample())) {
    families.push_back(std::move(family));
  }
  families.push_back(Gauge("antiphon_port_answers",
                           "1 where the server's own port answered it when it last asked",
                           impl_->port_answers ? 1 : 0));
  for (prometheus::MetricFamily& family : ProcessFamilies()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace antiphon::server
