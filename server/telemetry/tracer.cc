#include "server/telemetry/tracer.h"

#include <utility>

#include "absl/random/random.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "opentelemetry/trace_service.grpc.pb.h"
#include "server/runtime/version.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

namespace otlp = opentelemetry::proto::collector::trace::v1;

constexpr absl::Duration kGather = absl::Seconds(1);    // for calls to be sent together
constexpr absl::Duration kPatience = absl::Seconds(5);  // with the collector
constexpr absl::Duration kLastPatience = absl::Seconds(2);
constexpr absl::Duration kBetweenLogs = absl::Minutes(1);
constexpr size_t kTraceIdBytes = 16, kSpanIdBytes = 8;

std::string RandomId(size_t bytes) {
  thread_local absl::BitGen bits;
  std::string id(bytes, '\0');
  for (char& byte : id) byte = static_cast<char>(absl::Uniform(bits, 0, 256));
  id.back() = static_cast<char>(id.back() | 1);  // all zeros would be no id
  return id;
}

void AddText(const char* key, std::string value,
             google::protobuf::RepeatedPtrField<otlp::KeyValue>* attributes) {
  otlp::KeyValue* attribute = attributes->Add();
  attribute->set_key(key);
  attribute->mutable_value()->set_string_value(std::move(value));
}

void AddNumber(const char* key, int64_t value,
               google::protobuf::RepeatedPtrField<otlp::KeyValue>* attributes) {
  otlp::KeyValue* attribute = attributes->Add();
  attribute->set_key(key);
  attribute->mutable_value()->set_int_value(value);
}

void SetTimes(absl::Time began, absl::Time ended, otlp::Span* span) {
  span->set_start_time_unix_nano(static_cast<uint64_t>(absl::ToUnixNanos(began)));
  span->set_end_time_unix_nano(static_cast<uint64_t>(absl::ToUnixNanos(ended)));
}

// Which codes are errors of a server: OpenTelemetry's semantic conventions for gRPC.
bool IsError(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::UNIMPLEMENTED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DATA_LOSS:
      return true;
    default:
      return false;
  }
}

void AddSpans(const CallTrace& trace, otlp::ScopeSpans* spans) {
  otlp::Span* call = spans->add_spans();
  call->set_trace_id(trace.parent.trace_id.empty() ? RandomId(kTraceIdBytes)
                                                   : trace.parent.trace_id);
  call->set_span_id(RandomId(kSpanIdBytes));
  call->set_parent_span_id(trace.parent.span_id);
  call->set_name(trace.method);
  call->set_kind(otlp::SPAN_KIND_SERVER);
  SetTimes(trace.began, trace.ended, call);
  const std::pair<std::string, std::string> names =
      absl::StrSplit(trace.method, absl::MaxSplits('.', 1));
  AddText("rpc.system", "grpc", call->mutable_attributes());
  AddText("rpc.service", names.first, call->mutable_attributes());
  AddText("rpc.method", names.second, call->mutable_attributes());
  AddNumber("rpc.grpc.status_code", trace.code, call->mutable_attributes());
  AddText("antiphon.request_id", trace.request_id, call->mutable_attributes());
  AddNumber("antiphon.request_bytes", trace.request_bytes, call->mutable_attributes());
  AddNumber("antiphon.response_bytes", trace.response_bytes, call->mutable_attributes());
  if (IsError(trace.code)) {
    call->mutable_status()->set_code(otlp::STATUS_CODE_ERROR);
    call->mutable_status()->set_message(trace.message);
  }
  const std::string trace_id = call->trace_id(), call_id = call->span_id();
  for (const CallTrace::Stage& stage : trace.stages) {
    otlp::Span* span = spans->add_spans();
    span->set_trace_id(trace_id);
    span->set_span_id(RandomId(kSpanIdBytes));
    span->set_parent_span_id(call_id);
    span->set_name(stage.name);
    span->set_kind(otlp::SPAN_KIND_INTERNAL);
    SetTimes(stage.began, stage.ended, span);
  }
}

}  // namespace

// The collector, as the server sees it. Belongs to one thread.
class Tracer::Exporter {
 public:
  explicit Exporter(const std::string& endpoint)
      : stub_(otlp::TraceService::NewStub(
            grpc::CreateChannel(endpoint, grpc::InsecureChannelCredentials()))) {
    AddText("service.name", "antiphon", resource_.mutable_attributes());
    AddText("service.version", Version(), resource_.mutable_attributes());
    AddText("service.instance.id", absl::BytesToHexString(RandomId(kTraceIdBytes)),
            resource_.mutable_attributes());
  }

  // Why it was not taken, or "".
  std::string Export(const std::vector<CallTrace>& traces, absl::Duration patience) {
    otlp::ExportTraceServiceRequest request;
    otlp::ResourceSpans* spans = request.add_resource_spans();
    *spans->mutable_resource() = resource_;
    otlp::ScopeSpans* of_server = spans->add_scope_spans();
    of_server->mutable_scope()->set_name("antiphon-server");
    of_server->mutable_scope()->set_version(Version());
    for (const CallTrace& trace : traces) AddSpans(trace, of_server);
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + patience));
    otlp::ExportTraceServiceResponse response;
    const grpc::Status status = stub_->Export(&context, request, &response);
    if (!status.ok()) return status.error_message();
    if (response.partial_success().rejected_spans() == 0) return "";
    return absl::StrCat("some spans: ", response.partial_success().error_message());
  }

 private:
  const std::unique_ptr<otlp::TraceService::Stub> stub_;
  otlp::Resource resource_;
};

Tracer::Tracer(const TracingOptions& options)
    : share_(options.share),
      exporter_(std::make_unique<Exporter>(options.endpoint)),
      thread_([this] { Run(); }) {}

Tracer::~Tracer() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

bool Tracer::Wants(const TraceContext& parent) const {
  if (!parent.trace_id.empty()) return parent.sampled;
  thread_local absl::BitGen bits;
  return absl::Bernoulli(bits, share_);
}

void Tracer::Record(CallTrace trace) {
  {
    absl::MutexLock lock(&mutex_);
    if (waiting_.size() < kMostWaiting) {
      waiting_.push_back(std::move(trace));
      return;
    }
  }
  NoteLost(1, "more calls than the collector takes");
}

void Tracer::Run() {
  for (bool is_last = false; !is_last;) {
    std::vector<CallTrace> traces;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kGather);
      is_last = stopping_;
      traces.swap(waiting_);
    }
    if (traces.empty()) continue;
    const std::string why = exporter_->Export(traces, is_last ? kLastPatience : kPatience);
    if (!why.empty()) NoteLost(traces.size(), why);
  }
}

void Tracer::NoteLost(size_t calls, const std::string& why) {
  size_t lost = 0;
  {
    absl::MutexLock lock(&mutex_);
    lost_ += calls;
    if (absl::Now() - logged_ < kBetweenLogs && !stopping_) return;
    logged_ = absl::Now();
    std::swap(lost, lost_);
  }
  spdlog::warn("otlp-endpoint: traces of {} calls are lost: {}", lost, why);
}

}  // namespace antiphon::server
