#include "core/threads/cores.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

namespace antiphon::threads {
namespace {

// Empty where it can't be read.
std::string ContentsOf(const std::string& path) {
  std::ostringstream contents;
  contents << std::ifstream(path).rdbuf();
  return contents.str();
}

// Of the process's first thread. A machine with more cores than the set has room for is taken
// whole.
int AllowedCores() {
  cpu_set_t allowed;
  if (sched_getaffinity(getpid(), sizeof(allowed), &allowed) == 0) return CPU_COUNT(&allowed);
  return static_cast<int>(std::thread::hardware_concurrency());
}

// `quota` is a quota and a period, in microseconds. One that is "max", negative or no number limits
// nothing.
int WithinQuota(int cores, const std::string& quota) {
  std::istringstream numbers(quota);
  double allowed = 0, period = 0;
  if (!(numbers >> allowed >> period) || allowed <= 0 || period <= 0) return cores;
  return static_cast<int>(std::min<double>(cores, std::ceil(allowed / period)));
}

// The least of `cores` and the quotas of a group and of all above it. A container sees its own
// group as the root, whatever the kernel calls it.
int WithinGroups(int cores, std::string group,
                 const std::function<std::string(const std::string& group)>& quota_of) {
  while (true) {
    cores = WithinQuota(cores, quota_of(group));
    const size_t parent = group.rfind('/');
    if (parent == std::string::npos) return cores;
    group.resize(parent);
  }
}

bool HasCpu(const std::string& controllers) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "cpu") return true;
  }
  return false;
}

}  // namespace

int CoresWithin(int allowed, const std::string& mount, std::string_view membership) {
  int cores = allowed;
  const std::string version_1 = mount + "/cpu";
  std::istringstream lines{std::string(membership)};
  // NUMBER:CONTROLLERS:GROUP, of version 2 without controllers.
  for (std::string number, controllers, group; std::getline(lines, number, ':') &&
                                               std::getline(lines, controllers, ':') &&
                                               std::getline(lines, group);) {
    if (controllers.empty()) {
      cores = WithinGroups(cores, group, [&](const std::string& folder) {
        return ContentsOf(mount + folder + "/cpu.max");
      });
    } else if (HasCpu(controllers)) {
      cores = WithinGroups(cores, group, [&](const std::string& folder) {
        return ContentsOf(version_1 + folder + "/cpu.cfs_quota_us") +
               ContentsOf(version_1 + folder + "/cpu.cfs_period_us");
      });
    }
  }
  return std::max(1, cores);
}

int Cores() {
  static const int cores =
      CoresWithin(AllowedCores(), "/sys/fs/cgroup", ContentsOf("/proc/self/cgroup"));
  return cores;
}

}  // namespace antiphon::threads
