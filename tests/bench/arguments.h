// The command line of antiphon-bench.
#ifndef ANTIPHON_TESTS_BENCH_ARGUMENTS_H_
#define ANTIPHON_TESTS_BENCH_ARGUMENTS_H_

#include <string>
#include <vector>

#include "antiphon/v1/retrieval.pb.h"
#include "core/base/check_range.h"
#include "tests/bench/load.h"
#include "tests/bench/server_figures.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the name that CLI11 has
class App;
}  // namespace CLI

namespace antiphon::bench {

struct Arguments {
  static constexpr Range<int> kClientsRange = {1, 1024};
  static constexpr Range<int> kPlacesRange = {1, 1000};
  static constexpr Range<double> kRateRange = {0.001, 1e5};
  static constexpr Range<double> kSecondsRange = {0, 3600};
  static constexpr Range<double> kTimeoutRange = {0.001, 3600};

  std::string target;                  // HOST:PORT
  ServerPlace server;                  // where to look at its processor time and memory
  std::vector<std::string> clips;      // sound files
  std::vector<double> seconds = {10};  // of an excerpt; 0: the whole clip
  int places = 4;                      // excerpts of each clip
  v1::Side against = v1::SIDE_SCORES;  // what they are looked for among
  std::vector<int> clients;            // of a closed loop each
  std::vector<double> rates;           // calls a second, of an open loop each
  Arrivals arrivals = Arrivals::kPoisson;
  int connections = 64;    // of an open loop
  double timeout_s = 120;  // of a call
  LoadOptions load;
  std::string json;  // a file to write; empty: none
};

// Declares the options, which write to `arguments` when the program is parsed.
void AddArguments(CLI::App& program, Arguments& arguments);

}  // namespace antiphon::bench

#endif  // ANTIPHON_TESTS_BENCH_ARGUMENTS_H_
