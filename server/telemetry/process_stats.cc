#include "server/telemetry/process_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

namespace antiphon::server {
namespace {

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The time of the machine's start, seconds since 1970: the line "btime" of proc(5).
double BootTime() {
  std::istringstream lines(ReadFile("/proc/stat"));
  std::string line;
  while (std::getline(lines, line)) {
    double seconds = 0;
    if (std::sscanf(line.c_str(), "btime %lf", &seconds) == 1) return seconds;
  }
  return 0;
}

// From /proc/self/stat; see proc(5). The second field is the program's name in brackets, with
// whatever is in it.
void ReadStat(ProcessStats& stats) {
  const std::string text = ReadFile("/proc/self/stat");
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return;
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0, system = 0, started = 0;
  fields >> user >> system;  // 14, 15: in clock ticks
  for (int field = 16; field < 20; ++field) fields >> skipped;
  fields >> stats.threads >> skipped >> started >> stats.virtual_bytes;  // 20 to 23
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  stats.cpu_s = (user + system) / ticks;
  stats.start_time_s = BootTime() + started / ticks;
}

}  // namespace

ProcessStats ReadProcessStats() {
  ProcessStats stats;
  ReadStat(stats);
  long long total = 0, resident = 0;
  if (std::sscanf(ReadFile("/proc/self/statm").c_str(), "%lld %lld", &total, &resident) == 2)
    stats.resident_bytes = resident * sysconf(_SC_PAGESIZE);
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
       !error && entry != end; entry.increment(error)) {
    ++stats.open_descriptors;
  }
  if (stats.open_descriptors > 0) --stats.open_descriptors;  // that of the listing itself
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    stats.max_descriptors = static_cast<int64_t>(limit.rlim_cur);
  return stats;
}

}  // namespace antiphon::server
