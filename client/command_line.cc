#include "client/command_line.h"

#include <algorithm>
#include <functional>
#include <memory>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/exit_code.h"
#include "client/format.h"

namespace antiphon::client {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  antiphon identify concert.flac             which piece is this, and where in it?\n"
    "  antiphon search concert.mp3 --start 1:20 --length 10\n"
    "                                             which stretches of scores match these ten seconds?\n"
    "  antiphon search theme.mid                  which stretches of recordings match this score?\n"
    "  sox concert.wav -t wav - | antiphon identify - --json\n"
    "  antiphon snippet ID --start 0:10 --end 0:20 -o theme.mid\n";

// Everything that CLI11 writes into; the subcommands borrow from it.
struct Parser {
  CLI::App app{"antiphon: asks an antiphon-server for the score of a sound and the sound of a score.", "antiphon"};
  CommandLine result;
  SearchArguments search;
  IdentifyArguments identify;
  EmbedArguments embed;
  PiecesArguments pieces;
  std::vector<std::string> filter_words;
  PieceArguments piece;
  SnippetArguments snippet;
};

void AddTime(CLI::App& app, const std::string& name, std::optional<double>& value, const std::string& description) {
  app.add_option_function<std::string>(
         name,
         [name, &value](const std::string& text) {
           value = ParseTime(text);
           if (!value) throw CLI::ValidationError(name, "'" + text + "' is no time; write seconds, or as in 1:23.5");
         },
         description)
      ->type_name("TIME");
}

template <typename T>
void AddChoice(CLI::App& app, const std::string& name, T& value, const std::vector<std::pair<std::string, T>>& choices,
               const std::string& description) {
  std::vector<std::string> names;
  for (const auto& [choice, unused] : choices) names.push_back(choice);
  app.add_option_function<std::string>(
         name,
         [name, choices, names, &value](const std::string& text) {
           const auto found =
               std::find_if(choices.begin(), choices.end(), [&](const auto& c) { return c.first == text; });
           if (found == choices.end()) {
             throw CLI::ValidationError(name, "'" + text + "' is none of " + absl::StrJoin(names, ", "));
           }
           value = found->second;
         },
         description)
      ->type_name(absl::StrJoin(names, "|"));
}

void AddQuery(CLI::App& app, QueryArguments& query) {
  AddChoice(app, "--as", query.as, {{"audio", Kind::kAudio}, {"midi", Kind::kMidi}},
            "What the file is, where its contents do not tell");
  AddTime(app, "--start", query.start_s, "Send the part from here: seconds, or m:ss (of a score: at its tempo)");
  AddTime(app, "--length", query.length_s, "... and for so long");
  app.add_option("--hop", query.hop_s, "Seconds between the windows that are compared")->type_name("SECONDS");
}

void AddSearch(Parser& p) {
  CLI::App& app =
      *p.app.add_subcommand("search", "Score snippets that match a sound; recorded ones that match a score");
  app.add_option("file", p.search.file, "Audio or MIDI file, or - for standard input")->required()->type_name("FILE");
  AddQuery(app, p.search.query);
  app.add_option("-k,--top-k", p.search.top_k, "Hits at most")->type_name("N");
  app.add_option("--snippets", p.search.snippets_dir, "Write what was matched into this folder, as .mid or .wav")
      ->type_name("DIR");
  app.final_callback([&p] { p.result.command = p.search; });
}

void AddIdentify(Parser& p) {
  CLI::App& app = *p.app.add_subcommand("identify", "Which piece is this, and where in it");
  app.add_option("files", p.identify.files, "Audio or MIDI files, or - for standard input")
      ->required()
      ->type_name("FILE");
  AddQuery(app, p.identify.query);
  app.add_option("-k,--top-k", p.identify.top_k, "Candidates at most")->type_name("N");
  app.add_option("--min-confidence", p.identify.min_confidence, "Below it the answer is: no match")->type_name("0..1");
  AddChoice(app, "--against", p.identify.against, {{"scores", v1::SIDE_SCORES}, {"recordings", v1::SIDE_RECORDINGS}},
            "What to compare with; recordings for MIDI only");
  AddChoice(app, "--method", p.identify.method,
            {{"in-time", v1::VOTE_METHOD_IN_TIME}, {"plain", v1::VOTE_METHOD_PLAIN}}, "How the windows vote");
  app.final_callback([&p] { p.result.command = p.identify; });
}

void AddEmbed(Parser& p) {
  CLI::App& app = *p.app.add_subcommand("embed", "The embeddings of a sound or a score, one for each window");
  app.add_option("file", p.embed.file, "Audio or MIDI file, or - for standard input")->required()->type_name("FILE");
  AddQuery(app, p.embed.query);
  app.add_option("--tempo-ratio", p.embed.tempo_ratio, "Read a score at this multiple of its tempo")
      ->type_name("RATIO");
  app.add_option("-o,--output", p.embed.output, "Write the embeddings as a NumPy array, float32 [windows, dimension]")
      ->type_name("FILE.npy");
  app.final_callback([&p] { p.result.command = p.embed; });
}

void AddCatalog(Parser& p) {
  CLI::App& pieces = *p.app.add_subcommand("pieces", "List the pieces of the collection");
  pieces.add_option("words", p.filter_words, "Only pieces whose id, title or composer contains each of these")
      ->type_name("WORD");
  pieces.add_option("-n,--limit", p.pieces.limit, "Pieces to show at most")->type_name("N")->check(CLI::PositiveNumber);
  pieces.final_callback([&p] {
    p.pieces.filter = absl::StrJoin(p.filter_words, " ");
    p.result.command = p.pieces;
  });

  CLI::App& piece = *p.app.add_subcommand("piece", "One piece, and the recordings of it");
  piece.add_option("id", p.piece.id, "Of the piece")->required()->type_name("ID");
  piece.final_callback([&p] { p.result.command = p.piece; });

  CLI::App& snippet = *p.app.add_subcommand("snippet", "Write part of a score (.mid) or of a recording (.wav)");
  snippet.add_option("id", p.snippet.id, "Of the piece or the recording")->required()->type_name("ID");
  AddTime(snippet, "--start", p.snippet.start_s, "From here: seconds, or m:ss");
  AddTime(snippet, "--end", p.snippet.end_s, "To here");
  snippet.add_option("-o,--output", p.snippet.output, "File to write; its ending tells score from recording")
      ->type_name("FILE.mid|FILE.wav");
  snippet.add_flag("--recording", p.snippet.of_recording, "ID is a recording, whatever the file is called");
  snippet.final_callback([&p] { p.result.command = p.snippet; });
}

void AddAll(Parser& p) {
  p.app.fallthrough();  // inherited by the subcommands: --server and the like may stand behind them
  p.app.add_option("--server", p.result.connection.server, "The server to ask, also as unix:PATH")
      ->type_name("HOST:PORT")
      ->envname("ANTIPHON_SERVER")
      ->capture_default_str();
  p.app.add_option("--timeout", p.result.connection.timeout_s, "Seconds to wait for an answer")
      ->type_name("SECONDS")
      ->capture_default_str()
      ->check([](const std::string& text) {
        const auto seconds = ParseTime(text);
        return seconds && *seconds >= 0.001 && *seconds <= 1e6 ? "" : "'" + text + "' is not 0.001 to 1000000 seconds";
      });
  p.app.add_flag("--json", p.result.json, "One line of JSON for each answer, failures included");
  p.app.set_version_flag("--version", ANTIPHON_VERSION, "Print the version, and exit");
  AddSearch(p);
  AddIdentify(p);
  AddCatalog(p);
  AddEmbed(p);
  p.app.add_subcommand("status", "What the server is doing, what it holds and what it accepts")->final_callback([&p] {
    p.result.command = StatusArguments{};
  });
  p.app.require_subcommand(0, 1);  // that there is one is checked afterwards, so that a misspelt one is named
  p.app.footer(std::string(kExamples) + "\n" + kExitCodeHelp);
}

absl::Status CheckSnippet(SnippetArguments& snippet, bool json) {
  if (absl::EndsWithIgnoreCase(snippet.output, ".wav")) {
    snippet.of_recording = true;
    return absl::OkStatus();
  }
  const bool midi =
      absl::EndsWithIgnoreCase(snippet.output, ".mid") || absl::EndsWithIgnoreCase(snippet.output, ".midi");
  if (midi && snippet.of_recording) {
    return absl::InvalidArgumentError("a recording is written as .wav: name another file with -o");
  }
  if (midi || snippet.output == "-" || (snippet.output.empty() && json)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "name the file to write: -o FILE.mid for part of a score, -o FILE.wav for part of a recording");
}

}  // namespace

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
    return absl::InvalidArgumentError("say what to do: search, identify, pieces, piece, snippet, embed or status");
  }
  if (auto* snippet = std::get_if<SnippetArguments>(&parser->result.command)) {
    if (absl::Status status = CheckSnippet(*snippet, parser->result.json); !status.ok()) return status;
    if (snippet->output == "-" && parser->result.json) {
      return absl::InvalidArgumentError("--json and -o - both want standard output: leave one out");
    }
  }
  return std::move(parser->result);
}

}  // namespace antiphon::client
