// antiphon-trainer: everything offline, from MIDI files to a bundle that antiphon-server loads.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "absl/status/status.h"
#include "core/base/standard_output.h"
#include "revision.h"
#include "trainer/commands/subcommands.h"

namespace {

// A network takes megabytes for every layer and gives them back at once. glibc would return them to
// the kernel and fetch them again, page by page: a seventh of the time of indexing.
void KeepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 1 << 26);
}

// As the client's (client/output/exit_code.h), as far as there is something to tell apart.
constexpr int kOk = 0, kFailed = 1, kWrongUsage = 2;
constexpr char kExitCodeHelp[] =
    "Exit status:\n"
    "  0  done\n"
    "  1  failed, or interrupted\n"
    "  2  wrong usage: an option that is unknown, missing, out of range or can't act, or input\n"
    "     that can't be used";

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "antiphon-trainer: %s\n", std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) ? kWrongUsage : kFailed;
}

int Run(int argc, char** argv) {
  CLI::App program("Trains Antiphon's encoders, measures them, and makes bundles of collections.",
                   "antiphon-trainer");
  program.set_version_flag("--version", ANTIPHON_VERSION " (" ANTIPHON_REVISION ")");
  program.require_subcommand(1);
  absl::Status outcome;
  antiphon::trainer::commands::AddOverlap(program, outcome);
  antiphon::trainer::commands::AddPrepare(program, outcome);
  antiphon::trainer::commands::AddTrain(program, outcome);
  antiphon::trainer::commands::AddInit(program, outcome);
  antiphon::trainer::commands::AddEvaluate(program, outcome);
  antiphon::trainer::commands::AddBackground(program, outcome);
  antiphon::trainer::commands::AddCalibrate(program, outcome);
  antiphon::trainer::commands::AddIndex(program, outcome);
  antiphon::trainer::commands::AddUpdate(program, outcome);
  antiphon::trainer::commands::AddMigrate(program, outcome);
  antiphon::trainer::commands::AddReindex(program, outcome);
  antiphon::trainer::commands::AddExport(program, outcome);
  antiphon::trainer::commands::AddImport(program, outcome);
  antiphon::trainer::commands::AddInspect(program, outcome);
  antiphon::trainer::commands::AddRender(program, outcome);
  antiphon::trainer::commands::AddPicture(program, outcome);
  program.footer(kExitCodeHelp);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == kOk ? kOk : kWrongUsage;  // --help and --version come here too
  }
  return outcome.ok() ? kOk : Fail(outcome);
}

}  // namespace

int main(int argc, char** argv) {
  KeepFreedMemory();
  const int code = Run(argc, argv);
  const absl::Status printed = antiphon::FlushStandardOutput();
  return code == kOk && !printed.ok() ? Fail(printed) : code;
}
