#include "tests/bench/machine.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace antiphon::bench {
namespace {

// The value of the first line with this name; empty without one.
absl::string_view Field(absl::string_view cpuinfo, absl::string_view name) {
  for (const absl::string_view line : absl::StrSplit(cpuinfo, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (absl::StripAsciiWhitespace(parts.first) == name)
      return absl::StripAsciiWhitespace(parts.second);
  }
  return "";
}

}  // namespace

Machine MachineOf(absl::string_view cpuinfo) {
  Machine machine;
  machine.cpu = std::string(Field(cpuinfo, "model name"));
  for (const absl::string_view flag :
       absl::StrSplit(Field(cpuinfo, "flags"), ' ', absl::SkipEmpty())) {
    if (absl::StartsWith(flag, "avx") || absl::StartsWith(flag, "amx"))
      machine.vector.emplace_back(flag);
  }
  return machine;
}

Machine ThisMachine() {
  std::ifstream file("/proc/cpuinfo");
  Machine machine = MachineOf(std::string((std::istreambuf_iterator<char>(file)), {}));
  machine.cores = static_cast<int>(std::thread::hardware_concurrency());
  machine.memory_bytes = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  return machine;
}

}  // namespace antiphon::bench
