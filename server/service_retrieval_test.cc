#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/audio/decoder.h"
#include "server/server_test_util.h"

namespace antiphon::server {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;

class RetrievalServiceTest : public ServerFixture {
 protected:
  void SetUp() override {
    config_.max_audio_s = 30;
    Start();
  }
};

TEST_F(RetrievalServiceTest, SearchScoresSaysWhatWhereAndHow) {
  v1::SearchScoresRequest request;
  request.mutable_audio()->set_file(WavFile(3));
  v1::SearchResponse response;
  const grpc::Status status = Search(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.hits_size(), 1);
  const v1::Hit& hit = response.hits(0);
  EXPECT_EQ(hit.source().id(), "p1");
  EXPECT_EQ(hit.source().piece_id(), "p1");
  EXPECT_EQ(hit.source().title(), "Second Scale");
  EXPECT_NEAR(hit.query_end_seconds(), 3, 1e-3);
  EXPECT_EQ(hit.tempo_ratio(), 1.25);
  EXPECT_TRUE(hit.snippet().empty());
  // Half a second to a quarter note, three of them to a bar.
  EXPECT_EQ(hit.reference_start().seconds(), 1.5);
  EXPECT_NEAR(hit.reference_start().beats(), 3, 1e-9);
  EXPECT_EQ(hit.reference_start().bar(), 2);
  EXPECT_NEAR(hit.reference_start().beat_in_bar(), 1, 1e-9);
  EXPECT_NEAR(hit.reference_end().beats(), 9, 1e-3);

  EXPECT_EQ(response.info().generation(), 7);
  EXPECT_EQ(response.info().model_id(), "fake-model");
  EXPECT_NEAR(response.info().query_seconds(), 3, 1e-3);
  std::vector<v1::Stage> stages;
  for (const v1::StageTiming& timing : response.info().stages()) stages.push_back(timing.stage());
  EXPECT_EQ(stages, (std::vector<v1::Stage>{v1::STAGE_QUEUE, v1::STAGE_DECODE, v1::STAGE_SEARCH, v1::STAGE_RESPOND}));
}

TEST_F(RetrievalServiceTest, EncodingsOfTheSameSoundAreTheSameQuery) {
  const std::vector<float> tone = Tone(2);
  v1::Pcm int16;
  int16.set_encoding(v1::Pcm::ENCODING_INT16);
  int16.set_sample_rate(22050);
  int16.set_channels(2);
  for (const float x : tone) {
    const auto sample = static_cast<int16_t>(std::lround(x * 32767));
    for (int channel = 0; channel < 2; ++channel) {
      int16.mutable_samples()->append(reinterpret_cast<const char*>(&sample), sizeof(sample));
    }
  }
  v1::SearchScoresRequest request;
  for (const v1::Pcm& pcm : {FloatPcm(tone), int16}) {
    *request.mutable_audio()->mutable_pcm() = pcm;
    v1::SearchResponse response;
    const grpc::Status status = Search(request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_NEAR(response.info().query_seconds(), 2, 1e-6);
  }
}

TEST_F(RetrievalServiceTest, SnippetsComeOnRequestAndEndWithTheSource) {
  v1::SearchScoresRequest request;
  request.mutable_audio()->set_file(WavFile(20));  // longer than the piece
  request.mutable_options()->set_include_snippets(true);
  v1::SearchResponse response;
  ASSERT_TRUE(Search(request, &response).ok());
  const auto score = music::ReadMidi(response.hits(0).snippet());
  ASSERT_TRUE(score.ok()) << score.status();
  EXPECT_EQ(score->notes.size(), 21u) << "24 notes without the first 3";
  EXPECT_EQ(response.hits(0).reference_end().seconds(), 12);

  v1::SearchRecordingsRequest by_score;
  by_score.mutable_score()->set_midi(MidiBytes(4));
  by_score.mutable_options()->set_include_snippets(true);
  ASSERT_TRUE(Search(by_score, &response).ok());
  EXPECT_EQ(response.hits(0).source().id(), "r1");
  EXPECT_EQ(response.hits(0).source().piece_id(), "p1");
  EXPECT_EQ(response.hits(0).reference_start().bar(), 0) << "a recording has no bars";
  const auto sound = audio::DecodeMemory(response.hits(0).snippet());
  ASSERT_TRUE(sound.ok()) << sound.status();
  EXPECT_NEAR(sound->duration_s(), 2, 0.01);
}

TEST_F(RetrievalServiceTest, BadAudioIsBlamedOnItsField) {
  v1::SearchScoresRequest request;
  EXPECT_TRUE(Blames(Search(request), StatusCode::INVALID_ARGUMENT, "audio"));
  request.mutable_audio();
  EXPECT_TRUE(Blames(Search(request), StatusCode::INVALID_ARGUMENT, "audio"));
  request.mutable_audio()->set_file("");
  EXPECT_TRUE(Blames(Search(request), StatusCode::INVALID_ARGUMENT, "audio.file"));
  for (const std::string& bytes : {std::string("hello"), std::string(10000, '\0'), MidiBytes(4),
                                   WavFile(1).substr(0, 30), std::string("RIFF\xff\xff\xff\xffWAVEfmt ")}) {
    request.mutable_audio()->set_file(bytes);
    EXPECT_TRUE(Blames(Search(request), StatusCode::INVALID_ARGUMENT, "audio.file")) << bytes.size() << " bytes";
  }
  request.mutable_audio()->set_file(WavFile(31));
  EXPECT_TRUE(Blames(Search(request), StatusCode::RESOURCE_EXHAUSTED, "audio.file"));
  EXPECT_EQ(engine_->queries, 0);
}

TEST_F(RetrievalServiceTest, BadPcmIsBlamedOnItsField) {
  const v1::Pcm good = FloatPcm(Tone(1));
  v1::SearchScoresRequest request;
  const auto status_of = [&](auto change) {
    *request.mutable_audio()->mutable_pcm() = good;
    change(*request.mutable_audio()->mutable_pcm());
    return Search(request);
  };
  const auto bad = StatusCode::INVALID_ARGUMENT;
  EXPECT_TRUE(Blames(status_of([](v1::Pcm& p) { p.clear_encoding(); }), bad, "audio.pcm.encoding"));
  EXPECT_TRUE(Blames(status_of([](v1::Pcm& p) { p.set_sample_rate(0); }), bad, "audio.pcm.sample_rate"));
  EXPECT_TRUE(Blames(status_of([](v1::Pcm& p) { p.set_sample_rate(-5); }), bad, "audio.pcm.sample_rate"));
  EXPECT_TRUE(Blames(status_of([](v1::Pcm& p) { p.set_channels(0); }), bad, "audio.pcm.channels"));
  EXPECT_TRUE(Blames(status_of([](v1::Pcm& p) { p.set_channels(1 << 30); }), bad, "audio.pcm.channels"));
  EXPECT_TRUE(Blames(status_of([](v1::Pcm& p) { p.clear_samples(); }), bad, "audio.pcm.samples"));
  EXPECT_TRUE(Blames(status_of([](v1::Pcm& p) { p.mutable_samples()->pop_back(); }), bad, "audio.pcm.samples"));
  EXPECT_TRUE(
      Blames(status_of([](v1::Pcm& p) { p.set_sample_rate(1000), p.set_samples(std::string(4 * 31'000, '\0')); }),
             StatusCode::RESOURCE_EXHAUSTED, "audio.pcm.samples"));
  const std::vector<float> poisoned = {0.0f, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_TRUE(Blames(status_of([&](v1::Pcm& p) { p = FloatPcm(poisoned); }), bad, "audio.pcm.samples"));
  EXPECT_EQ(engine_->queries, 0);
}

TEST_F(RetrievalServiceTest, BadMidiIsBlamedOnItsField) {
  v1::SearchRecordingsRequest request;
  EXPECT_TRUE(Blames(Search(request), StatusCode::INVALID_ARGUMENT, "score"));
  request.mutable_score()->set_midi("");
  EXPECT_TRUE(Blames(Search(request), StatusCode::INVALID_ARGUMENT, "score.midi"));
  for (const std::string& bytes : {std::string("MThd"), WavFile(0.1), MidiBytes(4).substr(0, 40)}) {
    request.mutable_score()->set_midi(bytes);
    EXPECT_TRUE(Blames(Search(request), StatusCode::INVALID_ARGUMENT, "score.midi"));
  }
  request.mutable_score()->set_midi("MThd" + std::string(9 << 20, '\0'));
  EXPECT_TRUE(Blames(Search(request), StatusCode::RESOURCE_EXHAUSTED, "score.midi"));
}

TEST_F(RetrievalServiceTest, SearchOptionsHaveRanges) {
  v1::SearchScoresRequest request;
  request.mutable_audio()->set_file(WavFile(1));
  const auto bad = StatusCode::INVALID_ARGUMENT;
  for (const int top_k : {0, -1, 1001, std::numeric_limits<int>::max()}) {
    request.mutable_options()->set_top_k(top_k);
    EXPECT_TRUE(Blames(Search(request), bad, "options.top_k")) << top_k;
  }
  request.mutable_options()->set_top_k(1000);
  EXPECT_TRUE(Search(request).ok());
  request.mutable_options()->set_include_snippets(true);
  EXPECT_TRUE(Blames(Search(request), bad, "options.top_k"));
  request.mutable_options()->set_top_k(20);
  EXPECT_TRUE(Search(request).ok());
  for (const double hop : {0.0, -1.0, 0.049, 61.0, std::nan(""), double{INFINITY}}) {
    request.mutable_options()->set_hop_seconds(hop);
    EXPECT_TRUE(Blames(Search(request), bad, "options.hop_seconds")) << hop;
  }
}

TEST_F(RetrievalServiceTest, IdentifyGivesVerdictPlaceAndTempo) {
  v1::IdentifyRequest request;
  *request.mutable_audio()->mutable_pcm() = FloatPcm(Tone(3));
  v1::IdentifyResponse response;
  ASSERT_TRUE(Identify(request, &response).ok());
  EXPECT_EQ(response.verdict(), v1::VERDICT_MATCH);
  EXPECT_EQ(response.windows(), 5);
  ASSERT_EQ(response.candidates_size(), 1);
  EXPECT_EQ(response.candidates(0).source().id(), "p1");
  EXPECT_EQ(response.candidates(0).confidence(), 0.75);
  EXPECT_EQ(response.candidates(0).reference().seconds(), 2);
  EXPECT_EQ(response.candidates(0).reference().bar(), 2);
  EXPECT_EQ(response.candidates(0).tempo_ratio(), 0.8);

  request.set_min_confidence(0.8);
  ASSERT_TRUE(Identify(request, &response).ok());
  EXPECT_EQ(response.verdict(), v1::VERDICT_NO_MATCH);
  EXPECT_EQ(response.candidates_size(), 1);

  *request.mutable_audio()->mutable_pcm() = FloatPcm(std::vector<float>(50000));
  ASSERT_TRUE(Identify(request, &response).ok());
  EXPECT_EQ(response.verdict(), v1::VERDICT_INSUFFICIENT_INPUT);

  const std::string text = metrics_.Text();
  for (const char* verdict : {"match", "no_match", "insufficient_input"}) {
    EXPECT_THAT(text, HasSubstr("antiphon_verdicts_total{verdict=\"" + std::string(verdict) + "\"} 1"));
  }
}

TEST_F(RetrievalServiceTest, ScoresAreIdentifiedAgainstEitherSide) {
  v1::IdentifyRequest request;
  request.mutable_score()->set_midi(MidiBytes(8));
  v1::IdentifyResponse response;
  ASSERT_TRUE(Identify(request, &response).ok());
  EXPECT_EQ(response.candidates(0).source().id(), "p1");
  request.set_against(v1::SIDE_RECORDINGS);
  ASSERT_TRUE(Identify(request, &response).ok());
  EXPECT_EQ(response.candidates(0).source().id(), "r1");
  EXPECT_EQ(response.candidates(0).reference().bar(), 0);

  *request.mutable_audio()->mutable_pcm() = FloatPcm(Tone(1));
  EXPECT_TRUE(Blames(Identify(request), StatusCode::UNIMPLEMENTED, "against"));
}

TEST_F(RetrievalServiceTest, IdentifyOptionsHaveRanges) {
  const auto status_of = [&](auto change) {
    v1::IdentifyRequest request;
    *request.mutable_audio()->mutable_pcm() = FloatPcm(Tone(1));
    change(request);
    return Identify(request);
  };
  const auto bad = StatusCode::INVALID_ARGUMENT;
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.clear_query(); }), bad, "query"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.set_top_k(101); }), bad, "top_k"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.set_top_k(0); }), bad, "top_k"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.set_min_confidence(1.1); }), bad, "min_confidence"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.set_min_confidence(std::nan("")); }), bad, "min_confidence"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.set_hop_seconds(0); }), bad, "hop_seconds"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.set_method(static_cast<v1::VoteMethod>(9)); }), bad, "method"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.set_against(static_cast<v1::Side>(9)); }), bad, "against"));
  EXPECT_EQ(engine_->queries, 0);
}

TEST_F(RetrievalServiceTest, EmbedGivesARowForEachWindow) {
  v1::EmbedRequest request;
  request.mutable_score()->set_midi(MidiBytes(8));  // 4 s
  request.set_hop_seconds(0.5);
  request.set_tempo_ratio(2);
  v1::EmbedResponse response;
  ASSERT_TRUE(Embed(request, &response).ok());
  EXPECT_EQ(response.dimension(), 2);
  EXPECT_EQ(response.start_seconds_size(), 4);
  EXPECT_EQ(response.values_size(), 8);
  EXPECT_EQ(response.start_seconds(1), 1.0);
}

TEST_F(RetrievalServiceTest, EmbedBoundsItsWindows) {
  v1::EmbedRequest request;
  request.mutable_score()->set_midi(MidiBytes(1000));  // 500 s
  request.set_hop_seconds(0.06);
  EXPECT_TRUE(Blames(Embed(request), StatusCode::RESOURCE_EXHAUSTED, "hop_seconds"));
  request.set_hop_seconds(0.07);
  EXPECT_TRUE(Embed(request).ok());
  request.set_tempo_ratio(5);
  EXPECT_TRUE(Blames(Embed(request), StatusCode::INVALID_ARGUMENT, "tempo_ratio"));
  *request.mutable_audio()->mutable_pcm() = FloatPcm(Tone(1));
  request.set_tempo_ratio(1);
  EXPECT_TRUE(Blames(Embed(request), StatusCode::INVALID_ARGUMENT, "tempo_ratio"));
  request.clear_query();
  request.clear_tempo_ratio();
  EXPECT_TRUE(Blames(Embed(request), StatusCode::INVALID_ARGUMENT, "query"));
}

TEST_F(RetrievalServiceTest, AFaultOfTheServerIsToldWithoutItsInside) {
  engine_->failure = absl::InternalError("/secret/path: network gave NaN");
  v1::SearchScoresRequest request;
  request.mutable_audio()->set_file(WavFile(1));
  const grpc::Status status = Search(request);
  EXPECT_EQ(status.error_code(), StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message().find("secret"), std::string::npos);
}

TEST_F(RetrievalServiceTest, AnExceptionIsAStatus) {
  v1::SearchScoresRequest request;
  request.mutable_audio()->set_file(WavFile(1));
  engine_->on_query = [] { throw std::runtime_error("secret"); };
  EXPECT_EQ(Search(request).error_code(), StatusCode::INTERNAL);
  engine_->on_query = [] { throw std::bad_alloc(); };
  EXPECT_EQ(Search(request).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  engine_->on_query = nullptr;
  EXPECT_TRUE(Search(request).ok());
}

}  // namespace
}  // namespace antiphon::server
