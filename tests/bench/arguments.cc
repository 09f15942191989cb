#include "tests/bench/arguments.h"

#include <CLI/CLI.hpp>

#include "core/base/network_address.h"

namespace antiphon::bench {
namespace {

template <typename T>
CLI::Range Within(const Range<T>& range) {
  return CLI::Range(range.low, range.high);
}

// Only the form is checked.
std::string FaultOfAddress(const std::string& address) {
  return std::string(ParseHostPort(address).status().message());
}

}  // namespace

void AddArguments(CLI::App& program, Arguments& arguments) {
  program.add_option("--target", arguments.target, "HOST:PORT of the server, without TLS")
      ->required()
      ->check(FaultOfAddress);
  program
      .add_option("--metrics", arguments.server.metrics,
                  "HOST:PORT of its /metrics, for processor time and memory without --server-pid")
      ->check(FaultOfAddress);
  program.add_option("--server-pid", arguments.server.pid,
                     "The server's process, if on this machine: for anonymous memory as well");
  program.add_option("--clip", arguments.clips, "Sound files to ask about")->required();
  program
      .add_option("--seconds", arguments.seconds,
                  "Of the excerpts that are sent, one run each; 0: whole files")
      ->delimiter(',')
      ->check(Within(Arguments::kSecondsRange))
      ->capture_default_str();
  program.add_option("--places", arguments.places, "Excerpts of each file")
      ->check(Within(Arguments::kPlacesRange))
      ->capture_default_str();
  program
      .add_option("--against", arguments.against, "What to look for it among: scores or recordings")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, v1::Side>{{"scores", v1::SIDE_SCORES},
                                          {"recordings", v1::SIDE_RECORDINGS}},
          CLI::ignore_case))
      ->default_str("scores");
  program
      .add_option("--clients", arguments.clients,
                  "Closed loops, one run each: clients that ask again when they are answered")
      ->delimiter(',')
      ->check(Within(Arguments::kClientsRange));
  program
      .add_option("--rate", arguments.rates,
                  "Open loops, one run each: calls per second, due whether or not others are "
                  "answered. Their time counts from when they are due")
      ->delimiter(',')
      ->check(Within(Arguments::kRateRange));
  program
      .add_option("--arrivals", arguments.arrivals,
                  "When calls of an open loop are due: poisson or even")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, Arrivals>{{"poisson", Arrivals::kPoisson},
                                                                  {"even", Arrivals::kEven}},
                                  CLI::ignore_case))
      ->default_str("poisson");
  program.add_option("--connections", arguments.connections, "Of an open loop")
      ->check(Within(Arguments::kClientsRange))
      ->capture_default_str();
  program.add_option("--duration-s", arguments.load.duration_s, "Seconds that count of each run")
      ->check(Within(Arguments::kSecondsRange))
      ->capture_default_str();
  program.add_option("--warm-up-s", arguments.load.warm_up_s, "Seconds before them")
      ->check(Within(Arguments::kSecondsRange))
      ->capture_default_str();
  program.add_option("--timeout-s", arguments.timeout_s, "Of a call, seconds")
      ->check(Within(Arguments::kTimeoutRange))
      ->capture_default_str();
  program
      .add_option("--seed", arguments.load.seed,
                  "Decides places, their order and when calls are due")
      ->capture_default_str();
  program.add_option("--json", arguments.json, "File to write all figures to");
}

}  // namespace antiphon::bench
