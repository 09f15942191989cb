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

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "antiphon-trainer: %s\n", std::string(status.message()).c_str());
  return 1;
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
  antiphon::trainer::commands::AddCalibrate(program, outcome);
  antiphon::trainer::commands::AddIndex(program, outcome);
  antiphon::trainer::commands::AddInspect(program, outcome);
  antiphon::trainer::commands::AddRender(program, outcome);
  antiphon::trainer::commands::AddPicture(program, outcome);
  CLI11_PARSE(program, argc, argv);
  return outcome.ok() ? 0 : Fail(outcome);
}

}  // namespace

int main(int argc, char** argv) {
  KeepFreedMemory();
  const int code = Run(argc, argv);
  const absl::Status printed = antiphon::FlushStandardOutput();
  return code == 0 && !printed.ok() ? Fail(printed) : code;
}
