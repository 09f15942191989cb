// The commands about what is in the collection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
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
  void AddPair(const std::string& piece, const std::string& other) {
    v1::SameMusicPair& pair = server_.same_music.emplace_back();
    for (const auto& [music, id] :
         {std::pair(pair.mutable_piece(), piece), std::pair(pair.mutable_other(), other)}) {
      music->mutable_source()->set_id(id);
      music->mutable_source()->set_title("Title of " + id);
      music->mutable_start()->set_bar(0);
      music->mutable_start()->set_beat_in_bar(4);
      music->mutable_end()->set_bar(8);
      music->mutable_end()->set_beat_in_bar(3);
    }
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

TEST_F(ClientCatalogTest, WritesTheScoreOfAPieceAsItWasGiven) {
  const std::string path = (dir_ / "air.abc").string();
  EXPECT_EQ(Run({"piece", "air", "-o", path}).code, ExitCode::kServerError) << "an older server";
  server_.piece_response.mutable_piece()->set_id("air");
  server_.piece_response.set_file("X:1 and so on");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"piece", "air", "-o", path},
        {"piece", "show", "air", "--output", path}}) {
    std::filesystem::remove(path);
    EXPECT_EQ(Run(arguments).code, ExitCode::kOk);
    EXPECT_EQ(Read(path), "X:1 and so on");
  }
  const Result result = Run({"piece", "air", "-o", path, "--json"});
  EXPECT_EQ(Json::parse(result.out)["file"], "") << "it is in the file";
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
  EXPECT_THAT(result.err, HasSubstr("no score, but audio"));
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
  EXPECT_FALSE(request.has_composer() || request.has_collection() || request.has_score() ||
               request.has_work_id());
  EXPECT_EQ(request.expected_version(), 7);
  EXPECT_EQ(Run({"piece", "update", "a", "--work-id", ""}).code, ExitCode::kOk);
  EXPECT_TRUE(server_.update_piece_request.has_work_id());
  EXPECT_FALSE(server_.update_piece_request.has_with_parts());
  EXPECT_EQ(Run({"piece", "update", "a", "--no-parts"}).code, ExitCode::kOk);
  EXPECT_TRUE(server_.update_piece_request.has_with_parts());
  EXPECT_FALSE(server_.update_piece_request.with_parts());
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
  waveform.samples.assign(size_t{10} * 96000, 0.25f);
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

TEST_F(ClientCatalogTest, ListsPiecesThatHoldTheSameMusic) {
  for (int i = 0; i < 501; ++i) AddPair(absl::StrCat("piece-", i), absl::StrCat("other-", i));
  Result result = Run({"pieces", "--same-music", "--json"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  ASSERT_THAT(result.json()["pairs"], SizeIs(501));
  EXPECT_EQ(result.json()["pairs"][500]["other"]["source"]["id"], "other-500");
  EXPECT_EQ(server_.same_music_request.piece_id(), "");

  result = Run({"pieces", "--same-music", "elise", "-n", "2"});
  EXPECT_EQ(server_.same_music_request.piece_id(), "elise");
  EXPECT_THAT(result.out, AllOf(HasSubstr("piece-1"), HasSubstr("other-1"), HasSubstr("0:4–8:3"),
                                HasSubstr("2 pairs among"), Not(HasSubstr("piece-2"))));
  server_.same_music.clear();
  result = Run({"pieces", "--same-music"});
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_THAT(result.out, HasSubstr("no two pieces"));
  server_.failure =
      ServerFailure(grpc::StatusCode::NOT_FOUND, "piece_id: no piece 'x'", "piece_id");
  EXPECT_THAT(Run({"pieces", "--same-music", "x"}).err, HasSubstr("antiphon pieces"));
}

TEST_F(ClientCatalogTest, SaysWhatIsThereAlreadyAndWhatIsWrong) {
  AddPair("a", "elise");
  server_.warnings.emplace_back().set_message("the last track is cut off");
  const std::string path = WriteMidi("a.mid");
  Result result = Run({"piece", "add", path, "--work-id", "woo59"});
  EXPECT_EQ(result.code, ExitCode::kOk);
  EXPECT_EQ(server_.added[0].piece().work_id(), "woo59");
  EXPECT_FALSE(server_.added[0].piece().has_with_parts());
  EXPECT_THAT(result.out,
              HasSubstr("added a, version 1\n  the same music as elise (Title of elise), "
                        "bars 0:4–8:3; here bars 0:4–8:3\n"));
  EXPECT_EQ(result.err, "antiphon: warning: " + path + ": the last track is cut off\n");

  result = Run({"piece", "add", path, "--json"});
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.json()["warnings"][0]["message"], "the last track is cut off");
  EXPECT_EQ(result.json()["same_music"][0]["other"]["source"]["id"], "elise");
  EXPECT_THAT(Run({"recording", "add", Wav()}).err, HasSubstr("warning: "));
}

TEST_F(ClientCatalogTest, AddsAndDeletesSeveral) {
  const std::string a = WriteMidi("a.mid"), b = WriteMidi("b.mid"), c = WriteMidi("c.mid");
  server_.taken_ids = {"b"};
  Result result = Run({"piece", "add", a, b, c, "--composer", "Bach"});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_THAT(result.out, HasSubstr("added a, version 1\nadded c, version 2\n"
                                    "added 2 of 3 pieces; 1 failed\n"));
  EXPECT_EQ(server_.added[1].piece().composer(), "Bach");

  result = Run({"recording", "add", Wav(), a});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_THAT(result.out, HasSubstr("added 1 of 2 recordings; 1 failed"));

  result = Run({"piece", "delete", "a", "c"});
  EXPECT_EQ(result.code, ExitCode::kOk);
  EXPECT_THAT(result.out, HasSubstr("deleted 2 of 2 pieces"));
  EXPECT_THAT(server_.deleted, ElementsAre("a", "c"));
  EXPECT_EQ(Run({"recording", "delete", "x", "y", "--json"}).out,
            Run({"recording", "delete", "x", "--json"}).out +
                Run({"recording", "delete", "y", "--json"}).out);

  server_.failure = ServerFailure(grpc::StatusCode::UNAVAILABLE, "shutting down");
  result = Run({"piece", "delete", "a", "b", "c"});
  EXPECT_EQ(result.code, ExitCode::kUnreachable);
  EXPECT_THAT(result.out, HasSubstr("deleted 0 of 3 pieces; 1 failed; 2 not tried"));
}

TEST_F(ClientCatalogTest, AddsTheTunesOfABook) {
  const std::string path =
      Write("book.abc", "X:1\nT:One\nM:1/4\nL:1/4\nK:C\nC|]\n\nX:2\nT:Two\nK:C\nD|]\n");
  server_.taken_ids = {"book.2"};
  Result result = Run({"piece", "add", path, WriteMidi("a.mid"), "--composer", "Anna Bon"});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_EQ(result.out,
            "added book.1, version 1\nadded a, version 2\nadded 2 of 3 pieces; 1 failed\n");
  EXPECT_THAT(result.err, HasSubstr("book.abc, tune 2: "));
  EXPECT_EQ(server_.added[0].piece().title(), "One");
  EXPECT_EQ(server_.added[0].piece().composer(), "Anna Bon");

  server_.taken_ids.clear();
  result = Run({"piece", "add", "-", "--id", "airs"}, Read(path));
  EXPECT_THAT(result.out, HasSubstr("added airs.1, version 3\nadded airs.2, version 4\n"));
  // What belongs to one piece.
  EXPECT_THAT(Run({"piece", "add", path, "--title", "Airs"}).err,
              AllOf(HasSubstr("2 tunes"), HasSubstr("--title")));
  EXPECT_THAT(Run({"piece", "update", "a", "--score", path}).err, HasSubstr("2 tunes"));
  EXPECT_THAT(server_.added, SizeIs(4));
}

TEST_F(ClientCatalogTest, AScoreThatIsNotReadIsRefusedByName) {
  const std::string path = Write("scale.mei", "<?xml version=\"1.0\"?><mei>");
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"piece", "add", path},
                                                    {"search", path},
                                                    {"identify", path},
                                                    {"recording", "add", path},
                                                    {"identify", "--long", path}}) {
    const Result result = Run(arguments);
    EXPECT_EQ(result.code, ExitCode::kBadInput);
    EXPECT_THAT(result.err, HasSubstr("is MEI, which is not read: export it as MusicXML or MIDI"));
  }
  EXPECT_EQ(server_.calls, 0);
}

}  // namespace
}  // namespace antiphon::client
