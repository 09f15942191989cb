// What a load came to, in figures. Plain values and pure functions; safe from any thread.
#ifndef ANTIPHON_TESTS_BENCH_MEASUREMENT_H_
#define ANTIPHON_TESTS_BENCH_MEASUREMENT_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tests/bench/load.h"

namespace antiphon::bench {

// The smallest value that at least `part` of them are not above (nearest rank); `ascending` is
// sorted and not empty, 0 <= part <= 1. With fewer than 1,000 values the 0.999 is the largest.
double Percentile(std::span<const double> ascending, double part);

// Of times; all 0 where there are none.
struct Times {
  int64_t count = 0;
  double mean_ms = 0, p50_ms = 0, p90_ms = 0, p99_ms = 0, p999_ms = 0, max_ms = 0;
};
Times Summarize(std::vector<double> seconds);

struct Measurement {
  double seconds = 0;  // for which calls counted
  Times answered;      // from due to answered
  Times refused;       // from due to refused
  Times failed;        // from due to failed: what their callers waited for nothing
  Times send_delay;    // from due to sent, of all calls: what the load generator itself adds
  Times server;        // of the answered, as the server says: from the request's arrival
  std::map<std::string, int64_t> errors;  // of the refused and the failed, how often each
  std::map<std::string, Times> stages;    // of the answered, as the server says; "encode", ...
  double calls_per_s = 0;                 // answered
  double sound_s_per_s = 0;               // seconds of sound that were answered
};
Measurement Measure(const Load& load, const std::vector<Excerpt>& excerpts);

}  // namespace antiphon::bench

#endif  // ANTIPHON_TESTS_BENCH_MEASUREMENT_H_
