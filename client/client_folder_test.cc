// add-all: folders as people have them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "client/client_test_fixture.h"

namespace antiphon::client {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Json = nlohmann::json;
using std::chrono::milliseconds;
using testing::ServerFailure;

class ClientFolderTest : public ClientTest {
 protected:
  std::string folder() const { return (dir_ / "folder").string(); }

  // A file in the folder.
  void Put(const std::string& name, const std::string& bytes) {
    fs::create_directories((dir_ / "folder" / name).parent_path());
    Write("folder/" + name, bytes);
  }
  void PutMidi(const std::string& name) { Put(name, Read(Midi())); }
  void PutWav(const std::string& name) { Put(name, Read(Wav())); }

  std::vector<std::string> PieceIds() const {
    std::vector<std::string> ids;
    for (const v1::AddPieceRequest& request : server_.added) ids.push_back(request.piece().id());
    return ids;
  }
  std::vector<std::string> RecordingIds() const {
    std::vector<std::string> ids;
    for (const v1::AddRecordingRequest& request : server_.recorded)
      ids.push_back(request.recording().id());
    return ids;
  }
  // Of --json: what became of each file, an id or the code of a failure.
  static std::map<std::string, std::string> Outcomes(const Result& result) {
    std::map<std::string, std::string> outcomes;
    for (const absl::string_view line : absl::StrSplit(result.out, '\n', absl::SkipEmpty())) {
      const Json json = Json::parse(std::string(line));
      outcomes[json["file"]] = json.contains("error")         ? json["error"]["code"]
                               : json.contains("passed_over") ? json["passed_over"]
                                                              : json["id"];
    }
    return outcomes;
  }
};

TEST_F(ClientFolderTest, AddsPiecesInOneStream) {
  PutMidi("bach/fugue_1.mid");
  PutMidi("bach/fugue_2.MIDI");
  PutMidi("waltz.mid");
  Put("metadata.tsv",
      "file\ttitle\tcomposer\tcollection\twork_id\n"
      "waltz.mid\tMinute Waltz\tChopin\top64\twaltz-1\n");
  const Result result = Run({"piece", "add-all", folder(), "--collection", "mine"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_EQ(result.out, "3 files found: 3 added\n");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(server_.calls, 1);
  ASSERT_THAT(PieceIds(), ElementsAre("bach__fugue_1", "bach__fugue_2", "waltz"));
  EXPECT_EQ(server_.added[0].piece().title(), "fugue 1");
  EXPECT_EQ(server_.added[0].piece().composer(), "bach");
  EXPECT_EQ(server_.added[0].piece().collection(), "mine");
  EXPECT_EQ(server_.added[0].piece().work_id(), "");
  EXPECT_EQ(server_.added[2].piece().title(), "Minute Waltz");
  EXPECT_EQ(server_.added[2].piece().composer(), "Chopin");
  EXPECT_EQ(server_.added[2].piece().collection(), "op64");
  EXPECT_EQ(server_.added[2].piece().work_id(), "waltz-1");
}

TEST_F(ClientFolderTest, AddsScoresOfEveryKindAndEditionsOfOneWork) {
  const std::string abc = "X:1\nT:Air\nC:Anna Bon\nM:4/4\nL:1/4\nK:C\nCDEF|]\n";
  PutMidi("air.mid");
  Put("air.abc", abc);
  Put("songs/noel", "**kern\n*M1/4\n=1\n4c\n==\n*-\n");
  const Result result = Run({"piece", "add-all", folder()});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_EQ(result.out, "3 files found: 3 added\n");
  ASSERT_THAT(PieceIds(), ElementsAre("air.abc", "air", "songs__noel"));
  EXPECT_EQ(server_.added[0].piece().title(), "Air");
  EXPECT_EQ(server_.added[0].piece().composer(), "Anna Bon");
  EXPECT_EQ(server_.added[0].piece().work_id(), "air");
  EXPECT_EQ(server_.added[0].score().file(), abc);
  EXPECT_EQ(server_.added[1].piece().work_id(), "air");
  EXPECT_FALSE(server_.added[1].score().midi().empty());
  EXPECT_EQ(server_.added[2].piece().work_id(), "");
}

TEST_F(ClientFolderTest, AddsEachTuneOfABook) {
  PutMidi("air.mid");
  Put("airs/book.abc",
      "M:1/4\nL:1/4\n\nX:1\nT:One\nC:Anna Bon\nK:C\nC|]\n\nX:7a\nT:Two\nK:C\nD|]\n\n"
      "X:8\nK:C\nE|]\n");
  Put("metadata.tsv", "file\ttitle\tcollection\nairs/book.abc\tThe Book\tfolk\n");
  server_.taken_ids = {"airs__book.7a"};
  Result result = Run({"piece", "add-all", folder(), "--skip-existing"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_EQ(result.out, "2 files found, 4 pieces in them: 3 added, 1 there already\n");
  ASSERT_THAT(PieceIds(), ElementsAre("air", "airs__book.1", "airs__book.8"));
  EXPECT_EQ(server_.added[1].piece().title(), "One");
  EXPECT_EQ(server_.added[1].piece().composer(), "Anna Bon");
  EXPECT_EQ(server_.added[1].piece().collection(), "folk");
  EXPECT_THAT(server_.added[1].score().file(),
              AllOf(HasSubstr("M:1/4"), HasSubstr("T:One"), Not(HasSubstr("T:Two"))));
  EXPECT_EQ(server_.added[2].piece().title(), "book") << "not that of the whole book";

  result = Run({"piece", "add-all", folder()});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_THAT(result.err, HasSubstr("airs/book.abc, tune 7a: "));
  result = Run({"piece", "add-all", folder(), "--json"});
  EXPECT_THAT(result.out, AllOf(HasSubstr("\"tune\":\"8\""), HasSubstr("airs/book.abc")));
}

TEST_F(ClientFolderTest, TakesIdsFromMetadata) {
  PutMidi("a.mid");
  PutMidi("b.mid");
  PutMidi("c.mid");
  Put("metadata.tsv", "file\tid\na.mid\tBWV 1/a\nb.mid\tc\n");
  const Result result = Run({"piece", "add-all", folder()});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_THAT(PieceIds(), ElementsAre("BWV 1/a", "c"));
  EXPECT_THAT(result.err, AllOf(HasSubstr("c.mid"), HasSubstr("its id would be 'c'")));
}

TEST_F(ClientFolderTest, ReadsByContentsAndCountsEverything) {
  PutMidi("a.kar");
  Put("b.rmi", "RIFF\1\1\1\1RMIDdata");
  PutMidi("c.mid");
  PutMidi("taken.mid");
  Put("damaged.mid", "this is no MIDI file");
  Put("scale.mei", "<mei>");
  PutWav("take.wav");
  PutWav("take_2.wav");
  server_.taken_ids = {"taken"};
  const Result result = Run({"piece", "add-all", folder()});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_EQ(result.out,
            "8 files found: 3 added, 1 there already, 1 failed, 3 passed over (2 .wav, 1 "
            ".mei)\n");
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("damaged.mid is no score of a known kind"), HasSubstr("taken.mid")));
  EXPECT_THAT(PieceIds(), ElementsAre("a", "b", "c"));
}

TEST_F(ClientFolderTest, OneBadFileDoesNotKeepTheOthersOut) {
  PutMidi("a.mid");
  Put("b.mid", "this is no MIDI file");
  PutMidi("c.mid");
  PutMidi("d.mid");
  Put("scale.xml", "<mei>");
  server_.taken_ids = {"c"};
  Result result = Run({"piece", "add-all", folder(), "--json"});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_EQ(Outcomes(result), (std::map<std::string, std::string>{{"a.mid", "a"},
                                                                  {"b.mid", "INVALID_ARGUMENT"},
                                                                  {"c.mid", "ALREADY_EXISTS"},
                                                                  {"d.mid", "d"},
                                                                  {"scale.xml", "MEI"}}));
  server_.taken_ids = {"a", "c", "d"};
  fs::remove(dir_ / "folder" / "b.mid");
  result = Run({"piece", "add-all", folder(), "--skip-existing"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_EQ(result.out, "4 files found: 0 added, 3 there already, 1 passed over (1 .xml)\n");
}

TEST_F(ClientFolderTest, ANameThatIsNotUtf8DoesNotStopTheOthers) {
  for (const char* name : {"a.mid", "b\xE9.mid", "c.mid", "d.mid"}) PutMidi(name);
  const Result result = Run({"piece", "add-all", folder()});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_EQ(result.out, "4 files found: 4 added\n");
  EXPECT_THAT(PieceIds(), ElementsAre("a", "b\xC3\xA9", "c", "d"));
  EXPECT_EQ(server_.added[1].piece().title(), "b\xC3\xA9");
}

TEST_F(ClientFolderTest, LinksAreNamedByThemselves) {
  PutMidi("elsewhere/real.mid");
  fs::create_symlink(dir_ / "folder/elsewhere/real.mid", dir_ / "folder/link.mid");
  fs::create_directory_symlink(dir_ / "folder/elsewhere", dir_ / "folder/again");
  const Result result = Run({"piece", "add-all", folder()});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(PieceIds(), ElementsAre("elsewhere__real", "link"));
  EXPECT_THAT(result.out, HasSubstr("1 passed over (1 link to a folder)"));
}

TEST_F(ClientFolderTest, RowsThatMatchNoFileAreReported) {
  PutMidi("e\xCC\x81tude.mid");  // as macOS writes it
  Put("metadata.tsv", "file\ttitle\n\xC3\xA9tude.mid\tEtude\nmissing.mid\tGone\n");
  const Result result = Run({"piece", "add-all", folder()});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(PieceIds(), ElementsAre("\xC3\xA9tude"));
  EXPECT_EQ(server_.added[0].piece().title(), "Etude");
  EXPECT_EQ(result.err,
            "antiphon: warning: metadata.tsv names 'missing.mid', which is not there\n");
}

TEST_F(ClientFolderTest, AnUpbeatIsWrittenIntoWhatIsSent) {
  PutMidi("a.mid");
  PutMidi("b.mid");
  PutMidi("too_long.mid");
  Put("metadata.tsv", "file\tupbeat\na.mid\t1\ntoo_long.mid\t60\n");
  const Result result = Run({"piece", "add-all", folder()});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  ASSERT_THAT(PieceIds(), ElementsAre("a", "b"));
  EXPECT_NE(server_.added[0].score().midi(), Read(Midi()));
  EXPECT_EQ(server_.added[1].score().midi(), Read(Midi()));
  EXPECT_THAT(result.err, HasSubstr("too_long.mid: the upbeat in metadata.tsv: "));
}

// The upbeat makes the file new, so that the server cannot see what was wrong with it.
TEST_F(ClientFolderTest, DamageIsSaidOfAScoreThatGetsAnUpbeat) {
  const std::string midi = Read(Midi());
  Put("cut.mid", midi.substr(0, midi.size() - 1));
  Put("metadata.tsv", "file\tupbeat\ncut.mid\t1\n");
  const Result result = Run({"piece", "add-all", folder()});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(PieceIds(), ElementsAre("cut"));
  EXPECT_THAT(result.err, AllOf(HasSubstr("cut.mid"), HasSubstr("in the middle of an event")));
}

TEST_F(ClientFolderTest, TwoFilesOfOneIdAreOneTooMany) {
  PutMidi("a.kar");
  PutMidi("a.mid");
  const Result result = Run({"piece", "add-all", folder(), "--skip-existing"});
  EXPECT_EQ(result.code, ExitCode::kBadInput) << "it is not there already";
  EXPECT_EQ(result.out, "2 files found: 1 added, 1 failed\n");
  EXPECT_THAT(result.err, HasSubstr("a.mid: its id would be 'a', as that of a.kar"));
}

TEST_F(ClientFolderTest, AFolderWithoutScoresIsNothing) {
  Put("notes.txt", "words");
  const Result result = Run({"piece", "add-all", folder()});
  EXPECT_EQ(result.code, ExitCode::kNothing);
  EXPECT_THAT(result.err, AllOf(HasSubstr("no score below"), HasSubstr("passed over: 1 .txt")));
  EXPECT_EQ(Run({"piece", "add-all", (dir_ / "missing").string()}).code, ExitCode::kBadInput);
  EXPECT_EQ(server_.calls, 0);
}

TEST_F(ClientFolderTest, AStreamThatIsRefusedSaysWhyAndHowManyWereNotTried) {
  PutMidi("a.mid");
  PutMidi("b.mid");
  server_.failure = ServerFailure(grpc::StatusCode::UNAVAILABLE, "shutting down");
  const Result result = Run({"piece", "add-all", folder()});
  EXPECT_EQ(result.code, ExitCode::kUnreachable);
  EXPECT_THAT(result.err, HasSubstr("shutting down"));
  EXPECT_EQ(result.out, "2 files found: 0 added, 2 failed (2 of them not tried)\n");
}

TEST_F(ClientFolderTest, ShowsWhatTheCollectionHeldAlready) {
  PutMidi("a.mid");
  v1::SameMusicPair& pair = server_.same_music.emplace_back();
  pair.mutable_other()->mutable_source()->set_id("elise");
  pair.mutable_other()->mutable_end()->set_seconds(4);
  server_.warnings.emplace_back().set_message("a track is cut off");
  Result result = Run({"piece", "add-all", folder()});
  EXPECT_EQ(result.code, ExitCode::kOk);
  EXPECT_THAT(result.out, HasSubstr("a.mid: the same music as elise, 0:00.0–0:04.0"));
  EXPECT_EQ(result.err, "antiphon: warning: a.mid: a track is cut off\n");
  result = Run({"piece", "add-all", folder(), "--json"});
  EXPECT_EQ(result.json()["warnings"][0]["message"], "a track is cut off");
  EXPECT_EQ(result.json()["same_music"][0]["other"]["source"]["id"], "elise");
}

TEST_F(ClientFolderTest, AddsRecordings) {
  for (int i = 0; i < 10; ++i) PutWav("live/take_" + std::to_string(i) + ".wav");
  Put("phone.m4a", std::string("\0\0\0\x1C", 4) + "ftypM4A ");
  PutMidi("score.mid");
  Put("metadata.tsv",
      "file\ttitle\tcomposer\tpiece_id\tcollection\n"
      "phone.m4a\tAt home\tSatie\tgymnopedie\tmemos\n");
  const Result result =
      Run({"recording", "add-all", folder(), "--collection", "mine", "--piece", "elise"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_EQ(result.out, "12 files found: 11 added, 1 passed over (1 .mid)\n");
  ASSERT_THAT(server_.recorded, SizeIs(11));
  for (const v1::AddRecordingRequest& request : server_.recorded) {
    const v1::NewRecording& recording = request.recording();
    const bool phone = recording.id() == "phone";
    EXPECT_EQ(recording.piece_id(), phone ? "gymnopedie" : "elise");
    EXPECT_EQ(recording.collection(), phone ? "memos" : "mine");
    EXPECT_EQ(recording.composer(), phone ? "Satie" : "");
    EXPECT_THAT(recording.title(), HasSubstr(phone ? "At home" : "take "));
    EXPECT_FALSE(request.audio_file().empty());
  }
}

TEST_F(ClientFolderTest, AddingRecordingsAgainAddsWhatIsMissing) {
  for (const char* name : {"a.wav", "b.wav", "c.wav"}) PutWav(name);
  Put("d.wav", "no sound");
  server_.taken_ids = {"a", "c"};
  Result result = Run({"recording", "add-all", folder(), "--skip-existing"});
  EXPECT_EQ(result.code, ExitCode::kBadInput);
  EXPECT_EQ(result.out, "4 files found: 1 added, 2 there already, 1 failed\n");
  EXPECT_THAT(RecordingIds(), ElementsAre("b"));
  fs::remove(dir_ / "folder" / "d.wav");
  result = Run({"recording", "add-all", folder(), "--json"});
  EXPECT_EQ(result.code, ExitCode::kBadInput) << "without --skip-existing";
  EXPECT_EQ(Outcomes(result),
            (std::map<std::string, std::string>{
                {"a.wav", "ALREADY_EXISTS"}, {"b.wav", "b"}, {"c.wav", "ALREADY_EXISTS"}}));
}

TEST_F(ClientFolderTest, RecordingsWaitForABusyServer) {
  for (const char* name : {"a.wav", "b.wav", "c.wav", "d.wav"}) PutWav(name);
  server_.failure = ServerFailure(grpc::StatusCode::RESOURCE_EXHAUSTED, "the queue is full", "",
                                  milliseconds(20));
  server_.failures = 3;
  const Result result = Run({"recording", "add-all", folder()});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err;
  EXPECT_THAT(RecordingIds(), UnorderedElementsAre("a", "b", "c", "d"));
}

TEST_F(ClientFolderTest, AServerThatIsGoneIsNotAskedForTheOtherRecordings) {
  for (int i = 0; i < 10; ++i) PutWav("take_" + std::to_string(i) + ".wav");
  server_.failure = ServerFailure(grpc::StatusCode::UNAVAILABLE, "shutting down");
  const Result result = Run({"recording", "add-all", folder()});
  EXPECT_EQ(result.code, ExitCode::kUnreachable);
  EXPECT_LE(server_.calls, 3);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("10 files found: 0 added, 10 failed"), HasSubstr("not tried")));
  EXPECT_THAT(server_.recorded, IsEmpty());
}

}  // namespace
}  // namespace antiphon::client
