#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/exchange/collection_import.h"
#include "trainer/base/progress.h"
#include "trainer/commands/embedding_flags.h"
#include "trainer/commands/given_options.h"
#include "trainer/commands/interruption.h"
#include "trainer/commands/source_report.h"
#include "trainer/commands/subcommands.h"

namespace antiphon::trainer::commands {
namespace {

struct Flags {
  std::string bundle;
  std::string input;
  exchange::ImportOptions options;
  EmbeddingFlags embedding;
};

absl::Status CheckUsage(const CLI::App& command, const Flags& flags) {
  if (!exchange::IsBundle(flags.bundle)) {
    RETURN_IF_ERROR(RefuseIdle(command, "--replace", false,
                               absl::StrCat("there is no bundle in ", flags.bundle, " yet")));
    return command.count("--model") > 0
               ? absl::OkStatus()
               : absl::InvalidArgumentError(absl::StrCat(
                     "--model is needed: there is no bundle in ", flags.bundle, " yet"));
  }
  const std::string reason = absl::StrCat("the bundle in ", flags.bundle, " says how it embeds");
  RETURN_IF_ERROR(RefuseIdle(command, "--model", false, reason));
  return EmbeddingFlags::RefuseAll(command, reason);
}

absl::Status Run(const CLI::App& command, Flags& flags) {
  RETURN_IF_ERROR(CheckUsage(command, flags));
  RETURN_IF_ERROR(flags.embedding.ApplyTo(command, flags.options));
  const Interruption interruption;
  Progress progress;
  flags.options.keep_going = Interruption::KeepGoing;
  flags.options.progress = ShowSources(progress);
  ASSIGN_OR_RETURN(const exchange::Imported imported,
                   exchange::ImportCollection(flags.bundle, flags.input, flags.options));
  progress.Finish();
  PrintEach("Damaged", imported.damaged);
  PrintEach("Left out", imported.left_out);
  PrintEach("Warning", imported.warnings);
  const bundle::Manifest& m = imported.manifest;
  absl::PrintF("%d added, %d replaced, %d as they were\n", imported.added, imported.replaced,
               imported.unchanged);
  absl::PrintF("Generation %d: %d pieces, %d recordings, model %s\n", m.generation, m.pieces,
               m.recordings, m.model_id);
  return absl::OkStatus();
}

}  // namespace

void AddImport(CLI::App& program, absl::Status& outcome) {
  CLI::App* command = program.add_subcommand(
      "import", "Make a bundle of a folder that `export` wrote, or add it to one");
  auto flags = std::make_shared<Flags>();
  command->add_option("--bundle", flags->bundle, "Bundle; no server may have it open")->required();
  command->add_option("--input", flags->input, "Folder that `export` wrote")->required();
  command->add_option("--model", flags->options.model_directory,
                      "Folder with audio_encoder.pt and score_encoder.pt, for a new bundle");
  command->add_flag("--replace", flags->options.replace,
                    "Replace what the bundle has of the same ids");
  flags->embedding.AddTo(*command);
  command->callback([flags, command, &outcome] { outcome = Run(*command, *flags); });
}

}  // namespace antiphon::trainer::commands
