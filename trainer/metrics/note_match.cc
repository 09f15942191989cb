#include "trainer/metrics/note_match.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace antiphon::trainer::metrics {

MatchCounts CompareCells(std::span<const uint8_t> truth, std::span<const uint8_t> found) {
  MatchCounts counts;
  for (size_t i = 0; i < truth.size(); ++i) {
    counts.hits += truth[i] != 0 && found[i] != 0;
    counts.extra += truth[i] == 0 && found[i] != 0;
    counts.missed += truth[i] != 0 && found[i] == 0;
  }
  return counts;
}

std::vector<Onset> OnsetsWithin(std::span<const music::Note> notes, double start_s,
                                double length_s) {
  std::vector<Onset> onsets;
  for (const music::Note& note : notes) {
    if (note.onset_s >= start_s && note.onset_s < start_s + length_s) {
      onsets.push_back({note.onset_s - start_s, note.pitch});
    }
  }
  return onsets;
}

MatchCounts MatchOnsets(std::vector<Onset> truth, std::vector<Onset> found, double tolerance_s) {
  const auto by_pitch = [](const Onset& a, const Onset& b) {
    return std::tie(a.pitch, a.time_s) < std::tie(b.pitch, b.time_s);
  };
  std::sort(truth.begin(), truth.end(), by_pitch);
  std::sort(found.begin(), found.end(), by_pitch);
  MatchCounts counts;
  auto i = truth.begin();
  auto j = found.begin();
  while (i != truth.end() && j != found.end()) {
    // Rounding must not decide between onsets that are the tolerance apart.
    if (i->pitch == j->pitch && std::abs(i->time_s - j->time_s) <= tolerance_s + 1e-9) {
      ++counts.hits, ++i, ++j;
    } else if (by_pitch(*i, *j)) {
      ++counts.missed, ++i;
    } else {
      ++counts.extra, ++j;
    }
  }
  counts.missed += truth.end() - i;
  counts.extra += found.end() - j;
  return counts;
}

}  // namespace antiphon::trainer::metrics
