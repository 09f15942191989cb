#include "tests/bench/report.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/output/table.h"
#include "nlohmann/json.hpp"

namespace antiphon::bench {
namespace {

using nlohmann::ordered_json;

constexpr double kMiB = 1 << 20;

// Of all threads of the server, for the calls that were answered.
std::optional<double> CpuSeconds(const Run& run) {
  if (!run.before.cpu_s || !run.after.cpu_s) return std::nullopt;
  return *run.after.cpu_s - *run.before.cpu_s;
}

std::optional<double> CpuMsPerCall(const Run& run) {
  const std::optional<double> cpu_s = CpuSeconds(run);
  if (!cpu_s || run.measured.answered.count == 0) return std::nullopt;
  return 1e3 * *cpu_s / static_cast<double>(run.measured.answered.count);
}

std::optional<double> SoundPerCpuSecond(const Run& run) {
  const std::optional<double> cpu_s = CpuSeconds(run);
  if (!cpu_s || *cpu_s <= 0) return std::nullopt;
  return run.measured.sound_s_per_s * run.measured.seconds / *cpu_s;
}

std::string LoadOf(const Run& run) {
  if (run.clients) return absl::StrCat(*run.clients, *run.clients == 1 ? " client" : " clients");
  return absl::StrCat(*run.rate, "/s");
}

std::string Number(std::optional<double> value) {
  return value ? absl::StrFormat("%.1f", *value) : "";
}

std::string Count(int64_t count) { return count == 0 ? "" : absl::StrCat(count); }

template <typename Bytes>
std::string Mebibytes(const std::optional<Bytes>& bytes) {
  return bytes ? absl::StrFormat("%.0f", static_cast<double>(*bytes) / kMiB) : "";
}

// "encode 60 + search 20": the means, the longest first.
std::string Stages(const Measurement& measured) {
  std::multimap<double, std::string, std::greater<>> by_time;
  for (const auto& [name, times] : measured.stages) by_time.emplace(times.mean_ms, name);
  return absl::StrJoin(by_time, ", ", [](std::string* out, const auto& stage) {
    absl::StrAppendFormat(out, "%s %.1f", stage.second, stage.first);
  });
}

ordered_json ToJson(const Times& times) {
  return {{"count", times.count}, {"mean", times.mean_ms}, {"p50", times.p50_ms},
          {"p90", times.p90_ms},  {"p99", times.p99_ms},   {"p999", times.p999_ms},
          {"max", times.max_ms}};
}

template <typename T>
void Set(ordered_json& object, const char* name, const std::optional<T>& value) {
  if (value) object[name] = *value;
}

ordered_json ToJson(const Run& run) {
  const Measurement& measured = run.measured;
  ordered_json object = {{"loop", run.clients ? "closed" : "open"}};
  Set(object, "clients", run.clients);
  Set(object, "rate", run.rate);
  object["excerpt_seconds"] = run.seconds;
  object["seconds"] = measured.seconds;
  object["calls_per_second"] = measured.calls_per_s;
  object["sound_per_second"] = measured.sound_s_per_s;
  object["errors"] = measured.errors;
  object["answered_ms"] = ToJson(measured.answered);
  object["refused_ms"] = ToJson(measured.refused);
  object["failed_ms"] = ToJson(measured.failed);
  object["send_delay_ms"] = ToJson(measured.send_delay);
  object["server_ms"] = ToJson(measured.server);
  for (const auto& [name, times] : measured.stages) object["stages_ms"][name] = ToJson(times);
  Set(object, "cpu_ms_per_call", CpuMsPerCall(run));
  Set(object, "sound_per_cpu_second", SoundPerCpuSecond(run));
  Set(object, "resident_bytes", run.after.resident_bytes);
  Set(object, "anonymous_bytes", run.after.anonymous_bytes);
  return object;
}

ordered_json ToJson(const Recognized& excerpt) {
  return {{"excerpt_seconds", excerpt.seconds}, {"clip", excerpt.clip},
          {"start_seconds", excerpt.start_s},   {"id", excerpt.id},
          {"confidence", excerpt.confidence},   {"match", excerpt.match}};
}

ordered_json ToJson(const v1::StatusResponse& status) {
  return {{"version", status.version()},
          {"model_id", status.model_id()},
          {"device", status.device()},
          {"pieces", status.pieces()},
          {"recordings", status.recordings()},
          {"score_vectors", status.score_vectors()},
          {"recording_vectors", status.recording_vectors()}};
}

}  // namespace

std::vector<Recognized> RecognizedIn(const Load& load, const std::vector<Excerpt>& excerpts,
                                     double seconds) {
  std::map<size_t, Recognized> by_excerpt;
  for (const Call& call : load.calls) {
    if (call.answer.outcome != Outcome::kAnswered) continue;
    const Excerpt& excerpt = excerpts[call.excerpt];
    const v1::IdentifyResponse& response = call.answer.response;
    Recognized one;
    one.seconds = seconds;
    one.clip = excerpt.path;
    one.start_s = excerpt.start_s;
    if (response.candidates_size() > 0) {
      one.id = response.candidates(0).source().id();
      one.confidence = response.candidates(0).confidence();
    }
    one.match = response.verdict() == v1::VERDICT_MATCH;
    by_excerpt.emplace(call.excerpt, std::move(one));
  }
  std::vector<Recognized> recognized;
  recognized.reserve(by_excerpt.size());
  for (auto& [index, one] : by_excerpt) recognized.push_back(std::move(one));
  return recognized;
}

std::string Table(const Report& report) {
  using client::Align;
  std::vector<client::Table::Column> columns = {{"sound"}, {"load"}};
  for (const char* header : {"calls", "calls/s", "sound s/s", "p50 ms", "p90", "p99", "p99.9",
                             "max", "refused", "failed", "failed p50 ms", "failed max",
                             "CPU ms/call", "sound s/CPU s", "MiB", "anonymous"})
    columns.push_back({header, Align::kRight});
  columns.push_back({"stages, mean ms", Align::kLeft, 100});
  client::Table table(columns);
  for (const Run& run : report.runs) {
    const Measurement& measured = run.measured;
    const Times& times = measured.answered;
    const Times& failed = measured.failed;
    table.AddRow({run.seconds == 0 ? "whole" : absl::StrCat(run.seconds, " s"), LoadOf(run),
                  absl::StrCat(times.count), Number(measured.calls_per_s),
                  Number(measured.sound_s_per_s), Number(times.p50_ms), Number(times.p90_ms),
                  Number(times.p99_ms), Number(times.p999_ms), Number(times.max_ms),
                  Count(measured.refused.count), Count(failed.count),
                  failed.count == 0 ? "" : Number(failed.p50_ms),
                  failed.count == 0 ? "" : Number(failed.max_ms), Number(CpuMsPerCall(run)),
                  Number(SoundPerCpuSecond(run)), Mebibytes(run.after.resident_bytes),
                  Mebibytes(run.after.anonymous_bytes), Stages(measured)});
  }
  return table.Render();
}

std::string Json(const Report& report) {
  ordered_json object = {{"version", report.version},
                         {"machine",
                          {{"cpu", report.machine.cpu},
                           {"cores", report.machine.cores},
                           {"vector", report.machine.vector},
                           {"memory_bytes", report.machine.memory_bytes}}},
                         {"server", ToJson(report.status)}};
  const Arguments& arguments = report.arguments;
  object["options"] = {{"clips", arguments.clips},
                       {"places", arguments.places},
                       {"against", arguments.against == v1::SIDE_SCORES ? "scores" : "recordings"},
                       {"arrivals", arguments.arrivals == Arrivals::kEven ? "even" : "poisson"},
                       {"connections", arguments.connections},
                       {"duration_seconds", arguments.load.duration_s},
                       {"warm_up_seconds", arguments.load.warm_up_s},
                       {"timeout_seconds", arguments.timeout_s},
                       {"seed", arguments.load.seed}};
  object["runs"] = ordered_json::array();
  for (const Run& run : report.runs) object["runs"].push_back(ToJson(run));
  object["recognized"] = ordered_json::array();
  for (const Recognized& one : report.recognized) object["recognized"].push_back(ToJson(one));
  return object.dump(2) + "\n";
}

}  // namespace antiphon::bench
