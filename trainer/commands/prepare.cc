#include "trainer/data/prepare.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "core/base/status_macros.h"
#include "trainer/commands/given_options.h"
#include "trainer/commands/subcommands.h"

namespace antiphon::trainer::commands {
namespace {

struct Flags {
  data::PrepareOptions options;
  std::string split_file;
  std::vector<std::string> parts = {"train", "valid"};
  std::string features = "constant_q";
};

absl::Status Run(Flags& flags) {
  if (!flags.split_file.empty()) {
    ASSIGN_OR_RETURN(flags.options.split, data::Split::Read(flags.split_file));
  }
  flags.options.parts.clear();
  for (const std::string& name : flags.parts) {
    ASSIGN_OR_RETURN(const data::Part part, data::ParsePart(name));
    flags.options.parts.push_back(part);
  }
  if (flags.features == "log_filterbank") flags.options.settings = features::DorferSettings();
  Progress progress;
  ASSIGN_OR_RETURN(const data::PrepareSummary summary, data::Prepare(flags.options, progress));
  std::printf("%s: %d renditions made (%.1f hours of sound), %d kept, %d files left out\n",
              flags.options.store.c_str(), summary.made, summary.audio_s / 3600, summary.kept,
              summary.skipped);
  return absl::OkStatus();
}

}  // namespace

void AddPrepare(CLI::App& program, absl::Status& outcome) {
  CLI::App* command =
      program.add_subcommand("prepare", "Perform, render and analyse scores into a feature store");
  auto flags = std::make_shared<Flags>();
  data::PrepareOptions& options = flags->options;
  command->add_option(kScoresOption, options.midi_dir, "Folder of scores, searched recursively")
      ->required();
  command->add_option("--store", options.store, "Folder to fill; finished items in it are kept")
      ->required();
  command->add_option(
      "--split", flags->split_file,
      "Tab-separated file with columns piece and split; default: 75/5/20 by a hash of the name");
  command->add_option("--parts", flags->parts, "Parts to prepare: train, valid, test")
      ->capture_default_str();
  command
      ->add_option("--soundfont", options.soundfonts,
                   "Soundfonts to render with, never the evaluation one")
      ->required();
  command->add_option("--variations", options.variations, "Performances of each piece")
      ->capture_default_str();
  command
      ->add_option("--max-excerpt", options.max_excerpt_s,
                   "Longest rendition, seconds; 0 is no limit")
      ->capture_default_str();
  command
      ->add_option("--min-tempo", options.variation.min_tempo_ratio,
                   "Slowest tempo over the one written")
      ->capture_default_str();
  command
      ->add_option("--max-tempo", options.variation.max_tempo_ratio,
                   "Fastest tempo over the one written")
      ->capture_default_str();
  command->add_flag("--own-instruments", options.variation.own_instruments,
                    "Play each part on the score's own instrument, not all on one piano");
  command->add_option("--features", flags->features, "Front end")
      ->check(CLI::IsMember({"constant_q", "log_filterbank"}))
      ->capture_default_str();
  command->add_option("--seed", options.seed, "Seed of all that is random")->capture_default_str();
  command->add_option("--threads", options.threads, "Workers; 0 is the number of cores")
      ->capture_default_str();
  command->callback([flags, &outcome] { outcome = Run(*flags); });
}

}  // namespace antiphon::trainer::commands
