// A table of figures that prints for a person and as JSON for a program: the same figures. A plain
// value.
#ifndef ANTIPHON_TRAINER_METRICS_REPORT_H_
#define ANTIPHON_TRAINER_METRICS_REPORT_H_

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace antiphon::trainer::metrics {

struct ReportRow {
  std::string name;             // what was measured
  std::vector<double> figures;  // one for each column
};

struct ReportTable {
  std::string title;
  std::vector<std::string> columns;  // short names of the figures
  std::vector<ReportRow> rows;
};

struct Report {
  std::string suite;
  std::map<std::string, std::string>
      settings;  // model, seed, soundfont, counts: what the figures depend on
  std::vector<ReportTable> tables;
};

// Puts the seconds since `started` into the settings, under "seconds": not a figure that a seed
// decides, but one that who wants to run a suite needs.
void NoteSeconds(std::chrono::steady_clock::time_point started, Report& report);

// Aligned columns; figures with four decimals unless whole.
std::string ReportText(const Report& report);

std::string ReportJson(const Report& report);

}  // namespace antiphon::trainer::metrics

#endif  // ANTIPHON_TRAINER_METRICS_REPORT_H_
