#include "core/notation/loudness.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace antiphon::notation {

Loudness::Loudness(std::vector<LoudnessMark> marks, std::vector<Hairpin> hairpins) {
  std::stable_sort(marks.begin(), marks.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  std::stable_sort(hairpins.begin(), hairpins.end(),
                   [](const auto& a, const auto& b) { return a.from < b.from; });
  int velocity = 0;
  size_t next = 0;
  const auto take_marks = [&](Ticks until) {
    for (; next < marks.size() && marks[next].at <= until; ++next) {
      velocity = marks[next].velocity;
      levels_.push_back({marks[next].at, velocity, marks[next].at, velocity});
    }
  };
  Ticks busy = std::numeric_limits<Ticks>::min();
  for (const Hairpin& hairpin : hairpins) {
    if (hairpin.to <= hairpin.from || hairpin.from < busy) continue;
    take_marks(hairpin.from);
    const int start = velocity > 0 ? velocity : kUnmarked;
    Level level{hairpin.from, start, hairpin.to,
                std::clamp(start + (hairpin.grows ? kStep : -kStep), 1, 127)};
    if (next < marks.size() && marks[next].at <= hairpin.to + kTicksPerQuarter) {
      const LoudnessMark& mark = marks[next];
      if (hairpin.grows ? mark.velocity > start : mark.velocity < start) {
        level.until = mark.at;
        level.target = mark.velocity;
      } else {
        level.until = std::min(level.until, mark.at);
      }
    }
    levels_.push_back(level);
    velocity = level.target;
    busy = level.until;
  }
  take_marks(std::numeric_limits<Ticks>::max());
}

int Loudness::VelocityAt(Ticks at) const {
  const auto after =
      std::upper_bound(levels_.begin(), levels_.end(), at,
                       [](Ticks time, const Level& level) { return time < level.at; });
  if (after == levels_.begin()) return 0;
  const Level& level = *(after - 1);
  if (at >= level.until) return level.target;
  const double part =
      static_cast<double>(at - level.at) / static_cast<double>(level.until - level.at);
  return static_cast<int>(std::lround(level.velocity + part * (level.target - level.velocity)));
}

}  // namespace antiphon::notation
