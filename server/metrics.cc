#include "server/metrics.h"

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/collectable.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"
#include "server/status_map.h"
#include "server/version.h"

namespace antiphon::server {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;

// Seconds: from a cached answer to a long recording on a slow machine.
const std::vector<double> kLatencyBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                             0.25,  0.5,    1,     2.5,  5,     10,   30};
const std::vector<double> kBatchBuckets = {1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 256, 1024, 4096};

// "STAGE_DECODE" is "decode" in a label.
std::string StageLabel(v1::Stage stage) {
  return absl::AsciiStrToLower(absl::StripPrefix(v1::Stage_Name(stage), "STAGE_"));
}

// A gauge that asks for its value when it is read.
class Sampled : public prometheus::Collectable {
 public:
  Sampled(std::string name, std::string help) : name_(std::move(name)), help_(std::move(help)) {}

  void SetSource(std::function<int()> source) {
    absl::MutexLock lock(&mutex_);
    source_ = std::move(source);
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    absl::MutexLock lock(&mutex_);
    prometheus::ClientMetric metric;
    metric.gauge.value = source_ ? source_() : 0;
    prometheus::MetricFamily family;
    family.name = name_;
    family.help = help_;
    family.type = prometheus::MetricType::Gauge;
    family.metric.push_back(metric);
    return {family};
  }

 private:
  const std::string name_;
  const std::string help_;
  mutable absl::Mutex mutex_;
  std::function<int()> source_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

struct Metrics::Impl {
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  std::shared_ptr<Sampled> queue_depth =
      std::make_shared<Sampled>("antiphon_queue_depth", "Requests waiting for a worker");
  std::shared_ptr<Sampled> in_flight =
      std::make_shared<Sampled>("antiphon_requests_in_flight", "Requests let in and not yet answered");

  prometheus::Family<prometheus::Counter>& requests = BuildCounter()
                                                          .Name("antiphon_requests_total")
                                                          .Help("Calls answered, by method and status code")
                                                          .Register(*registry);
  prometheus::Family<prometheus::Histogram>& request_seconds = BuildHistogram()
                                                                   .Name("antiphon_request_seconds")
                                                                   .Help("From arrival to answer, failures included")
                                                                   .Register(*registry);
  prometheus::Family<prometheus::Histogram>& stage_seconds =
      BuildHistogram().Name("antiphon_stage_seconds").Help("Stages of calls, failures included").Register(*registry);
  prometheus::Family<prometheus::Histogram>& batch_windows = BuildHistogram()
                                                                 .Name("antiphon_encoder_batch_windows")
                                                                 .Help("Windows that an encoder ran at once")
                                                                 .Register(*registry);
  prometheus::Family<prometheus::Counter>& verdicts =
      BuildCounter().Name("antiphon_verdicts_total").Help("Answers of Identify").Register(*registry);
  prometheus::Family<prometheus::Gauge>& state =
      BuildGauge().Name("antiphon_state").Help("1 for the state that the server is in").Register(*registry);
  prometheus::Family<prometheus::Gauge>& info =
      BuildGauge().Name("antiphon_info").Help("Always 1; says what is running in its labels").Register(*registry);
  prometheus::Family<prometheus::Gauge>& generation =
      BuildGauge().Name("antiphon_generation").Help("Generation of the bundle served").Register(*registry);
  prometheus::Family<prometheus::Gauge>& pieces =
      BuildGauge().Name("antiphon_pieces").Help("Pieces loaded").Register(*registry);
  prometheus::Family<prometheus::Gauge>& recordings =
      BuildGauge().Name("antiphon_recordings").Help("Recordings loaded").Register(*registry);
  prometheus::Family<prometheus::Gauge>& snippets =
      BuildGauge().Name("antiphon_snippets").Help("Embedded snippets loaded, by side").Register(*registry);

  absl::Mutex mutex;
  prometheus::Gauge* current_info ABSL_GUARDED_BY(mutex) = nullptr;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
  // Series that exist from the start can be alerted on before the first request.
  for (int stage = v1::STAGE_QUEUE; v1::Stage_IsValid(stage); ++stage) {
    impl_->stage_seconds.Add({{"stage", StageLabel(static_cast<v1::Stage>(stage))}}, kLatencyBuckets);
  }
  SetState(ServerState::kStarting);
}

Metrics::~Metrics() = default;

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

void Metrics::RecordVerdict(absl::string_view verdict) {
  impl_->verdicts.Add({{"verdict", std::string(verdict)}}).Increment();
}

void Metrics::SetCollection(const bundle::Manifest& manifest, const std::string& device) {
  absl::MutexLock lock(&impl_->mutex);
  if (impl_->current_info != nullptr) impl_->info.Remove(impl_->current_info);
  impl_->current_info = &impl_->info.Add({{"version", Version()},
                                          {"model_id", manifest.model_id},
                                          {"generation", absl::StrCat(manifest.generation)},
                                          {"device", device}});
  impl_->current_info->Set(1);
  impl_->generation.Add({}).Set(static_cast<double>(manifest.generation));
  impl_->pieces.Add({}).Set(static_cast<double>(manifest.pieces));
  impl_->recordings.Add({}).Set(static_cast<double>(manifest.recordings));
  impl_->snippets.Add({{"side", "scores"}}).Set(static_cast<double>(manifest.score_vectors));
  impl_->snippets.Add({{"side", "recordings"}}).Set(static_cast<double>(manifest.recording_vectors));
}

void Metrics::SetState(ServerState state) {
  for (const ServerState each :
       {ServerState::kStarting, ServerState::kServing, ServerState::kDraining, ServerState::kStopped}) {
    impl_->state.Add({{"state", ServerStateName(each)}}).Set(each == state ? 1 : 0);
  }
}

void Metrics::SetQueueDepthSource(std::function<int()> depth) { impl_->queue_depth->SetSource(std::move(depth)); }

void Metrics::SetInFlightSource(std::function<int()> in_flight) { impl_->in_flight->SetSource(std::move(in_flight)); }

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families = impl_->registry->Collect();
  for (const auto& sampled : {impl_->queue_depth, impl_->in_flight}) {
    for (prometheus::MetricFamily& family : sampled->Collect()) families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace antiphon::server
