#include "server/calls/stream_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "antiphon/v1/retrieval.grpc.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "server/serving/fake_store.h"
#include "server/wire/status_map.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;
using Reader = MessageReader<v1::IdentifyStreamRequest>;
using Stream = MessageStream<v1::IdentifyStreamRequest, v1::IdentifyLiveResponse>;

// Methods with handlers made up by the test.
struct Handlers {
  std::function<absl::Status(Call&, Reader&, v1::IdentifyLongResponse*)> on_upload;
  std::function<absl::Status(Call&, Stream&)> on_dialogue;
};

v1::IdentifyStreamRequest Samples(size_t bytes) {
  v1::IdentifyStreamRequest request;
  request.set_samples(std::string(bytes, 's'));
  return request;
}

// Answers every message with the bytes received so far.
absl::Status CountBytes(Call&, Stream& stream) {
  v1::IdentifyStreamRequest request;
  v1::IdentifyLiveResponse response;
  while (stream.Read(&request)) {
    response.set_at_seconds(response.at_seconds() + static_cast<double>(request.samples().size()));
    if (!stream.Write(response)) break;
  }
  return stream.status();
}

constexpr int64_t kMaxMessageBytes = 1 << 20;

class StreamRunnerTest : public ::testing::Test {
 protected:
  void Start(int max_streams = 4, absl::Duration patience = absl::Seconds(60)) {
    spdlog::set_level(spdlog::level::off);
    ASSERT_TRUE(lifecycle_.MoveTo(ServerState::kServing).ok());
    streams_ = std::make_unique<StreamRunner>(
        gate_, monitor_, StreamRunnerOptions{max_streams, absl::ToDoubleSeconds(patience)},
        kMaxMessageBytes);
    dispatcher_.Add("antiphon.v1", Methods());
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(&dispatcher_);
    server_ = builder.BuildAndStart();
    stub_ = v1::Retrieval::NewStub(server_->InProcessChannel({}));
    handlers_.on_dialogue = CountBytes;
  }

  void TearDown() override {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    streams_->Stop();
    EXPECT_EQ(lifecycle_.in_flight(), 0) << "every stream let in has left";
  }

  std::vector<Method> Methods() {
    return {streams_->Upload<v1::IdentifyStreamRequest, v1::IdentifyLongResponse>(
                "Retrieval.IdentifyLong",
                [this](Call& call, Reader& reader, v1::IdentifyLongResponse* response) {
                  return handlers_.on_upload(call, reader, response);
                }),
            streams_->Dialogue<v1::IdentifyStreamRequest, v1::IdentifyLiveResponse>(
                "Retrieval.IdentifyLive", [this](Call& call, Stream& stream) {
                  return handlers_.on_dialogue(call, stream);
                })};
  }

  // A stream that has been let in and answered once.
  struct Open {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReaderWriter<v1::IdentifyStreamRequest, v1::IdentifyLiveResponse>>
        stream;
  };
  std::unique_ptr<Open> OpenStream() {
    auto open = std::make_unique<Open>();
    open->stream = stub_->IdentifyLive(&open->context);
    v1::IdentifyLiveResponse response;
    EXPECT_TRUE(open->stream->Write(Samples(1)));
    EXPECT_TRUE(open->stream->Read(&response));
    return open;
  }
  static grpc::Status Finish(Open& open) {
    open.stream->WritesDone();
    v1::IdentifyLiveResponse response;
    while (open.stream->Read(&response)) {
    }
    return open.stream->Finish();
  }

  FakeStore store_{std::make_shared<FakeCollection>()};
  Lifecycle lifecycle_;
  Metrics metrics_;
  CallGate gate_{store_, lifecycle_, metrics_};
  ReceiveMonitor monitor_{{}, [](const std::string&) { return std::nullopt; }, [](auto) {}};
  std::unique_ptr<StreamRunner> streams_;
  Dispatcher dispatcher_{gate_};
  Handlers handlers_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::Retrieval::Stub> stub_;
};

TEST_F(StreamRunnerTest, AnUploadIsReadToItsEndAndAnsweredOnce) {
  Start();
  handlers_.on_upload = [](Call& call, Reader& reader, v1::IdentifyLongResponse* response) {
    v1::IdentifyStreamRequest request;
    double bytes = 0;
    while (reader.Read(&request)) bytes += static_cast<double>(request.samples().size());
    EXPECT_FALSE(reader.Read(&request)) << "the end stays the end";
    call.FillInfo(bytes, response->mutable_info());
    return reader.status();
  };
  grpc::ClientContext context;
  v1::IdentifyLongResponse response;
  auto writer = stub_->IdentifyLong(&context, &response);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(writer->Write(Samples(1000)));
  ASSERT_TRUE(writer->WritesDone());
  const grpc::Status status = writer->Finish();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.info().query_seconds(), 100'000);
  EXPECT_EQ(response.info().generation(), 7);
  EXPECT_THAT(metrics_.Text(), HasSubstr(R"(code="OK",method="Retrieval.IdentifyLong"} 1)"));
}

TEST_F(StreamRunnerTest, ADialogueAnswersEachMessageInTurn) {
  Start();
  grpc::ClientContext context;
  auto stream = stub_->IdentifyLive(&context);
  v1::IdentifyLiveResponse response;
  for (int i = 1; i <= 50; ++i) {
    ASSERT_TRUE(stream->Write(Samples(10)));
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_EQ(response.at_seconds(), 10 * i);
  }
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(StreamRunnerTest, AHandlersFailureEndsTheStreamWhileMessagesStillCome) {
  Start();
  handlers_.on_dialogue = [](Call&, Stream& stream) {
    v1::IdentifyStreamRequest request;
    EXPECT_TRUE(stream.Read(&request));
    return FieldError(absl::StatusCode::kInvalidArgument, "part", "options must come first");
  };
  grpc::ClientContext context;
  auto stream = stub_->IdentifyLive(&context);
  while (stream->Write(Samples(1000))) {
  }
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailOf(status)->field(), "part");
}

TEST_F(StreamRunnerTest, WhatAHandlerThrowsIsInternal) {
  Start();
  handlers_.on_dialogue = [](Call&, Stream&) -> absl::Status { throw std::runtime_error("oh"); };
  grpc::ClientContext context;
  auto stream = stub_->IdentifyLive(&context);
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::INTERNAL);
}

TEST_F(StreamRunnerTest, OneStreamTooManyIsRefusedAtOnceUntilAnotherEnds) {
  Start(/*max_streams=*/2);
  auto first = OpenStream();
  auto second = OpenStream();
  EXPECT_EQ(streams_->open(), 2);
  grpc::ClientContext context;
  auto third = stub_->IdentifyLive(&context);
  const grpc::Status refused = third->Finish();
  EXPECT_EQ(refused.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_GE(RetryDelayOf(refused), absl::Milliseconds(100));
  EXPECT_LE(RetryDelayOf(refused), absl::Seconds(30));
  EXPECT_TRUE(Finish(*first).ok());
  auto fourth = OpenStream();
  EXPECT_TRUE(Finish(*second).ok());
  EXPECT_TRUE(Finish(*fourth).ok());
}

TEST_F(StreamRunnerTest, ACallerWhoFallsSilentIsTimedOut) {
  Start(4, absl::Milliseconds(50));
  absl::Status seen;
  handlers_.on_dialogue = [&](Call& call, Stream& stream) {
    v1::IdentifyStreamRequest request;
    EXPECT_FALSE(stream.Read(&request));
    EXPECT_FALSE(stream.Read(&request)) << "at once";
    EXPECT_FALSE(stream.Write({}));
    seen = call.KeepGoing();
    return absl::OkStatus();  // overlooked, and yet:
  };
  grpc::ClientContext context;
  auto stream = stub_->IdentifyLive(&context);
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(status.error_message(), HasSubstr("nothing was sent for 50ms"));
  EXPECT_EQ(seen.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(StreamRunnerTest, ACallerWhoTakesNoAnswersIsCancelled) {
  Start(4, absl::Milliseconds(100));
  handlers_.on_dialogue = [](Call&, Stream& stream) {
    v1::IdentifyLiveResponse response;
    response.add_candidates()->mutable_source()->set_title(std::string(1 << 20, 't'));
    int written = 0;
    while (stream.Write(response)) ++written;
    EXPECT_LT(written, 1000);
    return stream.status();
  };
  // Over a socket: only there does somebody who does not read hold the writer up.
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  Dispatcher dispatcher(gate_);
  dispatcher.Add("antiphon.v1", Methods());
  builder.RegisterCallbackGenericService(&dispatcher);
  auto server = builder.BuildAndStart();
  auto stub = v1::Retrieval::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  auto stream = stub->IdentifyLive(&context);
  while (metrics_.Text().find(R"(code="DEADLINE_EXCEEDED",method="Retrieval.IdentifyLive"} 1)") ==
         std::string::npos) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  v1::IdentifyLiveResponse response;
  while (stream->Read(&response)) {
  }
  EXPECT_FALSE(stream->Finish().ok());
  server->Shutdown();
}

TEST_F(StreamRunnerTest, TheDeadlineWakesAHandlerThatWaits) {
  Start();
  absl::Notification ended;
  handlers_.on_dialogue = [&](Call&, Stream& stream) {
    v1::IdentifyStreamRequest request;
    EXPECT_FALSE(stream.Read(&request));
    absl::Status status = stream.status();
    ended.Notify();
    return status;
  };
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
  auto stream = stub_->IdentifyLive(&context);
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(ended.WaitForNotificationWithTimeout(absl::Seconds(10)));
}

TEST_F(StreamRunnerTest, CancellationWakesAHandlerThatWaits) {
  Start();
  auto open = OpenStream();
  open->context.TryCancel();
  EXPECT_EQ(open->stream->Finish().error_code(), StatusCode::CANCELLED);
  EXPECT_TRUE(lifecycle_.WaitIdle(After(absl::Seconds(10))));
  EXPECT_EQ(streams_->open(), 0);
}

TEST_F(StreamRunnerTest, AbandoningACallWakesAHandlerThatWaits) {
  Start();
  auto open = OpenStream();
  gate_.AbandonAll(absl::UnavailableError("the server is shutting down"));
  const grpc::Status status = open->stream->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("shutting down"));
}

TEST_F(StreamRunnerTest, BytesThatAreNoMessageAreSaid) {
  Start();
  grpc::GenericStub stub(server_->InProcessChannel({}));
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  auto call = stub.PrepareCall(&context, "/antiphon.v1.Retrieval/IdentifyLive", &queue);
  void* tag = nullptr;
  bool ok = false;
  call->StartCall(nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  const grpc::Slice garbage("\xff\xff\xff");
  call->Write(grpc::ByteBuffer(&garbage, 1), nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  grpc::Status status;
  call->Finish(&status, nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("request: is not an antiphon.v1"));
}

TEST_F(StreamRunnerTest, DrainingRefusesNewStreamsAndEndsThoseOpenWithTheServer) {
  Start();
  auto open = OpenStream();
  ASSERT_TRUE(lifecycle_.MoveTo(ServerState::kLameDuck).ok());
  ASSERT_TRUE(lifecycle_.MoveTo(ServerState::kDraining).ok());
  grpc::ClientContext context;
  EXPECT_EQ(stub_->IdentifyLive(&context)->Finish().error_code(), StatusCode::UNAVAILABLE);
  v1::IdentifyLiveResponse response;
  EXPECT_TRUE(open->stream->Write(Samples(1)) && open->stream->Read(&response))
      << "what is open goes on";
  EXPECT_FALSE(lifecycle_.WaitIdle(After(absl::Milliseconds(20))));
  server_->Shutdown(std::chrono::system_clock::now());
  EXPECT_FALSE(open->stream->Finish().ok());
  EXPECT_TRUE(lifecycle_.WaitIdle(After(absl::Seconds(10))));
}

}  // namespace
}  // namespace antiphon::server
