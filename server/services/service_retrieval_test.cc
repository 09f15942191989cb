#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/decoding/decoder.h"
#include "server/testing/server_fixture.h"

namespace antiphon::server {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;

class RetrievalServiceTest : public ServerFixture {
 protected:
  void SetUp() override {
    config_.limits.max_audio_s = 30;
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
  EXPECT_EQ(stages, (std::vector<v1::Stage>{v1::STAGE_QUEUE, v1::STAGE_DECODE, v1::STAGE_SEARCH,
                                            v1::STAGE_RESPOND}));
}

TEST_F(RetrievalServiceTest, ThePartThatMatchesByItselfIsNamed) {
  v1::SearchScoresRequest search;
  search.mutable_audio()->set_file(WavFile(3));
  v1::SearchResponse found;
  ASSERT_TRUE(Search(search, &found).ok());
  EXPECT_FALSE(found.hits(0).has_part()) << "not indexed by parts";
  v1::UpdatePieceRequest update;
  update.set_piece_id("p1");
  update.set_with_parts(true);
  v1::UpdatePieceResponse updated;
  ASSERT_TRUE(Ask(*catalog_, &v1::Catalog::Stub::UpdatePiece, update, &updated).ok());
  ASSERT_TRUE(Search(search, &found).ok());
  EXPECT_TRUE(found.hits(0).has_part());
  EXPECT_EQ(found.hits(0).part().name(), "Recorder");
  EXPECT_EQ(found.hits(0).part().program(), 74);
  v1::IdentifyRequest identify;
  *identify.mutable_audio()->mutable_pcm() = FloatPcm(Tone(3));
  v1::IdentifyResponse identified;
  ASSERT_TRUE(Identify(identify, &identified).ok());
  EXPECT_EQ(identified.candidates(0).part().name(), "Recorder");
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
  EXPECT_EQ(response.hits(0).tempo_ratio(), 0.8) << "of the recording over the score";
  const auto audio = audio::DecodeMemory(response.hits(0).snippet());
  ASSERT_TRUE(audio.ok()) << audio.status();
  EXPECT_NEAR(audio->duration_s(), 2, 0.01);
}

TEST_F(RetrievalServiceTest, BadAudioIsBlamedOnItsField) {
  v1::SearchScoresRequest request;
  EXPECT_TRUE(Blames(Search(request), StatusCode::INVALID_ARGUMENT, "audio"));
  request.mutable_audio();
  EXPECT_TRUE(Blames(Search(request), StatusCode::INVALID_ARGUMENT, "audio"));
  request.mutable_audio()->set_file("");
  EXPECT_TRUE(Blames(Search(request), StatusCode::INVALID_ARGUMENT, "audio.file"));
  for (const std::string& bytes :
       {std::string("hello"), std::string(10000, '\0'), MidiBytes(4), WavFile(1).substr(0, 30),
        std::string("RIFF\xff\xff\xff\xffWAVEfmt ")}) {
    request.mutable_audio()->set_file(bytes);
    EXPECT_TRUE(Blames(Search(request), StatusCode::INVALID_ARGUMENT, "audio.file"))
        << bytes.size() << " bytes";
  }
  request.mutable_audio()->set_file(WavFile(31));
  EXPECT_TRUE(Blames(Search(request), StatusCode::RESOURCE_EXHAUSTED, "audio.file"));
  EXPECT_EQ(collection_->queries, 0);
}

TEST_F(RetrievalServiceTest, SoundThatCannotBeDecodedIsSaid) {
  const std::string wav = WavFile(8);
  v1::IdentifyRequest request;
  request.mutable_audio()->set_file(wav);
  v1::IdentifyResponse response;
  ASSERT_TRUE(Identify(request, &response).ok());
  EXPECT_EQ(response.info().warnings_size(), 0);
  request.mutable_audio()->set_file(wav.substr(0, wav.size() / 2));
  ASSERT_TRUE(Identify(request, &response).ok());
  ASSERT_EQ(response.info().warnings_size(), 1);
  EXPECT_EQ(response.info().warnings(0).field(), "audio.file");
  EXPECT_THAT(response.info().warnings(0).message(), HasSubstr("4.0 s of the sound"));

  v1::SearchScoresRequest search;
  *search.mutable_audio() = request.audio();
  v1::SearchResponse hits;
  ASSERT_TRUE(Search(search, &hits).ok());
  EXPECT_EQ(hits.info().warnings_size(), 1);
}

TEST_F(RetrievalServiceTest, WhyThereIsTooLittleIsSaid) {
  v1::IdentifyRequest request;
  *request.mutable_audio()->mutable_pcm() = FloatPcm(std::vector<float>(50000));
  v1::IdentifyResponse response;
  ASSERT_TRUE(Identify(request, &response).ok());
  EXPECT_EQ(response.verdict(), v1::VERDICT_INSUFFICIENT_INPUT);
  ASSERT_EQ(response.info().warnings_size(), 1);
  EXPECT_EQ(response.info().warnings(0).field(), "audio");
  EXPECT_THAT(response.info().warnings(0).message(), HasSubstr("silent"));
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
  EXPECT_TRUE(
      Blames(status_of([](v1::Pcm& p) { p.set_sample_rate(0); }), bad, "audio.pcm.sample_rate"));
  EXPECT_TRUE(
      Blames(status_of([](v1::Pcm& p) { p.set_sample_rate(-5); }), bad, "audio.pcm.sample_rate"));
  EXPECT_TRUE(Blames(status_of([](v1::Pcm& p) { p.set_channels(0); }), bad, "audio.pcm.channels"));
  EXPECT_TRUE(
      Blames(status_of([](v1::Pcm& p) { p.set_channels(1 << 30); }), bad, "audio.pcm.channels"));
  EXPECT_TRUE(Blames(status_of([](v1::Pcm& p) { p.clear_samples(); }), bad, "audio.pcm.samples"));
  EXPECT_TRUE(Blames(status_of([](v1::Pcm& p) { p.mutable_samples()->pop_back(); }), bad,
                     "audio.pcm.samples"));
  EXPECT_TRUE(Blames(status_of([](v1::Pcm& p) {
                       p.set_sample_rate(1000), p.set_samples(std::string(4 * 31'000, '\0'));
                     }),
                     StatusCode::RESOURCE_EXHAUSTED, "audio.pcm.samples"));
  const std::vector<float> poisoned = {0.0f, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_TRUE(
      Blames(status_of([&](v1::Pcm& p) { p = FloatPcm(poisoned); }), bad, "audio.pcm.samples"));
  EXPECT_EQ(collection_->queries, 0);
}

TEST_F(RetrievalServiceTest, AScoreIsAFileOfAnyKind) {
  for (const std::string& file : {MidiBytes(4), std::string("X:1\nM:3/4\nL:1/4\nK:C\nCDE|FGA|]\n"),
                                  std::string("**kern\n*M3/4\n=1\n4c\n4d\n4e\n==\n*-\n")}) {
    v1::SearchRecordingsRequest request;
    request.mutable_score()->set_file(file);
    EXPECT_TRUE(Search(request).ok()) << file;
  }
}

TEST_F(RetrievalServiceTest, ABadFileIsBlamedOnItsField) {
  v1::SearchRecordingsRequest request;
  for (const std::string& bytes : {std::string("MThd"), WavFile(0.1), std::string("words"),
                                   std::string("X:1\nK:C\nC|]\n\nX:2\nK:C\nD|]\n")}) {
    request.mutable_score()->set_file(bytes);
    EXPECT_TRUE(Blames(Search(request), StatusCode::INVALID_ARGUMENT, "score.file")) << bytes;
  }
  request.mutable_score()->set_file(MidiBytes(4));
  request.mutable_score()->set_midi(MidiBytes(4));
  EXPECT_TRUE(Blames(Search(request), StatusCode::INVALID_ARGUMENT, "score.file")) << "both";
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
  EXPECT_EQ(response.candidates(0).transposition_semitones(), 0);

  request.set_min_confidence(0.8);
  ASSERT_TRUE(Identify(request, &response).ok());
  EXPECT_EQ(response.verdict(), v1::VERDICT_NO_MATCH);
  EXPECT_EQ(response.candidates_size(), 1);

  *request.mutable_audio()->mutable_pcm() = FloatPcm(std::vector<float>(50000));
  ASSERT_TRUE(Identify(request, &response).ok());
  EXPECT_EQ(response.verdict(), v1::VERDICT_INSUFFICIENT_INPUT);

  const std::string text = metrics_.Text();
  for (const char* verdict : {"match", "no_match", "insufficient_input"}) {
    EXPECT_THAT(text, HasSubstr("antiphon_verdicts_total{method=\"Retrieval.Identify\",verdict=\"" +
                                std::string(verdict) + "\"} 1"));
  }
}

TEST_F(RetrievalServiceTest, IdentifySaysHowFarOffThePitchIs) {
  v1::IdentifyRequest request;
  *request.mutable_audio()->mutable_pcm() = FloatPcm(Tone(3));
  request.set_max_transposition(2);
  v1::IdentifyResponse response;
  ASSERT_TRUE(Identify(request, &response).ok());
  EXPECT_EQ(response.candidates(0).transposition_semitones(), 2);
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
  EXPECT_EQ(response.candidates(0).source().work_id(), "scale 1") << "that of its piece";
  EXPECT_EQ(response.candidates(0).reference().bar(), 0);

  *request.mutable_audio()->mutable_pcm() = FloatPcm(Tone(1));
  ASSERT_TRUE(Identify(request, &response).ok());
  EXPECT_EQ(response.candidates(0).source().id(), "r1");
  EXPECT_EQ(response.candidates(0).performance(), v1::PERFORMANCE_OTHER);
  request.set_against(static_cast<v1::Side>(9));
  EXPECT_TRUE(Blames(Identify(request), StatusCode::INVALID_ARGUMENT, "against"));
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
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.set_min_confidence(std::nan("")); }), bad,
                     "min_confidence"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.set_hop_seconds(0); }), bad, "hop_seconds"));
  EXPECT_TRUE(
      Blames(status_of([](auto& r) { r.set_max_transposition(-1); }), bad, "max_transposition"));
  EXPECT_TRUE(
      Blames(status_of([](auto& r) { r.set_max_transposition(13); }), bad, "max_transposition"));
  EXPECT_TRUE(Blames(status_of([](auto& r) { r.set_method(static_cast<v1::VoteMethod>(9)); }), bad,
                     "method"));
  EXPECT_TRUE(
      Blames(status_of([](auto& r) { r.set_against(static_cast<v1::Side>(9)); }), bad, "against"));
  EXPECT_EQ(collection_->queries, 0);
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

TEST_F(RetrievalServiceTest, BoundsOfASearchReachTheEngine) {
  v1::SearchScoresRequest by_audio;
  by_audio.mutable_audio()->set_file(WavFile(3));
  by_audio.mutable_options()->mutable_filter()->add_composers("Anon");
  by_audio.mutable_options()->mutable_excerpt()->set_start_seconds(1);
  ASSERT_TRUE(Search(by_audio).ok());
  EXPECT_EQ(collection_->last_search().filter.sources.composers.size(), 1u);
  EXPECT_EQ(collection_->last_search().excerpt.start_s, 1);
  by_audio.mutable_options()->mutable_excerpt()->set_start_seconds(3);
  EXPECT_TRUE(
      Blames(Search(by_audio), StatusCode::INVALID_ARGUMENT, "options.excerpt.start_seconds"));

  v1::SearchRecordingsRequest by_score;
  by_score.mutable_score()->set_midi(MidiBytes(4));
  by_score.mutable_options()->set_mode(v1::SEARCH_MODE_EXACT);
  ASSERT_TRUE(Search(by_score).ok());
  EXPECT_TRUE(collection_->last_search().filter.exact);
  by_score.mutable_options()->mutable_excerpt()->set_start_seconds(2);
  EXPECT_TRUE(
      Blames(Search(by_score), StatusCode::INVALID_ARGUMENT, "options.excerpt.start_seconds"));

  v1::IdentifyRequest identify;
  identify.mutable_score()->set_midi(MidiBytes(4));
  identify.set_min_similarity(0.5);
  ASSERT_TRUE(Identify(identify).ok());
  EXPECT_EQ(collection_->last_identify().filter.min_similarity, 0.5f);
  identify.mutable_excerpt()->set_start_seconds(2);
  EXPECT_TRUE(Blames(Identify(identify), StatusCode::INVALID_ARGUMENT, "excerpt.start_seconds"));
}

TEST_F(RetrievalServiceTest, EvidenceComesOnRequest) {
  v1::SearchScoresRequest search;
  search.mutable_audio()->set_file(WavFile(3));
  v1::SearchResponse found;
  ASSERT_TRUE(Search(search, &found).ok());
  EXPECT_EQ(found.hits(0).evidence_size(), 0);
  search.mutable_options()->set_include_evidence(true);
  ASSERT_TRUE(Search(search, &found).ok());
  ASSERT_EQ(found.hits(0).evidence_size(), 2);
  const v1::Evidence& window = found.hits(0).evidence(1);
  EXPECT_EQ(window.query_start_seconds(), 0.5);
  EXPECT_EQ(window.query_end_seconds(), 2.5);
  EXPECT_EQ(window.reference_start().seconds(), 2);
  EXPECT_EQ(window.reference_start().beats(), 4);
  EXPECT_EQ(window.reference_end().bar(), 3);
  EXPECT_EQ(window.tempo_ratio(), 1.25);
  EXPECT_EQ(window.similarity(), 0.875);

  v1::IdentifyRequest identify;
  identify.mutable_score()->set_midi(MidiBytes(8));
  identify.set_include_evidence(true);
  v1::IdentifyResponse identified;
  ASSERT_TRUE(Identify(identify, &identified).ok());
  ASSERT_EQ(identified.candidates(0).evidence_size(), 3);
  EXPECT_EQ(identified.candidates(0).evidence(0).reference_start().bar(), 2);
}

TEST_F(RetrievalServiceTest, ACandidateSaysHowFarItGoesAlong) {
  v1::IdentifyRequest request;
  *request.mutable_audio()->mutable_pcm() = FloatPcm(Tone(3));
  v1::IdentifyResponse response;
  ASSERT_TRUE(Identify(request, &response).ok());
  const v1::Candidate& candidate = response.candidates(0);
  EXPECT_EQ(candidate.query_start_seconds(), 0);
  EXPECT_EQ(candidate.query_end_seconds(), 2.5);
  EXPECT_EQ(candidate.reference_start().seconds(), 1.5);
  EXPECT_EQ(candidate.reference_end().seconds(), 3.5);
  EXPECT_EQ(candidate.reference_end().bar(), 3);
  EXPECT_EQ(candidate.similarity(), 0.625);
  EXPECT_EQ(candidate.source().collection(), "exercises");
  EXPECT_EQ(candidate.source().work_id(), "scale 1");
}

class BatchTest : public RetrievalServiceTest {
 protected:
  grpc::Status Batch(const v1::BatchRequest& request, v1::BatchResponse* response = nullptr) {
    return Ask(*retrieval_, &v1::Retrieval::Stub::Batch, request, response);
  }
  static void AddSearch(v1::BatchRequest& request) {
    request.add_queries()->mutable_search_scores()->mutable_audio()->set_file(WavFile(1));
  }
};

TEST_F(BatchTest, EachQueryHasItsOwnResult) {
  v1::BatchRequest request;
  AddSearch(request);
  request.add_queries()->mutable_search_recordings()->mutable_score()->set_midi(MidiBytes(4));
  request.add_queries()->mutable_identify()->mutable_score()->set_midi(MidiBytes(8));
  request.add_queries()->mutable_identify()->set_top_k(0);
  request.add_queries();
  AddSearch(request);
  v1::BatchResponse response;
  ASSERT_TRUE(Batch(request, &response).ok());
  ASSERT_EQ(response.results_size(), 6);
  EXPECT_EQ(response.results(0).search().hits(0).source().id(), "p1");
  EXPECT_EQ(response.results(1).search().hits(0).source().id(), "r1");
  EXPECT_EQ(response.results(2).identify().candidates(0).source().id(), "p1");
  const auto blamed = [&](int i) {
    v1::ErrorDetail detail;
    EXPECT_EQ(response.results(i).error().code(), static_cast<int>(StatusCode::INVALID_ARGUMENT));
    EXPECT_TRUE(detail.ParseFromString(response.results(i).error().details(0).value()));
    return detail.field();
  };
  EXPECT_EQ(blamed(3), "top_k");
  EXPECT_EQ(blamed(4), "query");
  EXPECT_EQ(response.results(5).search().hits_size(), 1)
      << "those that fail do not fail the others";
  EXPECT_NEAR(response.results(5).search().info().query_seconds(), 1, 1e-3);
}

TEST_F(BatchTest, TimingsAreThoseOfTheQuery) {
  v1::BatchRequest request;
  AddSearch(request);
  AddSearch(request);
  collection_->on_query = [this] {
    if (collection_->queries == 1) absl::SleepFor(absl::Milliseconds(300));
  };
  v1::BatchResponse response;
  ASSERT_TRUE(Batch(request, &response).ok());
  EXPECT_GE(response.results(0).search().info().total_seconds(), 0.3);
  EXPECT_LT(response.results(1).search().info().total_seconds(), 0.3);
  std::vector<v1::Stage> stages;
  for (const auto& timing : response.results(1).search().info().stages())
    stages.push_back(timing.stage());
  EXPECT_EQ(stages,
            (std::vector<v1::Stage>{v1::STAGE_DECODE, v1::STAGE_SEARCH, v1::STAGE_RESPOND}));
}

TEST_F(BatchTest, HasAtMostSixtyFourQueries) {
  v1::BatchRequest request;
  EXPECT_TRUE(Blames(Batch(request), StatusCode::INVALID_ARGUMENT, "queries"));
  for (int i = 0; i < 64; ++i) request.add_queries();
  EXPECT_TRUE(Batch(request).ok());
  request.add_queries();
  EXPECT_TRUE(Blames(Batch(request), StatusCode::INVALID_ARGUMENT, "queries"));
}

TEST_F(BatchTest, AnswersTogetherHaveALimit) {
  server_.reset();
  config_.limits.max_message_mib = 1;
  Start();
  v1::BatchRequest request;
  for (int i = 0; i < 10; ++i) {
    auto& search = *request.add_queries()->mutable_search_recordings();
    search.mutable_score()->set_midi(MidiBytes(8));
    search.mutable_options()->set_include_snippets(true);  // 3.5 s of sound: some 150 KiB
  }
  v1::BatchResponse response;
  ASSERT_TRUE(Batch(request, &response).ok());
  EXPECT_EQ(response.results(0).search().hits_size(), 1);
  EXPECT_EQ(response.results(9).error().code(), static_cast<int>(StatusCode::RESOURCE_EXHAUSTED));
  EXPECT_LT(response.ByteSizeLong(), (1u << 20) + 10'000);
}

TEST_F(BatchTest, NoFurtherQueryIsWorkedOnOnceTheDeadlineHasPassed) {
  v1::BatchRequest request;
  for (int i = 0; i < 8; ++i) AddSearch(request);
  collection_->on_query = [this] {
    if (collection_->queries == 3) absl::SleepFor(absl::Milliseconds(500));
  };
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(400));
  v1::BatchResponse response;
  EXPECT_EQ(retrieval_->Batch(&context, request, &response).error_code(),
            StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(server_->Drain(absl::Seconds(10)));
  EXPECT_LE(collection_->queries, 3);
}

TEST_F(BatchTest, AFaultOfTheServerIsToldWithoutItsInside) {
  collection_->failure = absl::InternalError("/secret/path: network gave NaN");
  v1::BatchRequest request;
  AddSearch(request);
  v1::BatchResponse response;
  ASSERT_TRUE(Batch(request, &response).ok());
  EXPECT_EQ(response.results(0).error().code(), static_cast<int>(StatusCode::INTERNAL));
  EXPECT_EQ(response.SerializeAsString().find("secret"), std::string::npos);
}

TEST_F(RetrievalServiceTest, AFaultOfTheServerIsToldWithoutItsInside) {
  collection_->failure = absl::InternalError("/secret/path: network gave NaN");
  v1::SearchScoresRequest request;
  request.mutable_audio()->set_file(WavFile(1));
  const grpc::Status status = Search(request);
  EXPECT_EQ(status.error_code(), StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message().find("secret"), std::string::npos);
}

TEST_F(RetrievalServiceTest, AnExceptionIsAStatus) {
  v1::SearchScoresRequest request;
  request.mutable_audio()->set_file(WavFile(1));
  collection_->on_query = [] { throw std::runtime_error("secret"); };
  EXPECT_EQ(Search(request).error_code(), StatusCode::INTERNAL);
  collection_->on_query = [] { throw std::bad_alloc(); };
  EXPECT_EQ(Search(request).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  collection_->on_query = nullptr;
  EXPECT_TRUE(Search(request).ok());
}

}  // namespace
}  // namespace antiphon::server
