#include "server/services/service_streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <deque>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "server/serving/fake_store.h"
#include "server/testing/server_fixture.h"

namespace antiphon::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What the caller has sent, and what it is sent.
class FakeStream final : public MessageStream<v1::IdentifyStreamRequest, v1::IdentifyLiveResponse> {
 public:
  bool Read(v1::IdentifyStreamRequest* request) override {
    if (on_read) on_read(read);
    if (!end.ok() && requests.size() <= 1) return false;  // it breaks off before the last
    if (requests.empty()) return false;
    *request = requests.front();
    requests.pop_front();
    ++read;
    return true;
  }
  absl::Status status() const override { return requests.empty() ? absl::OkStatus() : end; }
  bool Write(const v1::IdentifyLiveResponse& response) override {
    if (static_cast<int>(responses.size()) >= takes) return false;
    responses.push_back(response);
    return true;
  }

  std::deque<v1::IdentifyStreamRequest> requests;
  std::vector<v1::IdentifyLiveResponse> responses;
  absl::Status end;
  int takes = 1'000'000;
  int read = 0;
  std::function<void(int)> on_read;
};

// Something that changes all the time.
std::vector<float> Music(double seconds, int rate = 22050) {
  std::vector<float> samples(static_cast<size_t>(seconds * rate));
  for (size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(i) / rate, beat = std::floor(t * 2);
    const double hertz = 220 * std::exp2(std::fmod(beat * 5, 12) / 12);
    samples[i] = 0.3f * static_cast<float>(std::exp(-4 * (t - beat / 2)) *
                                           std::sin(2 * std::numbers::pi * hertz * t));
  }
  return samples;
}

std::string Floats(const std::vector<float>& samples) {
  return std::string(reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(float));
}

class ServiceStreamsTest : public ::testing::Test {
 protected:
  ServiceStreamsTest() {
    options_.set_encoding(v1::Pcm::ENCODING_FLOAT32);
    options_.set_sample_rate(22050);
    options_.set_channels(1);
  }

  void Send(const v1::StreamOptions& options) {
    *stream_.requests.emplace_back().mutable_options() = options;
  }
  void Send(const std::string& samples) { stream_.requests.emplace_back().set_samples(samples); }
  void SendAll(const std::string& bytes, size_t chunk = 50'000) {
    for (size_t begin = 0; begin < bytes.size(); begin += chunk) Send(bytes.substr(begin, chunk));
  }

  absl::Status Live() {
    Call call("Retrieval.IdentifyLive", CallOrigin(), metrics_);
    call.Pin(store_.Current());
    return IdentifyLive({store_, metrics_, limits_}, call, stream_);
  }
  absl::Status Long() {
    Call call("Retrieval.IdentifyLong", CallOrigin(), metrics_);
    call.Pin(store_.Current());
    return IdentifyLong({store_, metrics_, limits_}, call, stream_, &long_response_);
  }
  // The status of a stream with these messages only.
  absl::Status Refusal(const std::vector<v1::IdentifyStreamRequest>& requests) {
    stream_.requests.assign(requests.begin(), requests.end());
    const absl::Status live = Live();
    stream_.requests.assign(requests.begin(), requests.end());
    EXPECT_EQ(Long(), live) << "both are as strict";
    return live;
  }
  absl::Status OptionsRefusal(const v1::StreamOptions& options) {
    v1::IdentifyStreamRequest request;
    *request.mutable_options() = options;
    return Refusal({request});
  }

  static ::testing::AssertionResult IsAbout(const absl::Status& status, const std::string& field) {
    return Blames(ToGrpc(status), grpc::StatusCode::INVALID_ARGUMENT, field);
  }

  Metrics metrics_;
  Limits limits_;
  std::shared_ptr<FakeCollection> collection_ = std::make_shared<FakeCollection>();
  FakeStore store_{collection_};
  FakeStream stream_;
  v1::StreamOptions options_;
  v1::IdentifyLongResponse long_response_;
};

TEST_F(ServiceStreamsTest, ALiveStreamIsAnsweredEverySecond) {
  Send(options_);
  SendAll(Floats(Music(10)));
  ASSERT_TRUE(Live().ok());
  ASSERT_THAT(stream_.responses, SizeIs(11));
  for (int i = 0; i < 10; ++i) EXPECT_NEAR(stream_.responses[i].at_seconds(), i + 1, 1e-3);
  EXPECT_EQ(stream_.responses[0].verdict(), v1::VERDICT_INSUFFICIENT_INPUT);
  EXPECT_THAT(stream_.responses[0].candidates(), IsEmpty());
  int started = 0;
  for (const v1::IdentifyLiveResponse& response : stream_.responses) {
    EXPECT_EQ(response.generation(), 7);
    if (response.event() == v1::LIVE_EVENT_PIECE_STARTED) ++started;
  }
  EXPECT_EQ(started, 1);
  const v1::IdentifyLiveResponse& later = stream_.responses[5];
  EXPECT_EQ(later.verdict(), v1::VERDICT_MATCH);
  ASSERT_EQ(later.candidates_size(), 1);
  EXPECT_EQ(later.candidates(0).source().id(), "p1");
  EXPECT_NEAR(later.candidates(0).reference().seconds(), 1.5 + 1.25 * 6, 0.5);
  EXPECT_GT(later.candidates(0).reference().bar(), 4) << "places are told in bars";
}

TEST_F(ServiceStreamsTest, PausesAreEvents) {
  Send(options_);
  SendAll(Floats(Music(5)));
  SendAll(Floats(std::vector<float>(3 * 22050, 0.0f)));
  SendAll(Floats(Music(2)));
  ASSERT_TRUE(Live().ok());
  std::vector<v1::LiveEvent> events;
  for (const v1::IdentifyLiveResponse& response : stream_.responses) {
    if (response.event() != v1::LIVE_EVENT_UPDATE) events.push_back(response.event());
  }
  EXPECT_EQ(events, (std::vector<v1::LiveEvent>{v1::LIVE_EVENT_PIECE_STARTED, v1::LIVE_EVENT_PAUSED,
                                                v1::LIVE_EVENT_RESUMED}));
}

TEST_F(ServiceStreamsTest, ALongRecordingIsAnsweredWithSegments) {
  Send(options_);
  SendAll(Floats(Music(20)));
  ASSERT_TRUE(Long().ok());
  ASSERT_EQ(long_response_.segments_size(), 1);
  const v1::Segment& segment = long_response_.segments(0);
  EXPECT_EQ(segment.source().id(), "p1");
  EXPECT_EQ(segment.source().title(), "Second Scale");
  EXPECT_NEAR(segment.start_seconds(), 0, 0.6);
  EXPECT_NEAR(segment.end_seconds(), 20, 0.6);
  EXPECT_EQ(segment.confidence(), 0.75);
  EXPECT_EQ(segment.reference_end().seconds(), 12) << "the end of the score";
  EXPECT_GT(segment.reference_end().bar(), 0);
  EXPECT_NEAR(long_response_.info().query_seconds(), 20, 0.01);
  EXPECT_EQ(long_response_.info().generation(), 7);
  EXPECT_FALSE(segment.has_part()) << "not indexed by parts";
}

TEST_F(ServiceStreamsTest, AStreamIsComparedWithRecordings) {
  options_.set_against(v1::SIDE_RECORDINGS);
  Send(options_);
  SendAll(Floats(Music(10)));
  ASSERT_TRUE(Live().ok());
  ASSERT_EQ(stream_.responses[5].candidates_size(), 1);
  EXPECT_EQ(stream_.responses[5].candidates(0).source().id(), "r1");
  EXPECT_FALSE(stream_.responses[5].candidates(0).reference().has_bar());
}

TEST_F(ServiceStreamsTest, ThePartThatIsHeardByItselfIsNamed) {
  FakeSources sources = collection_->sources();
  sources.pieces[1].with_parts = true;
  FakeStore store(std::make_shared<FakeCollection>(*collection_, sources, 8));
  const auto call = [&](const char* method) {
    auto call = std::make_unique<Call>(method, CallOrigin(), metrics_);
    call->Pin(store.Current());
    Send(options_);
    SendAll(Floats(Music(10)));
    return call;
  };
  ASSERT_TRUE(IdentifyLong({store, metrics_, limits_}, *call("Retrieval.IdentifyLong"), stream_,
                           &long_response_)
                  .ok());
  ASSERT_EQ(long_response_.segments_size(), 1);
  EXPECT_EQ(long_response_.segments(0).part().name(), "Recorder");
  EXPECT_EQ(long_response_.segments(0).part().program(), 74);
  ASSERT_TRUE(
      IdentifyLive({store, metrics_, limits_}, *call("Retrieval.IdentifyLive"), stream_).ok());
  ASSERT_EQ(stream_.responses.back().candidates_size(), 1);
  EXPECT_EQ(stream_.responses.back().candidates(0).part().name(), "Recorder");
}

TEST_F(ServiceStreamsTest, SoundOfAnyFormatIsHeardAlike) {
  std::vector<int16_t> stereo;
  for (const float sample : Music(8, 44100)) {
    stereo.push_back(static_cast<int16_t>(32000 * sample));
    stereo.push_back(static_cast<int16_t>(32000 * sample));
  }
  options_.set_encoding(v1::Pcm::ENCODING_INT16);
  options_.set_sample_rate(44100);
  options_.set_channels(2);
  Send(options_);
  SendAll(std::string(reinterpret_cast<const char*>(stereo.data()), stereo.size() * 2),
          33'333);  // splits frames
  ASSERT_TRUE(Live().ok());
  ASSERT_THAT(stream_.responses, SizeIs(9));
  EXPECT_NEAR(stream_.responses.back().at_seconds(), 8, 0.01);
  EXPECT_EQ(stream_.responses.back().verdict(), v1::VERDICT_MATCH);
}

TEST_F(ServiceStreamsTest, TheOptionsComeFirstAndOnce) {
  v1::IdentifyStreamRequest options, samples, neither;
  *options.mutable_options() = options_;
  samples.set_samples(Floats(Music(0.1)));
  EXPECT_TRUE(IsAbout(Refusal({}), "part"));
  EXPECT_TRUE(IsAbout(Refusal({samples}), "part"));
  EXPECT_TRUE(IsAbout(Refusal({neither}), "part"));
  EXPECT_TRUE(IsAbout(Refusal({options, options}), "part"));
  EXPECT_TRUE(IsAbout(Refusal({options, samples, options}), "part"));
  EXPECT_TRUE(IsAbout(Refusal({options, neither}), "part"));
}

TEST_F(ServiceStreamsTest, EveryOptionIsChecked) {
  const auto with = [this](auto change) {
    v1::StreamOptions options = options_;
    change(options);
    return OptionsRefusal(options);
  };
  EXPECT_TRUE(IsAbout(with([](auto& o) { o.clear_encoding(); }), "options.encoding"));
  EXPECT_TRUE(IsAbout(with([](auto& o) { o.set_sample_rate(999); }), "options.sample_rate"));
  EXPECT_TRUE(IsAbout(with([](auto& o) { o.set_sample_rate(400'000); }), "options.sample_rate"));
  EXPECT_TRUE(IsAbout(with([](auto& o) { o.set_channels(0); }), "options.channels"));
  EXPECT_TRUE(IsAbout(with([](auto& o) { o.set_channels(9); }), "options.channels"));
  EXPECT_TRUE(
      IsAbout(with([](auto& o) { o.set_against(static_cast<v1::Side>(9)); }), "options.against"));
  EXPECT_TRUE(IsAbout(with([](auto& o) { o.set_top_k(0); }), "options.top_k"));
  EXPECT_TRUE(IsAbout(with([](auto& o) { o.set_top_k(101); }), "options.top_k"));
  EXPECT_TRUE(IsAbout(with([](auto& o) { o.set_min_confidence(1.1); }), "options.min_confidence"));
  EXPECT_TRUE(
      IsAbout(with([](auto& o) { o.set_min_confidence(std::nan("")); }), "options.min_confidence"));
  EXPECT_TRUE(
      IsAbout(with([](auto& o) { o.set_mode(static_cast<v1::SearchMode>(9)); }), "options.mode"));
  EXPECT_TRUE(IsAbout(with([](auto& o) { o.mutable_filter()->add_composers(""); }),
                      "options.filter.composers"));
  EXPECT_EQ(collection_->queries, 0);
}

TEST_F(ServiceStreamsTest, TheOptionsReachTheEngine) {
  options_.set_min_confidence(0.9);
  options_.set_mode(v1::SEARCH_MODE_EXACT);
  options_.mutable_filter()->add_piece_ids("p1");
  Send(options_);
  SendAll(Floats(Music(5)));
  ASSERT_TRUE(Live().ok());
  EXPECT_EQ(stream_.responses.back().verdict(), v1::VERDICT_NO_MATCH);
  const matching::IdentifyOptions asked = collection_->last_identify();
  EXPECT_EQ(asked.min_confidence, 0.9);
  EXPECT_TRUE(asked.filter.exact);
  EXPECT_EQ(asked.filter.sources.piece_ids, std::vector<std::string>{"p1"});
}

TEST_F(ServiceStreamsTest, SamplesThatAreNoneAreRefused) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    v1::IdentifyStreamRequest options, samples;
    *options.mutable_options() = options_;
    samples.set_samples(Floats({0, 0, bad}));
    EXPECT_TRUE(IsAbout(Refusal({options, samples}), "samples"));
  }
}

TEST_F(ServiceStreamsTest, HalfAFrameAtTheEndIsRefused) {
  v1::IdentifyStreamRequest options, samples;
  *options.mutable_options() = options_;
  samples.set_samples(Floats(Music(0.5)) + "ab");
  EXPECT_TRUE(IsAbout(Refusal({options, samples}), "samples"));
  EXPECT_THAT(std::string(Refusal({options, samples}).message()), HasSubstr("2 of 4 bytes"));
}

TEST_F(ServiceStreamsTest, AStreamWithoutSoundIsTooLittleNotAFault) {
  Send(options_);
  ASSERT_TRUE(Live().ok());
  ASSERT_THAT(stream_.responses, SizeIs(1));
  EXPECT_EQ(stream_.responses[0].verdict(), v1::VERDICT_INSUFFICIENT_INPUT);
  Send(options_);
  ASSERT_TRUE(Long().ok());
  EXPECT_THAT(long_response_.segments(), IsEmpty());
}

TEST_F(ServiceStreamsTest, AsksTheEngineThatIsCurrentAndHoldsNoOld) {
  Send(options_);
  SendAll(Floats(Music(12)));
  std::weak_ptr<const retrieval::Collection> first = store_.Current();
  collection_.reset();
  bool released = false;
  stream_.on_read = [&](int read) {
    if (read == 8) {
      EXPECT_TRUE(store_.Reload().ok());
    }
    if (read == 12) released = first.expired();
  };
  ASSERT_TRUE(Live().ok());
  EXPECT_EQ(stream_.responses.front().generation(), 7);
  EXPECT_EQ(stream_.responses.back().generation(), 8);
  EXPECT_TRUE(released);
}

TEST_F(ServiceStreamsTest, APieceThatIsDeletedMeanwhileKeepsItsId) {
  Send(options_);
  SendAll(Floats(Music(12)));
  stream_.on_read = [&](int read) {
    if (read != 15) return;
    EXPECT_TRUE(store_.Apply(editing::DeletePiece{.id = "p1", .with_recordings = true}, {}).ok());
    EXPECT_TRUE(store_.Apply(editing::DeletePiece{.id = "p0", .with_recordings = true}, {}).ok());
  };
  ASSERT_TRUE(Long().ok());
  ASSERT_EQ(long_response_.segments_size(), 1);
  EXPECT_EQ(long_response_.segments(0).source().id(), "p1");
  EXPECT_EQ(long_response_.segments(0).source().title(), "");
  EXPECT_GT(long_response_.segments(0).reference_end().seconds(), 1);
}

TEST_F(ServiceStreamsTest, AHugeMessageIsWorkedOffInPieces) {
  // At 1,000 Hz every sample becomes 22: eight minutes of them at once would be 42 MB of floats.
  options_.set_encoding(v1::Pcm::ENCODING_INT16);
  options_.set_sample_rate(1000);
  std::vector<int16_t> samples;
  for (const float sample : Music(480, 1000))
    samples.push_back(static_cast<int16_t>(32000 * sample));
  Send(options_);
  Send(std::string(reinterpret_cast<const char*>(samples.data()), samples.size() * 2));
  ASSERT_TRUE(Live().ok());
  EXPECT_THAT(stream_.responses, SizeIs(481));
}

TEST_F(ServiceStreamsTest, StopsWhenTheCallerHasGone) {
  Send(options_);
  SendAll(Floats(Music(10)));
  stream_.end = absl::CancelledError("the caller has gone");
  EXPECT_TRUE(absl::IsCancelled(Live()));
  EXPECT_TRUE(absl::IsCancelled(Long()));
}

TEST_F(ServiceStreamsTest, StopsWhenNobodyTakesTheAnswers) {
  Send(options_);
  SendAll(Floats(Music(10)));
  stream_.takes = 2;
  EXPECT_TRUE(absl::IsCancelled(Live()));
  EXPECT_FALSE(stream_.requests.empty()) << "the rest is not worked on";
}

TEST_F(ServiceStreamsTest, FailsAsTheEngineDoes) {
  collection_->failure = absl::InternalError("out of order");
  Send(options_);
  SendAll(Floats(Music(10)));
  EXPECT_TRUE(absl::IsInternal(Live()));
}

// Through the whole server.
class StreamingServerTest : public ServerFixture {
 protected:
  static v1::IdentifyStreamRequest Options() {
    v1::IdentifyStreamRequest request;
    request.mutable_options()->set_encoding(v1::Pcm::ENCODING_FLOAT32);
    request.mutable_options()->set_sample_rate(22050);
    request.mutable_options()->set_channels(1);
    return request;
  }
  static v1::IdentifyStreamRequest Samples(double seconds) {
    v1::IdentifyStreamRequest request;
    request.set_samples(Floats(Music(seconds)));
    return request;
  }
};

TEST_F(StreamingServerTest, AnswersWhileItIsSentTo) {
  Start();
  grpc::ClientContext context;
  const auto stream = retrieval_->IdentifyLive(&context);
  ASSERT_TRUE(stream->Write(Options()));
  v1::IdentifyLiveResponse response;
  for (int i = 1; i <= 4; ++i) {
    ASSERT_TRUE(stream->Write(Samples(1)));
    ASSERT_TRUE(stream->Read(&response)) << "before the next second is sent";
    EXPECT_NEAR(response.at_seconds(), i, 1e-3);
  }
  stream->WritesDone();
  while (stream->Read(&response)) continue;
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(StreamingServerTest, AnswersALongRecording) {
  Start();
  grpc::ClientContext context;
  v1::IdentifyLongResponse response;
  const auto writer = retrieval_->IdentifyLong(&context, &response);
  ASSERT_TRUE(writer->Write(Options()));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(writer->Write(Samples(1)));
  writer->WritesDone();
  ASSERT_TRUE(writer->Finish().ok());
  ASSERT_EQ(response.segments_size(), 1);
  EXPECT_NEAR(response.info().query_seconds(), 10, 0.01);
}

TEST_F(StreamingServerTest, SaysWhatIsWrongWithAStream) {
  Start();
  grpc::ClientContext context;
  v1::IdentifyLongResponse response;
  const auto writer = retrieval_->IdentifyLong(&context, &response);
  writer->Write(Samples(1));
  writer->WritesDone();
  EXPECT_TRUE(Blames(writer->Finish(), grpc::StatusCode::INVALID_ARGUMENT, "part"));
}

}  // namespace
}  // namespace antiphon::server
