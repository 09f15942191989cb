#include "server/performances/transcribe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
using ::testing::SizeIs;

class TranscribeTest : public ServerFixture {
 protected:
  void SetUp() override {
    config_.limits.max_audio_s = 60;
    Start();
  }

  static v1::TranscribeRequest RequestFor(const std::vector<float>& samples) {
    v1::TranscribeRequest request;
    *request.mutable_audio()->mutable_pcm() = FloatPcm(samples, kPlayedRate);
    return request;
  }
  grpc::Status Transcribe(const v1::TranscribeRequest& request,
                          v1::TranscribeResponse* response = nullptr) {
    return Ask(*retrieval_, &v1::Retrieval::Stub::Transcribe, request, response);
  }
};

TEST_F(TranscribeTest, NotesComeFromTheScoreThatIsRecognised) {
  v1::TranscribeRequest request = RequestFor(PlayedSound(ScaleScore(24)));
  v1::TranscribeResponse response;
  const grpc::Status status = Transcribe(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.verdict(), v1::VERDICT_MATCH);
  ASSERT_THAT(response.notes(), Not(IsEmpty()));
  ASSERT_THAT(response.stretches(), Not(IsEmpty()));
  EXPECT_EQ(response.stretches(0).source().id(), "p1");
  for (const v1::TranscribedNote& note : response.notes()) {
    EXPECT_GE(note.onset_seconds(), 0);
    EXPECT_GT(note.offset_seconds(), note.onset_seconds());
    EXPECT_GE(note.velocity(), 1);
    EXPECT_LE(note.velocity(), 127);
    EXPECT_GE(note.stretch(), 0);
    EXPECT_LT(note.stretch(), response.stretches_size());
  }
  const auto midi = music::ReadMidi(response.midi());
  ASSERT_TRUE(midi.ok()) << midi.status();
  EXPECT_THAT(midi->notes, SizeIs(response.notes_size()));
  EXPECT_NEAR(midi->notes[0].onset_s, response.notes(0).onset_seconds(), 0.002);

  request.set_without_velocity(true);
  ASSERT_TRUE(Transcribe(request, &response).ok());
  for (const v1::TranscribedNote& note : response.notes()) EXPECT_EQ(note.velocity(), 64);
  EXPECT_THAT(
      metrics_.Text(),
      HasSubstr(R"(antiphon_verdicts_total{method="Retrieval.Transcribe",verdict="match"} 2)"));
}

TEST_F(TranscribeTest, SilenceIsTooLittle) {
  v1::TranscribeResponse response;
  ASSERT_TRUE(Transcribe(RequestFor(std::vector<float>(5 * kPlayedRate)), &response).ok());
  EXPECT_EQ(response.verdict(), v1::VERDICT_INSUFFICIENT_INPUT);
  EXPECT_THAT(response.notes(), IsEmpty());
  EXPECT_THAT(response.gaps(), IsEmpty());
  EXPECT_THAT(response.midi(), IsEmpty());
  ASSERT_THAT(response.info().warnings(), SizeIs(1));
  EXPECT_EQ(response.info().warnings(0).field(), "audio");
}

TEST_F(TranscribeTest, WhatIsWrongIsNamed) {
  const v1::TranscribeRequest good = RequestFor(PlayedSound(ScaleScore(4)));
  const auto blamed = [&](const char* field, auto&& spoil) {
    v1::TranscribeRequest request = good;
    spoil(request);
    EXPECT_TRUE(Blames(Transcribe(request), StatusCode::INVALID_ARGUMENT, field)) << field;
  };
  blamed("audio", [](auto& request) { request.clear_audio(); });
  blamed("audio.file", [](auto& request) { request.mutable_audio()->set_file("nonsense"); });
  blamed("method",
         [](auto& request) { request.set_method(static_cast<v1::TranscriptionMethod>(7)); });
  blamed("mode", [](auto& request) { request.set_mode(static_cast<v1::SearchMode>(7)); });
  blamed("filter.piece_ids", [](auto& request) { request.mutable_filter()->add_piece_ids(""); });
  for (const double similarity : {-1.1, 1.1, std::numeric_limits<double>::quiet_NaN()})
    blamed("min_similarity", [&](auto& request) { request.set_min_similarity(similarity); });
  blamed("excerpt.start_seconds",
         [](auto& request) { request.mutable_excerpt()->set_start_seconds(99); });
  blamed("excerpt.end_seconds",
         [](auto& request) { request.mutable_excerpt()->set_end_seconds(-1); });
}

}  // namespace
}  // namespace antiphon::server
