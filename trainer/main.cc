// antiphon-trainer: everything offline, from MIDI files to a bundle that antiphon-server loads.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "absl/status/status.h"
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

}  // namespace

int main(int argc, char** argv) {
  KeepFreedMemory();
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
  antiphon::trainer::commands::AddInspect(program, outcome);
  antiphon::trainer::commands::AddRender(program, outcome);
  antiphon::trainer::commands::AddPicture(program, outcome);
  CLI11_PARSE(program, argc, argv);
  if (!outcome.ok()) {
    std::fprintf(stderr, "antiphon-trainer: %s\n", std::string(outcome.message()).c_str());
    return 1;
  }
  return 0;
}
