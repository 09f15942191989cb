#include "server/performances/align.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "server/testing/played_sound.h"
#include "server/testing/server_fixture.h"

namespace antiphon::server {
namespace {

using grpc::StatusCode;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kNotes = 24;  // of p1, a quarter note each half second

std::vector<float> Silence(size_t seconds) { return std::vector<float>(seconds * kPlayedRate); }

class AlignTest : public ServerFixture {
 protected:
  void SetUp() override {
    config_.limits.max_audio_s = 60;
    config_.limits.max_align_s = 30;
    Start();
  }

  static v1::AlignRequest RequestFor(const std::vector<float>& samples) {
    v1::AlignRequest request;
    *request.mutable_audio()->mutable_pcm() = FloatPcm(samples, kPlayedRate);
    request.mutable_options()->set_piece_id("p1");
    return request;
  }
  grpc::Status Align(const v1::AlignRequest& request, v1::AlignResponse* response = nullptr) {
    return Ask(*retrieval_, &v1::Retrieval::Stub::Align, request, response);
  }

  static v1::AlignStreamOptions StreamOptions() {
    v1::AlignStreamOptions options;
    options.set_encoding(v1::Pcm::ENCODING_FLOAT32);
    options.set_sample_rate(kPlayedRate);
    options.set_channels(1);
    options.mutable_align()->set_piece_id("p1");
    return options;
  }
  grpc::Status AlignLong(const v1::AlignStreamOptions& options, const std::vector<float>& samples,
                         v1::AlignResponse* response) {
    grpc::ClientContext context;
    const auto writer = retrieval_->AlignLong(&context, response);
    v1::AlignStreamRequest request;
    *request.mutable_options() = options;
    bool open = writer->Write(request);
    const std::string bytes = FloatBytes(samples);
    for (size_t begin = 0; open && begin < bytes.size(); begin += 100'001) {
      request.set_samples(bytes.substr(begin, 100'001));
      open = writer->Write(request);
    }
    writer->WritesDone();
    return writer->Finish();
  }

  // That the scale is found, at this tempo and from this second on.
  static void ExpectScale(const v1::AlignResponse& response, double tempo_ratio, double start_s) {
    EXPECT_EQ(response.verdict(), v1::VERDICT_MATCH);
    EXPECT_GT(response.agreement(), 0.5);
    ASSERT_THAT(response.passages(), SizeIs(1));
    EXPECT_NEAR(response.passages(0).tempo_ratio(), tempo_ratio, 0.1);
    ASSERT_THAT(response.notes(), SizeIs(kNotes));
    for (int i = 0; i < kNotes; ++i)
      EXPECT_NEAR(response.notes(i).onset_seconds(), start_s + 0.5 * i / tempo_ratio, 0.1) << i;
    ASSERT_GE(response.beats_size(), kNotes);
    for (int i = 1; i < response.beats_size(); ++i)
      EXPECT_GT(response.beats(i).seconds(), response.beats(i - 1).seconds());
    EXPECT_EQ(response.beats(0).position().bar(), 1);
    EXPECT_EQ(response.beats(3).position().bar(), 2) << "bars of three";
  }
};

TEST_F(AlignTest, APieceIsFoundInItsRecording) {
  v1::AlignResponse response;
  const grpc::Status status = Align(RequestFor(PlayedSound(ScaleScore(kNotes), 0.8, 1)), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ExpectScale(response, 0.8, 1);
  EXPECT_EQ(response.source().id(), "p1");
  EXPECT_FALSE(response.has_confidence()) << "the request names it";
  EXPECT_THAT(response.midi(), IsEmpty());
  EXPECT_EQ(response.info().generation(), 7);
  std::vector<v1::Stage> stages;
  for (const v1::StageTiming& timing : response.info().stages()) stages.push_back(timing.stage());
  EXPECT_EQ(stages, (std::vector<v1::Stage>{v1::STAGE_QUEUE, v1::STAGE_DECODE, v1::STAGE_FEATURES,
                                            v1::STAGE_ALIGN, v1::STAGE_RESPOND}));
  EXPECT_THAT(metrics_.Text(),
              HasSubstr(R"(antiphon_verdicts_total{method="Retrieval.Align",verdict="match"} 1)"));
}

TEST_F(AlignTest, AScoreOfTheRequestIsAlignedToo) {
  v1::AlignRequest request = RequestFor(PlayedSound(ScaleScore(kNotes)));
  request.mutable_options()->mutable_score()->set_midi(MidiBytes(kNotes));
  request.mutable_options()->set_as_written(true);
  v1::AlignResponse response;
  ASSERT_TRUE(Align(request, &response).ok());
  ExpectScale(response, 1, 0);
  EXPECT_FALSE(response.has_source());
}

TEST_F(AlignTest, WithoutAScoreTheRecordingIsIdentifiedFirst) {
  v1::AlignRequest request = RequestFor(PlayedSound(ScaleScore(kNotes)));
  request.clear_options();
  v1::AlignResponse response;
  ASSERT_TRUE(Align(request, &response).ok());
  ExpectScale(response, 1, 0);
  EXPECT_EQ(response.source().id(), "p1");
  EXPECT_EQ(response.confidence(), 0.75);

  request.mutable_options()->mutable_filter()->add_composers("Anon");
  ASSERT_TRUE(Align(request, &response).ok());
  EXPECT_THAT(collection_->last_identify().filter.sources.composers, Contains("Anon"));
}

TEST_F(AlignTest, AnExcerptHasTheTimesOfTheWhole) {
  std::vector<float> sound = Silence(5);  // silence before
  const std::vector<float> music = PlayedSound(ScaleScore(kNotes));
  sound.insert(sound.end(), music.begin(), music.end());
  v1::AlignRequest request = RequestFor(sound);
  request.mutable_excerpt()->set_start_seconds(4);
  request.mutable_options()->set_include_midi(true);
  v1::AlignResponse response;
  ASSERT_TRUE(Align(request, &response).ok());
  ExpectScale(response, 1, 5);
  EXPECT_NEAR(response.info().query_seconds(), 17.5, 0.01);
  const auto midi = music::ReadMidi(response.midi());
  ASSERT_TRUE(midi.ok()) << midi.status();
  ASSERT_THAT(midi->notes, SizeIs(kNotes));
  EXPECT_NEAR(midi->notes[0].onset_s, 1, 0.1) << "from the start of the excerpt";
}

TEST_F(AlignTest, NotesAreLeftOutAndMidiIsWrittenOnRequest) {
  v1::AlignRequest request = RequestFor(PlayedSound(ScaleScore(kNotes)));
  request.mutable_options()->set_without_notes(true);
  request.mutable_options()->set_include_midi(true);
  v1::AlignResponse response;
  ASSERT_TRUE(Align(request, &response).ok());
  EXPECT_THAT(response.notes(), IsEmpty());
  EXPECT_GE(response.beats_size(), kNotes);
  EXPECT_EQ(music::ReadMidi(response.midi())->notes.size(), size_t{kNotes});
}

TEST_F(AlignTest, OtherMusicIsNoMatch) {
  // Noise with a beat: nothing of the scale.
  std::vector<float> sound = Silence(12);
  uint32_t state = 1;
  for (size_t i = 0; i < sound.size(); ++i) {
    state = state * 1664525 + 1013904223;
    sound[i] =
        (static_cast<float>(state >> 8) / (1 << 24) - 0.5f) * (i / 7000 % 2 == 0 ? 0.3f : 0.05f);
  }
  v1::AlignResponse response;
  ASSERT_TRUE(Align(RequestFor(sound), &response).ok());
  EXPECT_EQ(response.verdict(), v1::VERDICT_NO_MATCH);
  EXPECT_LT(response.agreement(), 0.5);
  EXPECT_THAT(response.beats(), IsEmpty());
  EXPECT_THAT(response.passages(), IsEmpty());
  EXPECT_EQ(response.source().id(), "p1");
}

TEST_F(AlignTest, SilenceAndEmptyScoresAreTooLittle) {
  v1::AlignRequest request = RequestFor(Silence(5));
  v1::AlignResponse response;
  ASSERT_TRUE(Align(request, &response).ok());
  EXPECT_EQ(response.verdict(), v1::VERDICT_INSUFFICIENT_INPUT);
  ASSERT_THAT(response.info().warnings(), SizeIs(1));
  EXPECT_EQ(response.info().warnings(0).field(), "audio");
  EXPECT_THAT(response.info().warnings(0).message(), HasSubstr("silent"));

  request = RequestFor(PlayedSound(ScaleScore(kNotes)));
  request.mutable_options()->mutable_score()->set_midi(MidiBytes(1));
  ASSERT_TRUE(Align(request, &response).ok());
  EXPECT_EQ(response.verdict(), v1::VERDICT_INSUFFICIENT_INPUT);
  EXPECT_EQ(response.info().warnings(0).field(), "options.score.midi");
  EXPECT_THAT(
      metrics_.Text(),
      HasSubstr(
          R"(antiphon_verdicts_total{method="Retrieval.Align",verdict="insufficient_input"} 2)"));
}

TEST_F(AlignTest, WhatIsWrongIsNamed) {
  const v1::AlignRequest good = RequestFor(PlayedSound(ScaleScore(4)));
  const auto blamed = [&](const char* field, auto&& spoil,
                          StatusCode code = StatusCode::INVALID_ARGUMENT) {
    v1::AlignRequest request = good;
    spoil(request);
    EXPECT_TRUE(Blames(Align(request), code, field)) << field;
  };
  blamed("audio", [](auto& request) { request.clear_audio(); });
  blamed("audio.file", [](auto& request) { request.mutable_audio()->set_file("nonsense"); });
  blamed("audio.pcm.sample_rate",
         [](auto& request) { request.mutable_audio()->mutable_pcm()->set_sample_rate(5); });
  blamed("options.piece_id", [](auto& request) { request.mutable_options()->set_piece_id(""); });
  blamed(
      "options.piece_id", [](auto& request) { request.mutable_options()->set_piece_id("none"); },
      StatusCode::NOT_FOUND);
  blamed("options.score.midi",
         [](auto& request) { request.mutable_options()->mutable_score()->set_midi("nonsense"); });
  blamed("options.score.midi", [](auto& request) { request.mutable_options()->mutable_score(); });
  blamed("options.score.file",
         [](auto& request) { request.mutable_options()->mutable_score()->set_file("nonsense"); });
  blamed("options.filter",
         [](auto& request) { request.mutable_options()->mutable_filter()->add_composers("a"); });
  blamed("options.mode", [](auto& request) {
    request.mutable_options()->set_mode(static_cast<v1::SearchMode>(9));
  });
  blamed("excerpt.start_seconds",
         [](auto& request) { request.mutable_excerpt()->set_start_seconds(99); });
  blamed("excerpt.end_seconds",
         [](auto& request) { request.mutable_excerpt()->set_end_seconds(0); });
}

TEST_F(AlignTest, AStreamIsAlignedLikeAFile) {
  for (const bool named : {true, false}) {
    v1::AlignStreamOptions options = StreamOptions();
    if (!named) options.clear_align();
    v1::AlignResponse response;
    const grpc::Status status =
        AlignLong(options, PlayedSound(ScaleScore(kNotes), 0.8, 1), &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    ExpectScale(response, 0.8, 1);
    EXPECT_EQ(response.source().id(), "p1");
    EXPECT_EQ(response.has_confidence(), !named);
    EXPECT_NEAR(response.info().query_seconds(), 16.5, 0.01);
  }
}

TEST_F(AlignTest, AQuietStreamIsRaised) {
  std::vector<float> sound = PlayedSound(ScaleScore(kNotes));
  for (float& sample : sound) sample *= 0.005f;
  v1::AlignResponse response;
  ASSERT_TRUE(AlignLong(StreamOptions(), sound, &response).ok());
  ExpectScale(response, 1, 0);
}

TEST_F(AlignTest, AStreamSaysWhatIsWrongWithIt) {
  const std::vector<float> sound = PlayedSound(ScaleScore(4));
  const auto blamed = [&](const char* field, auto&& spoil,
                          StatusCode code = StatusCode::INVALID_ARGUMENT) {
    v1::AlignStreamOptions options = StreamOptions();
    spoil(options);
    v1::AlignResponse response;
    EXPECT_TRUE(Blames(AlignLong(options, sound, &response), code, field)) << field;
  };
  blamed("options.encoding",
         [](auto& options) { options.set_encoding(v1::Pcm::ENCODING_UNSPECIFIED); });
  blamed("options.sample_rate", [](auto& options) { options.set_sample_rate(1); });
  blamed("options.channels", [](auto& options) { options.set_channels(9); });
  blamed(
      "options.align.piece_id",
      [](auto& options) { options.mutable_align()->set_piece_id("none"); }, StatusCode::NOT_FOUND);
  blamed("options.align.score.midi",
         [](auto& options) { options.mutable_align()->mutable_score()->set_midi("x"); });
  v1::AlignResponse response;
  EXPECT_TRUE(
      Blames(AlignLong(StreamOptions(), {std::numeric_limits<float>::quiet_NaN()}, &response),
             StatusCode::INVALID_ARGUMENT, "samples"));
  EXPECT_TRUE(Blames(AlignLong(StreamOptions(), Silence(31), &response),
                     StatusCode::RESOURCE_EXHAUSTED, "samples"));
}

TEST_F(AlignTest, ADeadlineEndsItBetweenSteps) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
  v1::AlignResponse response;
  const v1::AlignRequest request = RequestFor(PlayedSound(ScaleScore(kNotes)));
  EXPECT_EQ(retrieval_->Align(&context, request, &response).error_code(),
            StatusCode::DEADLINE_EXCEEDED);
}

class SmallAnswersTest : public AlignTest {
 protected:
  void SetUp() override {
    config_.limits.max_message_mib = 1;
    Start();
  }
};

TEST_F(SmallAnswersTest, AnAnswerThatIsTooLargeNamesTheOptionThatMakesItSmaller) {
  // A choir of a thousand in unison.
  constexpr int kVoices = 1000;
  music::Score score = ScaleScore(kNotes);
  const std::vector<music::Note> scale = score.notes;
  const std::vector<float> sound = PlayedSound(score);
  score.parts.clear();
  for (int voice = 1; voice < kVoices; ++voice) {
    for (music::Note note : scale) {
      note.track = voice;
      score.notes.push_back(note);
    }
  }
  v1::AlignRequest request;
  // Every second sample as an integer, for the request to fit.
  std::vector<int16_t> samples;
  for (size_t i = 0; i < sound.size(); i += 2)
    samples.push_back(static_cast<int16_t>(std::clamp(sound[i], -1.0f, 1.0f) * 32767));
  v1::Pcm& pcm = *request.mutable_audio()->mutable_pcm();
  pcm.set_encoding(v1::Pcm::ENCODING_INT16);
  pcm.set_sample_rate(kPlayedRate / 2);
  pcm.set_channels(1);
  pcm.set_samples(samples.data(), samples.size() * sizeof(int16_t));
  request.mutable_options()->mutable_score()->set_midi(*music::WriteMidi(score));
  v1::AlignResponse response;
  EXPECT_TRUE(
      Blames(Align(request, &response), StatusCode::RESOURCE_EXHAUSTED, "options.without_notes"));
  request.mutable_options()->set_without_notes(true);
  ASSERT_TRUE(Align(request, &response).ok());
  EXPECT_EQ(response.verdict(), v1::VERDICT_MATCH);
}

}  // namespace
}  // namespace antiphon::server
