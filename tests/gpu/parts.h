// Checks and measurements on a GPU, one process for each part: an error of CUDA spoils its process,
// and a crash or a hang ends one part only. The parent never touches the GPU. Header only.
#ifndef ANTIPHON_TESTS_GPU_PARTS_H_
#define ANTIPHON_TESTS_GPU_PARTS_H_

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace antiphon::gpu {

using Json = nlohmann::ordered_json;

inline double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// What a part tells. Each line is written at once, so that what was found before a crash is kept.
class Report {
 public:
  explicit Report(int out) : out_(out) {}

  void Set(const std::string& name, const Json& value) {
    const std::string line = Json{{"name", name}, {"value", value}}.dump() + "\n";
    if (write(out_, line.data(), line.size()) < 0) std::perror("part");
    std::fprintf(stderr, "    %s: %s\n", name.c_str(), value.dump().c_str());
  }
  // A check; a part with one that fails has failed.
  void Expect(bool holds, const std::string& what) {
    ++checks_;
    if (holds) return;
    ++failures_;
    if (failures_ <= 20) Set("failure " + std::to_string(failures_), what);
  }
  int failures() const { return failures_; }
  void Finish() {
    Set("checks", checks_);
    Set("failures", failures_);
  }

 private:
  const int out_;
  int checks_ = 0;
  int failures_ = 0;
};

struct Part {
  std::string name;
  double seconds;  // that it may take
  std::function<void(Report&)> run;
};

// Runs one part in a process of its own. What it told, and "outcome": "ok", "failed", "crashed: …",
// "too slow".
inline Json RunPart(const Part& part, double seconds) {
  std::fprintf(stderr, "== %s (at most %.0f s)\n", part.name.c_str(), seconds);
  int ends[2];
  if (pipe(ends) != 0) return {{"outcome", "no pipe"}};
  const double begin = Now();
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    Report report(ends[1]);
    int code = 1;
    try {
      part.run(report);
      report.Finish();
      code = report.failures() == 0 ? 0 : 1;
    } catch (const std::exception& e) {
      report.Set("exception", e.what());
    }
    std::fflush(nullptr);
    _exit(code);
  }
  close(ends[1]);
  Json result = Json::object();
  std::string text;
  bool slow = false;
  while (true) {
    const double left = begin + seconds - Now();
    pollfd ready = {ends[0], POLLIN, 0};
    const int polled = left <= 0 ? 0 : poll(&ready, 1, static_cast<int>(left * 1000) + 1);
    if (polled == 0) {
      slow = true;
      kill(child, SIGKILL);
      break;
    }
    char buffer[4096];
    const ssize_t size = read(ends[0], buffer, sizeof(buffer));
    if (size <= 0) break;
    text.append(buffer, size);
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  size_t from = 0;
  for (size_t end; (end = text.find('\n', from)) != std::string::npos; from = end + 1) {
    const Json line = Json::parse(text.substr(from, end - from), nullptr, false);
    if (line.is_object()) result[line["name"].get<std::string>()] = line["value"];
  }
  result["seconds"] = Now() - begin;
  result["outcome"] = slow                  ? std::string("too slow")
                      : WIFSIGNALED(status) ? "crashed: signal " + std::to_string(WTERMSIG(status))
                      : WEXITSTATUS(status) == 0 ? std::string("ok")
                                                 : std::string("failed");
  std::fprintf(stderr, "== %s: %s, %.1f s\n", part.name.c_str(),
               result["outcome"].get<std::string>().c_str(), result["seconds"].get<double>());
  return result;
}

// "--name value" pairs; a name without a value is "1".
inline std::map<std::string, std::string> ParseFlags(int argc, char** argv) {
  std::map<std::string, std::string> flags;
  for (int i = 1; i < argc; ++i) {
    std::string name = argv[i];
    if (name.substr(0, 2) == "--") name = name.substr(2);
    const bool has_value = i + 1 < argc && std::string(argv[i + 1]).substr(0, 2) != "--";
    flags[name] = has_value ? argv[++i] : "1";
  }
  return flags;
}

// Runs the parts that `--part A,B` names, or all, within `--seconds` in all; prints what they told
// as JSON and writes it to `--out`, after each part. Returns the exit status: 0 when all are well.
inline int RunParts(const std::vector<Part>& parts, const std::map<std::string, std::string>& flags,
                    double default_seconds) {
  const auto flag = [&](const char* name, const std::string& otherwise) {
    const auto found = flags.find(name);
    return found == flags.end() ? otherwise : found->second;
  };
  const double end = Now() + std::stod(flag("seconds", std::to_string(default_seconds)));
  const std::string chosen = "," + flag("part", "") + ",";
  const std::string out = flag("out", "");
  Json results = Json::object();
  bool all_well = true;
  for (const Part& part : parts) {
    if (chosen != ",," && chosen.find("," + part.name + ",") == std::string::npos) continue;
    const double left = end - Now();
    if (left < 2) {
      results[part.name] = {{"outcome", "no time left"}};
    } else {
      results[part.name] = RunPart(part, std::min(left, part.seconds));
    }
    all_well = all_well && results[part.name]["outcome"] == "ok";
    if (!out.empty()) std::ofstream(out) << results.dump(1) << "\n";
  }
  std::printf("%s\n", results.dump(1).c_str());
  return all_well ? 0 : 1;
}

}  // namespace antiphon::gpu

#endif  // ANTIPHON_TESTS_GPU_PARTS_H_
