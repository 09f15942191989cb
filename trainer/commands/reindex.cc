#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "core/base/status_macros.h"
#include "core/editing/reindexing.h"
#include "trainer/base/progress.h"
#include "trainer/commands/embedding_flags.h"
#include "trainer/commands/interruption.h"
#include "trainer/commands/source_report.h"
#include "trainer/commands/subcommands.h"

namespace antiphon::trainer::commands {
namespace {

struct Flags {
  std::string bundle;
  editing::ReindexOptions options;
  EmbeddingFlags embedding;
};

absl::Status Run(const CLI::App& command, Flags& flags) {
  RETURN_IF_ERROR(flags.embedding.ApplyTo(command, flags.options));
  const Interruption interruption;
  Progress progress;
  flags.options.keep_going = Interruption::KeepGoing;
  flags.options.progress = ShowSources(progress);
  ASSIGN_OR_RETURN(const editing::Reindexed reindexed,
                   editing::ReindexBundle(flags.bundle, flags.options));
  progress.Finish();
  const bundle::Manifest& m = reindexed.made.manifest;
  PrintEach("Damaged", reindexed.damaged);
  PrintEach("Left out", reindexed.made.left_out);
  PrintEach("Warning", reindexed.made.warnings);
  std::printf(
      "Generation %lld: %lld pieces (%lld windows), %lld recordings (%lld windows), model %s\n",
      static_cast<long long>(m.generation), static_cast<long long>(m.pieces),
      static_cast<long long>(m.score_vectors), static_cast<long long>(m.recordings),
      static_cast<long long>(m.recording_vectors), m.model_id.c_str());
  if (flags.options.output.empty()) {
    std::printf("Generation %lld stays until a later merge\n",
                static_cast<long long>(reindexed.former_generation));
  }
  return absl::OkStatus();
}

}  // namespace

void AddReindex(CLI::App& program, absl::Status& outcome) {
  CLI::App* command = program.add_subcommand(
      "reindex", "Embed a bundle's collection anew, changes included, with another model");
  auto flags = std::make_shared<Flags>();
  command->add_option("--bundle", flags->bundle, "Bundle or snapshot; no server may have it open")
      ->required();
  command
      ->add_option("--model", flags->options.model_directory,
                   "Folder with audio_encoder.pt and score_encoder.pt")
      ->required();
  command->add_option("--output", flags->options.output,
                      "Another bundle to make, in the place of a new generation of this one");
  flags->embedding.AddTo(*command);
  command->callback([flags, command, &outcome] { outcome = Run(*command, *flags); });
}

}  // namespace antiphon::trainer::commands
