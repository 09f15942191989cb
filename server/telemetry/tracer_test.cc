#include "server/telemetry/tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "grpcpp/server_builder.h"
#include "opentelemetry/trace_service.grpc.pb.h"
#include "server/runtime/version.h"
#include "spdlog/sinks/ostream_sink.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

namespace otlp = opentelemetry::proto::collector::trace::v1;
using ::testing::HasSubstr;

constexpr absl::Duration kSoon = absl::Seconds(30);

// Keeps what it is sent.
class Collector final : public otlp::TraceService::Service {
 public:
  Collector() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~Collector() override { server_->Shutdown(absl::ToChronoTime(absl::Now())); }

  std::string endpoint() const { return absl::StrCat("127.0.0.1:", port_); }

  grpc::Status Export(grpc::ServerContext*, const otlp::ExportTraceServiceRequest* request,
                      otlp::ExportTraceServiceResponse* response) override {
    absl::MutexLock lock(&mutex_);
    requests_.push_back(*request);
    if (rejects_) response->mutable_partial_success()->set_rejected_spans(1);
    if (rejects_) response->mutable_partial_success()->set_error_message("full");
    return grpc::Status::OK;
  }

  void Reject() {
    absl::MutexLock lock(&mutex_);
    rejects_ = true;
  }

  // Of all requests, once there are so many.
  std::vector<otlp::Span> Spans(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] { return Collected().size() >= count; };
    mutex_.AwaitWithTimeout(absl::Condition(&there), kSoon);
    return Collected();
  }

  otlp::Resource Resource() {
    absl::MutexLock lock(&mutex_);
    return requests_.at(0).resource_spans(0).resource();
  }

 private:
  std::vector<otlp::Span> Collected() const {
    std::vector<otlp::Span> spans;
    for (const auto& request : requests_) {
      for (const auto& of_resource : request.resource_spans()) {
        for (const auto& of_scope : of_resource.scope_spans())
          spans.insert(spans.end(), of_scope.spans().begin(), of_scope.spans().end());
      }
    }
    return spans;
  }

  absl::Mutex mutex_;
  std::vector<otlp::ExportTraceServiceRequest> requests_;
  bool rejects_ = false;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class TracerTest : public ::testing::Test {
 protected:
  TracerTest() {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)));
  }

  static CallTrace Trace() {
    CallTrace trace;
    trace.parent = {.trace_id = "0123456789abcdef", .span_id = "01234567", .sampled = true};
    trace.method = "Retrieval.Identify";
    trace.began = absl::FromUnixSeconds(1'700'000'000);
    trace.ended = trace.began + absl::Milliseconds(500);
    trace.request_id = "id-1";
    trace.request_bytes = 1000;
    trace.stages = {{"queue", trace.began, trace.began + absl::Milliseconds(100)},
                    {"search", trace.began + absl::Milliseconds(200), trace.ended}};
    return trace;
  }

  static std::string Attribute(const google::protobuf::RepeatedPtrField<otlp::KeyValue>& attributes,
                               const std::string& key) {
    for (const otlp::KeyValue& attribute : attributes) {
      if (attribute.key() != key) continue;
      return attribute.value().has_int_value() ? absl::StrCat(attribute.value().int_value())
                                               : attribute.value().string_value();
    }
    return "none";
  }

  std::ostringstream log_;
  Collector collector_;
};

TEST_F(TracerTest, ACallIsASpanBelowItsCallersAndItsStagesAreBelowIt) {
  Tracer tracer({.endpoint = collector_.endpoint()});
  tracer.Record(Trace());
  const std::vector<otlp::Span> spans = collector_.Spans(3);
  ASSERT_EQ(spans.size(), 3u);
  const otlp::Span& call = spans[0];
  EXPECT_EQ(call.name(), "Retrieval.Identify");
  EXPECT_EQ(call.kind(), otlp::SPAN_KIND_SERVER);
  EXPECT_EQ(call.parent_span_id(), "01234567");
  EXPECT_EQ(call.start_time_unix_nano(), 1'700'000'000'000'000'000u);
  EXPECT_EQ(call.end_time_unix_nano(), 1'700'000'000'500'000'000u);
  EXPECT_EQ(Attribute(call.attributes(), "rpc.service"), "Retrieval");
  EXPECT_EQ(Attribute(call.attributes(), "rpc.method"), "Identify");
  EXPECT_EQ(Attribute(call.attributes(), "rpc.grpc.status_code"), "0");
  EXPECT_EQ(Attribute(call.attributes(), "antiphon.request_id"), "id-1");
  EXPECT_EQ(Attribute(call.attributes(), "antiphon.request_bytes"), "1000");
  for (const otlp::Span& span : spans) {
    EXPECT_EQ(span.trace_id(), "0123456789abcdef");
    EXPECT_EQ(span.span_id().size(), 8u);
  }
  EXPECT_EQ(spans[1].name(), "queue");
  EXPECT_EQ(spans[2].name(), "search");
  EXPECT_EQ(spans[2].parent_span_id(), call.span_id());
  EXPECT_EQ(spans[2].start_time_unix_nano(), 1'700'000'000'200'000'000u);
  EXPECT_NE(spans[1].span_id(), spans[2].span_id());
  EXPECT_EQ(Attribute(collector_.Resource().attributes(), "service.name"), "antiphon");
  EXPECT_EQ(Attribute(collector_.Resource().attributes(), "service.version"), Version());
}

TEST_F(TracerTest, ACallWithoutATraceBeginsOne) {
  Tracer tracer({.endpoint = collector_.endpoint()});
  CallTrace trace = Trace();
  trace.parent = {};
  tracer.Record(trace);
  tracer.Record(trace);
  const std::vector<otlp::Span> spans = collector_.Spans(6);
  ASSERT_EQ(spans.size(), 6u);
  EXPECT_EQ(spans[0].trace_id().size(), 16u);
  EXPECT_EQ(spans[0].parent_span_id(), "");
  EXPECT_EQ(spans[0].trace_id(), spans[1].trace_id());
  EXPECT_NE(spans[0].trace_id(), spans[3].trace_id());
}

TEST_F(TracerTest, OnlyTheServersFailuresAreErrors) {
  Tracer tracer({.endpoint = collector_.endpoint()});
  for (const grpc::StatusCode code : {grpc::StatusCode::INTERNAL, grpc::StatusCode::NOT_FOUND}) {
    CallTrace trace = Trace();
    trace.code = code;
    trace.message = "index: lost";
    trace.stages.clear();
    tracer.Record(trace);
  }
  const std::vector<otlp::Span> spans = collector_.Spans(2);
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].status().code(), otlp::STATUS_CODE_ERROR);
  EXPECT_EQ(spans[0].status().message(), "index: lost");
  EXPECT_EQ(spans[1].status().code(), otlp::STATUS_CODE_UNSET);
  EXPECT_EQ(Attribute(spans[1].attributes(), "rpc.grpc.status_code"), "5");
}

TEST_F(TracerTest, TheCallerSaysWhetherHisTraceIsKeptAndTheShareDecidesOfTheOthers) {
  const Tracer all({.endpoint = collector_.endpoint(), .share = 1});
  const Tracer none({.endpoint = collector_.endpoint(), .share = 0});
  TraceContext parent = Trace().parent;
  EXPECT_TRUE(none.Wants(parent));
  EXPECT_FALSE(none.Wants({}));
  parent.sampled = false;
  EXPECT_FALSE(all.Wants(parent));
  EXPECT_TRUE(all.Wants({}));
  const Tracer some({.endpoint = collector_.endpoint(), .share = 0.25});
  int wanted = 0;
  for (int i = 0; i < 4000; ++i) wanted += some.Wants({}) ? 1 : 0;
  EXPECT_NEAR(wanted, 1000, 200);  // seven standard deviations
}

TEST_F(TracerTest, WhatWaitsIsSentBeforeItGoes) {
  { Tracer({.endpoint = collector_.endpoint()}).Record(Trace()); }
  EXPECT_EQ(collector_.Spans(0).size(), 3u);
}

TEST_F(TracerTest, NobodyWaitsForACollectorThatIsNotThere) {
  const absl::Time start = absl::Now();
  {
    Tracer tracer({.endpoint = "127.0.0.1:1"});
    for (size_t i = 0; i < Tracer::kMostWaiting + 5; ++i) tracer.Record(Trace());
    EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  }
  EXPECT_LT(absl::Now() - start, kSoon);
  EXPECT_THAT(log_.str(), HasSubstr("otlp-endpoint: traces of "));
}

TEST_F(TracerTest, TheLogSaysWhatTheCollectorDoesNotTake) {
  collector_.Reject();
  { Tracer({.endpoint = collector_.endpoint()}).Record(Trace()); }
  EXPECT_THAT(log_.str(), HasSubstr("otlp-endpoint: traces of 1 calls are lost: some spans: full"));
}

}  // namespace
}  // namespace antiphon::server
