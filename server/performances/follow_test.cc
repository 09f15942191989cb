#include "server/performances/follow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <limits>
#include <string>
#include <vector>

#include "server/testing/played_sound.h"
#include "server/testing/server_fixture.h"

namespace antiphon::server {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kNotes = 24;

// What the caller has sent, and what it is sent.
class FakeStream final : public MessageStream<v1::FollowRequest, v1::FollowResponse> {
 public:
  bool Read(v1::FollowRequest* request) override {
    if (requests.empty()) return false;
    *request = requests.front();
    requests.pop_front();
    answers_before_read.push_back(responses.size());
    return true;
  }
  absl::Status status() const override { return absl::OkStatus(); }
  bool Write(const v1::FollowResponse& response) override {
    if (responses.size() >= takes) return false;
    responses.push_back(response);
    return true;
  }

  std::deque<v1::FollowRequest> requests;
  std::vector<v1::FollowResponse> responses;
  std::vector<size_t> answers_before_read;
  size_t takes = 1'000'000;
};

std::vector<float> Silence(int seconds, int rate = kPlayedRate) {
  return std::vector<float>(static_cast<size_t>(seconds) * rate);
}

class FollowTest : public ::testing::Test {
 protected:
  FollowTest() {
    options_.set_encoding(v1::Pcm::ENCODING_FLOAT32);
    options_.set_sample_rate(kPlayedRate);
    options_.set_channels(1);
    options_.set_piece_id("p1");
  }

  void Send(const std::vector<float>& samples, size_t chunk = 1764) {
    *stream_.requests.emplace_back().mutable_options() = options_;
    const std::string bytes = FloatBytes(samples);
    for (size_t begin = 0; begin < bytes.size(); begin += chunk)
      stream_.requests.emplace_back().set_samples(bytes.substr(begin, chunk));
  }
  absl::Status Follow() {
    Call call("Retrieval.Follow", CallOrigin(), metrics_);
    call.Pin(store_.Current());
    return server::Follow({store_, metrics_, limits_}, call, stream_);
  }
  // What a stream with these options is refused for.
  ::testing::AssertionResult IsRefused(const std::string& field,
                                       StatusCode code = StatusCode::INVALID_ARGUMENT) {
    stream_.requests.clear();
    Send({});
    return Blames(ToGrpc(Follow()), code, field);
  }

  Metrics metrics_;
  Limits limits_;
  std::shared_ptr<FakeCollection> collection_ = std::make_shared<FakeCollection>();
  FakeStore store_{collection_};
  FakeStream stream_;
  v1::FollowOptions options_;
};

TEST_F(FollowTest, SaysWhereTheMusicIsTenTimesASecond) {
  Send(PlayedSound(ScaleScore(kNotes), 0.9));
  const absl::Status status = Follow();
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_GT(stream_.responses.size(), 120u);
  double last_s = 0;
  int good = 0, placed = 0, started = 0;
  for (const v1::FollowResponse& response : stream_.responses) {
    EXPECT_GE(response.at_seconds(), last_s);
    EXPECT_LE(response.at_seconds() - last_s, 0.11);
    last_s = response.at_seconds();
    EXPECT_GE(response.probability(), 0);
    EXPECT_LE(response.probability(), 1);
    if (response.event() == v1::FOLLOW_EVENT_STARTED) ++started;
    if (!response.has_position() || response.at_seconds() < 1) continue;
    ++placed;
    if (std::abs(response.position().seconds() - 0.9 * response.at_seconds()) < 0.5) ++good;
    EXPECT_THAT(response.pitches(), Not(IsEmpty()));
    EXPECT_NEAR(response.beats_per_minute(), 120 * response.tempo_ratio(), 1e-6);
  }
  EXPECT_EQ(started, 1);
  EXPECT_GT(placed, 100);
  EXPECT_GT(good, placed * 9 / 10);
  EXPECT_THAT(metrics_.Text(),
              HasSubstr(R"(antiphon_verdicts_total{method="Retrieval.Follow",verdict="match"} 1)"));
}

TEST_F(FollowTest, AnswersComeBeforeMoreIsRead) {
  Send(PlayedSound(ScaleScore(8)));
  ASSERT_TRUE(Follow().ok());
  // After half of the stream there are about half of the answers.
  const auto& answered = stream_.answers_before_read;
  const size_t half = answered.size() / 2;
  EXPECT_NEAR(static_cast<double>(answered[half]), stream_.responses.size() / 2.0,
              0.1 * stream_.responses.size() + 2);
}

TEST_F(FollowTest, SilenceHasNoPlace) {
  Send(Silence(3));
  ASSERT_TRUE(Follow().ok());
  ASSERT_GT(stream_.responses.size(), 25u);
  for (const v1::FollowResponse& response : stream_.responses) {
    EXPECT_FALSE(response.has_position());
    EXPECT_EQ(response.beats_per_minute(), 0);
  }
  EXPECT_THAT(
      metrics_.Text(),
      HasSubstr(R"(antiphon_verdicts_total{method="Retrieval.Follow",verdict="no_match"} 1)"));
}

TEST_F(FollowTest, AnswersAreAsOftenAsAskedFor) {
  options_.set_update_seconds(0.5);
  Send(Silence(4));
  ASSERT_TRUE(Follow().ok());
  EXPECT_NEAR(static_cast<double>(stream_.responses.size()), 8, 1);
}

TEST_F(FollowTest, EveryRateAndEncodingIsTaken) {
  for (const int rate : {1000, 8000, 48'000, 384'000}) {
    stream_ = FakeStream();
    options_.set_sample_rate(rate);
    options_.set_channels(2);
    Send(Silence(1, 2 * rate), 8000);
    const absl::Status status = Follow();
    EXPECT_TRUE(status.ok()) << rate << ": " << status;
    EXPECT_NEAR(static_cast<double>(stream_.responses.size()), 10, 2) << rate;
  }
}

TEST_F(FollowTest, WhatIsWrongIsNamed) {
  const v1::FollowOptions good = options_;
  options_.set_encoding(v1::Pcm::ENCODING_UNSPECIFIED);
  EXPECT_TRUE(IsRefused("options.encoding"));
  options_ = good;
  options_.set_sample_rate(999);
  EXPECT_TRUE(IsRefused("options.sample_rate"));
  options_ = good;
  options_.set_channels(0);
  EXPECT_TRUE(IsRefused("options.channels"));
  options_ = good;
  options_.clear_reference();
  EXPECT_TRUE(IsRefused("options.reference"));
  options_ = good;
  options_.set_piece_id("none");
  EXPECT_TRUE(IsRefused("options.piece_id", StatusCode::NOT_FOUND));
  options_.set_piece_id("");
  EXPECT_TRUE(IsRefused("options.piece_id"));
  options_.mutable_score()->set_midi("nonsense");
  EXPECT_TRUE(IsRefused("options.score.midi"));
  options_.mutable_score()->set_midi(MidiBytes(1));
  EXPECT_TRUE(IsRefused("options.score.midi")) << "a score with one note";
  options_ = good;
  for (const double seconds : {-1.0, 12.0, std::numeric_limits<double>::quiet_NaN()}) {
    options_.set_start_seconds(seconds);
    EXPECT_TRUE(IsRefused("options.start_seconds")) << seconds;
  }
  options_ = good;
  for (const double seconds : {0.0, 0.019, 1.1, std::numeric_limits<double>::infinity()}) {
    options_.set_update_seconds(seconds);
    EXPECT_TRUE(IsRefused("options.update_seconds")) << seconds;
  }
  options_ = good;
  stream_.requests.clear();
  Send({std::numeric_limits<float>::infinity()});
  EXPECT_TRUE(Blames(ToGrpc(Follow()), StatusCode::INVALID_ARGUMENT, "samples"));
  stream_.requests.clear();
  stream_.requests.emplace_back().set_samples("abcd");
  EXPECT_TRUE(Blames(ToGrpc(Follow()), StatusCode::INVALID_ARGUMENT, "part"));
  stream_.requests.clear();
  EXPECT_TRUE(Blames(ToGrpc(Follow()), StatusCode::INVALID_ARGUMENT, "part"));
}

TEST_F(FollowTest, ACallerWhoTakesNoAnswersEndsIt) {
  stream_.takes = 3;
  Send(PlayedSound(ScaleScore(8)));
  EXPECT_EQ(Follow().code(), absl::StatusCode::kCancelled);
}

TEST_F(FollowTest, HoldsOnToNoGeneration) {
  std::weak_ptr<const FakeCollection> before = collection_;
  auto next = std::make_shared<FakeCollection>(*collection_, collection_->sources(), 8);
  Send(PlayedSound(ScaleScore(8)));
  Call call("Retrieval.Follow", CallOrigin(), metrics_);
  call.Pin(store_.Current());
  FakeStore later{next};
  collection_.reset();
  ASSERT_TRUE(server::Follow({later, metrics_, limits_}, call, stream_).ok());
  EXPECT_EQ(call.collection().manifest().generation, 8);
  EXPECT_THAT(stream_.responses, Not(IsEmpty()));
}

}  // namespace
}  // namespace antiphon::server
