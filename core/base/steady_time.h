// Time that nobody can set: how long something took, may take, or has to wait. The time of day
// (absl::Now) is for people and for files; an administrator or NTP moves it, by an hour at times.
#ifndef ANTIPHON_CORE_BASE_STEADY_TIME_H_
#define ANTIPHON_CORE_BASE_STEADY_TIME_H_

#include <chrono>

#include "absl/time/time.h"

namespace antiphon {

using SteadyTime = std::chrono::steady_clock::time_point;

inline constexpr SteadyTime kNever = SteadyTime::max();

inline SteadyTime SteadyNow() { return std::chrono::steady_clock::now(); }

// `duration` after `start`; kNever where that is too far away to be written.
inline SteadyTime After(absl::Duration duration, SteadyTime start) {
  if (start == kNever) return kNever;
  const auto left = absl::FromChrono(kNever - start);
  return duration >= left ? kNever : start + absl::ToChronoNanoseconds(duration);
}
inline SteadyTime After(absl::Duration duration) { return After(duration, SteadyNow()); }

inline absl::Duration Between(SteadyTime start, SteadyTime end) {
  return end == kNever ? absl::InfiniteDuration() : absl::FromChrono(end - start);
}

inline double SecondsSince(SteadyTime start) {
  return absl::ToDoubleSeconds(Between(start, SteadyNow()));
}

}  // namespace antiphon

#endif  // ANTIPHON_CORE_BASE_STEADY_TIME_H_
