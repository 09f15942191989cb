#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/parser.h"

namespace antiphon::client {
namespace {

void AddQuery(CLI::App& app, QueryArguments& query) {
  AddChoice(app, "--as", query.as,
            {{"audio", Kind::kAudio}, {"score", Kind::kScore}, {"midi", Kind::kScore}},
            "What the file is, where its contents do not tell");
  AddTime(app, "--start", query.start_s,
          "Send the part from here: seconds, or m:ss (of a score: at its tempo)");
  AddTime(app, "--length", query.length_s, "... and for so long");
  app.add_option("--hop", query.hop_s, "Seconds between the windows that are compared")
      ->type_name("SECONDS");
}

void AddMatch(CLI::App& app, MatchArguments& match) {
  AddScope(app, match.scope);
  app.add_option("--min-similarity", match.min_similarity, "Leave out what is less similar")
      ->type_name("-1..1");
  app.add_flag("--evidence", match.evidence, "Show the windows that an answer was made from");
}

void AddSearch(CLI::App& parent, Command& command) {
  const auto search = std::make_shared<SearchArguments>();
  CLI::App& app = *parent.add_subcommand(
      "search", "Score snippets that match a sound; recorded ones that match a score");
  app.add_option("files", search->files, "Audio or scores, or - for standard input")
      ->required()
      ->type_name("FILE");
  AddQuery(app, search->query);
  AddMatch(app, search->match);
  app.add_option("-k,--top-k", search->top_k, "Hits at most")->type_name("N");
  app.add_option("--snippets", search->snippets_dir,
                 "Write what was matched into this folder, as .mid or .wav")
      ->type_name("DIR");
  app.final_callback([search, &command] { command = *search; });
}

// What `identify` collects before it is known whether it is about files, a long recording or a live
// stream.
struct Identify {
  IdentifyArguments files;
  IdentifyLiveArguments live;
  bool is_long = false, is_live = false;
};

StreamArguments StreamOf(const Identify& identify) {
  return {identify.files.match.scope, identify.files.top_k, identify.files.min_confidence,
          identify.files.against};
}

Command ToCommand(const Identify& identify, const CLI::App& app) {
  const IdentifyArguments& files = identify.files;
  if (identify.is_long) {
    if (files.files.empty()) throw CLI::RequiredError("files");
    return IdentifyLongArguments{files.files, files.query.start_s, files.query.length_s,
                                 StreamOf(identify)};
  }
  if (!identify.is_live) {
    if (files.files.empty()) throw CLI::RequiredError("files");
    return files;
  }
  if (files.files.size() > 1)
    throw CLI::ValidationError("--live", "takes one file, or the standard input");
  IdentifyLiveArguments live = identify.live;
  if (!files.files.empty()) live.file = files.files.front();
  live.start_s = files.query.start_s;
  live.length_s = files.query.length_s;
  live.stream = StreamOf(identify);
  if (live.file == "-" && (live.start_s || live.length_s || live.pace)) {
    throw CLI::ValidationError(
        "--live", "--start, --length and --pace are for files; cut raw samples before");
  }
  if (live.file != "-") CheckNoRawSamples(app);
  return live;
}

void AddIdentify(CLI::App& parent, Command& command) {
  const auto identify = std::make_shared<Identify>();
  IdentifyArguments& files = identify->files;
  IdentifyLiveArguments& live = identify->live;
  CLI::App& app = *parent.add_subcommand("identify", "Which piece is this, and where in it");
  app.add_option("files", files.files, "Audio or scores, or - for standard input")
      ->type_name("FILE");
  CLI::Option* is_long =
      app.add_flag("--long", identify->is_long,
                   "A long recording with several pieces in it: which from when to when");
  CLI::Option* is_live =
      app.add_flag("--live", identify->is_live,
                   "While it plays: raw samples from the standard input, or an audio file")
          ->excludes(is_long);
  AddQuery(app, files.query);
  AddMatch(app, files.match);
  app.add_option("-k,--top-k", files.top_k, "Candidates at most")->type_name("N");
  app.add_option("--min-confidence", files.min_confidence, "Below it the answer is: no match")
      ->type_name("0..1");
  app.add_option("--transpose", files.max_transposition,
                 "Where there is no match, try up to so many semitones higher and lower")
      ->type_name("0..12");
  AddChoice(app, "--against", files.against,
            {{"scores", v1::SIDE_SCORES}, {"recordings", v1::SIDE_RECORDINGS}},
            "What to compare with");
  AddChoice(app, "--method", files.method,
            {{"in-time", v1::VOTE_METHOD_IN_TIME}, {"plain", v1::VOTE_METHOD_PLAIN}},
            "How the windows vote");
  for (const char* name :
       {"--as", "--hop", "--min-similarity", "--evidence", "--transpose", "--method"}) {
    app.get_option(name)->excludes(is_long)->excludes(is_live);
  }
  const RawOptions raw = AddRawSamples(app, live.encoding, live.sample_rate, live.channels);
  for (CLI::Option* option : {raw.encoding, raw.rate, raw.channels}) option->needs(is_live);
  app.add_flag("--pace", live.pace, "Send a file as fast as it plays")->needs(is_live);
  app.final_callback([identify, &command, &app] { command = ToCommand(*identify, app); });
}

void AddEmbed(CLI::App& parent, Command& command) {
  const auto embed = std::make_shared<EmbedArguments>();
  CLI::App& app =
      *parent.add_subcommand("embed", "The embeddings of a sound or a score, one for each window");
  app.add_option("file", embed->file, "Audio or a score, or - for standard input")
      ->required()
      ->type_name("FILE");
  AddQuery(app, embed->query);
  app.add_option("--tempo-ratio", embed->tempo_ratio, "Read a score at this multiple of its tempo")
      ->type_name("RATIO");
  app.add_option("-o,--output", embed->output,
                 "Write the embeddings as a NumPy array, float32 [windows, dimension]")
      ->type_name("FILE.npy");
  app.final_callback([embed, &command] { command = *embed; });
}

}  // namespace

void AddQueryCommands(CLI::App& app, Command& command) {
  AddSearch(app, command);
  AddIdentify(app, command);
  AddEmbed(app, command);
}

}  // namespace antiphon::client
