#include "tests/bench/schedule.h"

#include <random>

namespace antiphon::bench {

std::vector<double> DueTimes(Arrivals arrivals, double rate, double seconds, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> gap(rate);
  std::vector<double> due;
  if (arrivals == Arrivals::kPoisson) {
    for (double at = gap(random); at < seconds; at += gap(random)) due.push_back(at);
  } else {
    for (int64_t i = 0; static_cast<double>(i) / rate < seconds; ++i)
      due.push_back(static_cast<double>(i) / rate);
  }
  return due;
}

}  // namespace antiphon::bench
