#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/retrieval/collection.h"
#include "trainer/commands/subcommands.h"
#include "trainer/data/soundfonts.h"
#include "trainer/datasets/degradation.h"
#include "trainer/evaluation/suites.h"
#include "trainer/learning/training.h"

namespace antiphon::trainer::commands {
namespace {

struct Flags {
  evaluation::SuiteOptions options;
  std::string suite;
  std::string split_file;
  std::string part = "test";
  std::string json;
  std::string work;
  std::string architecture = "residual";
  std::string precision = "auto";
  bool no_untrained = false;
  bool render_only = false;
  int threads = 0;
};

// By name.
const std::map<std::string,
               absl::StatusOr<metrics::Report> (*)(const evaluation::SuiteOptions&, Progress&)>
    kSuites = {
        {"snippets", &evaluation::EvaluateSnippets},
        {"pieces", &evaluation::EvaluatePieces},
        {"performances", &evaluation::EvaluatePerformances},
        {"recordings", &evaluation::EvaluateRecordings},
        {"unknown", &evaluation::EvaluateUnknown},
        {"catalogue-size", &evaluation::EvaluateCatalogSize},
        {"transcription", &evaluation::EvaluateTranscription},
        {"alignment", &evaluation::EvaluateAlignment},
};

// What a suite measures on must be given.
absl::Status CheckInputs(const Flags& flags) {
  const evaluation::SuiteOptions& options = flags.options;
  const auto is = [&flags](std::initializer_list<const char*> suites) {
    return std::find(suites.begin(), suites.end(), flags.suite) != suites.end();
  };
  const struct {
    const char* flag;
    bool missing, needed;
  } inputs[] = {
      {"--model", options.model.empty(), !flags.render_only && !is({"alignment"})},
      {"--midi", options.test_set.midi_dir.empty(),
       !is({"performances", "unknown", "alignment"}) || !options.recordings.empty()},
      {"--asap", options.asap.empty(),
       flags.render_only || is({"performances", "unknown", "catalogue-size", "alignment"})},
      {"--recordings", options.recordings.empty(), is({"recordings", "catalogue-size"})}};
  for (const auto& input : inputs) {
    if (input.missing && input.needed) {
      return absl::InvalidArgumentError(absl::StrCat("suite ", flags.suite, " needs ", input.flag));
    }
  }
  return absl::OkStatus();
}

// An untrained network of the model's own features and dimension.
absl::Status MakeUntrained(const Flags& flags, const std::string& directory) {
  ASSIGN_OR_RETURN(const learning::Architecture architecture,
                   learning::ParseArchitecture(flags.architecture));
  ASSIGN_OR_RETURN(const auto encoder,
                   encoder::LoadEncoder(absl::StrCat(flags.options.model, "/audio_encoder.pt"),
                                        encoder::Modality::kAudio));
  return learning::ExportUntrained(architecture, encoder->info().settings,
                                   encoder->info().dimension, flags.options.seed, directory);
}

absl::Status Run(Flags& flags) {
  RETURN_IF_ERROR(CheckInputs(flags));
  evaluation::SuiteOptions& options = flags.options;
  encoder::SetComputeThreads(flags.threads);
  if (flags.precision == "float32") options.encoder.precision = encoder::Precision::kFloat32;
  if (flags.precision == "bfloat16") options.encoder.precision = encoder::Precision::kBFloat16;
  if (!flags.split_file.empty()) {
    absl::StatusOr<data::Split> split = data::Split::Read(flags.split_file);
    if (!split.ok()) return split.status();
    options.test_set.split = *std::move(split);
  }
  const absl::StatusOr<data::Part> part = data::ParsePart(flags.part);
  if (!part.ok()) return part.status();
  options.test_set.part = *part;
  options.test_set.cache = flags.work + "/renditions";
  options.work = flags.work + "/bundle";
  options.reference_collections = flags.work + "/catalogues";
  if (std::erase(options.degradations, "all") > 0)
    options.degradations = datasets::DegradationNames();
  Progress progress;
  if (flags.render_only) return evaluation::RenderAsap(options, progress);
  if (!flags.no_untrained && !options.model.empty()) {
    options.untrained = flags.work + "/untrained";
    RETURN_IF_ERROR(MakeUntrained(flags, options.untrained));
  }
  ASSIGN_OR_RETURN(const metrics::Report report, kSuites.at(flags.suite)(options, progress));
  std::fputs(metrics::ReportText(report).c_str(), stdout);
  if (flags.json.empty()) return absl::OkStatus();
  std::ofstream file(flags.json);
  file << metrics::ReportJson(report) << '\n';
  file.flush();
  return file ? absl::OkStatus()
              : absl::UnavailableError(absl::StrCat("cannot write ", flags.json));
}

}  // namespace

void AddEvaluate(CLI::App& program, absl::Status& outcome) {
  CLI::App* command =
      program.add_subcommand("evaluate", "Measure a model; the same seed gives the same figures");
  auto flags = std::make_shared<Flags>();
  evaluation::SuiteOptions& options = flags->options;
  options.test_set.soundfont = data::kEvaluationSoundfont;
  command->add_option("--suite", flags->suite, "What to measure")
      ->required()
      ->check(CLI::IsMember(kSuites));
  command->add_option("--model", options.model,
                      "Folder with audio_encoder.pt and score_encoder.pt");
  command->add_option("--midi", options.test_set.midi_dir,
                      "Folder of MIDI files, searched recursively");
  command->add_option("--asap", options.asap, "Folder of the ASAP dataset, with its metadata.csv");
  command->add_option("--recordings", options.recordings, "Folder of the MAPS recordings");
  command
      ->add_option("--excerpts", options.excerpts, "Suite recordings: of each recording and length")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option(
      "--degrade", options.degradations,
      "Suite recordings also under this degradation; may be repeated; all: under each");
  command
      ->add_option("--transpose", options.max_transposition,
                   "Suites recordings and unknown: semitones tried where nothing is recognised")
      ->check(CLI::Range(0, matching::kMaxTransposition))
      ->capture_default_str();
  command->add_option("--distractors", options.distractors,
                      "Suite catalogue-size: folder of further scores; may be repeated");
  command
      ->add_option("--sizes", options.catalog_sizes,
                   "Suite catalogue-size: pieces, separated by commas")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--performances", options.performances, "Of ASAP, a sample of so many; 0 is all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("--render-only", flags->render_only,
                    "Only render the performances of ASAP into --work");
  command->add_option("--render-threads", options.render_threads, "0 is the number of cores")
      ->capture_default_str();
  command->add_option(
      "--split", flags->split_file,
      "Tab-separated file with columns piece and split; default: 75/5/20 by a hash of the name");
  command->add_option("--part", flags->part, "train, valid or test; choices are made on valid")
      ->capture_default_str();
  command
      ->add_option("--soundfont", options.test_set.soundfont,
                   "To render with; for a choice, one of training")
      ->capture_default_str();
  command
      ->add_option("--work", flags->work,
                   "Folder for renditions (kept) and other files made on the way")
      ->default_val((std::filesystem::temp_directory_path() / "antiphon-evaluation").string());
  command->add_option("--errors", options.errors,
                      "Suites performances and recordings: folder for a page of the worst errors");
  command->add_option("--json", flags->json, "Also write the figures to this file");
  command->add_option("--snippets", options.snippets, "Candidates of suite snippets")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag(
      "--centre-scores", options.centre_scores,
      "Suite snippets: score windows exactly around the onset, not on the frames of the sound");
  command->add_flag("!--no-all-onsets", options.all_onsets, "Leave out suite snippets' hard form");
  command->add_flag("--no-untrained", flags->no_untrained,
                    "Leave out the untrained network's rows");
  command->add_option("--architecture", flags->architecture, "Of the untrained network")
      ->capture_default_str();
  command->add_option("--seed", options.seed, "Seed of all that is random")->capture_default_str();
  command
      ->add_option("--precision", flags->precision,
                   "Of the encoders; auto: bfloat16 where the CPU has it")
      ->check(CLI::IsMember({"auto", "bfloat16", "float32"}))
      ->capture_default_str();
  command->add_option("--device", options.encoder.device, "cpu, cuda:N or auto")
      ->capture_default_str();
  command->add_option("--threads", flags->threads, "0 is the number of cores")
      ->capture_default_str();
  command->callback([flags, &outcome] { outcome = Run(*flags); });
}

}  // namespace antiphon::trainer::commands
