// A whole server around a FakeStore, reached without a network, and queries to send it.
#ifndef ANTIPHON_SERVER_TESTING_SERVER_FIXTURE_H_
#define ANTIPHON_SERVER_TESTING_SERVER_FIXTURE_H_

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "antiphon/v1/admin.grpc.pb.h"
#include "antiphon/v1/catalog.grpc.pb.h"
#include "antiphon/v1/retrieval.grpc.pb.h"
#include "core/audio/encoder.h"
#include "core/music/midi_file.h"
#include "grpcpp/grpcpp.h"
#include "server/server.h"
#include "server/serving/fake_store.h"
#include "server/wire/status_map.h"
#include "spdlog/spdlog.h"

namespace antiphon::server {

inline std::vector<float> Tone(double seconds, int rate = 22050) {
  std::vector<float> samples(static_cast<size_t>(seconds * rate));
  for (size_t i = 0; i < samples.size(); ++i)
    samples[i] = 0.3f * std::sin(0.1f * static_cast<float>(i % 10000));
  return samples;
}

inline std::string WavFile(double seconds) {
  return *audio::EncodeAudio({.samples = Tone(seconds), .sample_rate = 22050},
                             audio::AudioFormat::kWav);
}

inline v1::Pcm FloatPcm(const std::vector<float>& samples, int rate = 22050, int channels = 1) {
  v1::Pcm pcm;
  pcm.set_encoding(v1::Pcm::ENCODING_FLOAT32);
  pcm.set_sample_rate(rate);
  pcm.set_channels(channels);
  pcm.set_samples(
      std::string(reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float)));
  return pcm;
}

inline std::string MidiBytes(int notes) { return *music::WriteMidi(ScaleScore(notes)); }

class ServerFixture : public ::testing::Test {
 protected:
  void Start(int workers = 2, int queue_capacity = 8) {
    spdlog::set_level(spdlog::level::off);
    config_.store.bundle = "unused";
    config_.listen = "127.0.0.1:0";
    config_.queue.workers = workers;
    config_.queue.capacity = queue_capacity;
    auto server = Server::Start(config_, store_, metrics_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = server_->InProcessChannel();
    retrieval_ = v1::Retrieval::NewStub(channel_);
    catalog_ = v1::Catalog::NewStub(channel_);
    admin_ = v1::Admin::NewStub(channel_);
  }

  // The status of one call; `response` may be looked at afterwards.
  grpc::Status Search(const v1::SearchScoresRequest& request,
                      v1::SearchResponse* response = nullptr) {
    grpc::ClientContext context;
    v1::SearchResponse unused;
    return retrieval_->SearchScores(&context, request, response ? response : &unused);
  }
  grpc::Status Search(const v1::SearchRecordingsRequest& request,
                      v1::SearchResponse* response = nullptr) {
    grpc::ClientContext context;
    v1::SearchResponse unused;
    return retrieval_->SearchRecordings(&context, request, response ? response : &unused);
  }
  grpc::Status Identify(const v1::IdentifyRequest& request,
                        v1::IdentifyResponse* response = nullptr) {
    grpc::ClientContext context;
    v1::IdentifyResponse unused;
    return retrieval_->Identify(&context, request, response ? response : &unused);
  }
  grpc::Status Embed(const v1::EmbedRequest& request, v1::EmbedResponse* response = nullptr) {
    grpc::ClientContext context;
    v1::EmbedResponse unused;
    return retrieval_->Embed(&context, request, response ? response : &unused);
  }

  // The status of any other call: Ask(*catalog_, &v1::Catalog::Stub::GetPiece, request, &response).
  template <typename Stub, typename Request, typename Response>
  static grpc::Status Ask(Stub& stub,
                          grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                       Response*),
                          const Request& request, Response* response = nullptr) {
    grpc::ClientContext context;
    Response unused;
    return (stub.*method)(&context, request, response ? response : &unused);
  }

  Config config_;
  Metrics metrics_;
  std::shared_ptr<FakeCollection> collection_ = std::make_shared<FakeCollection>();
  FakeStore store_{collection_};
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Retrieval::Stub> retrieval_;
  std::unique_ptr<v1::Catalog::Stub> catalog_;
  std::unique_ptr<v1::Admin::Stub> admin_;
};

// That a call failed with `code` and blames `field`, in the message and in the details.
inline ::testing::AssertionResult Blames(const grpc::Status& status, grpc::StatusCode code,
                                         const std::string& field) {
  if (status.error_code() != code) {
    return ::testing::AssertionFailure()
           << CodeName(status.error_code()) << ": " << status.error_message();
  }
  const auto detail = DetailOf(status);
  if (!detail.has_value())
    return ::testing::AssertionFailure() << "no details with: " << status.error_message();
  if (detail->field() != field)
    return ::testing::AssertionFailure() << "blames " << detail->field();
  if (status.error_message().rfind(field + ": ", 0) != 0) {
    return ::testing::AssertionFailure() << "message: " << status.error_message();
  }
  return ::testing::AssertionSuccess();
}

}  // namespace antiphon::server

#endif  // ANTIPHON_SERVER_TESTING_SERVER_FIXTURE_H_
