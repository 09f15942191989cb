// When the requests of an open loop are due. Pure functions; safe from any thread.
#ifndef ANTIPHON_TESTS_BENCH_SCHEDULE_H_
#define ANTIPHON_TESTS_BENCH_SCHEDULE_H_

#include <cstdint>
#include <vector>

namespace antiphon::bench {

enum class Arrivals {
  kPoisson,  // independent of each other, as those of many people are
  kEven,     // one like the other
};

// Seconds from the beginning, ascending, from 0 to below `seconds`, at `rate` a second on average.
// The same seed gives the same times. Requires rate > 0.
std::vector<double> DueTimes(Arrivals arrivals, double rate, double seconds, uint64_t seed);

}  // namespace antiphon::bench

#endif  // ANTIPHON_TESTS_BENCH_SCHEDULE_H_
