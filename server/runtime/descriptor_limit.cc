#include "server/runtime/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace antiphon::server {
namespace {

// Beyond this nothing is gained, and what walks all descriptors that there might be gets slow.
constexpr rlim_t kMost = 1 << 20;

}  // namespace

int64_t RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised = {std::max(limit.rlim_cur, std::min(limit.rlim_max, kMost)), limit.rlim_max};
  if (raised.rlim_cur > limit.rlim_cur && setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return static_cast<int64_t>(std::min(limit.rlim_cur, kMost));
}

int64_t ReservedDescriptors(int64_t limit) {
  return std::min(limit, std::clamp<int64_t>(limit / 8, 32, 512));
}

}  // namespace antiphon::server
