// What commands that go through the sources of a collection show of it. Functions belong to the
// thread that prints.
#ifndef ANTIPHON_TRAINER_COMMANDS_SOURCE_REPORT_H_
#define ANTIPHON_TRAINER_COMMANDS_SOURCE_REPORT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "trainer/base/progress.h"

namespace antiphon::trainer::commands {

// To be told of each source that is done, of so many. `progress` is borrowed, and outlives it.
std::function<void(int64_t done, int64_t all)> ShowSources(Progress& progress);

// A line each: "HEADING: LINE".
void PrintEach(const char* heading, const std::vector<std::string>& lines);

}  // namespace antiphon::trainer::commands

#endif  // ANTIPHON_TRAINER_COMMANDS_SOURCE_REPORT_H_
