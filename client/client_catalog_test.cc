// The commands about what is in the collection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
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

class ClientCatalogTest : public ClientTest {
 protected:
  // A MIDI file of one note.
  std::string WriteMidi(const std::string& name, int pitch = 60) {
    std::filesystem::create_directories((dir_ / name).parent_path());
    return Write(
        name, testing::MidiFile(0, 480, {testing::MidiTrack().On(0, pitch).Off(960, pitch).End()}));
  }
};

TEST_F(ClientCatalogTest, ListsAllPagesOrAsManyAsWanted) {
  server_.pieces = 1203;
  Result result = Run({"pieces", "--json"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  const Json json = result.json();
  ASSERT_THAT(json["pieces"], SizeIs(1203));
  EXPECT_EQ(json["pieces"][1202]["id"], "piece-1202");
  EXPECT_EQ(json["total"], 1203);

  result = Run({"pieces", "-n", "7", "bach", "fugue"});
  EXPECT_EQ(server_.list_request.filter(), "bach fugue");
  EXPECT_THAT(result.out, AllOf(HasSubstr("piece-6"), Not(HasSubstr("piece-7")),
                                HasSubstr("7 of 1,203 pieces")));
}

TEST_F(ClientCatalogTest, AnEmptyListIsNothingFound) {
  const Result result = Run({"pieces", "unheard"});
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_THAT(result.out, HasSubstr("no piece has these words"));
}

TEST_F(ClientCatalogTest, ShowsAPieceAndItsRecordings) {
  server_.piece_response.mutable_piece()->set_title("Gymnopédie\x1B[2J No. 1");
  server_.piece_response.mutable_piece()->set_bars(78);
  server_.piece_response.add_recordings()->set_id("satie_take_1");
  const Result result = Run({"piece", "satie"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("78 bars"), HasSubstr("satie_take_1"), Not(HasSubstr("\x1B"))));
}

TEST_F(ClientCatalogTest, AnUnknownPieceIsNothingFound) {
  server_.failure =
      ServerFailure(grpc::StatusCode::NOT_FOUND, "piece_id: no piece 'x'", "piece_id");
  const Result result = Run({"piece", "x"});
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_THAT(result.err, HasSubstr("antiphon pieces"));
}

TEST_F(ClientCatalogTest, WritesASnippetOfAScoreOrARecording) {
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

TEST_F(ClientCatalogTest, AFileThatCannotBeWrittenIsTheCallersFault) {
  const Result result = Run({"snippet", "elise", "-o", (dir_ / "no" / "folder.mid").string()});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_THAT(result.err, HasSubstr("cannot write"));
}

TEST_F(ClientCatalogTest, ListsAndShowsRecordings) {
  server_.recordings = 501;
  Result result = Run({"recording", "list", "live", "--json"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.json()["recordings"], SizeIs(501));
  EXPECT_EQ(server_.list_recordings_request.filter(), "live");
  server_.recordings = 0;
  EXPECT_THAT(Run({"recording", "list"}).out, HasSubstr("the collection holds no recordings"));

  server_.recording_response.mutable_recording()->set_title("Live at home");
  server_.recording_response.mutable_recording()->set_piece_id("satie");
  result = Run({"recording", "take"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("Live at home"), HasSubstr("of satie")));
}

TEST_F(ClientCatalogTest, AddsAPieceUnderTheNameOfItsFile) {
  const std::string path = WriteMidi("Prelude_in_C.mid");
  const Result result = Run({"piece", "add", path, "--composer", "Bach", "--collection", "wtc"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  ASSERT_THAT(server_.added, SizeIs(1));
  EXPECT_EQ(server_.added[0].piece().id(), "Prelude_in_C");
  EXPECT_EQ(server_.added[0].piece().title(), "Prelude in C");
  EXPECT_EQ(server_.added[0].piece().composer(), "Bach");
  EXPECT_EQ(server_.added[0].piece().collection(), "wtc");
  EXPECT_EQ(server_.added[0].score().midi(), Read(path));
  EXPECT_THAT(result.out, HasSubstr("added Prelude_in_C, version 1"));

  EXPECT_EQ(Run({"piece", "add", path, "--id", "p1", "--title", "Prelude", "--json"})
                .json()["piece"]["id"],
            "p1");
  EXPECT_EQ(server_.added[1].piece().title(), "Prelude");
}

TEST_F(ClientCatalogTest, APieceFromStandardInputNeedsAnId) {
  const std::string midi = Read(WriteMidi("x.mid"));
  EXPECT_THAT(Run({"piece", "add", "-"}, midi).err, HasSubstr("--id"));
  EXPECT_EQ(Run({"piece", "add", "-", "--id", "p"}, midi).code, ExitCode::kOk);
  EXPECT_THAT(server_.added, SizeIs(1));
}

TEST_F(ClientCatalogTest, WhatIsNoScoreIsNotAdded) {
  const Result result = Run({"piece", "add", Wav()});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_THAT(result.err, HasSubstr("no MIDI file"));
  EXPECT_THAT(server_.added, IsEmpty());
}

TEST_F(ClientCatalogTest, AnIdThatIsTakenIsRefused) {
  server_.taken_ids = {"a"};
  const Result result = Run({"piece", "add", WriteMidi("a.mid")});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_THAT(result.err, AllOf(HasSubstr("'a' is there"), HasSubstr("[request request-7]")));
}

TEST_F(ClientCatalogTest, ChangesOnlyWhatIsGiven) {
  EXPECT_EQ(Run({"piece", "update", "a", "--title", "", "--expected-version", "7"}).code,
            ExitCode::kOk);
  const v1::UpdatePieceRequest& request = server_.update_piece_request;
  EXPECT_EQ(request.piece_id(), "a");
  EXPECT_TRUE(request.has_title());
  EXPECT_EQ(request.title(), "");
  EXPECT_FALSE(request.has_composer() || request.has_collection() || request.has_score());
  EXPECT_EQ(request.expected_version(), 7);
  EXPECT_EQ(Run({"piece", "update", "a", "--score", WriteMidi("b.mid")}).code, ExitCode::kOk);
  EXPECT_TRUE(server_.update_piece_request.has_score());
  EXPECT_FALSE(server_.update_piece_request.has_title() ||
               server_.update_piece_request.has_expected_version());

  EXPECT_EQ(Run({"recording", "update", "r", "--piece", "", "--audio", Wav()}).code, ExitCode::kOk);
  EXPECT_TRUE(server_.update_recording_request.has_piece_id());
  EXPECT_TRUE(server_.update_recording_request.has_audio_file());
  EXPECT_FALSE(server_.update_recording_request.has_title());
}

TEST_F(ClientCatalogTest, AddsARecordingAsItIs) {
  const std::string path = Wav();
  const Result result = Run({"recording", "add", path, "--id", "r", "--piece", "satie"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_EQ(server_.add_recording_request.recording().id(), "r");
  EXPECT_EQ(server_.add_recording_request.recording().piece_id(), "satie");
  EXPECT_EQ(server_.add_recording_request.audio_file(), Read(path));
}

TEST_F(ClientCatalogTest, ARecordingThatIsTooLargeGoesAsFlac) {
  server_.status_response.mutable_limits()->set_max_message_bytes(1 << 20);
  audio::Waveform waveform;
  waveform.sample_rate = 96000;
  waveform.samples.assign(10 * 96000, 0.25f);
  const std::string path =
      Write("large.wav", audio::EncodeAudio(waveform, audio::AudioFormat::kWav).value());
  EXPECT_EQ(Run({"recording", "add", path}).code, ExitCode::kOk);
  EXPECT_EQ(server_.add_recording_request.audio_file().substr(0, 4), "fLaC");
  EXPECT_EQ(server_.add_recording_request.recording().id(), "large");
}

TEST_F(ClientCatalogTest, Deletes) {
  Result result = Run({"piece", "delete", "a", "--with-recordings"});
  EXPECT_THAT(result.out, HasSubstr("deleted with 2 recordings of it: a, version 3"));
  EXPECT_EQ(server_.delete_piece_request.piece_id(), "a");
  result = Run({"recording", "delete", "r", "--expected-version", "2"});
  EXPECT_EQ(result.code, ExitCode::kOk);
  EXPECT_EQ(server_.delete_recording_request.expected_version(), 2);

  server_.failure =
      ServerFailure(grpc::StatusCode::FAILED_PRECONDITION, "there are 2 recordings of it");
  result = Run({"piece", "delete", "a"});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_THAT(result.err, HasSubstr("--with-recordings"));
}

TEST_F(ClientCatalogTest, AddsAWholeFolderInOneStream) {
  WriteMidi("scores/bach/fugue_1.mid", 60);
  WriteMidi("scores/bach/fugue_2.MIDI", 61);
  WriteMidi("scores/waltz.mid", 62);
  Write("scores/notes.txt", "not a score");
  Write("scores/metadata.tsv",
        "file\ttitle\tcomposer\tcollection\nwaltz.mid\tMinute Waltz\tChopin\top64\n");
  const Result result =
      Run({"piece", "add-all", (dir_ / "scores").string(), "--collection", "mine"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.out, HasSubstr("added 3 of 3 pieces"));
  EXPECT_EQ(server_.calls, 1);
  ASSERT_THAT(server_.added, SizeIs(3));
  EXPECT_EQ(server_.added[0].piece().id(), "bach__fugue_1");
  EXPECT_EQ(server_.added[0].piece().title(), "fugue 1");
  EXPECT_EQ(server_.added[0].piece().composer(), "bach");
  EXPECT_EQ(server_.added[0].piece().collection(), "mine");
  EXPECT_EQ(server_.added[2].piece().title(), "Minute Waltz");
  EXPECT_EQ(server_.added[2].piece().composer(), "Chopin");
  EXPECT_EQ(server_.added[2].piece().collection(), "op64");
}

TEST_F(ClientCatalogTest, OneBadFileDoesNotKeepTheOthersOut) {
  WriteMidi("scores/a.mid");
  Write("scores/b.mid", "this is no MIDI file");
  WriteMidi("scores/c.mid");
  WriteMidi("scores/d.mid");
  server_.taken_ids = {"c"};
  const std::string folder = (dir_ / "scores").string();
  Result result = Run({"piece", "add-all", folder, "--json"});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  std::map<std::string, std::string> outcome;  // by file
  for (const absl::string_view line : absl::StrSplit(result.out, '\n', absl::SkipEmpty())) {
    const Json json = Json::parse(std::string(line));
    outcome[json["file"]] = json.contains("error") ? json["error"]["code"] : json["id"];
  }
  EXPECT_EQ(outcome, (std::map<std::string, std::string>{{"a.mid", "a"},
                                                         {"b.mid", "INVALID_ARGUMENT"},
                                                         {"c.mid", "ALREADY_EXISTS"},
                                                         {"d.mid", "d"}}));

  server_.taken_ids = {"a", "c", "d"};
  std::filesystem::remove(dir_ / "scores" / "b.mid");
  result = Run({"piece", "add-all", folder, "--skip-existing"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(result.out, HasSubstr("added 0 of 3 pieces; 3 there already"));
}

TEST_F(ClientCatalogTest, AFolderWithoutScoresIsNothing) {
  EXPECT_EQ(Run({"piece", "add-all", dir_.string()}).code, ExitCode::kNothing);
  EXPECT_EQ(Run({"piece", "add-all", (dir_ / "missing").string()}).code, ExitCode::kBadInput);
  EXPECT_EQ(server_.calls, 0);
}

TEST_F(ClientCatalogTest, AStreamThatIsRefusedSaysWhy) {
  WriteMidi("scores/a.mid");
  server_.failure = ServerFailure(grpc::StatusCode::UNAVAILABLE, "shutting down");
  const Result result = Run({"piece", "add-all", (dir_ / "scores").string()});
  EXPECT_EQ(result.code, ExitCode::kUnreachable);
  EXPECT_THAT(result.err, HasSubstr("shutting down"));
  EXPECT_THAT(result.out, HasSubstr("added 0 of 1 piece"));
}

}  // namespace
}  // namespace antiphon::client
