// The figures as a table for people and as JSON for programs. Used by one thread.
#ifndef ANTIPHON_TESTS_BENCH_REPORT_H_
#define ANTIPHON_TESTS_BENCH_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "antiphon/v1/admin.pb.h"
#include "tests/bench/arguments.h"
#include "tests/bench/machine.h"
#include "tests/bench/measurement.h"
#include "tests/bench/server_figures.h"

namespace antiphon::bench {

// One load and what came of it. Exactly one of `clients` and `rate` is set.
struct Run {
  std::optional<int> clients;
  std::optional<double> rate;
  double seconds = 0;  // of the excerpts; 0: whole clips
  Measurement measured;
  ServerFigures before, after;
};

// What an excerpt was taken for.
struct Recognized {
  double seconds = 0;  // as of Run
  std::string clip;
  double start_s = 0;
  std::string id;  // of the first candidate; empty without one
  double confidence = 0;
  bool match = false;
};

struct Report {
  std::string version;  // of this program
  Machine machine;
  v1::StatusResponse status;  // of the server, before the first run
  Arguments arguments;
  std::vector<Run> runs;
  std::vector<Recognized> recognized;
};

// The excerpts that were answered, once each, in their order.
std::vector<Recognized> RecognizedIn(const Load& load, const std::vector<Excerpt>& excerpts,
                                     double seconds);

std::string Table(const Report& report);

// Times are in milliseconds, under the names of Times without their unit.
std::string Json(const Report& report);

}  // namespace antiphon::bench

#endif  // ANTIPHON_TESTS_BENCH_REPORT_H_
