#include "core/alignment/repeats.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>
#include <utility>

#include "absl/hash/hash.h"

namespace antiphon::alignment {
namespace {

// Onsets are compared in so many parts of a beat: a MIDI file may round a triplet.
constexpr double kParts = 12;
// Of the beats passed: so many must be like those before.
constexpr double kLeastAlike = 0.6;

}  // namespace

std::vector<uint64_t> BeatContents(std::span<const music::Note> notes,
                                   const std::vector<GridBeat>& grid) {
  std::vector<uint64_t> contents(grid.size());
  size_t next = 0;
  for (size_t beat = 0; beat < grid.size(); ++beat) {
    const double start_s = grid[beat].at_s;
    const double end_s = beat + 1 < grid.size() ? grid[beat + 1].at_s : start_s + 1e9;
    const double length_s = beat + 1 < grid.size() ? end_s - start_s : 1;
    std::set<std::pair<int, int>> begun;
    for (; next < notes.size() && notes[next].onset_s < end_s - 1e-6; ++next) {
      const double into = std::max(notes[next].onset_s - start_s, 0.0) / length_s;
      begun.emplace(static_cast<int>(std::lround(std::min(into, 1e6) * kParts)), notes[next].pitch);
    }
    if (!begun.empty()) contents[beat] = absl::HashOf(begun) | 1;
  }
  return contents;
}

Jump Latest(Jump jump, int last, const std::vector<uint64_t>& contents) {
  const auto size = static_cast<int>(contents.size());
  while (jump.to + 1 < last && jump.from + 1 < size && contents[jump.from] == contents[jump.to]) {
    ++jump.from;
    ++jump.to;
  }
  return jump;
}

Entry EntryOf(Jump jump, const std::vector<uint64_t>& contents) {
  if (jump.to <= jump.from) return Entry::kRepeatAdded;
  const int passed = jump.to - jump.from;
  int alike = 0;
  int all = 0;
  for (int beat = jump.from; beat < jump.to; ++beat) {
    if (contents[beat] == 0) continue;
    ++all;
    alike += beat >= passed && contents[beat] == contents[beat - passed];
  }
  return all > 0 && alike >= kLeastAlike * all ? Entry::kRepeatLeftOut : Entry::kCut;
}

}  // namespace antiphon::alignment
