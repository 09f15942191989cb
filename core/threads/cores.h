// How many cores the process may use, which may be fewer than the machine has. Safe from any
// thread.
#ifndef ANTIPHON_CORE_THREADS_CORES_H_
#define ANTIPHON_CORE_THREADS_CORES_H_

#include <string>
#include <string_view>

namespace antiphon::threads {

// The cores that the process is allowed to run on (`taskset`, cpusets), and no more of them than
// the quota of its control group pays for, rounded up (`docker run --cpus`, limits of Kubernetes).
// At least 1. Found when it is first asked for.
int Cores();

// The least of `allowed` and the quotas, rounded up, of the control group that `membership` names,
// as /proc/self/cgroup does, and of all above it. `mount` is where control groups are mounted. What
// can't be read limits nothing.
int CoresWithin(int allowed, const std::string& mount, std::string_view membership);

}  // namespace antiphon::threads

#endif  // ANTIPHON_CORE_THREADS_CORES_H_
