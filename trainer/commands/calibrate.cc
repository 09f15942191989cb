#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/manifest.h"
#include "trainer/commands/given_options.h"
#include "trainer/commands/subcommands.h"
#include "trainer/evaluation/calibration.h"

namespace antiphon::trainer::commands {
namespace {

struct Flags {
  evaluation::CalibrationOptions options;
  std::string split_file, points_file;
  int threads = 0;
  bool dry_run = false, plain = false;
};

absl::Status Write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.flush();
  return file ? absl::OkStatus() : absl::UnavailableError(absl::StrCat("cannot write ", path));
}

absl::Status Run(const CLI::App& command, Flags& flags) {
  RETURN_IF_ERROR(RefuseIdle(command, "--no-paths", !flags.plain, "plain votes follow no paths"));
  encoder::SetComputeThreads(flags.threads);
  if (!flags.split_file.empty()) {
    ASSIGN_OR_RETURN(flags.options.split, data::Split::Read(flags.split_file));
  }
  if (flags.plain) flags.options.identify.method = matching::VoteMethod::kPlain;
  Progress progress;
  ASSIGN_OR_RETURN(const evaluation::Calibration calibration,
                   evaluation::Calibrate(flags.options, progress));
  std::fputs(evaluation::CalibrationText(calibration).c_str(), stdout);
  if (!flags.points_file.empty()) {
    RETURN_IF_ERROR(Write(flags.points_file, evaluation::CalibrationTable(calibration)));
  }
  if (flags.dry_run) return absl::OkStatus();
  return Write(absl::StrCat(flags.options.model, "/", bundle::kConfidenceFile),
               matching::ConfidenceToJson(calibration.model) + "\n");
}

}  // namespace

void AddCalibrate(CLI::App& program, absl::Status& outcome) {
  CLI::App* command = program.add_subcommand("calibrate",
                                             "Fit a model's confidence on known and unknown pieces "
                                             "of the valid part, into MODEL/confidence.json");
  auto flags = std::make_shared<Flags>();
  evaluation::CalibrationOptions& options = flags->options;
  command->add_option("--model", options.model, "Folder with audio_encoder.pt and score_encoder.pt")
      ->required();
  command->add_option(kScoresOption, options.midi_dir, "Folder of scores, searched recursively")
      ->required();
  command->add_option("--split", flags->split_file,
                      "File with columns piece and split; default: by a hash of the name");
  command
      ->add_option("--soundfont", options.soundfonts,
                   "To render queries with, never the evaluation one")
      ->required();
  command
      ->add_option("--distractors", options.distractors,
                   "Pieces of the train part in the collection")
      ->capture_default_str();
  command->add_option("--queries", options.queries_per_piece, "For each piece and length")
      ->capture_default_str();
  command->add_option("--work", options.work, "Folder for the bundle, which is kept to fit again")
      ->default_val((std::filesystem::temp_directory_path() / "antiphon-calibration").string());
  command
      ->add_option("--false-accepts", options.false_accept_rate,
                   "Share of unknown pieces that the threshold allows")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      ->add_option("--score-hop", options.builder.score_hop_s,
                   "Seconds between windows of a score in the collection")
      ->capture_default_str();
  command->add_option("--tempo-ratios", options.builder.tempo_ratios,
                      "Tempi at which scores are in the collection");
  command->add_flag("--plain", flags->plain, "Answer by plain votes");
  command->add_flag("!--no-paths", options.identify.follow_paths, "Answer by votes alone");
  command->add_option("--points", flags->points_file,
                      "File to write the outcome of every query to, tab-separated");
  command->add_option("--pieces", options.collection_sizes,
                      "Sizes of collection that each query is asked in");
  command->add_flag("--dry-run", flags->dry_run, "Print only");
  command->add_option("--seed", options.seed, "Seed of all that is random")->capture_default_str();
  command->add_option("--threads", flags->threads, "0 is the number of cores")
      ->capture_default_str();
  command->callback([command, flags, &outcome] { outcome = Run(*command, *flags); });
}

}  // namespace antiphon::trainer::commands
