#include "client/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace antiphon::client {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

CommandLine Parse(const std::vector<std::string>& arguments) {
  auto line = ParseCommandLine(arguments);
  EXPECT_TRUE(line.ok()) << line.status();
  return line.value_or(CommandLine{});
}

std::string Refusal(const std::vector<std::string>& arguments) {
  const auto line = ParseCommandLine(arguments);
  EXPECT_TRUE(absl::IsInvalidArgument(line.status())) << line.status();
  return std::string(line.status().message());
}

TEST(CommandLineTest, LeavesToTheServerWhatIsNotGiven) {
  const CommandLine line = Parse({"search", "a.wav"});
  const auto& search = std::get<SearchArguments>(line.command);
  EXPECT_THAT(search.files, ElementsAre("a.wav"));
  EXPECT_FALSE(search.top_k || search.query.hop_s || search.query.start_s || search.query.length_s);
  EXPECT_EQ(search.query.as, Kind::kUnknown);
  EXPECT_FALSE(line.json);
}

TEST(CommandLineTest, TakesGlobalOptionsOnEitherSide) {
  for (const auto& arguments :
       {std::vector<std::string>{"--json", "--server", "h:1", "--timeout", "5", "status"},
        std::vector<std::string>{"status", "--timeout=5", "--server=h:1", "--json"}}) {
    const CommandLine line = Parse(arguments);
    EXPECT_TRUE(line.json);
    EXPECT_EQ(line.connection.server, "h:1");
    EXPECT_EQ(line.connection.timeout_s, 5);
    EXPECT_TRUE(std::holds_alternative<StatusArguments>(line.command));
  }
}

TEST(CommandLineTest, TakesTheServerFromTheEnvironmentUnlessAFlagNamesOne) {
  ::setenv("ANTIPHON_SERVER", "elsewhere:7", 1);
  EXPECT_EQ(Parse({"status"}).connection.server, "elsewhere:7");
  EXPECT_EQ(Parse({"status", "--server", "h:1"}).connection.server, "h:1");
  ::unsetenv("ANTIPHON_SERVER");
  EXPECT_EQ(Parse({"status"}).connection.server, "127.0.0.1:50051");
}

TEST(CommandLineTest, SaysWhatIsWrongWithTheAddressOfTheServer) {
  const auto refusal = [](const std::string& server) {
    const auto line = ParseCommandLine({"status", "--server", server});
    EXPECT_FALSE(line.ok()) << server;
    return std::string(line.status().message());
  };
  EXPECT_THAT(refusal("10.0.0.5"),
              AllOf(HasSubstr("--server"), HasSubstr("no port"), HasSubstr("10.0.0.5:50051")));
  EXPECT_THAT(refusal("http://music.example:7"),
              AllOf(HasSubstr("no scheme"), HasSubstr(" music.example:7")));
  EXPECT_THAT(refusal("https://music.example"), HasSubstr(" music.example:50051 and --tls"));
  EXPECT_THAT(refusal("grpc://music.example:7"), HasSubstr("no scheme"));
  EXPECT_THAT(refusal("dns:///music.example:7"), HasSubstr("no scheme"));
  EXPECT_THAT(refusal("h:65536"), HasSubstr("65535"));
  EXPECT_THAT(refusal("h:0"), HasSubstr("port 0"));
  EXPECT_THAT(refusal(":7"), HasSubstr("no host"));
  EXPECT_THAT(refusal("::1"), HasSubstr("[::1]:50051"));
  EXPECT_THAT(refusal("unix:/" + std::string(107, 'x')), HasSubstr("108 bytes"));
  ::setenv("ANTIPHON_SERVER", "http://h:1", 1);
  EXPECT_THAT(std::string(ParseCommandLine({"status"}).status().message()), HasSubstr("no scheme"));
  ::setenv("ANTIPHON_SERVER", "", 1);
  EXPECT_EQ(Parse({"status"}).connection.server, "127.0.0.1:50051") << "an empty one is unset";
  ::unsetenv("ANTIPHON_SERVER");
  for (const char* server : {"h:1", "[::1]:7", "unix:/run/antiphon.sock", "unix:///run/a.sock"})
    EXPECT_EQ(Parse({"status", "--server", server}).connection.server, server);
}

TEST(CommandLineTest, ReadsAnIdentification) {
  const auto identify = std::get<IdentifyArguments>(
      Parse({"identify", "a.wav",       "-",          "--as",     "midi",  "--start",
             "1:20",     "--length",    "10",         "-k",       "3",     "--min-confidence",
             "0.25",     "--against",   "recordings", "--method", "plain", "--hop",
             "0.1",      "--transpose", "2"})
          .command);
  EXPECT_THAT(identify.files, ElementsAre("a.wav", "-"));
  EXPECT_EQ(identify.query.as, Kind::kScore);
  EXPECT_EQ(identify.query.start_s, 80);
  EXPECT_EQ(identify.query.length_s, 10);
  EXPECT_EQ(identify.query.hop_s, 0.1);
  EXPECT_EQ(identify.top_k, 3);
  EXPECT_EQ(identify.min_confidence, 0.25);
  EXPECT_EQ(identify.max_transposition, 2);
  EXPECT_EQ(identify.against, v1::SIDE_RECORDINGS);
  EXPECT_EQ(identify.method, v1::VOTE_METHOD_PLAIN);
}

TEST(CommandLineTest, AStreamIsComparedWithEitherSide) {
  const auto whole = std::get<IdentifyLongArguments>(
      Parse({"identify", "--long", "a.wav", "--against", "recordings"}).command);
  EXPECT_EQ(whole.stream.against, v1::SIDE_RECORDINGS);
  const auto live = std::get<IdentifyLiveArguments>(Parse({"identify", "--live", "a.wav"}).command);
  EXPECT_EQ(live.stream.against, v1::SIDE_UNSPECIFIED);
}

TEST(CommandLineTest, JoinsTheWordsOfAFilter) {
  EXPECT_EQ(std::get<ListArguments>(Parse({"pieces", "moonlight", "sonata"}).command).filter,
            "moonlight sonata");
  EXPECT_EQ(std::get<ListArguments>(Parse({"pieces"}).command).filter, "");
}

TEST(CommandLineTest, TellsScoreFromRecordingByTheEndingOfTheFile) {
  const auto of_recording = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"snippet", "x"});
    return std::get<SnippetArguments>(Parse(arguments).command).of_recording;
  };
  EXPECT_FALSE(of_recording({"-o", "a.mid"}));
  EXPECT_TRUE(of_recording({"-o", "a.WAV"}));
  EXPECT_FALSE(of_recording({"-o", "-"}));
  EXPECT_TRUE(of_recording({"-o", "-", "--recording"}));
  EXPECT_FALSE(of_recording({"--json"}));
}

TEST(CommandLineTest, RefusesASnippetThatGoesNowhere) {
  EXPECT_THAT(Refusal({"snippet", "x"}), HasSubstr("-o FILE.mid"));
  EXPECT_THAT(Refusal({"snippet", "x", "-o", "a.mp3"}), HasSubstr("-o FILE.mid"));
  EXPECT_THAT(Refusal({"snippet", "x", "-o", "a.mid", "--recording"}), HasSubstr(".wav"));
  EXPECT_THAT(Refusal({"snippet", "x", "-o", "-", "--json"}), HasSubstr("standard output"));
}

TEST(CommandLineTest, TellsAPieceFromWhatIsDoneWithOne) {
  EXPECT_EQ(std::get<ShowArguments>(Parse({"piece", "satie"}).command).id, "satie");
  EXPECT_EQ(std::get<ShowArguments>(Parse({"piece", "show", "delete"}).command).id, "delete");
  EXPECT_TRUE(std::get<ShowArguments>(Parse({"recording", "take"}).command).recording);
  EXPECT_THAT(std::get<DeleteArguments>(Parse({"piece", "delete", "satie"}).command).ids,
              ElementsAre("satie"));
  EXPECT_TRUE(std::get<ListArguments>(Parse({"recording", "list"}).command).recordings);
  const auto update =
      std::get<UpdatePieceArguments>(Parse({"piece", "update", "a", "--composer", "C"}).command);
  EXPECT_EQ(update.label.composer.value_or(""), "C");
  EXPECT_FALSE(update.label.title || update.expected_version);
  const auto all =
      std::get<AddPiecesArguments>(Parse({"piece", "add-all", "d", "--skip-existing"}).command);
  EXPECT_EQ(all.folder.folder, "d");
  EXPECT_TRUE(all.folder.skip_existing);
  EXPECT_THAT(Refusal({"piece"}), HasSubstr("id of the piece"));
  EXPECT_THAT(Refusal({"piece", "add"}), HasSubstr("file"));
  EXPECT_THAT(Refusal({"piece", "a", "b"}), HasSubstr("b"));
  EXPECT_THAT(Refusal({"recording"}), HasSubstr("id of the recording"));
}

TEST(CommandLineTest, TakesSeveralFilesWhereNoOptionNamesOne) {
  EXPECT_THAT(std::get<SearchArguments>(Parse({"search", "a", "b"}).command).files,
              ElementsAre("a", "b"));
  const auto add = std::get<AddPieceArguments>(
      Parse({"piece", "add", "a.mid", "b.mid", "--composer", "Bach", "--work-id", "w"}).command);
  EXPECT_THAT(add.files, ElementsAre("a.mid", "b.mid"));
  EXPECT_EQ(add.work_id, "w");
  EXPECT_FALSE(add.with_parts.has_value());
  EXPECT_EQ(
      std::get<AddPieceArguments>(Parse({"piece", "add", "a.mid", "--parts"}).command).with_parts,
      true);
  EXPECT_EQ(std::get<AddPiecesArguments>(Parse({"piece", "add-all", "a", "--no-parts"}).command)
                .with_parts,
            false);
  EXPECT_THAT(std::get<AddRecordingArguments>(Parse({"recording", "add", "a", "b"}).command).files,
              ElementsAre("a", "b"));
  EXPECT_THAT(std::get<DeleteArguments>(Parse({"recording", "delete", "a", "b"}).command).ids,
              ElementsAre("a", "b"));
  for (const char* option : {"--id", "--title"}) {
    EXPECT_THAT(Refusal({"piece", "add", "a", "b", option, "x"}), HasSubstr(option));
    EXPECT_THAT(Refusal({"recording", "add", "a", "b", option, "x"}), HasSubstr(option));
    EXPECT_EQ(Parse({"piece", "add", "a", option, "x"}).command.index(),
              Command(AddPieceArguments{}).index());
  }
  EXPECT_THAT(Refusal({"piece", "delete", "a", "b", "--expected-version", "1"}),
              HasSubstr("--expected-version"));
}

TEST(CommandLineTest, SameMusicIsOfAllPiecesOrOfOne) {
  EXPECT_EQ(std::get<SameMusicArguments>(Parse({"pieces", "--same-music"}).command).piece_id, "");
  const auto of_one =
      std::get<SameMusicArguments>(Parse({"pieces", "--same-music", "elise", "-n", "3"}).command);
  EXPECT_EQ(of_one.piece_id, "elise");
  EXPECT_EQ(of_one.limit, 3);
  EXPECT_THAT(Refusal({"pieces", "--same-music", "a", "b"}), HasSubstr("--same-music"));
  EXPECT_THAT(Refusal({"recording", "list", "--same-music"}), HasSubstr("--same-music"));
}

TEST(CommandLineTest, RefusesWhatNoCallCanCarry) {
  for (const std::string& id :
       {std::string("\xC3\xBC"), std::string("a\nb"), std::string("\xFF"), std::string(129, 'x')}) {
    EXPECT_THAT(Refusal({"status", "--request-id", id}), HasSubstr("--request-id"));
  }
  EXPECT_EQ(Parse({"status", "--request-id", std::string(128, '~')}).connection.request_id.size(),
            128u);
  EXPECT_THAT(Refusal({"status", "--server", "\xC3\xBC:1"}), HasSubstr("--server"));
  EXPECT_THAT(Refusal({"status", "--server-name", "\xC3\xBC"}), HasSubstr("--server-name"));
  EXPECT_EQ(Parse({"status", "--server", "unix:/tmp/\xC3\xBC"}).connection.server,
            "unix:/tmp/\xC3\xBC");
}

TEST(CommandLineTest, ReadsHowToConnect) {
  const ConnectionOptions options =
      Parse({"status", "--ca-file", "ca.pem", "--cert-file", "c.pem", "--key-file", "k.pem",
             "--server-name", "n", "--api-key-file", "key", "--request-id", "r"})
          .connection;
  EXPECT_EQ(options.ca_file, "ca.pem");
  EXPECT_EQ(options.cert_file, "c.pem");
  EXPECT_EQ(options.key_file, "k.pem");
  EXPECT_EQ(options.server_name, "n");
  EXPECT_EQ(options.api_key_file, "key");
  EXPECT_EQ(options.request_id, "r");
  EXPECT_TRUE(options.encrypted());
  EXPECT_FALSE(Parse({"status"}).connection.encrypted());
  EXPECT_THAT(Refusal({"status", "--cert-file", "c.pem"}), HasSubstr("--key-file"));
  EXPECT_THAT(Refusal({"status", "--api-key", "secret"}), HasSubstr("--api-key"));
}

TEST(CommandLineTest, ReadsWhatIsLive) {
  const auto live = std::get<IdentifyLiveArguments>(Parse({"identify", "--live"}).command);
  EXPECT_EQ(live.file, "-");
  EXPECT_EQ(live.sample_rate, 44100);
  EXPECT_EQ(live.channels, 1);
  EXPECT_EQ(live.encoding, v1::Pcm::ENCODING_INT16);
  const auto file = std::get<IdentifyLiveArguments>(
      Parse({"identify", "--live", "a.wav", "--pace", "-k", "1"}).command);
  EXPECT_EQ(file.file, "a.wav");
  EXPECT_TRUE(file.pace);
  EXPECT_EQ(file.stream.top_k, 1);
  const auto raw = std::get<IdentifyLiveArguments>(
      Parse({"identify", "--live", "-", "--rate", "8000", "--channels", "2"}).command);
  EXPECT_EQ(raw.sample_rate, 8000);
  EXPECT_EQ(raw.channels, 2);
  EXPECT_THAT(
      std::get<IdentifyLongArguments>(Parse({"identify", "--long", "a", "b"}).command).files,
      ElementsAre("a", "b"));
}

TEST(CommandLineTest, RefusesOptionsThatCannotAct) {
  for (const auto& [option, value] : {std::pair{"--encoding", "float32"},
                                      std::pair{"--rate", "8000"}, std::pair{"--channels", "2"}}) {
    EXPECT_THAT(Refusal({"identify", "--live", "a.wav", option, value}),
                AllOf(HasSubstr(option), HasSubstr("raw samples")));
  }
  EXPECT_THAT(Refusal({"status", "--plaintext-key", "--tls"}), HasSubstr("--plaintext-key"));
  EXPECT_THAT(Refusal({"status", "--plaintext-key", "--ca-file", "ca.pem"}),
              HasSubstr("--plaintext-key"));
  EXPECT_TRUE(Parse({"status", "--plaintext-key"}).connection.plaintext_key);
}

TEST(CommandLineTest, NamesWhatIsWrong) {
  EXPECT_THAT(Refusal({}), HasSubstr("identify"));
  EXPECT_THAT(Refusal({"serch", "a.wav"}), HasSubstr("serch"));
  EXPECT_THAT(Refusal({"search"}), HasSubstr("file"));
  EXPECT_THAT(Refusal({"snippet", "a", "b", "-o", "x.mid"}), HasSubstr("b"));
  EXPECT_THAT(Refusal({"search", "a", "--start", "soon"}), HasSubstr("--start: 'soon'"));
  EXPECT_THAT(Refusal({"search", "a", "--as", "video"}), HasSubstr("audio, score, midi"));
  EXPECT_THAT(Refusal({"search", "a", "--top-k", "many"}), HasSubstr("--top-k"));
  EXPECT_THAT(Refusal({"status", "--timeout", "0"}), HasSubstr("--timeout"));
  EXPECT_THAT(Refusal({"status", "--timeout", "nan"}), HasSubstr("--timeout"));
  EXPECT_THAT(Refusal({"status", "--timeout", "2000000"}), HasSubstr("0.001 to 1000000 seconds"));
}

TEST(CommandLineTest, HelpStatesTheExitCodes) {
  const CommandLine line = Parse({"--help"});
  ASSERT_TRUE(line.text.has_value());
  EXPECT_THAT(*line.text, HasSubstr("Exit status:"));
  EXPECT_THAT(Parse({"search", "--help"}).text.value_or(""), HasSubstr("--snippets"));
  EXPECT_THAT(Parse({"--version"}).text.value_or(""), HasSubstr("antiphon "));
}

}  // namespace
}  // namespace antiphon::client
