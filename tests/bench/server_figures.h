// What a server takes: processor time and memory, by its /metrics or, on this machine, by /proc.
// Stateless functions; safe from any thread.
#ifndef ANTIPHON_TESTS_BENCH_SERVER_FIGURES_H_
#define ANTIPHON_TESTS_BENCH_SERVER_FIGURES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace antiphon::bench {

// Those that are known.
struct ServerFigures {
  std::optional<double> cpu_s;             // of all threads since the server began
  std::optional<int64_t> resident_bytes;   // anonymous and mapped memory that is in RAM
  std::optional<int64_t> anonymous_bytes;  // the part that the kernel cannot take back
};

// Where to look.
struct ServerPlace {
  int pid = 0;           // of a process on this machine; 0: not there
  std::string metrics;   // HOST:PORT, asked where there is no pid; empty: nowhere
  double timeout_s = 5;  // of connecting, of sending, and of each piece of the answer
};

// The value of a metric without labels, in Prometheus' text format.
std::optional<double> MetricOf(absl::string_view text, absl::string_view name);

// Unavailable where there is no answer, NotFound where it does not hold the figures.
[[nodiscard]] absl::StatusOr<ServerFigures> LookAt(const ServerPlace& place);

}  // namespace antiphon::bench

#endif  // ANTIPHON_TESTS_BENCH_SERVER_FIGURES_H_
