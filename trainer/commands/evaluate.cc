#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/encoder/window_encoder.h"
#include "trainer/commands/given_options.h"
#include "trainer/commands/subcommands.h"
#include "trainer/data/soundfonts.h"
#include "trainer/data/split.h"
#include "trainer/datasets/degradation.h"
#include "trainer/evaluation/suites.h"
#include "trainer/learning/training.h"

namespace antiphon::trainer::commands {
namespace {

using metrics::Report;

struct Flags {
  std::string suite, model, asap, recordings, recorded_scores, split_file, work, errors, json;
  std::string corpora, songbook, bundle, bach10, editions = evaluation::EditionsOptions().list;
  std::string part = "test";
  std::string soundfont = data::kEvaluationSoundfont;
  std::string architecture = "residual";
  std::string precision = "auto";
  std::string device = encoder::EncoderOptions().device;
  bool no_untrained = false, render_only = false;
  int performances = 0, render_threads = 0, threads = 0, max_transposition = 0;
  int snippets = evaluation::SnippetsOptions().snippets;
  bool centre_scores = false, all_onsets = true;
  std::optional<int> excerpts;  // the suite's own without it
  int works = 0, listed = 0, varied = evaluation::AlignmentOptions().varied;
  bool own_instruments = false, with_parts = false;
  std::vector<std::string> degradations, distractors, scores;  // scores: folders
  std::vector<int> sizes;                                      // empty: the suite's own
  uint64_t seed = 1;

  // Of the suites that take one folder of scores.
  std::string folder() const { return scores.empty() ? "" : scores.front(); }
  std::string renditions() const { return work + "/renditions"; }
  std::string reference_collections() const { return work + "/catalogues"; }
};

// An untrained network of the model's own features and dimension.
absl::Status MakeUntrained(const Flags& flags, const std::string& directory) {
  ASSIGN_OR_RETURN(const learning::Architecture architecture,
                   learning::ParseArchitecture(flags.architecture));
  ASSIGN_OR_RETURN(const auto encoder, encoder::LoadEncoder(flags.model + "/audio_encoder.pt",
                                                            encoder::Modality::kAudio));
  return learning::ExportUntrained(architecture, encoder->info().settings,
                                   encoder->info().dimension, flags.seed, directory);
}

absl::StatusOr<evaluation::ModelOptions> Models(const Flags& flags) {
  evaluation::ModelOptions options;
  options.model = flags.model;
  options.encoder.device = flags.device;
  options.with_parts = flags.with_parts;
  if (flags.precision == "float32") options.encoder.precision = encoder::Precision::kFloat32;
  if (flags.precision == "bfloat16") options.encoder.precision = encoder::Precision::kBFloat16;
  if (flags.no_untrained) return options;
  options.untrained = flags.work + "/untrained";
  RETURN_IF_ERROR(MakeUntrained(flags, options.untrained));
  return options;
}

absl::StatusOr<datasets::TestSetOptions> TestSet(const Flags& flags) {
  datasets::TestSetOptions options;
  options.midi_dir = flags.folder();
  if (!flags.split_file.empty()) {
    ASSIGN_OR_RETURN(options.split, data::Split::Read(flags.split_file));
  }
  ASSIGN_OR_RETURN(options.part, data::ParsePart(flags.part));
  options.soundfont = flags.soundfont;
  options.cache = flags.renditions();
  options.own_instruments = flags.own_instruments;
  return options;
}

evaluation::AsapOptions Asap(const Flags& flags) {
  evaluation::AsapOptions options;
  options.folder = flags.asap;
  options.performances = flags.performances;
  options.renditions.folder = flags.renditions();
  options.renditions.soundfont = flags.soundfont;
  options.threads = flags.render_threads;
  return options;
}

absl::StatusOr<Report> Snippets(const Flags& flags, Progress& progress) {
  evaluation::SnippetsOptions options;
  ASSIGN_OR_RETURN(options.models, Models(flags));
  ASSIGN_OR_RETURN(options.test_set, TestSet(flags));
  options.snippets = flags.snippets;
  options.centre_scores = flags.centre_scores;
  options.all_onsets = flags.all_onsets;
  options.seed = flags.seed;
  return evaluation::EvaluateSnippets(options, progress);
}

absl::StatusOr<Report> Pieces(const Flags& flags, Progress& progress) {
  evaluation::PiecesOptions options;
  ASSIGN_OR_RETURN(options.models, Models(flags));
  ASSIGN_OR_RETURN(options.test_set, TestSet(flags));
  options.work = flags.work + "/bundle";
  return evaluation::EvaluatePieces(options, progress);
}

absl::StatusOr<Report> Performances(const Flags& flags, Progress& progress) {
  evaluation::PerformancesOptions options;
  ASSIGN_OR_RETURN(options.models, Models(flags));
  options.asap = Asap(flags);
  options.reference_collections = flags.reference_collections();
  options.errors = flags.errors;
  options.seed = flags.seed;
  return evaluation::EvaluatePerformances(options, progress);
}

absl::StatusOr<Report> Recordings(const Flags& flags, Progress& progress) {
  evaluation::RecordingsOptions options;
  ASSIGN_OR_RETURN(options.models, Models(flags));
  options.midi_dir = flags.folder();
  options.recordings = flags.recordings;
  options.excerpts = flags.excerpts.value_or(options.excerpts);
  options.degradations = flags.degradations;
  if (std::erase(options.degradations, "all") > 0) {
    options.degradations = datasets::DegradationNames();
  }
  options.max_transposition = flags.max_transposition;
  options.reference_collections = flags.reference_collections();
  options.errors = flags.errors;
  options.soundfont = flags.soundfont;
  options.seed = flags.seed;
  return evaluation::EvaluateRecordings(options, progress);
}

absl::StatusOr<Report> Unknown(const Flags& flags, Progress& progress) {
  evaluation::UnknownOptions options;
  ASSIGN_OR_RETURN(options.models, Models(flags));
  options.asap = Asap(flags);
  options.max_transposition = flags.max_transposition;
  options.distractors = flags.distractors;
  if (!flags.sizes.empty()) options.sizes = flags.sizes;
  options.recordings = flags.recordings;
  options.midi_dir = flags.folder();
  options.reference_collections = flags.reference_collections();
  options.seed = flags.seed;
  return evaluation::EvaluateUnknown(options, progress);
}

absl::StatusOr<Report> Editions(const Flags& flags, Progress& progress) {
  evaluation::EditionsOptions options;
  ASSIGN_OR_RETURN(options.models, Models(flags));
  options.corpora = flags.corpora;
  options.list = flags.editions;
  options.soundfont = flags.soundfont;
  options.reference_collections = flags.reference_collections();
  options.seed = flags.seed;
  return evaluation::EvaluateEditions(options, progress);
}

absl::StatusOr<Report> Tracks(const Flags& flags, Progress& progress) {
  evaluation::TracksOptions options;
  ASSIGN_OR_RETURN(options.models, Models(flags));
  options.songbook = flags.songbook;
  options.recordings = flags.recordings;
  options.midi_dir = flags.folder();
  options.asap = Asap(flags);
  options.soundfont = flags.soundfont;
  options.reference_collections = flags.reference_collections();
  options.seed = flags.seed;
  return evaluation::EvaluateTracks(options, progress);
}

absl::StatusOr<Report> Ensemble(const Flags& flags, Progress& progress) {
  evaluation::EnsembleOptions options;
  ASSIGN_OR_RETURN(options.models, Models(flags));
  options.midi_dir = flags.folder();
  options.bundle = flags.bundle;
  options.recordings = flags.recordings;
  options.excerpts = flags.excerpts.value_or(options.excerpts);
  options.reference_collections = flags.reference_collections();
  options.seed = flags.seed;
  return evaluation::EvaluateEnsemble(options, progress);
}

absl::StatusOr<Report> Violin(const Flags& flags, Progress& progress) {
  evaluation::ViolinOptions options;
  ASSIGN_OR_RETURN(options.models, Models(flags));
  options.midi_dir = flags.folder();
  options.bundle = flags.bundle;
  options.recordings = flags.recordings;
  options.distractors = flags.distractors;
  options.asap = flags.asap;
  options.excerpts = flags.excerpts.value_or(options.excerpts);
  options.reference_collections = flags.reference_collections();
  options.seed = flags.seed;
  return evaluation::EvaluateViolin(options, progress);
}

absl::StatusOr<Report> Rendered(const Flags& flags, Progress& progress) {
  evaluation::RenderedOptions options;
  ASSIGN_OR_RETURN(options.models, Models(flags));
  options.scores = flags.scores;
  options.works = flags.works;
  options.listed = flags.listed;
  options.bundle = flags.bundle;
  options.excerpts = flags.excerpts.value_or(options.excerpts);
  options.soundfont = flags.soundfont;
  options.reference_collections = flags.reference_collections();
  options.seed = flags.seed;
  return evaluation::EvaluateRendered(options, progress);
}

absl::StatusOr<Report> CatalogSize(const Flags& flags, Progress& progress) {
  evaluation::CatalogSizeOptions options;
  ASSIGN_OR_RETURN(options.models, Models(flags));
  options.asap = Asap(flags);
  options.midi_dir = flags.folder();
  options.recordings = flags.recordings;
  options.distractors = flags.distractors;
  options.bundle = flags.bundle;
  if (!flags.sizes.empty()) options.sizes = flags.sizes;
  options.reference_collections = flags.reference_collections();
  options.seed = flags.seed;
  return evaluation::EvaluateCatalogSize(options, progress);
}

absl::StatusOr<Report> Transcription(const Flags& flags, Progress& progress) {
  evaluation::TranscriptionOptions options;
  ASSIGN_OR_RETURN(options.models, Models(flags));
  ASSIGN_OR_RETURN(options.test_set, TestSet(flags));
  options.snippets = flags.snippets;
  options.pieces = flags.works;
  options.recordings = flags.recordings;
  options.scores = flags.recorded_scores;
  options.reference_collections = flags.reference_collections();
  options.seed = flags.seed;
  return evaluation::EvaluateTranscription(options, progress);
}

absl::StatusOr<Report> Alignment(const Flags& flags, Progress& progress) {
  evaluation::AlignmentOptions options;
  options.asap = Asap(flags);
  options.recordings = flags.recordings;
  options.midi_dir = flags.folder();
  options.bach10 = flags.bach10;
  options.varied = flags.varied;
  options.seed = flags.seed;
  return evaluation::EvaluateAlignment(options, progress);
}

absl::StatusOr<Report> Following(const Flags& flags, Progress& progress) {
  evaluation::FollowingOptions options;
  options.asap = Asap(flags);
  options.recordings = flags.recordings;
  options.midi_dir = flags.folder();
  options.bach10 = flags.bach10;
  ASSIGN_OR_RETURN(options.part, data::ParsePart(flags.part));
  options.seed = flags.seed;
  return evaluation::EvaluateFollowing(options, progress);
}

using Names = std::vector<std::string>;

// How a suite runs, the options that it needs and those that can act on it besides.
struct Suite {
  absl::StatusOr<Report> (*run)(const Flags&, Progress&);
  Names needed, possible;
};

const Names kAlways = {"--suite", "--work", "--json"};
const Names kOfModels = {"--no-untrained", "--architecture", "--seed",
                         "--precision",    "--device",       "--threads"};
const Names kOfTestSet = {"--split", "--part", "--soundfont", "--own-instruments"};
const Names kOfAsap = {"--performances", "--render-threads", "--render-only", "--soundfont",
                       "--seed"};
const Names kOfRenderOnly = {"--suite", "--work", "--asap"};  // and kOfAsap

bool Holds(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Names Joined(std::initializer_list<Names> lists) {
  Names all;
  for (const Names& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

// By name.
const std::map<std::string, Suite> kSuites = {
    {"snippets",
     {&Snippets,
      {"--model", "--scores"},
      Joined({kOfModels, kOfTestSet, {"--snippets", "--centre-scores", "--no-all-onsets"}})}},
    {"pieces", {&Pieces, {"--model", "--scores"}, Joined({kOfModels, kOfTestSet})}},
    {"performances",
     {&Performances, {"--model", "--asap"}, Joined({kOfModels, kOfAsap, {"--errors"}})}},
    {"recordings",
     {&Recordings,
      {"--model", "--scores", "--recordings"},
      Joined({kOfModels, {"--excerpts", "--degrade", "--transpose", "--errors", "--soundfont"}})}},
    {"unknown",
     {&Unknown,
      {"--model", "--asap"},
      Joined({kOfModels,
              kOfAsap,
              {"--transpose", "--recordings", "--scores", "--distractors", "--sizes"}})}},
    {"editions",
     {&Editions, {"--model", "--corpora"}, Joined({kOfModels, {"--editions", "--soundfont"}})}},
    {"tracks",
     {&Tracks,
      {"--model"},
      Joined({kOfModels, kOfAsap, {"--asap", "--songbook", "--recordings", "--scores"}})}},
    {"ensemble",
     {&Ensemble,
      {"--model", "--recordings"},
      Joined({kOfModels, {"--scores", "--bundle", "--excerpts", "--parts"}})}},
    {"violin",
     {&Violin,
      {"--model", "--recordings"},
      Joined({kOfModels,
              {"--scores", "--bundle", "--excerpts", "--distractors", "--asap", "--parts"}})}},
    {"rendered",
     {&Rendered,
      {"--model", "--scores"},
      Joined({kOfModels,
              {"--works", "--listed", "--bundle", "--excerpts", "--soundfont", "--parts"}})}},
    {"catalogue-size",
     {&CatalogSize,
      {"--model", "--scores", "--recordings"},
      Joined({kOfModels, kOfAsap, {"--asap", "--distractors", "--sizes", "--bundle"}})}},
    {"transcription",
     {&Transcription,
      {"--model", "--scores"},
      Joined({kOfModels,
              kOfTestSet,
              {"--snippets", "--works", "--recordings", "--recorded-scores"}})}},
    {"alignment",
     {&Alignment,
      {},
      Joined({kOfAsap, {"--asap", "--recordings", "--scores", "--bach10", "--varied"}})}},
    {"following",
     {&Following,
      {},
      Joined({kOfAsap, {"--asap", "--recordings", "--scores", "--bach10", "--part"}})}},
};

// A bundle that was indexed before is the whole collection.
absl::Status CheckBundle(const CLI::App& command, const Flags& flags) {
  const bool plays = flags.suite == "ensemble" || flags.suite == "violin";
  if (plays) {
    RETURN_IF_ERROR(
        RefuseIdle(command, "--seed", !flags.no_untrained,
                   absl::StrCat("in suite ", flags.suite, " it only draws the untrained network")));
    if (flags.scores.empty() && flags.bundle.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("suite ", flags.suite, " needs --scores or --bundle"));
    }
  }
  if (flags.bundle.empty()) return absl::OkStatus();
  if (!flags.no_untrained) {
    return absl::InvalidArgumentError(
        "--bundle needs --no-untrained: it was made with the model that is measured");
  }
  const std::string reason = "the collection is that of --bundle";
  if (plays) {
    RETURN_IF_ERROR(RefuseIdle(command, "--scores", false, reason));
    RETURN_IF_ERROR(RefuseIdle(command, "--asap", false, reason));
  }
  RETURN_IF_ERROR(RefuseIdle(command, "--parts", false, reason));
  RETURN_IF_ERROR(RefuseIdle(command, "--distractors", false, reason));
  return RefuseIdle(command, "--listed", false, reason);
}

// What cannot act because of another option.
absl::Status CheckCombinations(const CLI::App& command, const Flags& flags) {
  if (flags.scores.size() > 1 && flags.suite != "rendered")
    return absl::InvalidArgumentError(absl::StrCat("suite ", flags.suite, " takes one --scores"));
  RETURN_IF_ERROR(CheckBundle(command, flags));
  RETURN_IF_ERROR(RefuseIdle(command, "--architecture", !flags.no_untrained,
                             "with --no-untrained there is no such network"));
  if (flags.suite == "pieces") {
    RETURN_IF_ERROR(RefuseIdle(command, "--seed", !flags.no_untrained,
                               "in suite pieces it only draws the untrained network"));
  }
  if (flags.suite == "recordings") {
    RETURN_IF_ERROR(RefuseIdle(command, "--soundfont", !flags.errors.empty(),
                               "in suite recordings it only renders for --errors"));
  }
  if (flags.suite == "transcription" && flags.recordings.empty() != flags.recorded_scores.empty()) {
    return absl::InvalidArgumentError(
        "suite transcription: --recordings and --recorded-scores go together");
  }
  if (flags.suite == "tracks") {
    if (flags.songbook.empty() && flags.recordings.empty() && flags.asap.empty()) {
      return absl::InvalidArgumentError(
          "suite tracks needs --songbook, --recordings with --scores, or --asap");
    }
    if (flags.recordings.empty() != flags.scores.empty())
      return absl::InvalidArgumentError("suite tracks: --recordings and --scores go together");
  }
  if (flags.suite == "catalogue-size") {
    for (const char* const option : {"--performances", "--render-threads", "--soundfont"}) {
      RETURN_IF_ERROR(RefuseIdle(command, option, !flags.asap.empty(),
                                 "in suite catalogue-size it goes with --asap"));
    }
  }
  if (flags.suite == "alignment" || flags.suite == "following") {
    if (flags.asap.empty() && flags.recordings.empty() && flags.bach10.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "suite ", flags.suite, " needs --asap, --recordings with --scores, or --bach10"));
    }
    if (flags.recordings.empty() != flags.scores.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("suite ", flags.suite, ": --recordings and --scores go together"));
    }
  }
  if (flags.suite == "unknown") {
    RETURN_IF_ERROR(RefuseIdle(command, "--scores", !flags.recordings.empty(),
                               "in suite unknown it goes with --recordings"));
    if (!flags.recordings.empty() && flags.scores.empty()) {
      return absl::InvalidArgumentError("suite unknown with --recordings needs --scores");
    }
  }
  return absl::OkStatus();
}

// What a suite measures on must be given, and nothing that cannot act on it.
absl::Status CheckGiven(const CLI::App& command, const Flags& flags) {
  const Suite& suite = kSuites.at(flags.suite);
  const bool renders = flags.render_only && Holds(suite.possible, "--render-only");
  const Names needed = renders ? Names{"--asap"} : suite.needed;
  const Names possible =
      renders ? Joined({kOfRenderOnly, kOfAsap}) : Joined({kAlways, suite.needed, suite.possible});
  for (const std::string& option : needed) {
    if (command.count(option) == 0) {
      return absl::InvalidArgumentError(absl::StrCat("suite ", flags.suite, " needs ", option));
    }
  }
  const std::string reason = renders ? "--render-only renders and measures nothing"
                                     : absl::StrCat("suite ", flags.suite, " makes no use of it");
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    RETURN_IF_ERROR(RefuseIdle(command, name, Holds(possible, name), reason));
  }
  return renders ? absl::OkStatus() : CheckCombinations(command, flags);
}

absl::Status Run(const CLI::App& command, const Flags& flags) {
  RETURN_IF_ERROR(CheckGiven(command, flags));
  encoder::SetComputeThreads(flags.threads);
  Progress progress;
  if (flags.render_only) return evaluation::RenderAsap(Asap(flags), flags.seed, progress);
  ASSIGN_OR_RETURN(const Report report, kSuites.at(flags.suite).run(flags, progress));
  std::fputs(metrics::ReportText(report).c_str(), stdout);
  if (flags.json.empty()) return absl::OkStatus();
  std::ofstream file(flags.json);
  file << metrics::ReportJson(report) << '\n';
  file.flush();
  return file ? absl::OkStatus()
              : absl::UnavailableError(absl::StrCat("cannot write ", flags.json));
}

void AddInputs(CLI::App& command, Flags& flags) {
  command.add_option("--suite", flags.suite, "What to measure")
      ->required()
      ->check(CLI::IsMember(kSuites));
  command.add_option("--model", flags.model, "Folder with audio_encoder.pt and score_encoder.pt");
  command.add_option(kScoresOption, flags.scores,
                     "Folder of scores, searched recursively; suite rendered plays the test part "
                     "of it, and takes several");
  command.add_option("--asap", flags.asap, "Folder of the ASAP dataset, with its metadata.csv");
  command.add_option(
      "--recordings", flags.recordings,
      "Folder of the MAPS recordings; suite ensemble: Bach10; suite violin: its own");
  command.add_option("--recorded-scores", flags.recorded_scores,
                     "Suite transcription: folder of the scores that --recordings are of");
  command
      .add_option("--works", flags.works,
                  "Suite rendered: works of each folder to play; suite transcription: pieces to "
                  "transcribe as a whole; 0 is the whole test part")
      ->capture_default_str();
  command
      .add_option("--listed", flags.listed,
                  "Suite rendered: scores of each folder in the catalogue; 0 is all")
      ->capture_default_str();
  command.add_option(
      "--bundle", flags.bundle,
      "Suites ensemble, violin, rendered and catalogue-size: a bundle made by index, "
      "to ask in");
  command.add_option("--excerpts", flags.excerpts,
                     "Suites recordings, ensemble and violin: of each recording and length [10]; "
                     "suite rendered: of each work [3]");
  command.add_option(
      "--degrade", flags.degradations,
      "Suite recordings also under this degradation; may be repeated; all: under each");
  command
      .add_option("--transpose", flags.max_transposition,
                  "Suites recordings and unknown: semitones tried where nothing is recognised")
      ->capture_default_str();
  command.add_option(
      "--distractors", flags.distractors,
      "Suites catalogue-size, unknown and violin: folder of further scores; may be repeated");
  command
      .add_option("--sizes", flags.sizes,
                  "Suites catalogue-size and unknown: pieces, separated by commas")
      ->delimiter(',');
  command.add_option("--corpora", flags.corpora,
                     "Suite editions: folder with msmd, piano-midi.de and asap");
  command.add_option("--editions", flags.editions, "Suite editions: list of real second editions")
      ->capture_default_str();
  command.add_option("--songbook", flags.songbook,
                     "Suite tracks: scores to play at 0.7 and 1.3 of their tempo");
  command.add_option("--bach10", flags.bach10,
                     "Suites alignment and following: folder of the Bach10 recordings");
  command
      .add_option("--varied", flags.varied,
                  "Suite alignment: of each kind, so many recordings also with repeats left out "
                  "and added, cut, and beside other scores")
      ->capture_default_str();
  command
      .add_option("--performances", flags.performances, "Of ASAP, a sample of so many; 0 is all")
      ->capture_default_str();
  command.add_flag("--render-only", flags.render_only,
                   "Only render the performances of ASAP into --work");
  command.add_option("--render-threads", flags.render_threads, "0 is the number of cores")
      ->capture_default_str();
}

void AddTestSetAndOutput(CLI::App& command, Flags& flags) {
  command.add_option(
      "--split", flags.split_file,
      "Tab-separated file with columns piece and split; default: 75/5/20 by a hash of the name");
  command.add_option("--part", flags.part, "train, valid or test; choices are made on valid")
      ->capture_default_str();
  command
      .add_option("--soundfont", flags.soundfont, "To render with; for a choice, one of training")
      ->capture_default_str();
  command.add_flag("--parts", flags.with_parts,
                   "Suites ensemble, violin and rendered: index each part by itself, too");
  command.add_flag("--own-instruments", flags.own_instruments,
                   "Render with the instruments of the scores, not all on one piano");
  command
      .add_option("--work", flags.work,
                  "Folder for renditions (kept) and other files made on the way")
      ->default_val((std::filesystem::temp_directory_path() / "antiphon-evaluation").string());
  command.add_option("--errors", flags.errors,
                     "Suites performances and recordings: folder for a page of the worst errors");
  command.add_option("--json", flags.json, "Also write the figures to this file");
}

void AddNetworks(CLI::App& command, Flags& flags) {
  command.add_option("--snippets", flags.snippets, "Candidates of suite snippets")
      ->capture_default_str();
  command.add_flag(
      "--centre-scores", flags.centre_scores,
      "Suite snippets: score windows exactly around the onset, not on the frames of the sound");
  command.add_flag("!--no-all-onsets", flags.all_onsets, "Leave out suite snippets' hard form");
  command.add_flag("--no-untrained", flags.no_untrained, "Leave out the untrained network's rows");
  command.add_option("--architecture", flags.architecture, "Of the untrained network")
      ->capture_default_str();
  command.add_option("--seed", flags.seed, "Seed of all that is random")->capture_default_str();
  command
      .add_option("--precision", flags.precision,
                  "Of the encoders; auto: bfloat16 where the CPU has it")
      ->check(CLI::IsMember({"auto", "bfloat16", "float32"}))
      ->capture_default_str();
  command.add_option("--device", flags.device, "cpu, cuda:N or auto")->capture_default_str();
  command.add_option("--threads", flags.threads, "0 is the number of cores")->capture_default_str();
}

}  // namespace

void AddEvaluate(CLI::App& program, absl::Status& outcome) {
  CLI::App* command =
      program.add_subcommand("evaluate", "Measure a model; the same seed gives the same figures");
  auto flags = std::make_shared<Flags>();
  AddInputs(*command, *flags);
  AddTestSetAndOutput(*command, *flags);
  AddNetworks(*command, *flags);
  command->callback([command, flags, &outcome] { outcome = Run(*command, *flags); });
}

}  // namespace antiphon::trainer::commands
