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

void AddParts(CLI::App& app, std::optional<bool>& with_parts) {
  CLI::Option* const parts = app.add_flag_callback(
      "--parts", [&with_parts] { with_parts = true; }, "Find each of its parts by itself, too");
  app.add_flag_callback(
         "--no-parts", [&with_parts] { with_parts = false; },
         "Find it whole only [as the collection was indexed]")
      ->excludes(parts);
}

void AddWork(CLI::App& app, std::optional<std::string>& work_id) {
  app.add_option("--work-id", work_id, "The work that it is an edition of")->type_name("ID");
}

// What names one thing is of no use with several.
void CheckNamesOne(const CLI::App& app, size_t count, const std::vector<std::string>& options) {
  for (const std::string& option : options) {
    if (count > 1 && app.count(option) > 0)
      throw CLI::ValidationError(option, "is for one at a time; leave it out with several");
  }
}

void AddId(CLI::App& app, std::string& id, const std::string& of) {
  app.add_option("id", id, "Of the " + of)->required()->type_name("ID");
}

void AddList(CLI::App& parent, Command& command, const std::string& name, bool recordings) {
  struct List {
    ListArguments arguments{};
    std::vector<std::string> words{};
    bool same_music = false;
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
  if (!recordings) {
    app.add_flag("--same-music", list->same_music,
                 "Instead, pairs of pieces that hold the same music; of one piece, if its id is "
                 "given in place of words");
  }
  app.final_callback([list, &command] {
    if (!list->same_music) {
      list->arguments.filter = absl::StrJoin(list->words, " ");
      command = list->arguments;
      return;
    }
    if (list->words.size() > 1)
      throw CLI::ValidationError("--same-music", "takes the id of one piece, or none");
    command =
        SameMusicArguments{list->words.empty() ? "" : list->words.front(), list->arguments.limit};
  });
}

void AddOutput(CLI::App& app, ShowArguments& show) {
  if (show.recording) return;
  app.add_option("-o,--output", show.output, "Write its score there, as it was given")
      ->type_name("FILE");
}

// `piece ID`, short for `piece show ID`: no subcommand is called like an id that is written with
// it.
void AddShow(CLI::App& group, Command& command, const std::string& of, bool recording) {
  const auto show = std::make_shared<ShowArguments>();
  show->recording = recording;
  CLI::App& app = *group.add_subcommand(
      "show", "The same as with the id alone, for an id that is a command's name");
  AddId(app, show->id, of);
  AddOutput(app, *show);
  app.final_callback([show, &command] { command = *show; });

  const auto brief = std::make_shared<ShowArguments>();
  brief->recording = recording;
  group.add_option("id", brief->id, "Of the " + of)->type_name("ID");
  AddOutput(group, *brief);
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
  CLI::App& app =
      *group.add_subcommand("delete", "Take one " + of + " or several out of the collection");
  app.add_option("ids", gone->ids, "Of the " + of + "s")->required()->type_name("ID");
  AddVersion(app, gone->expected_version);
  if (!recording)
    app.add_flag("--with-recordings", gone->with_recordings, "... and the recordings of it");
  app.final_callback([gone, &command, &app] {
    CheckNamesOne(app, gone->ids.size(), {"--expected-version"});
    command = *gone;
  });
}

// Of add-all.
void AddFolder(CLI::App& app, AddFolderArguments& folder, const std::string& columns) {
  app.add_option("folder", folder.folder, "Its metadata.tsv, if any, gives " + columns)
      ->required()
      ->type_name("FOLDER");
  app.add_option("--collection", folder.collection,
                 "What to file those under for which metadata.tsv has no collection")
      ->type_name("NAME");
  app.add_flag("--skip-existing", folder.skip_existing,
               "An id that is there already is no failure");
}

void AddPieceEdits(CLI::App& group, Command& command) {
  struct Add {
    AddPieceArguments arguments{};
    std::optional<std::string> work_id{};
  };
  const auto add = std::make_shared<Add>();
  CLI::App& one = *group.add_subcommand("add", "Add pieces");
  one.add_option("files", add->arguments.files,
                 "Scores (MIDI, MusicXML, Humdrum, ABC), or - for standard input")
      ->required()
      ->type_name("FILE.mid");
  one.add_option("--id", add->arguments.id, "Of the piece [the file's name]")->type_name("ID");
  AddLabel(one, add->arguments.label);
  AddWork(one, add->work_id);
  AddParts(one, add->arguments.with_parts);
  one.final_callback([add, &command, &one] {
    CheckNamesOne(one, add->arguments.files.size(), {"--id", "--title"});
    add->arguments.work_id = add->work_id.value_or("");
    command = add->arguments;
  });

  const auto all = std::make_shared<AddPiecesArguments>();
  CLI::App& many =
      *group.add_subcommand("add-all", "Add every score below a folder, in one stream");
  AddFolder(many, all->folder, "titles, composers, collections and works");
  AddParts(many, all->with_parts);
  many.final_callback([all, &command] { command = *all; });

  const auto update = std::make_shared<UpdatePieceArguments>();
  CLI::App& app =
      *group.add_subcommand("update", "Change a piece; what is not given stays as it is");
  AddId(app, update->id, "piece");
  AddLabel(app, update->label);
  AddWork(app, update->work_id);
  AddParts(app, update->with_parts);
  app.add_option("--score", update->score_file, "File to take the place of its score")
      ->type_name("FILE.mid");
  AddVersion(app, update->expected_version);
  app.final_callback([update, &command] { command = *update; });
}

void AddAcceptDamaged(CLI::App& app, bool& accept) {
  app.add_flag("--accept-damaged", accept, "Even if less than half of it can be decoded");
}

void AddRecordingEdits(CLI::App& group, Command& command) {
  const auto add = std::make_shared<AddRecordingArguments>();
  CLI::App& one = *group.add_subcommand("add", "Add recordings");
  one.add_option("files", add->files, "Audio files, or - for standard input")
      ->required()
      ->type_name("FILE");
  one.add_option("--id", add->id, "Of the recording [the file's name]")->type_name("ID");
  AddLabel(one, add->label);
  one.add_option("--piece", add->piece_id, "What it is a recording of")->type_name("ID");
  AddAcceptDamaged(one, add->accept_damaged);
  one.final_callback([add, &command, &one] {
    CheckNamesOne(one, add->files.size(), {"--id", "--title"});
    command = *add;
  });

  const auto all = std::make_shared<AddRecordingsArguments>();
  CLI::App& many = *group.add_subcommand("add-all", "Add every audio file below a folder");
  AddFolder(many, all->folder, "pieces (piece_id), titles, composers and collections");
  many.add_option("--piece", all->piece_id,
                  "What those are recordings of for which metadata.tsv has no piece_id")
      ->type_name("ID");
  AddAcceptDamaged(many, all->accept_damaged);
  many.final_callback([all, &command] { command = *all; });

  const auto update = std::make_shared<UpdateRecordingArguments>();
  CLI::App& app =
      *group.add_subcommand("update", "Change a recording; what is not given stays as it is");
  AddId(app, update->id, "recording");
  AddLabel(app, update->label);
  app.add_option("--piece", update->piece_id, "What it is a recording of")->type_name("ID");
  app.add_option("--audio", update->audio_file, "Audio file to take the place of its sound")
      ->type_name("FILE");
  AddAcceptDamaged(app, update->accept_damaged);
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
