// Load on a server: in a closed loop each client asks again when it is answered; in an open loop
// requests come when they are due, whether or not others are answered.
//
// A closed loop finds what a server can do; it asks less often when answers take longer, and so
// says little about how long they take for people who do not wait for each other. An open loop
// does: the time of a call counts from when it was due, so that a request that was sent late, or
// had to wait for others, is as slow as its caller found it (no coordinated omission).
//
// Both functions block until every call has ended. Used by one thread.
#ifndef ANTIPHON_TESTS_BENCH_LOAD_H_
#define ANTIPHON_TESTS_BENCH_LOAD_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/bench/caller.h"
#include "tests/bench/excerpts.h"
#include "tests/bench/schedule.h"

namespace antiphon::bench {

struct LoadOptions {
  double warm_up_s = 2;    // before calls count
  double duration_s = 10;  // for which they count
  uint64_t seed = 1;       // of the order of the excerpts, and of when requests are due
  // Called when calls begin to count, and when they have ended to: to look at the server. They do
  // not overlap.
  std::function<void()> on_begin = [] {};
  std::function<void()> on_end = [] {};
};

// A call that counts. Times are seconds since the loop began.
struct Call {
  size_t excerpt = 0;
  double due_s = 0;   // in a closed loop when it was sent
  double sent_s = 0;  // >= due_s
  double ended_s = 0;
  Answer answer;

  double latency_s() const { return ended_s - due_s; }
};

struct Load {
  std::vector<Call> calls;
  double seconds = 0;  // for which they counted
};

// One client for each connection. Calls count that end within the duration, which lasts longer
// where fewer than one for each client would; the warm-up lasts until each client has been
// answered. A client that is refused asks again after the time that the server names, or
// kRetryDelayS. A client whose call fails asks no more; such a call always counts.
inline constexpr double kRetryDelayS = 0.1;
[[nodiscard]] Load RunClosedLoop(Caller& caller, const std::vector<Excerpt>& excerpts,
                                 const LoadOptions& options);

// `rate` requests a second, over one connection after the other. Calls count that are due within
// the duration; all of them are waited for, and the seconds are those until the last has ended.
[[nodiscard]] Load RunOpenLoop(Caller& caller, const std::vector<Excerpt>& excerpts,
                               Arrivals arrivals, double rate, const LoadOptions& options);

}  // namespace antiphon::bench

#endif  // ANTIPHON_TESTS_BENCH_LOAD_H_
