#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/encoder/window_encoder.h"
#include "core/exchange/collection_import.h"
#include "trainer/commands/given_options.h"
#include "trainer/commands/subcommands.h"
#include "trainer/commands/update_command.h"

namespace antiphon::trainer::commands {
namespace {

struct Flags {
  IndexCommandOptions options;
  int threads = 0;
};

absl::Status Run(Flags& flags) {
  if (flags.options.builder.model_directory.empty() &&
      !exchange::IsBundle(flags.options.bundle_root)) {
    return absl::InvalidArgumentError(absl::StrCat("--model is needed: there is no bundle in ",
                                                   flags.options.bundle_root, " yet"));
  }
  encoder::SetComputeThreads(flags.threads);
  Progress progress;
  ASSIGN_OR_RETURN(const UpdateSummary summary, RunUpdate(flags.options, progress));
  std::fputs(SummaryText(summary).c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace

void AddUpdate(CLI::App& program, absl::Status& outcome) {
  CLI::App* command = program.add_subcommand(
      "update",
      "Bring a bundle up to date with a folder of scores; what was changed over the API "
      "stays");
  auto flags = std::make_shared<Flags>();
  IndexCommandOptions& options = flags->options;
  command
      ->add_option(kScoresOption, options.midi_dir,
                   "Folder of scores; metadata.tsv in it gives titles, composers, collections and "
                   "works")
      ->required();
  command->add_option("--bundle", options.bundle_root, "Bundle; no server may have it open")
      ->required();
  command->add_option("--model", options.builder.model_directory,
                      "Folder with audio_encoder.pt and score_encoder.pt, for a new bundle");
  command->add_option("--collection", options.collection,
                      "What to file everything under for which metadata.tsv has no collection");
  command->add_flag("--parts", options.builder.with_parts,
                    "In a new bundle index each part of a score by itself, too");
  command->add_option("--device", options.builder.encoder.device, "cpu, cuda:N or auto")
      ->capture_default_str();
  command->add_option("--threads", flags->threads, "0 is the number of cores")
      ->capture_default_str();
  command->callback([flags, &outcome] { outcome = Run(*flags); });
}

}  // namespace antiphon::trainer::commands
