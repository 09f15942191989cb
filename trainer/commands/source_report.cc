#include "trainer/commands/source_report.h"

#include <cstdio>

namespace antiphon::trainer::commands {

std::function<void(int64_t done, int64_t all)> ShowSources(Progress& progress) {
  return [&progress](int64_t done, int64_t all) {
    if (done == 1) progress.Start("Sources", all);
    progress.Advance(1);
  };
}

void PrintEach(const char* heading, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::printf("%s: %s\n", heading, line.c_str());
}

}  // namespace antiphon::trainer::commands
