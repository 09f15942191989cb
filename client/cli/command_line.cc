#include "client/cli/command_line.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "absl/strings/str_format.h"
#include "client/cli/parser.h"
#include "client/output/exit_code.h"
#include "client/output/format.h"
#include "client/rpc/channel.h"

namespace antiphon::client {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  antiphon identify concert.flac             which piece is this, and where in it?\n"
    "  antiphon identify --long recital.flac      which pieces, from when to when?\n"
    "  arecord -t raw -f S16_LE -r 44100 | antiphon identify --live\n"
    "                                             which piece is playing now?\n"
    "  antiphon align concert.flac -o bars.txt    when is each bar played?\n"
    "  antiphon transcribe concert.flac -o concert.mid\n"
    "                                             which notes are played?\n"
    "  antiphon search concert.mp3 --start 1:20 --length 10\n"
    "                                             which stretches of scores match these ten "
    "seconds?\n"
    "  antiphon search theme.mid                  which stretches of recordings match this score?\n"
    "  sox concert.wav -t wav - | antiphon identify - --json\n"
    "  antiphon piece add fugue.mid --title Fugue --composer Bach\n"
    "  antiphon snippet ID --start 0:10 --end 0:20 -o theme.mid\n";

// Everything that CLI11 writes into.
struct Parser {
  CLI::App app{
      "antiphon: asks an antiphon-server for the score of a sound and the sound of a score.",
      "antiphon"};
  CommandLine result;
};

// What metadata of gRPC may hold, and the server takes.
std::string CheckRequestId(const std::string& text) {
  const bool printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  return printable && text.size() <= kMaxRequestIdBytes
             ? ""
             : absl::StrFormat("an id is at most %d printable ASCII characters",
                               kMaxRequestIdBytes);
}

std::string CheckServer(const std::string& text) {
  return std::string(CheckServerAddress(text).message());
}

// Names of machines are sent with every call.
std::string CheckHost(const std::string& text) {
  const bool graphic =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
  return graphic ? ""
                 : "'" + text +
                       "' is no name of a machine: it has other than printable ASCII characters";
}

std::string CheckTimeout(const std::string& text) {
  const auto seconds = ParseTime(text);
  return seconds && *seconds >= kMinTimeout_s && *seconds <= kMaxTimeout_s
             ? ""
             : absl::StrFormat("'%s' is not %.3f to %.0f seconds", text, kMinTimeout_s,
                               kMaxTimeout_s);
}

void AddConnection(CLI::App& app, ConnectionOptions& connection) {
  app.add_option("--server", connection.server, "The server to ask, also as unix:PATH")
      ->type_name("HOST:PORT")
      ->envname("ANTIPHON_SERVER")
      ->capture_default_str()
      ->check(CheckServer);
  app.add_option("--timeout", connection.timeout_s, "Seconds to wait for an answer")
      ->type_name("SECONDS")
      ->capture_default_str()
      ->check(CheckTimeout);
  app.add_flag("--tls", connection.tls, "Encrypt; the system says whose certificates to trust");
  app.add_option("--ca-file", connection.ca_file, "... this file (PEM) does")->type_name("FILE");
  CLI::Option* certificate = app.add_option("--cert-file", connection.cert_file,
                                            "Prove who asks with this certificate (PEM)")
                                 ->type_name("FILE");
  CLI::Option* key = app.add_option("--key-file", connection.key_file, "... and its private key")
                         ->type_name("FILE");
  certificate->needs(key);
  key->needs(certificate);
  app.add_option("--server-name", connection.server_name,
                 "The server's certificate must be for this name")
      ->type_name("NAME")
      ->check(CheckHost);
  app.add_option(
         "--api-key-file", connection.api_key_file,
         "File with the API key in its first line; else the key is what ANTIPHON_API_KEY says")
      ->type_name("FILE");
  app.add_flag("--plaintext-key", connection.plaintext_key,
               "Send the API key to another machine without TLS");
  app.add_option("--request-id", connection.request_id, "What the server's log is to call this")
      ->type_name("ID")
      ->check(CheckRequestId);
}

void AddAll(Parser& p) {
  p.app.fallthrough();  // inherited by the subcommands: --server and the like may stand behind them
  AddConnection(p.app, p.result.connection);
  p.app.add_flag("--json", p.result.json, "One line of JSON for each answer, failures included");
  p.app.set_version_flag("--version", ANTIPHON_VERSION, "Print the version, and exit");
  AddQueryCommands(p.app, p.result.command);
  AddPerformanceCommands(p.app, p.result.command);
  AddCatalogCommands(p.app, p.result.command);
  AddAdminCommands(p.app, p.result.command);
  p.app.require_subcommand(
      0, 1);  // that there is one is checked afterwards, so that a misspelt one is named
  p.app.footer(std::string(kExamples) + "\n" + kExitCodeHelp);
}

}  // namespace

CLI::Option* AddTime(CLI::App& app, const std::string& name, std::optional<double>& value,
                     const std::string& description) {
  const auto parse = [name, &value](const std::string& text) {
    value = ParseTime(text);
    if (!value)
      throw CLI::ValidationError(name, "'" + text + "' is no time; write seconds, or as in 1:23.5");
  };
  return app.add_option_function<std::string>(name, parse, description)->type_name("TIME");
}

void AddScope(CLI::App& app, ScopeArguments& scope) {
  const auto add = [&](const char* name, std::vector<std::string>& values,
                       const char* description) {
    app.add_option(name, values, description)->type_name("TEXT")->expected(1)->take_all();
  };
  add("--composer", scope.composers,
      "Only pieces by this composer; may be given several times, as the next three");
  add("--collection", scope.collections, "Only pieces filed under this collection");
  add("--piece", scope.piece_ids, "Only the piece with this id, and recordings of it");
  add("--work", scope.work_ids, "Only editions of the work with this id, and recordings of them");
  app.add_flag("--exact", scope.exact, "Compare with everything, where an index would approximate");
}

RawOptions AddRawSamples(CLI::App& app, v1::Pcm::Encoding& encoding, int& sample_rate,
                         int& channels) {
  RawOptions options{};
  options.encoding =
      AddChoice(app, "--encoding", encoding,
                {{"int16", v1::Pcm::ENCODING_INT16}, {"float32", v1::Pcm::ENCODING_FLOAT32}},
                "Of raw samples, little-endian [int16]");
  options.rate = app.add_option("--rate", sample_rate, "Of raw samples, Hz")
                     ->type_name("HZ")
                     ->capture_default_str();
  options.channels = app.add_option("--channels", channels, "Of raw samples, interleaved")
                         ->type_name("N")
                         ->capture_default_str();
  return options;
}

void CheckNoRawSamples(const CLI::App& app) {
  for (const char* name : {"--encoding", "--rate", "--channels"}) {
    if (app.count(name) > 0) {
      throw CLI::ValidationError(
          name, "describes raw samples from the standard input; leave it out with an audio file");
    }
  }
}

absl::StatusOr<CommandLine> ParseCommandLine(std::vector<std::string> arguments) {
  const auto parser = std::make_unique<Parser>();
  AddAll(*parser);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    parser->app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    parser->result.text = parser->app.help();
    return std::move(parser->result);
  } catch (const CLI::CallForVersion&) {
    parser->result.text = "antiphon " ANTIPHON_VERSION "\n";
    return std::move(parser->result);
  } catch (const CLI::Error& error) {
    return absl::InvalidArgumentError(error.what());
  }
  if (parser->app.get_subcommands().empty()) {
    return absl::InvalidArgumentError(
        "say what to do: identify, search, align, follow, transcribe, embed, pieces, piece, "
        "recording, snippet, status or "
        "admin");
  }
  if (parser->result.connection.plaintext_key && parser->result.connection.encrypted()) {
    return absl::InvalidArgumentError(
        "--plaintext-key: the connection is encrypted; leave it out, or connect without TLS");
  }
  // Not an option of its own: the arguments of a process are there for everybody to read.
  if (const char* key = std::getenv("ANTIPHON_API_KEY");
      key != nullptr && parser->result.connection.api_key_file.empty()) {
    parser->result.connection.api_key = key;
  }
  return std::move(parser->result);
}

}  // namespace antiphon::client
