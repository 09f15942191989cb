#include <memory>

#include "absl/strings/match.h"
#include "client/cli/parser.h"

namespace antiphon::client {
namespace {

void AddLabel(CLI::App& app, LabelArguments& label) {
  app.add_option("--title", label.title, "What it is called")->type_name("TEXT");
  app.add_option("--composer", label.composer, "Who wrote it")->type_name("TEXT");
  app.add_option("--collection", label.collection, "What to file it under")->type_name("NAME");
}

void AddVersion(CLI::App& app, std::optional<int64_t>& version) {
  app.add_option("--expected-version", version,
                 "Only if this is its version: nobody has changed it in between")
      ->type_name("N");
}

void AddId(CLI::App& app, std::string& id, const std::string& of) {
  app.add_option("id", id, "Of the " + of)->required()->type_name("ID");
}

void AddList(CLI::App& parent, Command& command, const std::string& name, bool recordings) {
  struct List {
    ListArguments arguments{};
    std::vector<std::string> words{};
  };
  const auto list = std::make_shared<List>();
  list->arguments.recordings = recordings;
  const std::string what = recordings ? "recordings" : "pieces";
  CLI::App& app = *parent.add_subcommand(name, "List the " + what + " of the collection");
  app.add_option("words", list->words,
                 "Only " + what + " whose id, title or composer contains each of these")
      ->type_name("WORD");
  app.add_option("-n,--limit", list->arguments.limit, "Show so many at most")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  app.final_callback([list, &command] {
    list->arguments.filter = absl::StrJoin(list->words, " ");
    command = list->arguments;
  });
}

// `piece ID`, short for `piece show ID`: no subcommand is called like an id that is written with
// it.
void AddShow(CLI::App& group, Command& command, const std::string& of, bool recording) {
  const auto show = std::make_shared<ShowArguments>();
  show->recording = recording;
  CLI::App& app = *group.add_subcommand(
      "show", "The same as with the id alone, for an id that is a command's name");
  AddId(app, show->id, of);
  app.final_callback([show, &command] { command = *show; });

  const auto brief = std::make_shared<ShowArguments>();
  brief->recording = recording;
  group.add_option("id", brief->id, "Of the " + of)->type_name("ID");
  group.require_subcommand(0, 1);
  group.final_callback([brief, &command, &group, of] {
    if (!group.get_subcommands().empty()) {
      if (!brief->id.empty()) throw CLI::ExtrasError(std::vector<std::string>{brief->id});
      return;
    }
    if (brief->id.empty())
      throw CLI::RequiredError("the id of the " + of + ", or what to do with it");
    command = *brief;
  });
}

void AddDelete(CLI::App& group, Command& command, const std::string& of, bool recording) {
  const auto gone = std::make_shared<DeleteArguments>();
  gone->recording = recording;
  CLI::App& app = *group.add_subcommand("delete", "Take a " + of + " out of the collection");
  AddId(app, gone->id, of);
  AddVersion(app, gone->expected_version);
  if (!recording)
    app.add_flag("--with-recordings", gone->with_recordings, "... and the recordings of it");
  app.final_callback([gone, &command] { command = *gone; });
}

void AddPieceEdits(CLI::App& group, Command& command) {
  const auto add = std::make_shared<AddPieceArguments>();
  CLI::App& one = *group.add_subcommand("add", "Add a piece");
  one.add_option("file", add->file, "MIDI file, or - for standard input")
      ->required()
      ->type_name("FILE.mid");
  one.add_option("--id", add->id, "Of the piece [the file's name]")->type_name("ID");
  AddLabel(one, add->label);
  one.final_callback([add, &command] { command = *add; });

  const auto all = std::make_shared<AddPiecesArguments>();
  CLI::App& many =
      *group.add_subcommand("add-all", "Add every MIDI file below a folder, in one stream");
  many.add_option("folder", all->folder,
                  "Its metadata.tsv, if any, gives titles, composers and collections")
      ->required()
      ->type_name("FOLDER");
  many.add_option("--collection", all->collection,
                  "What to file those under for which metadata.tsv has no collection")
      ->type_name("NAME");
  many.add_flag("--skip-existing", all->skip_existing,
                "A piece that is there already is no failure");
  many.final_callback([all, &command] { command = *all; });

  const auto update = std::make_shared<UpdatePieceArguments>();
  CLI::App& app =
      *group.add_subcommand("update", "Change a piece; what is not given stays as it is");
  AddId(app, update->id, "piece");
  AddLabel(app, update->label);
  app.add_option("--score", update->score_file, "MIDI file to take the place of its score")
      ->type_name("FILE.mid");
  AddVersion(app, update->expected_version);
  app.final_callback([update, &command] { command = *update; });
}

void AddRecordingEdits(CLI::App& group, Command& command) {
  const auto add = std::make_shared<AddRecordingArguments>();
  CLI::App& one = *group.add_subcommand("add", "Add a recording");
  one.add_option("file", add->file, "Audio file, or - for standard input")
      ->required()
      ->type_name("FILE");
  one.add_option("--id", add->id, "Of the recording [the file's name]")->type_name("ID");
  AddLabel(one, add->label);
  one.add_option("--piece", add->piece_id, "What it is a recording of")->type_name("ID");
  one.final_callback([add, &command] { command = *add; });

  const auto update = std::make_shared<UpdateRecordingArguments>();
  CLI::App& app =
      *group.add_subcommand("update", "Change a recording; what is not given stays as it is");
  AddId(app, update->id, "recording");
  AddLabel(app, update->label);
  app.add_option("--piece", update->piece_id, "What it is a recording of")->type_name("ID");
  app.add_option("--audio", update->audio_file, "Audio file to take the place of its sound")
      ->type_name("FILE");
  AddVersion(app, update->expected_version);
  app.final_callback([update, &command] { command = *update; });
}

// Where a snippet goes, and whether it is of a score or a recording.
void CheckSnippet(SnippetArguments& snippet, bool json) {
  const bool wav = absl::EndsWithIgnoreCase(snippet.output, ".wav");
  const bool midi = absl::EndsWithIgnoreCase(snippet.output, ".mid") ||
                    absl::EndsWithIgnoreCase(snippet.output, ".midi");
  if (midi && snippet.of_recording) {
    throw CLI::ValidationError("--output",
                               "a recording is written as .wav: name another file with -o");
  }
  if (snippet.output == "-" && json) {
    throw CLI::ValidationError("--output",
                               "--json and -o - both want standard output: leave one out");
  }
  if (!wav && !midi && snippet.output != "-" && !(snippet.output.empty() && json)) {
    throw CLI::ValidationError("--output",
                               "name the file to write: -o FILE.mid for part of a score, -o "
                               "FILE.wav for part of a recording");
  }
  snippet.of_recording = snippet.of_recording || wav;
}

void AddSnippet(CLI::App& parent, Command& command) {
  const auto snippet = std::make_shared<SnippetArguments>();
  CLI::App& app =
      *parent.add_subcommand("snippet", "Write part of a score (.mid) or of a recording (.wav)");
  app.add_option("id", snippet->id, "Of the piece or the recording")->required()->type_name("ID");
  AddTime(app, "--start", snippet->start_s, "From here: seconds, or m:ss");
  AddTime(app, "--end", snippet->end_s, "To here");
  app.add_option("-o,--output", snippet->output,
                 "File to write; its ending tells score from recording")
      ->type_name("FILE.mid|FILE.wav");
  app.add_flag("--recording", snippet->of_recording,
               "ID is a recording, whatever the file is called");
  app.final_callback([snippet, &command, &parent] {
    CheckSnippet(*snippet, parent.count("--json") > 0);
    command = *snippet;
  });
}

}  // namespace

void AddCatalogCommands(CLI::App& app, Command& command) {
  AddList(app, command, "pieces", /*recordings=*/false);

  CLI::App& piece = *app.add_subcommand(
      "piece", "One piece, and the recordings of it; or add, change, delete one");
  AddPieceEdits(piece, command);
  AddDelete(piece, command, "piece", /*recording=*/false);
  AddShow(piece, command, "piece", /*recording=*/false);

  CLI::App& recording =
      *app.add_subcommand("recording", "One recording; or list, add, change, delete");
  AddList(recording, command, "list", /*recordings=*/true);
  AddRecordingEdits(recording, command);
  AddDelete(recording, command, "recording", /*recording=*/true);
  AddShow(recording, command, "recording", /*recording=*/true);

  AddSnippet(app, command);
}

}  // namespace antiphon::client
