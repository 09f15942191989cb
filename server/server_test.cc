#include "server/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "core/testing/temporary_folder.h"
#include "grpcpp/generic/generic_stub.h"
#include "server/access/api_keys.h"
#include "server/testing/server_fixture.h"

namespace antiphon::server {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;

class ServerTest : public ServerFixture {
 protected:
  // A query that waits in the collection until it is released.
  struct HeldCall {
    absl::Notification started;
    absl::Notification release;
    grpc::Status status;
    std::thread thread;
  };

  void Hold(HeldCall& held) {
    collection_->on_query = [this, &held] {
      if (collection_->queries > 1) return;
      held.started.Notify();
      held.release.WaitForNotification();
    };
    held.thread = std::thread([this, &held] { held.status = Search(Query()); });
    held.started.WaitForNotification();
  }

  static v1::SearchScoresRequest Query() {
    v1::SearchScoresRequest request;
    request.mutable_audio()->set_file(WavFile(0.5));
    return request;
  }

  // The health that the standard service reports, asked as any client would; 0 when it cannot be
  // asked.
  int Health() {
    const std::string method = "/grpc.health.v1.Health/Check";
    grpc::CompletionQueue queue;
    grpc::GenericStub stub(channel_);
    const grpc::Slice nothing("", 0);  // the request names no service: the server as a whole
    const grpc::ByteBuffer request(&nothing, 1);
    grpc::ClientContext context;
    auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
    call->StartCall();
    grpc::ByteBuffer reply;
    grpc::Status status;
    call->Finish(&reply, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    grpc::Slice slice;
    if (!status.ok() || !reply.DumpToSingleSlice(&slice).ok() || slice.size() != 2) return 0;
    return slice.begin()[1];  // field 1, a varint: 1 is SERVING, 2 is NOT_SERVING
  }
};

TEST_F(ServerTest, StatusTellsWhatIsServed) {
  Start();
  grpc::ClientContext context;
  v1::StatusResponse status;
  ASSERT_TRUE(admin_->Status(&context, {}, &status).ok());
  EXPECT_EQ(status.state(), v1::SERVER_STATE_SERVING);
  EXPECT_EQ(status.generation(), 7);
  EXPECT_EQ(status.model_id(), "fake-model");
  EXPECT_EQ(status.pieces(), 2);
  EXPECT_EQ(status.score_vectors(), 100);
  EXPECT_EQ(status.device(), "cpu");
  EXPECT_EQ(status.index_device().device(), "cpu");
  EXPECT_FALSE(status.index_device().wanted());
  EXPECT_EQ(status.limits().max_message_bytes(), 32 << 20);
  EXPECT_EQ(status.limits().queue_capacity(), 8);
  EXPECT_EQ(status.rejected_generations_size(), 1);
  EXPECT_FALSE(status.version().empty());
  EXPECT_GT(status.window_seconds(), 0);
}

TEST_F(ServerTest, StatusAndMetricsTellOfAGpuThatIsNotThere) {
  config_.store.collection.index.devices = index::DevicePool::Open({.device = "cuda:63"}).value();
  Start();
  grpc::ClientContext context;
  v1::StatusResponse status;
  ASSERT_TRUE(admin_->Status(&context, {}, &status).ok());
  EXPECT_EQ(status.index_device().device(), "cpu");
  EXPECT_TRUE(status.index_device().wanted());
  EXPECT_FALSE(status.index_device().usable());
  EXPECT_THAT(status.index_device().problem(), HasSubstr("cuda:63"));
  EXPECT_THAT(metrics_.Text(), HasSubstr("antiphon_index_device_usable 0\n"));
}

TEST_F(ServerTest, AFullQueueRefusesAtOnce) {
  Start(/*workers=*/1, /*queue_capacity=*/1);
  HeldCall held;
  Hold(held);
  std::thread waiting([&] { EXPECT_TRUE(Search(Query()).ok()); });
  while (metrics_.Text().find("antiphon_queue_depth 1") == std::string::npos)
    std::this_thread::yield();

  const grpc::Status status = Search(Query());
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_FALSE(DetailOf(status).has_value()) << "no field is to blame";
  EXPECT_GE(RetryDelayOf(status), absl::Milliseconds(100));
  EXPECT_LE(RetryDelayOf(status), absl::Seconds(30));
  grpc::ClientContext context;
  v1::StatusResponse response;
  EXPECT_TRUE(admin_->Status(&context, {}, &response).ok())
      << "status answers while every worker is busy";

  held.release.Notify();
  held.thread.join();
  waiting.join();
  EXPECT_TRUE(held.status.ok());
  EXPECT_EQ(collection_->queries, 2);
  EXPECT_THAT(metrics_.Text(),
              HasSubstr(R"(code="RESOURCE_EXHAUSTED",method="Retrieval.SearchScores"} 1)"));
}

TEST_F(ServerTest, NoWorkIsDoneForACallWhoseDeadlineHasPassed) {
  Start(/*workers=*/1);
  HeldCall held;
  Hold(held);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
  v1::SearchResponse response;
  EXPECT_EQ(retrieval_->SearchScores(&context, Query(), &response).error_code(),
            StatusCode::DEADLINE_EXCEEDED);
  held.release.Notify();
  held.thread.join();
  EXPECT_TRUE(Search(Query()).ok())
      << "came after the expired one, so that one has been dealt with";
  EXPECT_EQ(collection_->queries, 2);
  EXPECT_THAT(metrics_.Text(), HasSubstr(R"(antiphon_stage_seconds_count{stage="decode"} 2)"));
}

TEST_F(ServerTest, NoWorkIsDoneForACallThatWasCancelledInTheQueue) {
  Start(/*workers=*/1);
  HeldCall held;
  Hold(held);
  grpc::ClientContext context;
  std::thread caller([&] {
    v1::SearchResponse response;
    EXPECT_EQ(retrieval_->SearchScores(&context, Query(), &response).error_code(),
              StatusCode::CANCELLED);
  });
  while (metrics_.Text().find("antiphon_queue_depth 1") == std::string::npos)
    std::this_thread::yield();
  context.TryCancel();
  caller.join();
  absl::SleepFor(absl::Milliseconds(100));  // for the news to reach the server's side
  held.release.Notify();
  held.thread.join();
  EXPECT_TRUE(Search(Query()).ok())
      << "came after the cancelled one, so that one has been dealt with";
  EXPECT_EQ(collection_->queries, 2);
  EXPECT_THAT(metrics_.Text(), HasSubstr(R"(antiphon_stage_seconds_count{stage="decode"} 2)"));
}

TEST_F(ServerTest, NoFurtherStageRunsForACallerWhoHasGone) {
  Start(/*workers=*/1);
  grpc::ClientContext context;
  absl::Notification started, release;
  collection_->on_query = [&] {
    if (collection_->queries > 1) return;
    started.Notify();
    release.WaitForNotification();
  };
  std::thread caller([&] {
    v1::SearchResponse response;
    EXPECT_EQ(retrieval_->SearchScores(&context, Query(), &response).error_code(),
              StatusCode::CANCELLED);
  });
  started.WaitForNotification();
  context.TryCancel();
  caller.join();
  absl::SleepFor(absl::Milliseconds(100));  // for the news to reach the server's side
  release.Notify();
  EXPECT_TRUE(Search(Query()).ok());
  EXPECT_EQ(collection_->queries, 2);
  EXPECT_EQ(collection_->searches, 1) << "the first one stopped before its search";
}

TEST_F(ServerTest, DrainingFinishesWhatIsUnderWayAndTakesNoMore) {
  Start();
  EXPECT_EQ(Health(), 1);
  HeldCall held;
  Hold(held);
  std::thread drainer([&] { EXPECT_TRUE(server_->Drain(absl::Seconds(60))); });
  while (server_->state() != ServerState::kDraining) std::this_thread::yield();

  EXPECT_EQ(Search(Query()).error_code(), StatusCode::UNAVAILABLE);
  grpc::ClientContext context;
  v1::StatusResponse status;
  ASSERT_TRUE(admin_->Status(&context, {}, &status).ok());
  EXPECT_EQ(status.state(), v1::SERVER_STATE_DRAINING);
  while (Health() == 1) std::this_thread::yield();
  EXPECT_EQ(Health(), 2);

  held.release.Notify();
  held.thread.join();
  drainer.join();
  EXPECT_TRUE(held.status.ok()) << held.status.error_message();
  EXPECT_EQ(server_->state(), ServerState::kStopped);
}

TEST_F(ServerTest, TheGracePeriodEnds) {
  Start();
  HeldCall held;
  Hold(held);
  std::thread releaser([&] {
    absl::SleepFor(absl::Milliseconds(600));
    held.release.Notify();
  });
  EXPECT_FALSE(server_->Drain(absl::Milliseconds(50)));
  releaser.join();
  held.thread.join();
  EXPECT_FALSE(held.status.ok());
  EXPECT_EQ(collection_->searches, 0) << "it was stopped before the next stage";
}

// A call with metadata; the initial metadata of the answer comes back.
grpc::Status StatusWith(v1::Admin::Stub& stub,
                        const std::vector<std::pair<std::string, std::string>>& metadata,
                        std::multimap<std::string, std::string>* initial = nullptr) {
  grpc::ClientContext context;
  for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
  v1::StatusResponse response;
  grpc::Status status = stub.Status(&context, {}, &response);
  if (initial == nullptr) return status;
  for (const auto& [name, value] : context.GetServerInitialMetadata()) {
    initial->emplace(std::string(name.data(), name.size()),
                     std::string(value.data(), value.size()));
  }
  return status;
}

TEST_F(ServerTest, TheRequestIdComesBack) {
  Start();
  std::multimap<std::string, std::string> metadata;
  ASSERT_TRUE(StatusWith(*admin_, {{"x-request-id", "mine-42"}}, &metadata).ok());
  EXPECT_EQ(metadata.find("x-request-id")->second, "mine-42");
  metadata.clear();
  ASSERT_TRUE(StatusWith(*admin_, {}, &metadata).ok());
  EXPECT_EQ(metadata.find("x-request-id")->second.size(), 16u) << "one is made up";
}

TEST_F(ServerTest, WithKeysEveryCallNeedsOneAndHealthDoesNot) {
  const testing::TemporaryFolder folder;
  config_.api_keys.keys_file = folder.path() + "/keys";
  std::ofstream(config_.api_keys.keys_file)
      << "reader read " << *HashForFile("a-key-for-reading") << "\n"
      << "owner admin " << *HashForFile("a-key-for-everything") << " 2\n";
  Start();
  EXPECT_EQ(StatusWith(*admin_, {}).error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Search(Query()).error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(StatusWith(*admin_, {{"x-api-key", "a-key-for-guessing"}}).error_code(),
            StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(StatusWith(*admin_, {{"x-api-key", "a-key-for-reading"}}).ok());
  EXPECT_TRUE(StatusWith(*admin_, {{"authorization", "Bearer a-key-for-everything"}}).ok());
  EXPECT_TRUE(StatusWith(*admin_, {{"authorization", "Bearer a-key-for-everything"}}).ok());
  const grpc::Status over = StatusWith(*admin_, {{"authorization", "Bearer a-key-for-everything"}});
  EXPECT_EQ(over.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(RetryDelayOf(over).has_value());
  EXPECT_EQ(Health(), 1) << "open to everybody";
  EXPECT_EQ(collection_->queries, 0);
}

TEST_F(ServerTest, ReflectionIsOnlyThereWhereItIsWanted) {
  for (const Reflection wanted : {Reflection::kOn, Reflection::kOff}) {
    config_.reflection = wanted;
    Start();
    grpc::CompletionQueue queue;
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    auto call = stub.PrepareCall(
        &context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
    void* tag = nullptr;
    bool ok = false;
    call->StartCall(nullptr);
    queue.Next(&tag, &ok);
    call->WritesDone(nullptr);
    queue.Next(&tag, &ok);
    grpc::Status status;
    call->Finish(&status, nullptr);
    queue.Next(&tag, &ok);
    EXPECT_EQ(status.error_code(),
              wanted == Reflection::kOn ? StatusCode::OK : StatusCode::UNIMPLEMENTED);
    server_.reset();
  }
}

TEST_F(ServerTest, ADamagedKeyFileIsAnErrorAtTheStart) {
  config_.listen = "127.0.0.1:0";
  config_.api_keys.keys_file = "/nowhere/at/all";
  EXPECT_THAT(std::string(Server::Start(config_, store_, metrics_).status().message()),
              HasSubstr("api-keys-file: "));
  config_.api_keys.keys_file = "";
  config_.tls.certificate = config_.tls.key = "/nowhere/at/all";
  EXPECT_THAT(std::string(Server::Start(config_, store_, metrics_).status().message()),
              HasSubstr("tls-cert: "));
}

TEST_F(ServerTest, SigHupReloadsTheStore) {
  Start();
  const auto before = store_.Current();
  server_->ReloadAll("SIGHUP");
  while (store_.Current() == before) std::this_thread::yield();
  while (metrics_.Text().find(R"(antiphon_reloads_total{result="ok",what="collection"} 1)") ==
         std::string::npos) {
    std::this_thread::yield();
  }
}

TEST_F(ServerTest, AnAddressInUseIsAnError) {
  Start();
  Config config = config_;
  config.listen = "127.0.0.1:" + std::to_string(server_->port());
  const auto second = Server::Start(config, store_, metrics_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(config.listen));
}

TEST_F(ServerTest, OverlongMessagesAreRefusedAndTheServerLivesOn) {
  config_.limits.max_message_mib = 1;
  Start();
  const auto socket = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                                          grpc::InsecureChannelCredentials());
  const auto stub = v1::Retrieval::NewStub(socket);
  v1::SearchScoresRequest request;
  request.mutable_audio()->set_file(std::string((1 << 20) + 9, 'x'));
  grpc::ClientContext too_long;
  v1::SearchResponse response;
  EXPECT_TRUE(Blames(stub->SearchScores(&too_long, request, &response),
                     StatusCode::RESOURCE_EXHAUSTED, "request"));
  grpc::ClientContext context;
  EXPECT_TRUE(stub->SearchScores(&context, Query(), &response).ok());
}

TEST_F(ServerTest, EveryMethodOfTheContractIsAnswered) {
  Start();
  int methods = 0;
  for (const auto* file :
       {v1::SearchScoresRequest::descriptor()->file(), v1::ListPiecesRequest::descriptor()->file(),
        v1::StatusRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      const auto* service = file->service(i);
      for (int j = 0; j < service->method_count(); ++j, ++methods) {
        const std::string path = "/" + service->full_name() + "/" + service->method(j)->name();
        EXPECT_TRUE(server_->Answers(path)) << path;
      }
    }
  }
  EXPECT_GT(methods, 20);
}

TEST_F(ServerTest, WhatNoServiceAnswersIsCountedAndSaid) {
  Start();
  const auto ask = [this](const std::string& path, const std::string& request) {
    grpc::CompletionQueue queue;
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    const grpc::Slice slice(request);
    auto call = stub.PrepareUnaryCall(&context, path, grpc::ByteBuffer(&slice, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status;
  };
  EXPECT_EQ(ask("/antiphon.v1.Retrieval/Nothing", "").error_code(), StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(ask("/somebody.Else/Entirely", "").error_code(), StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(Blames(ask("/antiphon.v1.Retrieval/Identify", "\xff\xff\xff"),
                     StatusCode::INVALID_ARGUMENT, "request"));
  const std::string text = metrics_.Text();
  EXPECT_THAT(text, HasSubstr(R"(code="UNIMPLEMENTED",method="unknown"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(code="INVALID_ARGUMENT",method="Retrieval.Identify"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(code="INTERNAL",method="Admin.Merge"} 0)"));
}

TEST_F(ServerTest, ALameDuckStillAnswersAndSaysThatItIsAboutToStop) {
  Start();
  std::thread drainer([&] { server_->Drain(absl::Seconds(5), absl::Milliseconds(600)); });
  while (server_->state() != ServerState::kLameDuck) std::this_thread::yield();
  EXPECT_EQ(Health(), 2) << "NOT_SERVING";
  EXPECT_TRUE(Search(Query()).ok());
  while (server_->state() == ServerState::kLameDuck) std::this_thread::yield();
  drainer.join();
}

TEST_F(ServerTest, WhoWatchesTheHealthIsTold) {
  Start();
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(channel_);
  grpc::ClientContext context;
  auto call = stub.PrepareCall(&context, "/grpc.health.v1.Health/Watch", &queue);
  void* tag = nullptr;
  bool ok = false;
  const auto next = [&] {
    queue.Next(&tag, &ok);
    return ok;
  };
  call->StartCall(nullptr);
  ASSERT_TRUE(next());
  const grpc::Slice name(
      "\x0a\x11"
      "antiphon.v1.Admin");
  call->Write(grpc::ByteBuffer(&name, 1), nullptr);
  ASSERT_TRUE(next());
  const auto read = [&]() -> int {
    grpc::ByteBuffer reply;
    call->Read(&reply, nullptr);
    grpc::Slice slice;
    if (!next() || !reply.DumpToSingleSlice(&slice).ok() || slice.size() != 2) return 0;
    return slice.begin()[1];
  };
  EXPECT_EQ(read(), 1);
  std::thread drainer([&] { server_->Drain(absl::ZeroDuration()); });
  EXPECT_EQ(read(), 2);
  EXPECT_EQ(read(), 0) << "the end";
  grpc::Status status;
  call->Finish(&status, nullptr);
  next();
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  drainer.join();
}

TEST_F(ServerTest, ManyCallersAtOnce) {
  Start(/*workers=*/4, /*queue_capacity=*/100);
  std::atomic<int> failed = 0;
  std::vector<std::thread> callers;
  callers.reserve(8);
  for (int t = 0; t < 8; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        if (!Search(Query()).ok()) ++failed;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(collection_->searches, 200);
}

}  // namespace
}  // namespace antiphon::server
