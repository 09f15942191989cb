#include "server/calls/call_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/error_reason.h"
#include "core/testing/temporary_folder.h"
#include "server/access/api_keys.h"
#include "server/serving/fake_store.h"
#include "server/wire/status_map.h"
#include "spdlog/sinks/ostream_sink.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CallGateTest : public ::testing::Test {
 protected:
  CallGateTest() {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)));
    spdlog::set_pattern("%l %v");
  }

  static CallOrigin Origin() {
    CallOrigin origin;
    origin.request_id = "id-1";
    origin.api_key = "a-key-nobody-may-see";
    origin.peer = "ipv4:10.0.0.1:99";
    return origin;
  }

  std::ostringstream log_;
  FakeStore store_{std::make_shared<FakeCollection>()};
  Lifecycle lifecycle_;
  Metrics metrics_;
  CallGate gate_{store_, lifecycle_, metrics_};
};

TEST_F(CallGateTest, ACallIsOneLineThatSaysAllButWhatWasSent) {
  Call call("Retrieval.Identify", Origin(), metrics_);
  Caller caller;
  caller.key = "search-page";
  call.set_caller(caller);
  call.RecordStage(v1::STAGE_QUEUE, 0.0125);
  call.RecordStage(v1::STAGE_DECODE, 0.002);
  call.RecordStage(v1::STAGE_DECODE, 0.002);
  EXPECT_TRUE(
      gate_.Close(call, absl::OkStatus(), {.request_bytes = 1000, .response_bytes = 70}).ok());
  const std::string line = log_.str();
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_THAT(line, HasSubstr("info method=Retrieval.Identify code=OK ms="));
  for (const char* field :
       {"request_bytes=1000", "response_bytes=70", "request_id=id-1", "key=search-page",
        "peer=ipv4:10.0.0.1:99", "queue_ms=12.500", "decode_ms=4.000"}) {
    EXPECT_THAT(line, HasSubstr(field));
  }
  EXPECT_THAT(line, Not(HasSubstr("nobody-may-see")));
}

TEST_F(CallGateTest, TheLogSaysWhyWhereTheCallerIsNotTold) {
  Call call("Retrieval.Identify", Origin(), metrics_);
  const grpc::Status answer =
      gate_.Close(call, absl::InternalError("index: lost\nmethod=forged"), {});
  EXPECT_EQ(answer.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_THAT(answer.error_message(), Not(HasSubstr("lost")));
  EXPECT_THAT(log_.str(), HasSubstr("error method=Retrieval.Identify code=INTERNAL"));
  EXPECT_THAT(log_.str(), HasSubstr(R"(message="index: lost\nmethod=forged")"));
}

TEST_F(CallGateTest, TheLogNamesTheTraceOfACallThatHasOne) {
  CallOrigin origin = Origin();
  origin.trace = {.trace_id = std::string(16, '\x1f'), .span_id = "01234567"};
  Call call("Retrieval.Identify", origin, metrics_);
  gate_.Close(call, absl::OkStatus(), {});
  EXPECT_THAT(log_.str(), HasSubstr(" trace_id=1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f"));
}

TEST_F(CallGateTest, OnlyWhatIsTracedKeepsTheRunsOfItsStages) {
  Tracer tracer({.endpoint = "127.0.0.1:1", .share = 1});
  CallGate gate(store_, lifecycle_, metrics_, nullptr, {}, &tracer);
  const auto runs = [&](const char* method, const CallOrigin& origin) {
    Call call(method, origin, metrics_);
    EXPECT_TRUE(gate.Admit(call, CallPolicy::kOpen).ok());
    for (size_t i = 0; i < Call::kMostRuns + 5; ++i) call.RecordStage(v1::STAGE_ALIGN, 0.001);
    gate.Close(call, absl::OkStatus(), {});
    return call.runs().size();
  };
  EXPECT_EQ(runs("Retrieval.Follow", Origin()), Call::kMostRuns);
  EXPECT_EQ(runs("Health.Check", Origin()), 0u);
  CallOrigin unwanted = Origin();
  unwanted.trace = {.trace_id = std::string(16, '\x1f'), .span_id = "01234567"};
  EXPECT_EQ(runs("Retrieval.Follow", unwanted), 0u);
}

TEST_F(CallGateTest, AFullDiskIsTheOperatorsBusiness) {
  Call call("Catalog.AddPiece", Origin(), metrics_);
  gate_.Close(call, WithReason(absl::ResourceExhaustedError("no room"), ErrorReason::kStorageFull),
              {});
  EXPECT_THAT(log_.str(), HasSubstr("error method=Catalog.AddPiece code=RESOURCE_EXHAUSTED"));
}

TEST_F(CallGateTest, WhoIsTurnedAwayIsKnownWhereItCanBe) {
  const testing::TemporaryFolder folder;
  const std::string key = "a-key-for-reading-only";
  std::ofstream(folder.path() + "/keys") << "reader read " << *HashForFile(key) << " 1\n";
  const auto keys =
      Authenticator::Open({.keys_file = folder.path() + "/keys", .quota = {}}, metrics_);
  ASSERT_TRUE(keys.ok()) << keys.status();
  CallGate gate(store_, lifecycle_, metrics_, keys->get());
  CallOrigin origin = Origin();
  origin.api_key = key;
  const auto refused = [&](const char* method) {
    Call call(method, origin, metrics_);
    const absl::Status status = gate.Admit(call, CallPolicy::kInline).status();
    gate.Close(call, status, {});
    return status.code();
  };
  EXPECT_EQ(refused("Admin.Merge"), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(refused("Admin.Status"), absl::StatusCode::kOk);
  EXPECT_EQ(refused("Admin.Status"), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(log_.str(), HasSubstr("code=PERMISSION_DENIED"));
  std::istringstream lines(log_.str());
  for (std::string line; std::getline(lines, line);) EXPECT_THAT(line, HasSubstr(" key=reader "));
  for (const char* code : {"OK", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED"}) {
    EXPECT_THAT(metrics_.Text(), HasSubstr(absl::StrCat("antiphon_key_requests_total{code=\"", code,
                                                        "\",key=\"reader\"} 1")));
  }
  Call open("Health.Check", Origin(), metrics_);
  EXPECT_TRUE(gate.Admit(open, CallPolicy::kOpen).ok()) << "nobody needs a key";
}

TEST_F(CallGateTest, WhatAHandlerThrowsBecomesAStatus) {
  const auto work = [&](const std::function<absl::Status(Call&)>& handler) {
    Call call("Retrieval.Identify", Origin(), metrics_);
    return gate_.Work(call, handler).code();
  };
  EXPECT_EQ(work([](Call&) -> absl::Status { throw std::bad_alloc(); }),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(work([](Call&) -> absl::Status { throw std::runtime_error("x"); }),
            absl::StatusCode::kInternal);
  EXPECT_EQ(work([](Call&) -> absl::Status { throw 1; }), absl::StatusCode::kInternal);
  EXPECT_EQ(work([](Call&) { return absl::OkStatus(); }), absl::StatusCode::kOk);
}

TEST_F(CallGateTest, ACallKeepsTheEngineItStartedOn) {
  Call call("Retrieval.Identify", Origin(), metrics_);
  const absl::Status status = gate_.Work(call, [&](Call& running) {
    EXPECT_TRUE(store_.Reload().ok());
    EXPECT_EQ(running.collection().manifest().generation, 7);
    EXPECT_NE(store_.Current()->manifest().generation, 7);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok());
}

TEST_F(CallGateTest, NoHandlerRunsForACallThatWasAbandoned) {
  Call gone("Retrieval.Identify", Origin(), metrics_);
  gone.Abandon(absl::CancelledError("gone"));
  gone.Abandon(absl::DeadlineExceededError("too late to count"));
  CallOrigin late = Origin();
  late.deadline = SteadyNow();
  Call expired("Retrieval.Identify", late, metrics_);
  const auto never = [](Call&) -> absl::Status {
    ADD_FAILURE() << "nobody waits for this";
    return absl::OkStatus();
  };
  EXPECT_EQ(gate_.Work(gone, never), absl::CancelledError("gone"));
  EXPECT_EQ(gate_.Work(expired, never).code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(CallGateTest, AnAdmissionIsCountedUntilItGoes) {
  Call call("Retrieval.Identify", Origin(), metrics_);
  EXPECT_EQ(gate_.Admit(call, CallPolicy::kQueued).status().code(), absl::StatusCode::kUnavailable)
      << "starting";
  EXPECT_TRUE(gate_.Admit(call, CallPolicy::kInline).ok());
  ASSERT_TRUE(lifecycle_.MoveTo(ServerState::kServing).ok());
  {
    auto admission = gate_.Admit(call, CallPolicy::kQueued);
    ASSERT_TRUE(admission.ok());
    EXPECT_EQ(lifecycle_.in_flight(), 1);
    Admission held = *std::move(admission);
    EXPECT_EQ(lifecycle_.in_flight(), 1) << "moved, not copied";
    const Admission always = *gate_.Admit(call, CallPolicy::kInline);
    EXPECT_EQ(lifecycle_.in_flight(), 1) << "what is always let in holds nothing up";
    gate_.AbandonAll(absl::UnavailableError("stopping"));
    EXPECT_TRUE(absl::IsUnavailable(call.KeepGoing()));
    gate_.Close(call, call.KeepGoing(), {});
  }
  EXPECT_EQ(lifecycle_.in_flight(), 0);
}

TEST_F(CallGateTest, ACallThatIsClosedIsNotAbandonedAlthoughItsAnswerIsStillOnItsWay) {
  ASSERT_TRUE(lifecycle_.MoveTo(ServerState::kServing).ok());
  Call call("Retrieval.Identify", Origin(), metrics_);
  const Admission admission = *gate_.Admit(call, CallPolicy::kQueued);
  gate_.Close(call, absl::OkStatus(), {});
  EXPECT_EQ(lifecycle_.in_flight(), 1);
  gate_.AbandonAll(absl::UnavailableError("stopping"));
  EXPECT_TRUE(call.KeepGoing().ok()) << "gRPC may have deleted it by now";
}

}  // namespace
}  // namespace antiphon::server
