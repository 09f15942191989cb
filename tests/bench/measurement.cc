#include "tests/bench/measurement.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace antiphon::bench {
namespace {

std::string NameOf(v1::Stage stage) {
  return absl::AsciiStrToLower(absl::StripPrefix(v1::Stage_Name(stage), "STAGE_"));
}

}  // namespace

double Percentile(std::span<const double> ascending, double part) {
  const auto size = static_cast<double>(ascending.size());
  // Less than a rank off, so that 0.9 * 10 is 9.
  const auto rank = static_cast<size_t>(std::max(1.0, std::ceil(part * size - 1e-6)));
  return ascending[rank - 1];
}

Times Summarize(std::vector<double> seconds) {
  Times times;
  if (seconds.empty()) return times;
  std::sort(seconds.begin(), seconds.end());
  const auto ms = [&seconds](double part) { return 1e3 * Percentile(seconds, part); };
  times.count = static_cast<int64_t>(seconds.size());
  times.mean_ms = 1e3 * std::accumulate(seconds.begin(), seconds.end(), 0.0) /
                  static_cast<double>(seconds.size());
  times.p50_ms = ms(0.5);
  times.p90_ms = ms(0.9);
  times.p99_ms = ms(0.99);
  times.p999_ms = ms(0.999);
  times.max_ms = ms(1);
  return times;
}

Measurement Measure(const Load& load, const std::vector<Excerpt>& excerpts) {
  Measurement measurement;
  std::vector<double> answered, refused, failed, send_delay, server;
  std::map<std::string, std::vector<double>> stages;
  double sound_s = 0;
  for (const Call& call : load.calls) {
    send_delay.push_back(call.sent_s - call.due_s);
    if (call.answer.outcome != Outcome::kAnswered) ++measurement.errors[call.answer.error];
    switch (call.answer.outcome) {
      case Outcome::kAnswered:
        answered.push_back(call.latency_s());
        server.push_back(call.answer.response.info().total_seconds());
        for (const v1::StageTiming& timing : call.answer.response.info().stages())
          stages[NameOf(timing.stage())].push_back(timing.seconds());
        sound_s += excerpts[call.excerpt].length_s;
        break;
      case Outcome::kRefused:
        refused.push_back(call.latency_s());
        break;
      case Outcome::kFailed:
        failed.push_back(call.latency_s());
        break;
    }
  }
  measurement.seconds = load.seconds;
  if (load.seconds > 0) {
    measurement.calls_per_s = static_cast<double>(answered.size()) / load.seconds;
    measurement.sound_s_per_s = sound_s / load.seconds;
  }
  measurement.answered = Summarize(std::move(answered));
  measurement.refused = Summarize(std::move(refused));
  measurement.failed = Summarize(std::move(failed));
  measurement.send_delay = Summarize(std::move(send_delay));
  measurement.server = Summarize(std::move(server));
  for (auto& [name, seconds] : stages) measurement.stages[name] = Summarize(std::move(seconds));
  return measurement;
}

}  // namespace antiphon::bench
