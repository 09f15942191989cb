#include "client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "client/fake_server.h"
#include "core/audio/encoder.h"
#include "nlohmann/json.hpp"
#include "tests/support/midi_bytes.h"

namespace antiphon::client {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Json = nlohmann::json;
using testing::FakeServer;
using testing::ServerFailure;

namespace fs = std::filesystem;

struct Result {
  ExitCode code;
  std::string out, err;

  Json json() const { return Json::parse(out); }
};

class ClientTest : public ::testing::Test {
 protected:
  ClientTest()
      : dir_(fs::path(::testing::TempDir()) / ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(dir_);
    fs::create_directories(dir_);
    server_.status_response.set_state(v1::SERVER_STATE_SERVING);
  }
  ~ClientTest() override { fs::remove_all(dir_); }

  Result Run(std::vector<std::string> arguments, const std::string& standard_input = "") {
    arguments.insert(arguments.end(), {"--server", server_.address()});
    std::istringstream in(standard_input);
    std::ostringstream out, err;
    const ExitCode code = RunClient(arguments, in, out, err);
    return {code, out.str(), err.str()};
  }

  std::string Write(const std::string& name, const std::string& bytes) {
    std::ofstream(dir_ / name, std::ios::binary) << bytes;
    return (dir_ / name).string();
  }
  std::string Wav(double seconds = 1) {
    audio::Waveform waveform;
    waveform.samples.assign(static_cast<size_t>(seconds * waveform.sample_rate), 0.1f);
    return Write("query.wav", audio::EncodeAudio(waveform, audio::AudioFormat::kWav).value());
  }
  std::string Midi() {
    return Write("query.mid",
                 testing::MidiFile(0, 480, {testing::MidiTrack().On(0, 60).Off(960, 60).On(0, 62).Off(960, 62).End()}));
  }

  v1::Candidate& AddCandidate(const std::string& id, const std::string& title, double confidence) {
    v1::Candidate& candidate = *server_.identify_response.add_candidates();
    candidate.mutable_source()->set_id(id);
    candidate.mutable_source()->set_title(title);
    candidate.mutable_source()->set_composer("Somebody");
    candidate.set_confidence(confidence);
    candidate.set_query_seconds(1.5);
    candidate.set_tempo_ratio(0.92);
    candidate.mutable_reference()->set_seconds(12.25);
    candidate.mutable_reference()->set_bar(7);
    candidate.mutable_reference()->set_beat_in_bar(2.5);
    return candidate;
  }
  v1::Hit& AddHit(const std::string& id) {
    v1::Hit& hit = *server_.search_response.add_hits();
    hit.mutable_source()->set_id(id);
    hit.mutable_source()->set_title("Title of " + id);
    hit.set_similarity(0.875);
    hit.set_tempo_ratio(1.25);
    hit.set_query_end_seconds(2);
    hit.mutable_reference_start()->set_seconds(61);
    hit.mutable_reference_end()->set_seconds(63);
    return hit;
  }

  const fs::path dir_;
  FakeServer server_;
};

TEST_F(ClientTest, ShowsWhichPieceAndWhereInIt) {
  server_.identify_response.set_verdict(v1::VERDICT_MATCH);
  AddCandidate("elise", "Für Elise", 0.98);
  const Result result = Run({"identify", Wav()});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("Für Elise – Somebody"), HasSubstr("0:01.5 of it is bar 7:2.5 (0:12.3)"),
                                HasSubstr("92 %"), HasSubstr("confidence 0.98"), HasSubstr("elise")));
  EXPECT_TRUE(server_.identify_request.audio().has_file());
  EXPECT_FALSE(server_.identify_request.has_top_k()) << "defaults are the server's";
}

TEST_F(ClientTest, TellsNoMatchFromTooLittleInput) {
  server_.identify_response.set_verdict(v1::VERDICT_NO_MATCH);
  for (int i = 1; i <= 20; ++i) AddCandidate("near", absl::StrCat("Candidate ", i), 0.5 / i);
  Result result = Run({"identify", Wav()});
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_THAT(result.out, AllOf(HasSubstr("no match"), HasSubstr("\n 2        0.25      0  Candidate 2 "),
                                HasSubstr("\n20        0.03      0  Candidate 20 ")));

  server_.identify_response.Clear();
  server_.identify_response.set_verdict(v1::VERDICT_INSUFFICIENT_INPUT);
  result = Run({"identify", Wav()});
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_THAT(result.out, HasSubstr("too little to compare"));
}

TEST_F(ClientTest, IdentifiesSeveralFilesAndReportsTheWorst) {
  server_.identify_response.set_verdict(v1::VERDICT_MATCH);
  AddCandidate("elise", "Für Elise", 0.98);
  const std::string missing = (dir_ / "missing.wav").string();
  const Result result = Run({"identify", Wav(), missing, Midi(), "--json"});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_EQ(server_.calls, 2) << "those after a bad one are asked for all the same";
  const std::vector<std::string> lines = absl::StrSplit(result.out, '\n', absl::SkipEmpty());
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(Json::parse(lines[0])["verdict"], "VERDICT_MATCH");
  EXPECT_EQ(Json::parse(lines[1])["error"]["code"], "INVALID_ARGUMENT");
  EXPECT_EQ(Json::parse(lines[1])["file"], missing);
  EXPECT_EQ(Json::parse(lines[2])["candidates"][0]["source"]["id"], "elise");
}

TEST_F(ClientTest, SearchesOnTheOtherSideOfWhatItIsGiven) {
  AddHit("a");
  EXPECT_EQ(Run({"search", Wav(), "-k", "3", "--hop", "0.25"}).code, ExitCode::kOk);
  EXPECT_EQ(server_.search_scores_request.options().top_k(), 3);
  EXPECT_EQ(server_.search_scores_request.options().hop_seconds(), 0.25);
  EXPECT_EQ(Run({"search", Midi()}).code, ExitCode::kOk);
  EXPECT_TRUE(server_.search_recordings_request.has_score());
  EXPECT_FALSE(server_.search_recordings_request.options().has_top_k());
}

TEST_F(ClientTest, ShowsTimesOfTheFileNotOfThePartThatWasSent) {
  AddHit("a");
  const Result result = Run({"search", Wav(5), "--start", "3", "--length", "1.5"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("0:03.0–0:05.0"), HasSubstr("1:01.0–1:03.0"), HasSubstr("125 %")));
  EXPECT_EQ(server_.search_scores_request.audio().pcm().samples().size(), 2 * 33075u);
}

TEST_F(ClientTest, FindingNothingIsNotAFault) {
  const Result result = Run({"search", Wav()});
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_THAT(result.out, HasSubstr("nothing found"));
  EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(ClientTest, WritesTheSnippetsOfASearch) {
  AddHit("../../etc/x").set_snippet("MThd one");
  AddHit("b").set_snippet("MThd two");
  AddHit("c");
  const std::string folder = (dir_ / "new" / "folder").string();
  const Result result = Run({"search", Wav(), "--snippets", folder, "--json"});
  ASSERT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_TRUE(server_.search_scores_request.options().include_snippets());
  const Json hits = result.json()["hits"];
  EXPECT_EQ(hits[0]["snippet_file"], folder + "/hit-01.mid") << "ids do not choose where files go";
  EXPECT_EQ(hits[0]["snippet"], "") << "it is in the file";
  EXPECT_FALSE(hits[2].contains("snippet_file"));
  std::ifstream second(folder + "/hit-02.mid");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(second), {}), "MThd two");
}

TEST_F(ClientTest, ReadsStandardInput) {
  server_.identify_response.set_verdict(v1::VERDICT_MATCH);
  AddCandidate("elise", "Für Elise", 0.98);
  std::ifstream file(Midi(), std::ios::binary);
  const std::string midi(std::istreambuf_iterator<char>(file), {});
  const Result result = Run({"identify", "-", "--json"}, midi);
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_EQ(result.json()["file"], "standard input");
  EXPECT_EQ(server_.identify_request.score().midi(), midi);
}

TEST_F(ClientTest, KeepsALargeFileWithinTheServersLimit) {
  AddHit("a");
  server_.status_response.mutable_limits()->set_max_message_bytes(1 << 20);
  audio::Waveform waveform;
  waveform.sample_rate = 96000;
  waveform.samples.assign(20 * 96000, 0.25f);
  const std::string path = Write("large.wav", audio::EncodeAudio(waveform, audio::AudioFormat::kWav).value());
  const Result result = Run({"search", path});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_LT(server_.search_scores_request.ByteSizeLong(), 1u << 20);
  EXPECT_EQ(server_.search_scores_request.audio().pcm().sample_rate(), 22050);
}

TEST_F(ClientTest, FailuresSayWhoseFaultItIs) {
  const auto code_for = [&](const grpc::Status& failure) {
    server_.failure = failure;
    const Result result = Run({"identify", Wav()});
    EXPECT_THAT(result.err, HasSubstr("antiphon: "));
    EXPECT_THAT(result.out, IsEmpty());
    return result.code;
  };
  using grpc::StatusCode;
  EXPECT_EQ(code_for(ServerFailure(StatusCode::INVALID_ARGUMENT, "audio.file: damaged", "audio.file")),
            ExitCode::kBadInput);
  EXPECT_EQ(code_for(ServerFailure(StatusCode::RESOURCE_EXHAUSTED, "the queue is full")), ExitCode::kServerError);
  EXPECT_EQ(code_for(ServerFailure(StatusCode::UNAVAILABLE, "shutting down")), ExitCode::kUnreachable);
  EXPECT_EQ(code_for(ServerFailure(StatusCode::INTERNAL, "a fault")), ExitCode::kServerError);
}

TEST_F(ClientTest, AFailureIsJsonTooAndNamesTheField) {
  server_.failure = ServerFailure(grpc::StatusCode::INVALID_ARGUMENT, "score.midi: damaged", "score.midi");
  const std::string path = Midi();
  const Result result = Run({"identify", path, "--json"});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_EQ(result.json()["file"], path);
  EXPECT_EQ(result.json()["error"]["field"], "score.midi");
  EXPECT_THAT(result.err, HasSubstr(path + ": score.midi: damaged"));
}

TEST_F(ClientTest, GivesUpAtTheTimeout) {
  server_.delay = std::chrono::milliseconds(1500);
  const Result result = Run({"identify", Wav(), "--timeout", "0.2"});
  EXPECT_EQ(result.code, ExitCode::kUnreachable);
  EXPECT_THAT(result.err, HasSubstr("--timeout"));
}

TEST_F(ClientTest, SaysHowToStartAServerThatIsNotThere) {
  std::istringstream in;
  std::ostringstream out, err;
  // Port 1 of the loopback: nothing listens there.
  const ExitCode code = RunClient({"identify", Wav(), Midi(), "--server", "127.0.0.1:1"}, in, out, err);
  EXPECT_EQ(code, ExitCode::kUnreachable);
  EXPECT_THAT(err.str(), AllOf(HasSubstr("antiphon-server --bundle DIR"), HasSubstr("--server")));
  EXPECT_THAT(err.str(), Not(HasSubstr("query.mid"))) << "the second file is not tried";
}

TEST_F(ClientTest, WrongUsageNeverReachesTheServer) {
  const Result result = Run({"identify"});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_THAT(result.err, HasSubstr("--help"));
  EXPECT_EQ(server_.calls, 0);
}

TEST_F(ClientTest, ListsAllPagesOrAsManyAsWanted) {
  server_.pieces = 1203;
  Result result = Run({"pieces", "--json"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  const Json json = result.json();
  ASSERT_THAT(json["pieces"], SizeIs(1203));
  EXPECT_EQ(json["pieces"][1202]["id"], "piece-1202");
  EXPECT_EQ(json["total"], 1203);

  result = Run({"pieces", "-n", "7", "bach", "fugue"});
  EXPECT_EQ(server_.list_request.filter(), "bach fugue");
  EXPECT_THAT(result.out, AllOf(HasSubstr("piece-6"), Not(HasSubstr("piece-7")), HasSubstr("7 of 1,203 pieces")));
}

TEST_F(ClientTest, AnEmptyListIsNothingFound) {
  const Result result = Run({"pieces", "unheard"});
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_THAT(result.out, HasSubstr("no piece has these words"));
}

TEST_F(ClientTest, ShowsAPieceAndItsRecordings) {
  server_.piece_response.mutable_piece()->set_title("Gymnopédie\x1B[2J No. 1");
  server_.piece_response.mutable_piece()->set_bars(78);
  server_.piece_response.add_recordings()->set_id("satie_take_1");
  const Result result = Run({"piece", "satie"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("78 bars"), HasSubstr("satie_take_1"), Not(HasSubstr("\x1B"))));
}

TEST_F(ClientTest, AnUnknownPieceIsNothingFound) {
  server_.failure = ServerFailure(grpc::StatusCode::NOT_FOUND, "piece_id: no piece 'x'", "piece_id");
  const Result result = Run({"piece", "x"});
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_THAT(result.err, HasSubstr("antiphon pieces"));
}

TEST_F(ClientTest, WritesASnippetOfAScoreOrARecording) {
  server_.snippet_response.set_content("MThd and so on");
  const std::string path = (dir_ / "out.mid").string();
  Result result = Run({"snippet", "elise", "--start", "0:10", "--end", "12.5", "-o", path});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_EQ(server_.snippet_request.piece_id(), "elise");
  EXPECT_EQ(server_.snippet_request.start_seconds(), 10);
  EXPECT_EQ(server_.snippet_request.end_seconds(), 12.5);
  std::ifstream written(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(written), {}), "MThd and so on");

  result = Run({"snippet", "take", "--recording", "-o", "-"});
  EXPECT_EQ(result.out, "MThd and so on");
  EXPECT_EQ(server_.snippet_request.recording_id(), "take");
  EXPECT_FALSE(server_.snippet_request.has_end_seconds());
}

TEST_F(ClientTest, AFileThatCannotBeWrittenIsTheCallersFault) {
  const Result result = Run({"snippet", "elise", "-o", (dir_ / "no" / "folder.mid").string()});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_THAT(result.err, HasSubstr("cannot write"));
}

TEST_F(ClientTest, WritesEmbeddingsForNumPy) {
  server_.embed_response.set_dimension(3);
  for (const double start : {0.0, 0.25}) server_.embed_response.add_start_seconds(start);
  for (int i = 0; i < 6; ++i) server_.embed_response.add_values(static_cast<float>(i) / 8);
  const std::string path = (dir_ / "out.npy").string();
  const Result result = Run({"embed", Midi(), "--tempo-ratio", "1.5", "-o", path});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_EQ(server_.embed_request.tempo_ratio(), 1.5);
  std::ifstream file(path, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\0", 8));
  EXPECT_THAT(bytes, HasSubstr("'shape': (2, 3)"));
  ASSERT_EQ(bytes.size() % 64, 6 * sizeof(float)) << "the data start at a multiple of 64";
  float last = 0;
  std::memcpy(&last, bytes.data() + bytes.size() - sizeof(float), sizeof(float));
  EXPECT_EQ(last, 5.0f / 8);
}

TEST_F(ClientTest, DoesNotTrustTheSizesThatAServerClaims) {
  server_.embed_response.set_dimension(1000);
  server_.embed_response.add_start_seconds(0);
  server_.embed_response.add_values(1);
  EXPECT_EQ(Run({"embed", Midi()}).code, ExitCode::kServerError);
}

TEST_F(ClientTest, StatusTellsAServerThatServesFromOneThatDoesNot) {
  server_.status_response.set_pieces(54);
  server_.status_response.set_model_id("m1");
  server_.status_response.add_rejected_generations("7: torn");
  Result result = Run({"status"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("serving"), HasSubstr("54 pieces"), HasSubstr("m1"), HasSubstr("7: torn")));
  EXPECT_EQ(Run({"status", "--json"}).json()["pieces"], 54);

  server_.status_response.set_state(v1::SERVER_STATE_DRAINING);
  result = Run({"status"});
  EXPECT_EQ(result.code, ExitCode::kUnreachable);
  EXPECT_THAT(result.out, HasSubstr("draining"));
}

}  // namespace
}  // namespace antiphon::client
