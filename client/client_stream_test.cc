// identify --long and --live.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "client/client_test_fixture.h"

namespace antiphon::client {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Json = nlohmann::json;
using testing::ServerFailure;

class ClientStreamTest : public ClientTest {
 protected:
  v1::Segment& AddSegment(const std::string& id, double start_s, double end_s) {
    v1::Segment& segment = *server_.long_response.add_segments();
    segment.mutable_source()->set_id(id);
    segment.mutable_source()->set_title("Title of " + id);
    segment.set_start_seconds(start_s);
    segment.set_end_seconds(end_s);
    segment.set_confidence(0.97);
    segment.set_tempo_ratio(1.05);
    segment.mutable_reference_start()->set_bar(3);
    segment.mutable_reference_end()->set_bar(40);
    segment.mutable_reference_end()->set_seconds(70);
    return segment;
  }
  v1::IdentifyLiveResponse& AddAnswer(v1::LiveEvent event, double at_s, v1::Verdict verdict,
                                      const std::string& title = "") {
    v1::IdentifyLiveResponse& answer = server_.live_responses.emplace_back();
    answer.set_event(event);
    answer.set_at_seconds(at_s);
    answer.set_verdict(verdict);
    if (title.empty()) return answer;
    answer.add_candidates()->mutable_source()->set_title(title);
    answer.mutable_candidates(0)->mutable_reference()->set_bar(5);
    answer.mutable_candidates(0)->mutable_reference()->set_beat_in_bar(2);
    return answer;
  }
};

TEST_F(ClientStreamTest, ALongRecordingIsDecodedHereAndSentInPieces) {
  AddSegment("a", 0.5, 65);
  AddSegment("b", 70, 121.25);
  server_.long_response.mutable_info()->set_query_seconds(123);
  const Result result = Run({"identify", "--long", Wav(12)});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("2:03.0 long, 2 stretches recognised"),
                                HasSubstr("0:00.5–1:05.0"), HasSubstr("Title of b"),
                                HasSubstr("0.97"), HasSubstr("3–40"), HasSubstr("105 %")));
  EXPECT_EQ(server_.stream_options.encoding(), v1::Pcm::ENCODING_INT16);
  EXPECT_EQ(server_.stream_options.sample_rate(), 22050);
  EXPECT_EQ(server_.stream_options.channels(), 1);
  EXPECT_FALSE(server_.stream_options.has_top_k() || server_.stream_options.has_filter());
  ASSERT_EQ(server_.stream_samples.size(), 12 * 22050 * 2u);
  int16_t sample = 0;
  std::memcpy(&sample, server_.stream_samples.data() + 1000, sizeof(sample));
  EXPECT_NEAR(sample, 3277, 2);
}

TEST_F(ClientStreamTest, TimesOfALongRecordingAreThoseOfTheFile) {
  AddSegment("a", 1, 2);
  const Result result = Run({"identify", "--long", Wav(5), "--start", "3", "--length", "1.5"});
  EXPECT_THAT(result.out, HasSubstr("0:04.0–0:05.0"));
  EXPECT_EQ(server_.stream_samples.size(), 2 * 33075u);
  const Json json = Run({"identify", "--long", Wav(5), "--start", "3", "--json"}).json();
  EXPECT_EQ(json["offset_seconds"], 3);
  EXPECT_EQ(json["segments"][0]["start_seconds"], 1);
}

TEST_F(ClientStreamTest, RepeatsAreShownAsPassages) {
  v1::Segment& segment = AddSegment("a", 0, 60);
  for (const int to : {8, 16}) {
    v1::Passage& passage = *segment.add_passages();
    passage.mutable_reference_start()->set_bar(0);
    passage.mutable_reference_end()->set_bar(to);
  }
  segment.add_same_music()->mutable_source()->set_id("b");
  server_.long_response.mutable_info()->add_warnings()->set_message("a hole");
  const Result result = Run({"identify", "--long", Wav()});
  EXPECT_THAT(result.out, AllOf(HasSubstr("0–8, 0–16"), HasSubstr("same music")));
  EXPECT_THAT(result.err, HasSubstr("warning: "));
}

TEST_F(ClientStreamTest, ThePartThatIsHeardIsShown) {
  AddSegment("a", 0, 60).mutable_part()->set_name("Viola");
  AddSegment("b", 60, 90).mutable_part()->set_index(2);
  EXPECT_THAT(Run({"identify", "--long", Wav()}).out,
              AllOf(HasSubstr("Viola"), HasSubstr("part 3")));
  const Json json = Run({"identify", "--long", Wav(), "--json"}).json();
  EXPECT_EQ(json["segments"][0]["part"]["name"], "Viola");
  AddAnswer(v1::LIVE_EVENT_PIECE_STARTED, 3, v1::VERDICT_MATCH, "Quartet")
      .mutable_candidates(0)
      ->mutable_part()
      ->set_name("Viola");
  EXPECT_THAT(Run({"identify", "--live", Wav()}).out, HasSubstr("Quartet, Viola, bar 5"));
}

TEST_F(ClientStreamTest, NothingRecognisedIsNothing) {
  const Result result = Run({"identify", "--long", Wav()});
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_THAT(result.out, HasSubstr("nothing recognised"));
}

TEST_F(ClientStreamTest, ScopeAndThresholdTravelWithTheStream) {
  Run({"identify", "--long", Wav(), "--composer", "Bach", "--composer", "Satie", "--collection",
       "c", "--piece", "p", "--exact", "--min-confidence", "0.9", "-k", "2"});
  const v1::StreamOptions& options = server_.stream_options;
  EXPECT_THAT(options.filter().composers(), ElementsAre("Bach", "Satie"));
  EXPECT_THAT(options.filter().collections(), ElementsAre("c"));
  EXPECT_THAT(options.filter().piece_ids(), ElementsAre("p"));
  EXPECT_EQ(options.mode(), v1::SEARCH_MODE_EXACT);
  EXPECT_EQ(options.min_confidence(), 0.9);
  EXPECT_EQ(options.top_k(), 2);
}

TEST_F(ClientStreamTest, SeveralLongRecordingsAreOneStreamEach) {
  const Result result =
      Run({"identify", "--long", Wav(), Write("no.wav", "nonsense"), Wav(), "--json"});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  const std::vector<std::string> lines = absl::StrSplit(result.out, '\n', absl::SkipEmpty());
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(Json::parse(lines[1])["error"]["code"], "INVALID_ARGUMENT");
  EXPECT_TRUE(Json::parse(lines[2]).contains("segments"));
}

TEST_F(ClientStreamTest, AScoreIsNotStreamed) {
  const Result result = Run({"identify", "--long", Midi()});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_THAT(result.err, HasSubstr("MIDI file"));
  EXPECT_EQ(server_.calls, 0);
}

TEST_F(ClientStreamTest, AStreamThatFailsSaysWhy) {
  server_.failure = ServerFailure(grpc::StatusCode::RESOURCE_EXHAUSTED, "16 streams are open");
  for (const char* kind : {"--long", "--live"}) {
    const Result result = Run({"identify", kind, Wav(60)});
    EXPECT_EQ(result.code, ExitCode::kServerError) << kind;
    EXPECT_THAT(result.err, HasSubstr("16 streams are open"));
  }
}

TEST_F(ClientStreamTest, AServerThatNeverAnswersAStreamIsGivenUp) {
  server_.stalls = true;
  for (const char* kind : {"--long", "--live"}) {
    const auto start = std::chrono::steady_clock::now();
    const Result result = Run({"identify", kind, Wav(), "--timeout", "0.3"});
    EXPECT_EQ(result.code, ExitCode::kUnreachable) << kind;
    EXPECT_THAT(result.err, HasSubstr("--timeout"));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  }
}

TEST_F(ClientStreamTest, AnswersAreShownAsTheyCome) {
  AddAnswer(v1::LIVE_EVENT_UPDATE, 1, v1::VERDICT_INSUFFICIENT_INPUT);
  AddAnswer(v1::LIVE_EVENT_PIECE_STARTED, 2, v1::VERDICT_MATCH, "Für Elise")
      .mutable_candidates(0)
      ->set_confidence(0.98);
  AddAnswer(v1::LIVE_EVENT_PAUSED, 3.5, v1::VERDICT_INSUFFICIENT_INPUT);
  AddAnswer(v1::LIVE_EVENT_RESUMED, 64, v1::VERDICT_INSUFFICIENT_INPUT);
  AddAnswer(v1::LIVE_EVENT_PIECE_ENDED, 65, v1::VERDICT_NO_MATCH, "Something else");
  const std::string samples(2 * 44100, '\1');
  const Result result = Run({"identify", "--live"}, samples);
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  const std::vector<std::string> lines = absl::StrSplit(result.out, '\n', absl::SkipEmpty());
  ASSERT_THAT(lines, SizeIs(5));
  EXPECT_THAT(lines[0], AllOf(HasSubstr("0:01.0"), HasSubstr("too little")));
  EXPECT_THAT(lines[1], AllOf(HasSubstr("started"), HasSubstr("Für Elise, bar 5:2"),
                              HasSubstr("confidence 0.98")));
  EXPECT_THAT(lines[2], HasSubstr("paused"));
  EXPECT_THAT(lines[3], AllOf(HasSubstr("1:04.0"), HasSubstr("resumed")));
  EXPECT_THAT(lines[4], AllOf(HasSubstr("ended"), Not(HasSubstr("Something"))));
  EXPECT_EQ(server_.stream_samples, samples);
  EXPECT_EQ(server_.stream_options.sample_rate(), 44100);
}

TEST_F(ClientStreamTest, RawSamplesAreWhatTheUserSays) {
  const Result result = Run(
      {"identify", "--live", "-", "--rate", "48000", "--channels", "2", "--encoding", "float32"},
      std::string(48000, '\0'));
  EXPECT_EQ(result.code, ExitCode::kNothing) << "nothing was recognised";
  EXPECT_EQ(server_.stream_options.sample_rate(), 48000);
  EXPECT_EQ(server_.stream_options.channels(), 2);
  EXPECT_EQ(server_.stream_options.encoding(), v1::Pcm::ENCODING_FLOAT32);
  EXPECT_THAT(server_.stream_samples, SizeIs(48000));
}

TEST_F(ClientStreamTest, AFileCanBeSentAsFastAsItPlays) {
  AddAnswer(v1::LIVE_EVENT_UPDATE, 0.1, v1::VERDICT_NO_MATCH);
  const auto start = std::chrono::steady_clock::now();
  const Result result = Run({"identify", "--live", Wav(0.6), "--pace", "--json"});
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(590));
  EXPECT_EQ(result.json()["verdict"], "VERDICT_NO_MATCH");
  EXPECT_EQ(server_.stream_options.sample_rate(), 22050);
  EXPECT_THAT(server_.stream_samples, SizeIs(2 * 13230));
}

TEST_F(ClientStreamTest, OptionsThatDoNotGoTogetherAreRefused) {
  const auto refusal = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "identify");
    const Result result = Run(arguments);
    EXPECT_EQ(result.code, ExitCode::kBadInput);
    EXPECT_THAT(result.out, IsEmpty());
    return result.err;
  };
  EXPECT_THAT(refusal({"--long", "--live", "a"}), HasSubstr("--l"));
  EXPECT_THAT(refusal({"--long"}), HasSubstr("files"));
  EXPECT_THAT(refusal({"--long", "a", "--evidence"}), HasSubstr("--evidence"));
  EXPECT_THAT(refusal({"--live", "a", "--hop", "1"}), HasSubstr("--hop"));
  EXPECT_THAT(refusal({"a", "--rate", "8000"}), HasSubstr("--live"));
  EXPECT_THAT(refusal({"--live", "a", "b"}), HasSubstr("one file"));
  EXPECT_THAT(refusal({"--live", "-", "--pace"}), HasSubstr("--pace"));
  EXPECT_THAT(refusal({"--live", "a", "--rate", "8000"}), HasSubstr("--rate"));
  EXPECT_THAT(refusal({"--long", Wav(), "--length", "0"}), HasSubstr("--length"));
  EXPECT_THAT(refusal({"--live", Wav(), "--length", "0"}), HasSubstr("--length"));
  EXPECT_EQ(server_.calls, 0);
}

}  // namespace
}  // namespace antiphon::client
