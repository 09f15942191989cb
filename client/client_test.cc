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

TEST_F(ClientTest, ShowsWhichPieceAndWhereInIt) {
  server_.identify_response.set_verdict(v1::VERDICT_MATCH);
  AddCandidate("elise", "Für Elise", 0.98);
  const Result result = Run({"identify", Wav()});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("Für Elise – Somebody"),
                                HasSubstr("0:01.5 of it is bar 7:2.5 (0:12.3)"), HasSubstr("92 %"),
                                HasSubstr("confidence 0.98"), HasSubstr("elise")));
  EXPECT_TRUE(server_.identify_request.audio().has_file());
  EXPECT_FALSE(server_.identify_request.has_top_k()) << "defaults are the server's";
}

TEST_F(ClientTest, SaysHowFarOffThePitchIs) {
  server_.identify_response.set_verdict(v1::VERDICT_MATCH);
  AddCandidate("elise", "Für Elise", 0.98);
  EXPECT_THAT(Run({"identify", Wav()}).out, Not(HasSubstr("semitone")));
  EXPECT_FALSE(server_.identify_request.has_max_transposition());
  v1::Candidate& best = *server_.identify_response.mutable_candidates(0);
  best.set_transposition_semitones(1);
  EXPECT_THAT(Run({"identify", Wav(), "--transpose", "3"}).out,
              HasSubstr("of the tempo written, 1 semitone higher;"));
  EXPECT_EQ(server_.identify_request.max_transposition(), 3);
  best.set_transposition_semitones(-3);
  EXPECT_THAT(Run({"identify", Wav()}).out, HasSubstr(", 3 semitones lower; confidence"));
}

v1::Position Bar(int bar, double beat) {
  v1::Position position;
  position.set_bar(bar);
  position.set_beat_in_bar(beat);
  return position;
}

TEST_F(ClientTest, NamesBarsAsTheyArePrinted) {
  server_.identify_response.set_verdict(v1::VERDICT_MATCH);
  v1::SameMusic& other = *AddCandidate("elise", "Für Elise", 0.98).add_same_music();
  other.mutable_source()->set_id("elise_2");
  *other.mutable_start() = Bar(13, 3);
  other.mutable_start()->set_bar_label("12a");
  *other.mutable_end() = Bar(20, 1);
  EXPECT_THAT(Run({"identify", Wav()}).out, HasSubstr("bars 12a:3–20:1"));
}

TEST_F(ClientTest, NamesThePartThatMatches) {
  server_.identify_response.set_verdict(v1::VERDICT_MATCH);
  v1::Candidate& best = AddCandidate("k465", "Dissonance", 0.98);
  EXPECT_THAT(Run({"identify", Wav()}).out, Not(HasSubstr("Viola")));
  best.mutable_part()->set_index(2);
  best.mutable_part()->set_name("Viola");
  EXPECT_THAT(Run({"identify", Wav()}).out, HasSubstr(", Viola; confidence 0.98"));
  best.mutable_part()->clear_name();
  EXPECT_THAT(Run({"identify", Wav()}).out, HasSubstr(", part 3; confidence 0.98"));
  EXPECT_EQ(Run({"identify", Wav(), "--json"}).json()["candidates"][0]["part"]["index"], 2);
}

TEST_F(ClientTest, NamesOtherEditionsAndHowTheMusicGoes) {
  server_.identify_response.set_verdict(v1::VERDICT_MATCH);
  v1::Candidate& best = AddCandidate("elise", "Für Elise", 0.98);
  best.mutable_source()->set_work_id("woo59");
  v1::SameMusic& other = *best.add_same_music();
  other.mutable_source()->set_id("elise_2");
  other.mutable_source()->set_title("Albumblatt");
  *other.mutable_start() = Bar(0, 3);
  *other.mutable_end() = Bar(8, 3);
  EXPECT_THAT(Run({"identify", Wav()}).out,
              AllOf(HasSubstr("\n  also: elise_2 (Albumblatt), bars 0:3–8:3\n"), HasSubstr("woo59"),
                    HasSubstr("same music"), Not(HasSubstr("goes along bars"))));
  other.set_tied(true);
  for (const auto& [from, to] : {std::pair(1, 8), std::pair(1, 16)}) {
    v1::Passage& passage = *best.add_passages();
    *passage.mutable_reference_start() = Bar(from, 1);
    *passage.mutable_reference_end() = Bar(to, 3);
  }
  EXPECT_THAT(Run({"identify", Wav()}).out,
              AllOf(HasSubstr("\n  it goes along bars 1:1–8:3, then 1:1–16:3\n"),
                    HasSubstr("bars 0:3–8:3; a tie\n"), HasSubstr("elise_2 (tie)")));
  EXPECT_EQ(Run({"identify", Wav(), "--json"}).json()["candidates"][0]["same_music"][0]["tied"],
            true);
}

TEST_F(ClientTest, AnUpbeatIsABarAndAPlaceInARecordingIsNone) {
  server_.identify_response.set_verdict(v1::VERDICT_MATCH);
  v1::Candidate& best = AddCandidate("elise", "Für Elise", 0.98);
  *best.mutable_reference() = Bar(0, 3);
  EXPECT_THAT(Run({"identify", Wav()}).out, HasSubstr("of it is bar 0:3"));
  best.mutable_reference()->Clear();
  EXPECT_THAT(Run({"identify", Wav()}).out,
              AllOf(HasSubstr("of it is 0:00.0 there"), Not(HasSubstr("bar:beat"))));
}

TEST_F(ClientTest, WarnsOfWhatIsNotAsItShouldBe) {
  AddHit("a");
  server_.identify_response.set_verdict(v1::VERDICT_MATCH);
  AddCandidate("elise", "Für Elise", 0.98);
  for (v1::ResponseInfo* info :
       {server_.identify_response.mutable_info(), server_.search_response.mutable_info(),
        server_.embed_response.mutable_info()})
    info->add_warnings()->set_message("5 of 20 s cannot be decoded");
  const std::string wav = Wav();
  for (const char* command : {"identify", "search", "embed"}) {
    const Result result = Run({command, wav});
    EXPECT_EQ(result.err, "antiphon: warning: " + wav + ": 5 of 20 s cannot be decoded\n");
    EXPECT_EQ(Run({command, wav, "--json"}).err, "") << "it is in the message";
  }
}

TEST_F(ClientTest, NoMatchOnALongRecordingNamesLong) {
  server_.identify_response.set_verdict(v1::VERDICT_NO_MATCH);
  server_.identify_response.mutable_info()->set_query_seconds(31);
  const std::string wav = Wav();
  EXPECT_THAT(Run({"identify", wav}).out, HasSubstr("no match; --long finds pieces within"));
  AddCandidate("near", "Near", 0.3);
  EXPECT_THAT(Run({"identify", wav}).out, AllOf(HasSubstr("--long"), HasSubstr("the nearest are")));
  EXPECT_THAT(Run({"identify", Midi()}).out, Not(HasSubstr("--long"))) << "a score";
  server_.identify_response.mutable_info()->set_query_seconds(29);
  EXPECT_THAT(Run({"identify", wav}).out, Not(HasSubstr("--long")));
}

TEST_F(ClientTest, SearchesForSeveralFiles) {
  AddHit("a").set_snippet("MThd one");
  const std::string missing = (dir_ / "missing.wav").string();
  const std::string folder = (dir_ / "snippets").string();
  const Result result = Run({"search", Wav(), missing, Midi(), "--snippets", folder, "--json"});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  const std::vector<std::string> lines = absl::StrSplit(result.out, '\n', absl::SkipEmpty());
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(Json::parse(lines[0])["hits"][0]["snippet_file"], folder + "/query-01-hit-01.mid");
  EXPECT_TRUE(Json::parse(lines[1]).contains("error"));
  EXPECT_EQ(Json::parse(lines[2])["hits"][0]["snippet_file"], folder + "/query-03-hit-01.wav");
}

TEST_F(ClientTest, TellsNoMatchFromTooLittleInput) {
  server_.identify_response.set_verdict(v1::VERDICT_NO_MATCH);
  for (int i = 1; i <= 20; ++i) AddCandidate("near", absl::StrCat("Candidate ", i), 0.5 / i);
  Result result = Run({"identify", Wav()});
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("no match"), HasSubstr("\n 2        0.25      0  Candidate 2 "),
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
  EXPECT_EQ(server_.calls, 2)
      << "those after a bad one are asked for all the same, one by one without batches";
  const std::vector<std::string> lines = absl::StrSplit(result.out, '\n', absl::SkipEmpty());
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(Json::parse(lines[0])["verdict"], "VERDICT_MATCH");
  EXPECT_EQ(Json::parse(lines[1])["error"]["code"], "INVALID_ARGUMENT");
  EXPECT_EQ(Json::parse(lines[1])["file"], missing);
  EXPECT_EQ(Json::parse(lines[2])["candidates"][0]["source"]["id"], "elise");
}

TEST_F(ClientTest, SeveralFilesAreOneCallAsFarAsTheLimitsGo) {
  server_.identify_response.set_verdict(v1::VERDICT_MATCH);
  AddCandidate("elise", "Für Elise", 0.98);
  server_.status_response.mutable_limits()->set_max_batch_queries(3);
  const std::string wav = Wav(), midi = Midi();
  Result result = Run({"identify", wav, midi, wav, wav, midi, "--evidence"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_EQ(server_.calls, 2);
  ASSERT_EQ(server_.batch_request.queries_size(), 2);
  EXPECT_TRUE(server_.batch_request.queries(0).identify().has_audio());
  EXPECT_TRUE(server_.batch_request.queries(1).identify().has_score());
  EXPECT_TRUE(server_.batch_request.queries(0).identify().include_evidence());

  server_.calls = 0;
  server_.status_response.mutable_limits()->set_max_message_bytes(200 << 10);
  const std::string longer = Write("longer.wav", Read(Wav(3)));  // 130 kB: no two of them fit
  EXPECT_EQ(Run({"identify", longer, longer, midi}).code, ExitCode::kOk);
  EXPECT_EQ(server_.calls, 2);
}

TEST_F(ClientTest, AQueryThatIsRefusedDoesNotFailTheOthersOfItsCall) {
  server_.identify_response.set_verdict(v1::VERDICT_MATCH);
  server_.status_response.mutable_limits()->set_max_batch_queries(64);
  const Result result = Run({"identify", Wav(), Midi(), "-k", "99", "--json"});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_EQ(server_.calls, 1);
  const std::vector<std::string> lines = absl::StrSplit(result.out, '\n', absl::SkipEmpty());
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(Json::parse(lines[0])["error"]["field"], "top_k");
}

TEST_F(ClientTest, NarrowsWhatIsSearchedAndHow) {
  AddHit("a").add_evidence()->set_similarity(0.625);
  const std::vector<std::string> scope = {
      "--composer", "Bach",    "--composer",       "Satie", "--piece",   "p", "--work",
      "w",          "--exact", "--min-similarity", "0.5",   "--evidence"};
  std::vector<std::string> arguments = {"search", Wav()};
  arguments.insert(arguments.end(), scope.begin(), scope.end());
  const Result result = Run(arguments);
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("1: Title of a"), HasSubstr("0.62")));
  const v1::SearchOptions& search = server_.search_scores_request.options();
  EXPECT_THAT(search.filter().composers(), ElementsAre("Bach", "Satie"));
  EXPECT_THAT(search.filter().piece_ids(), ElementsAre("p"));
  EXPECT_THAT(search.filter().work_ids(), ElementsAre("w"));
  EXPECT_EQ(search.mode(), v1::SEARCH_MODE_EXACT);
  EXPECT_EQ(search.min_similarity(), 0.5);
  EXPECT_TRUE(search.include_evidence());

  arguments = {"identify", Wav()};
  arguments.insert(arguments.end(), scope.begin(), scope.end());
  Run(arguments);
  EXPECT_THAT(server_.identify_request.filter().composers(), ElementsAre("Bach", "Satie"));
  EXPECT_EQ(server_.identify_request.mode(), v1::SEARCH_MODE_EXACT);
  EXPECT_EQ(server_.identify_request.min_similarity(), 0.5);
  EXPECT_TRUE(server_.identify_request.include_evidence());
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
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("0:03.0–0:05.0"), HasSubstr("1:01.0–1:03.0"), HasSubstr("125 %")));
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
  const std::string path =
      Write("large.wav", audio::EncodeAudio(waveform, audio::AudioFormat::kWav).value());
  const Result result = Run({"search", path});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_LT(server_.search_scores_request.ByteSizeLong(), 1u << 20);
  EXPECT_EQ(server_.search_scores_request.audio().pcm().sample_rate(), 22050);
}

TEST_F(ClientTest, SaysWhetherItIsTheRecordingOrAnotherPerformance) {
  server_.identify_response.set_verdict(v1::VERDICT_MATCH);
  for (const auto performance : {v1::PERFORMANCE_SAME, v1::PERFORMANCE_OTHER}) {
    v1::Candidate& candidate = *server_.identify_response.add_candidates();
    candidate.mutable_source()->set_id("r");
    candidate.mutable_reference()->set_seconds(3);
    candidate.set_performance(performance);
  }
  const Result result = Run({"identify", Wav(), "--against", "recordings"});
  EXPECT_EQ(server_.identify_request.against(), v1::SIDE_RECORDINGS);
  EXPECT_THAT(result.out, HasSubstr("of its tempo; confidence 0.00; this recording\n"));
  EXPECT_THAT(result.out, HasSubstr("another performance"));
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
  EXPECT_EQ(
      code_for(ServerFailure(StatusCode::INVALID_ARGUMENT, "audio.file: damaged", "audio.file")),
      ExitCode::kBadInput);
  EXPECT_EQ(code_for(ServerFailure(StatusCode::RESOURCE_EXHAUSTED, "the queue is full")),
            ExitCode::kServerError);
  EXPECT_EQ(code_for(ServerFailure(StatusCode::UNAVAILABLE, "shutting down")),
            ExitCode::kUnreachable);
  EXPECT_EQ(code_for(ServerFailure(StatusCode::INTERNAL, "a fault")), ExitCode::kServerError);
}

TEST_F(ClientTest, AFailureIsJsonTooAndNamesTheField) {
  server_.failure =
      ServerFailure(grpc::StatusCode::INVALID_ARGUMENT, "score.midi: damaged", "score.midi");
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
  const ExitCode code =
      RunClient({"identify", Wav(), Midi(), "--server", "127.0.0.1:1"}, in, out, err);
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

TEST_F(ClientTest, Administers) {
  EXPECT_THAT(Run({"admin", "reload"}).out, HasSubstr("generation 8 serves now, after 7"));
  EXPECT_THAT(Run({"admin", "merge"}).out, HasSubstr("12 changes merged; generation 9"));
  EXPECT_THAT(Run({"admin", "snapshot", "monday"}).out,
              AllOf(HasSubstr("monday"), HasSubstr("54 pieces")));
  EXPECT_EQ(server_.snapshot_request.name(), "monday");
  EXPECT_THAT(Run({"admin", "restore", "monday"}).out, HasSubstr("generation 10 serves now"));
  EXPECT_EQ(server_.restore_request.name(), "monday");
  EXPECT_EQ(Run({"admin", "merge", "--json"}).json()["merged_changes"], 12);
  EXPECT_EQ(server_.calls, 5);
  EXPECT_EQ(Run({"admin"}).code, ExitCode::kBadInput);
  EXPECT_EQ(Run({"admin", "snapshot"}).code, ExitCode::kBadInput);
  EXPECT_EQ(server_.calls, 5);
}

TEST_F(ClientTest, ListsSnapshotsOfAllPagesAndSaysWhatIsWrongWithThem) {
  const auto add = [this](const std::string& name) -> v1::SnapshotInfo& {
    v1::SnapshotInfo& snapshot = server_.snapshots.emplace_back();
    snapshot.set_name(name);
    snapshot.set_created("2026-05-06T07:08:09Z");
    snapshot.set_pieces(1054);
    snapshot.set_version(12);
    snapshot.set_bytes(5 << 20);
    snapshot.set_model_id("m1");
    snapshot.set_restorable(true);
    snapshot.set_same_model(true);
    return snapshot;
  };
  Result result = Run({"admin", "snapshots"});
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_EQ(result.out, "there are no snapshots\n");
  add("tuesday");
  add("monday").set_same_model(false);
  v1::SnapshotInfo& broken = add("sunday");
  broken.clear_created();
  broken.clear_pieces();
  broken.set_restorable(false);
  broken.set_problem("scores.faiss: is missing");
  result = Run({"admin", "snapshots"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("tuesday   2026-05-06 07:08:09   1,054"),
                                HasSubstr("of another model"), HasSubstr("5 MiB"),
                                HasSubstr("cannot be restored: scores.faiss: is missing"),
                                HasSubstr("3 of 3 snapshots")));
  result = Run({"admin", "snapshots", "-n", "1"});
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("tuesday"), Not(HasSubstr("monday")), HasSubstr("1 of 3 snapshots")));
  const auto json = Run({"admin", "snapshots", "--json"}).json();
  ASSERT_EQ(json["snapshots"].size(), 3u);
  EXPECT_EQ(json["snapshots"][2]["restorable"], false);
  EXPECT_EQ(Run({"admin", "snapshots", "-n", "0"}).code, ExitCode::kBadInput);
}

TEST_F(ClientTest, DeletesASnapshot) {
  EXPECT_THAT(Run({"admin", "delete-snapshot", "monday"}).out,
              HasSubstr("deleted snapshot monday, 3 MiB"));
  EXPECT_EQ(server_.delete_snapshot_request.name(), "monday");
  EXPECT_EQ(Run({"admin", "delete-snapshot", "monday", "--json"}).json()["bytes"], 3 << 20);
  EXPECT_EQ(Run({"admin", "delete-snapshot"}).code, ExitCode::kBadInput);
}

TEST_F(ClientTest, StatusSaysHowServersAreLookedAfter) {
  server_.status_response.set_confidence_threshold(0.767);
  server_.status_response.set_false_accept_rate(0.0098);
  server_.status_response.set_calibration_queries(1038);
  server_.status_response.set_last_change(12);
  server_.status_response.set_unmerged_changes(3);
  server_.status_response.add_rejected_changes("9: torn");
  server_.status_response.set_tls(true);
  server_.status_response.set_authentication(true);
  server_.status_response.set_resident_bytes(1 << 30);
  server_.status_response.set_client_certificates(true);
  EXPECT_THAT(Run({"status"}).out, HasSubstr("with API keys and certificates of clients"));
  server_.status_response.set_client_certificates(false);
  EXPECT_THAT(Run({"status"}).out, AllOf(HasSubstr("over TLS, with API keys"),
                                         HasSubstr("from confidence 0.77 on; 1.0 % of unknown"),
                                         HasSubstr("up to version 12, 3 not in a generation yet"),
                                         HasSubstr("9: torn"), HasSubstr("memory      1 GiB")));
}

TEST_F(ClientTest, StatusTellsAServerThatServesFromOneThatDoesNot) {
  server_.status_response.set_pieces(54);
  server_.status_response.set_model_id("m1");
  server_.status_response.add_rejected_generations("7: torn");
  Result result = Run({"status"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("serving"), HasSubstr("54 pieces"), HasSubstr("m1"),
                                HasSubstr("7: torn")));
  EXPECT_EQ(Run({"status", "--json"}).json()["pieces"], 54);

  server_.status_response.set_state(v1::SERVER_STATE_DRAINING);
  result = Run({"status"});
  EXPECT_EQ(result.code, ExitCode::kUnreachable);
  EXPECT_THAT(result.out, HasSubstr("draining"));
}

}  // namespace
}  // namespace antiphon::client
