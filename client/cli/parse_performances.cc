#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "client/cli/parser.h"

namespace antiphon::client {
namespace {

const std::vector<std::pair<std::string, AlignFormat>> kFormats = {
    {"table", AlignFormat::kTable},
    {"json", AlignFormat::kJson},
    {"tsv", AlignFormat::kTsv},
    {"audacity", AlignFormat::kAudacity},
    {"sonic-visualiser", AlignFormat::kSonicVisualiser},
    {"midi", AlignFormat::kMidi}};

// What files of these names usually are.
const std::vector<std::pair<std::string, AlignFormat>> kExtensions = {
    {".json", AlignFormat::kJson},    {".tsv", AlignFormat::kTsv},
    {".txt", AlignFormat::kAudacity}, {".csv", AlignFormat::kSonicVisualiser},
    {".mid", AlignFormat::kMidi},     {".midi", AlignFormat::kMidi}};

void CheckAlign(AlignArguments& align, bool format_given, bool json) {
  for (const auto& [extension, format] : kExtensions) {
    if (!format_given && absl::EndsWithIgnoreCase(align.output, extension)) align.format = format;
  }
  if (json && format_given && align.format != AlignFormat::kJson)
    throw CLI::ValidationError("--format", "and --json exclude each other");
  if (json) align.format = AlignFormat::kJson;
  if (align.format == AlignFormat::kMidi && align.output.empty())
    throw CLI::ValidationError("--format", "midi needs a place to go: -o FILE.mid, or -o -");
  if (align.each && (align.format == AlignFormat::kMidi || align.format == AlignFormat::kJson))
    throw CLI::ValidationError("--each", "is for formats with lines");
  if (!align.score_file.empty() && !align.scope.piece_ids.empty())
    throw CLI::ValidationError("--piece", "is for a recording without a score beside it");
  if (align.scope.piece_ids.size() == 1) {
    align.piece_id = align.scope.piece_ids.front();
    align.scope.piece_ids.clear();
  }
}

void AddAlign(CLI::App& parent, Command& command) {
  const auto align = std::make_shared<AlignArguments>();
  CLI::App& app = *parent.add_subcommand(
      "align", "When is each bar, beat and note of a score played in a recording");
  app.add_option("file", align->file, "The recording, or - for standard input")
      ->required()
      ->type_name("FILE");
  app.add_option("score", align->score_file,
                 "What it is a recording of; else --piece, or the piece that it is found to be")
      ->type_name("SCORE");
  AddScope(app, align->scope);
  AddTime(app, "--start", align->start_s, "Only the part from here: seconds, or m:ss");
  AddTime(app, "--length", align->length_s, "... and for so long");
  app.add_flag("--as-written", align->as_written,
               "It is played as it is written: look for no repeats left out or added, and no cuts");
  CLI::Option* format = AddChoice(app, "--format", align->format, kFormats,
                                  "What to write [as the name of the file says, or a table]");
  AddChoice(app, "--each", align->each,
            {{"bar", AlignUnit::kBar}, {"beat", AlignUnit::kBeat}, {"note", AlignUnit::kNote}},
            "What has a line of its own [bar; in a tsv, beat]");
  app.add_option("-o,--output", align->output, "Write it to this file, or - for standard output")
      ->type_name("FILE");
  app.final_callback([align, &command, &parent, format] {
    CheckAlign(*align, format->count() > 0, parent.count("--json") > 0);
    command = *align;
  });
}

void AddFollow(CLI::App& parent, Command& command) {
  const auto follow = std::make_shared<FollowArguments>();
  CLI::App& app = *parent.add_subcommand("follow", "Where in a score is the music, while it plays");
  CLI::Option* score =
      app.add_option("--score", follow->score_file, "What is played")->type_name("FILE");
  CLI::Option* piece = app.add_option("--piece", follow->piece_id,
                                      "... or which piece of the "
                                      "collection")
                           ->type_name("ID")
                           ->excludes(score);
  app.add_option("file", follow->file, "Audio, or - for raw samples from the standard input [-]")
      ->type_name("FILE");
  AddRawSamples(app, follow->encoding, follow->sample_rate, follow->channels);
  app.add_flag("--pace", follow->pace, "Send a file as fast as it plays");
  AddTime(app, "--start", follow->start_s, "Send the part of a file from here: seconds, or m:ss");
  AddTime(app, "--length", follow->length_s, "... and for so long");
  AddTime(app, "--from", follow->from_s,
          "Playing begins here, not at the beginning of the score: seconds at its tempo, or m:ss");
  app.add_option("--update", follow->update_s, "Seconds between answers")->type_name("0.02..1");
  app.add_option("--midi-clock", follow->midi_clock,
                 "Write a MIDI clock that keeps to the music to this device or file")
      ->type_name("FILE");
  app.final_callback([follow, &command, &app, score, piece] {
    if (score->count() + piece->count() == 0)
      throw CLI::ValidationError("follow", "say what is played: --score FILE or --piece ID");
    if (follow->file == "-" && (follow->start_s || follow->length_s || follow->pace)) {
      throw CLI::ValidationError(
          "follow", "--start, --length and --pace are for files; cut raw samples before");
    }
    if (follow->file != "-") CheckNoRawSamples(app);
    command = *follow;
  });
}

void AddTranscribe(CLI::App& parent, Command& command) {
  const auto transcribe = std::make_shared<TranscribeArguments>();
  CLI::App& app = *parent.add_subcommand(
      "transcribe", "The notes of a sound, from the scores of the collection that it is like");
  app.add_option("file", transcribe->file, "Audio, or - for standard input")
      ->required()
      ->type_name("FILE");
  AddScope(app, transcribe->scope);
  AddTime(app, "--start", transcribe->start_s, "Only the part from here: seconds, or m:ss");
  AddTime(app, "--length", transcribe->length_s, "... and for so long");
  app.add_option("--min-similarity", transcribe->min_similarity,
                 "Leave a gap where nothing is as similar")
      ->type_name("-1..1");
  app.add_flag_callback(
      "--no-velocity", [transcribe] { transcribe->velocity = false; },
      "Write all notes equally loud");
  app.add_option("-o,--output", transcribe->output,
                 "Write the notes to this MIDI file, or - for "
                 "standard output")
      ->type_name("FILE.mid");
  app.final_callback([transcribe, &command, &parent] {
    if (transcribe->output == "-" && parent.count("--json") > 0)
      throw CLI::ValidationError("--output", "and --json both go to standard output");
    command = *transcribe;
  });
}

}  // namespace

void AddPerformanceCommands(CLI::App& app, Command& command) {
  AddAlign(app, command);
  AddFollow(app, command);
  AddTranscribe(app, command);
}

}  // namespace antiphon::client
