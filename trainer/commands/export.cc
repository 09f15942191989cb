#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/exchange/collection_export.h"
#include "trainer/base/progress.h"
#include "trainer/commands/interruption.h"
#include "trainer/commands/source_report.h"
#include "trainer/commands/subcommands.h"

namespace antiphon::trainer::commands {
namespace {

struct Flags {
  std::string bundle;
  std::string output;
};

absl::Status Run(const Flags& flags) {
  const Interruption interruption;
  Progress progress;
  exchange::ExportOptions options;
  options.keep_going = Interruption::KeepGoing;
  options.progress = ShowSources(progress);
  ASSIGN_OR_RETURN(const exchange::Exported exported,
                   exchange::ExportCollection(flags.bundle, flags.output, options));
  progress.Finish();
  PrintEach("Damaged", exported.left_out);
  absl::PrintF("%s: %d pieces, %d recordings, %.1f MB, of generation %d and its changes\n",
               flags.output, exported.pieces, exported.recordings,
               static_cast<double>(exported.bytes) / 1e6, exported.generation);
  return absl::OkStatus();
}

}  // namespace

void AddExport(CLI::App& program, absl::Status& outcome) {
  CLI::App* command = program.add_subcommand(
      "export", "Write a bundle's scores, recordings and metadata as a folder of files");
  auto flags = std::make_shared<Flags>();
  command->add_option("--bundle", flags->bundle, "Bundle or snapshot; no server may have it open")
      ->required();
  command->add_option("--output", flags->output, "Folder to make; it must not exist")->required();
  command->callback([flags, &outcome] { outcome = Run(*flags); });
}

}  // namespace antiphon::trainer::commands
