#include "tests/bench/load.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "antiphon/v1/retrieval.grpc.pb.h"
#include "antiphon/v1/types.pb.h"
#include "tests/bench/measurement.h"

namespace antiphon::bench {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Field;
using ::testing::Ge;
using ::testing::Lt;

// RESOURCE_EXHAUSTED as a server says it: in a trailer, with details or without.
grpc::Status Exhausted(v1::ErrorStatus trailer = {}) {
  trailer.set_code(grpc::StatusCode::RESOURCE_EXHAUSTED);
  return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too much", trailer.SerializeAsString()};
}

grpc::Status ExhaustedWithDelay(int milliseconds) {
  v1::RetryInfo retry;
  retry.mutable_retry_delay()->set_nanos(milliseconds * 1'000'000);
  v1::ErrorStatus trailer;
  trailer.add_details()->set_type_url("type.googleapis.com/google.rpc.RetryInfo");
  trailer.mutable_details(0)->set_value(retry.SerializeAsString());
  return Exhausted(trailer);
}

grpc::Status ExhaustedWithField(const std::string& field) {
  v1::ErrorDetail detail;
  detail.set_field(field);
  v1::ErrorStatus trailer;
  trailer.add_details()->PackFrom(detail);
  return Exhausted(trailer);
}

// Answers one call after the other.
class Server final : public v1::Retrieval::Service {
 public:
  Server() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~Server() override { server_->Shutdown(); }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  std::chrono::milliseconds delay{0};
  grpc::Status failure;
  std::atomic<int> calls = 0;

 private:
  grpc::Status Identify(grpc::ServerContext* context, const v1::IdentifyRequest* request,
                        v1::IdentifyResponse* response) override {
    const absl::MutexLock lock(&mutex_);
    ++calls;
    std::this_thread::sleep_for(delay);
    return failure;
  }

  absl::Mutex mutex_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class LoadTest : public ::testing::Test {
 protected:
  std::unique_ptr<Caller> Connect(int connections) {
    return Caller::Connect({.target = server_.address(), .connections = connections}).value();
  }

  LoadOptions Options(double warm_up_s, double duration_s) {
    LoadOptions options{.warm_up_s = warm_up_s, .duration_s = duration_s};
    options.on_begin = [this] { ++looks_; };
    options.on_end = [this] { ++looks_; };
    return options;
  }

  Server server_;
  const std::vector<Excerpt> excerpts_ = std::vector<Excerpt>(2);
  int looks_ = 0;
};

TEST_F(LoadTest, EachClientOfAClosedLoopAsksAgainWhenItIsAnswered) {
  server_.delay = std::chrono::milliseconds(1);
  const auto caller = Connect(3);
  const Load load = RunClosedLoop(*caller, excerpts_, Options(0.05, 0.2));
  EXPECT_GT(load.calls.size(), 3);
  EXPECT_GE(load.seconds, 0.2);
  EXPECT_EQ(looks_, 2);
  EXPECT_GT(server_.calls, static_cast<int>(load.calls.size()));  // the warm-up does not count
  for (const Call& call : load.calls) {
    EXPECT_EQ(call.answer.outcome, Outcome::kAnswered);
    EXPECT_GE(call.latency_s(), 0.001);
    EXPECT_EQ(call.sent_s, call.due_s);
  }
}

TEST_F(LoadTest, AClosedLoopLastsUntilThereIsACallForEachClient) {
  server_.delay = std::chrono::milliseconds(50);
  const auto caller = Connect(2);
  EXPECT_GE(RunClosedLoop(*caller, excerpts_, Options(0, 0)).calls.size(), 2);
}

TEST_F(LoadTest, AClientWhoseCallFailsAsksNoMore) {
  server_.failure = {grpc::StatusCode::INTERNAL, "broken"};
  const auto caller = Connect(2);
  const Load load = RunClosedLoop(*caller, excerpts_, Options(0, 10));
  EXPECT_EQ(load.calls.size(), 2);
  EXPECT_EQ(Measure(load, excerpts_).failed.count, 2);
  EXPECT_LT(load.seconds, 10);
}

// The server takes 2.4 s for 48 calls, which are due within 0.375 s. A client that waited for
// answers would send the last of them 1.98 s late.
TEST_F(LoadTest, AnOpenLoopSendsWhatIsDueWhetherOrNotOthersAreAnswered) {
  server_.delay = std::chrono::milliseconds(50);
  const auto caller = Connect(4);
  const Load load = RunOpenLoop(*caller, excerpts_, Arrivals::kEven, 128, Options(0.125, 0.25));
  EXPECT_EQ(load.calls.size(), 32);  // and 16 in the warm-up
  EXPECT_EQ(server_.calls, 48);
  EXPECT_EQ(looks_, 2);
  EXPECT_THAT(load.calls, Each(Field(&Call::due_s, AllOf(Ge(0.125), Lt(0.375)))));
  EXPECT_LT(Measure(load, excerpts_).send_delay.max_ms, 600);
}

TEST_F(LoadTest, EveryExcerptIsAskedAboutAsOftenAsTheOthers) {
  const auto caller = Connect(2);
  const Load load = RunOpenLoop(*caller, excerpts_, Arrivals::kEven, 128, Options(0, 0.25));
  ASSERT_EQ(load.calls.size(), 32);
  EXPECT_EQ(std::count_if(load.calls.begin(), load.calls.end(),
                          [](const Call& call) { return call.excerpt == 0; }),
            16);
}

// A call takes 20 ms and one comes every 10 ms: the last is due after 290 ms and answered after
// 600. A client that waited for each answer would have found 20 ms for every call.
TEST_F(LoadTest, TheTimeOfACallHoldsItsWaitForOthers) {
  server_.delay = std::chrono::milliseconds(20);
  const auto caller = Connect(1);
  const Load load = RunOpenLoop(*caller, excerpts_, Arrivals::kEven, 100, Options(0, 0.3));
  ASSERT_EQ(load.calls.size(), 30);
  EXPECT_GE(Measure(load, excerpts_).answered.max_ms, 310);
  EXPECT_GE(load.seconds, 0.6);
}

TEST_F(LoadTest, RefusalsAreToldFromFailures) {
  server_.failure = Exhausted();
  const auto caller = Connect(1);
  const Load load = RunOpenLoop(*caller, excerpts_, Arrivals::kEven, 100, Options(0, 0.1));
  const Measurement measured = Measure(load, excerpts_);
  EXPECT_EQ(measured.refused.count, 10);
  EXPECT_EQ(measured.failed.count, 0);
  EXPECT_EQ(measured.errors.count("RESOURCE_EXHAUSTED: too much"), 1);
}

TEST_F(LoadTest, ARequestThatIsTooLargeIsAFailure) {
  const auto caller = Connect(1);
  const auto failed = [&] {
    const Load load = RunOpenLoop(*caller, excerpts_, Arrivals::kEven, 100, Options(0, 0.1));
    return Measure(load, excerpts_).failed.count;
  };
  server_.failure = ExhaustedWithField("audio.file");
  EXPECT_EQ(failed(), 10);
  server_.failure = {grpc::StatusCode::RESOURCE_EXHAUSTED, "gRPC's own limit, without a trailer"};
  EXPECT_EQ(failed(), 10);
}

TEST_F(LoadTest, AClientThatIsRefusedWaitsAsLongAsTheServerSays) {
  const auto caller = Connect(1);
  const auto shortest_wait_s = [&] {
    const std::vector<Call> calls = RunClosedLoop(*caller, excerpts_, Options(0, 0.5)).calls;
    EXPECT_GE(calls.size(), 2);
    double shortest_s = 1;
    for (size_t i = 1; i < calls.size(); ++i)
      shortest_s = std::min(shortest_s, calls[i].sent_s - calls[i - 1].ended_s);
    return shortest_s;
  };
  server_.failure = ExhaustedWithDelay(50);
  EXPECT_THAT(shortest_wait_s(), AllOf(Ge(0.05), Lt(kRetryDelayS)));
  server_.failure = Exhausted();
  EXPECT_GE(shortest_wait_s(), kRetryDelayS);
}

TEST_F(LoadTest, AClosedLoopEndsWhileClientsWait) {
  server_.failure = ExhaustedWithDelay(900);
  const auto caller = Connect(2);
  EXPECT_EQ(RunClosedLoop(*caller, excerpts_, Options(0, 0.1)).calls.size(), 2);
  EXPECT_EQ(server_.calls, 4);  // 2 in the warm-up, and none after the end
}

TEST_F(LoadTest, NobodyThereIsUnavailable) {
  EXPECT_TRUE(
      absl::IsUnavailable(Caller::Connect({.target = "127.0.0.1:1", .timeout_s = 0.1}).status()));
}

}  // namespace
}  // namespace antiphon::bench
