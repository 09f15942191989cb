// antiphon-bench: loads a running server and says what it takes to answer.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <optional>

#include "core/base/standard_output.h"
#include "core/base/status_macros.h"
#include "revision.h"
#include "tests/bench/report.h"

namespace antiphon::bench {
namespace {

// What cannot be seen is left out; that there is something to see has been checked at the start.
void Look(const Arguments& arguments, ServerFigures& figures) {
  figures = LookAt(arguments.server).value_or(ServerFigures());
}

Run RunOf(std::optional<int> clients, std::optional<double> rate, double seconds) {
  Run run;
  run.clients = clients;
  run.rate = rate;
  run.seconds = seconds;
  return run;
}

using Loop = std::function<Load(Caller&, const std::vector<Excerpt>&, const LoadOptions&)>;

absl::Status Measure(const Arguments& arguments, const std::vector<Excerpt>& excerpts,
                     int connections, const Loop& loop, Run run, Report& report) {
  ASSIGN_OR_RETURN(const auto caller, Caller::Connect({.target = arguments.target,
                                                       .connections = connections,
                                                       .timeout_s = arguments.timeout_s}));
  LoadOptions options = arguments.load;
  options.on_begin = [&] { Look(arguments, run.before); };
  options.on_end = [&] { Look(arguments, run.after); };
  const Load load = loop(*caller, excerpts, options);
  run.measured = Measure(load, excerpts);
  for (const auto& [error, times] : run.measured.errors)
    std::fprintf(stderr, "antiphon-bench: %lld times %s\n", static_cast<long long>(times),
                 error.c_str());
  for (Recognized& one : RecognizedIn(load, excerpts, run.seconds)) {
    const auto is_the_same = [&one](const Recognized& other) {
      return other.clip == one.clip && other.start_s == one.start_s && other.seconds == one.seconds;
    };
    if (std::none_of(report.recognized.begin(), report.recognized.end(), is_the_same))
      report.recognized.push_back(std::move(one));
  }
  report.runs.push_back(std::move(run));
  return absl::OkStatus();
}

absl::Status MeasureAll(const Arguments& arguments, Report& report) {
  ASSIGN_OR_RETURN(const std::vector<Clip> clips, ReadClips(arguments.clips));
  for (const double seconds : arguments.seconds) {
    const std::vector<Excerpt> excerpts =
        DrawExcerpts(clips, seconds, arguments.places, arguments.load.seed, arguments.against);
    for (const int clients : arguments.clients) {
      RETURN_IF_ERROR(Measure(arguments, excerpts, clients, RunClosedLoop,
                              RunOf(clients, std::nullopt, seconds), report));
    }
    for (const double rate : arguments.rates) {
      const auto loop = [&](Caller& caller, const std::vector<Excerpt>& wanted,
                            const LoadOptions& options) {
        return RunOpenLoop(caller, wanted, arguments.arrivals, rate, options);
      };
      RETURN_IF_ERROR(Measure(arguments, excerpts, arguments.connections, loop,
                              RunOf(std::nullopt, rate, seconds), report));
    }
  }
  return absl::OkStatus();
}

absl::Status RunAll(const Arguments& arguments) {
  Report report{.version = ANTIPHON_VERSION " (" ANTIPHON_REVISION ")",
                .machine = ThisMachine(),
                .status = {},
                .arguments = arguments,
                .runs = {},
                .recognized = {}};
  ASSIGN_OR_RETURN(const auto caller,
                   Caller::Connect({.target = arguments.target, .timeout_s = arguments.timeout_s}));
  ASSIGN_OR_RETURN(report.status, caller->Status());
  RETURN_IF_ERROR(LookAt(arguments.server).status());
  RETURN_IF_ERROR(MeasureAll(arguments, report));
  std::fputs(Table(report).c_str(), stdout);
  if (!arguments.json.empty()) {
    std::ofstream file(arguments.json);
    file << Json(report);
    if (!file.flush()) return absl::UnknownError(arguments.json + " cannot be written");
  }
  return absl::OkStatus();
}

constexpr int kOk = 0, kFailed = 1, kWrongUsage = 2;

int Main(int argc, char** argv) {
  CLI::App program("Loads a running antiphon-server and measures latency, throughput and cost.",
                   "antiphon-bench");
  program.set_version_flag("--version", ANTIPHON_VERSION " (" ANTIPHON_REVISION ")");
  Arguments arguments;
  AddArguments(program, arguments);
  program.callback([&arguments] {
    if (arguments.clients.empty() && arguments.rates.empty())
      throw CLI::ValidationError("--clients, --rate", "one of the two is needed");
  });
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == kOk ? kOk : kWrongUsage;  // --help and --version come here too
  }
  absl::Status outcome = RunAll(arguments);
  if (outcome.ok()) outcome = FlushStandardOutput();
  if (!outcome.ok())
    std::fprintf(stderr, "antiphon-bench: %s\n", std::string(outcome.message()).c_str());
  return outcome.ok() ? kOk : kFailed;
}

}  // namespace
}  // namespace antiphon::bench

int main(int argc, char** argv) { return antiphon::bench::Main(argc, argv); }
