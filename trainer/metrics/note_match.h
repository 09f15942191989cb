// How much two stretches of music have in common: cells of pianorolls, onsets of notes. Pure
// functions; safe from any thread.
#ifndef ANTIPHON_TRAINER_METRICS_NOTE_MATCH_H_
#define ANTIPHON_TRAINER_METRICS_NOTE_MATCH_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/music/score.h"

namespace antiphon::trainer::metrics {

// Of what was found against what is true.
struct MatchCounts {
  int64_t hits = 0, extra = 0, missed = 0;  // true positives, false positives, false negatives

  void Add(const MatchCounts& other) {
    hits += other.hits;
    extra += other.extra;
    missed += other.missed;
  }
  // TP / (FP + FN); 0 where both are.
  double hits_per_error() const {
    return extra + missed > 0 ? static_cast<double>(hits) / static_cast<double>(extra + missed) : 0;
  }
  // 2 TP / (2 TP + FP + FN); 1 where nothing was found and nothing was there.
  double f1() const {
    const double all = static_cast<double>(2 * hits + extra + missed);
    return all > 0 ? 2 * static_cast<double>(hits) / all : 1;
  }
};

// Cells that are set (not 0) in both, in one alone. Requires equal sizes.
MatchCounts CompareCells(std::span<const uint8_t> truth, std::span<const uint8_t> found);

struct Onset {
  double time_s = 0;
  int pitch = 0;
};

// Those within [start_s, start_s + length_s), from its beginning.
std::vector<Onset> OnsetsWithin(std::span<const music::Note> notes, double start_s,
                                double length_s);

// Onsets of one pitch are matched one to one, at most `tolerance_s` apart, as many as can be (by
// going through both in order of time, which is best possible on a line). The order of the lists
// does not matter.
MatchCounts MatchOnsets(std::vector<Onset> truth, std::vector<Onset> found, double tolerance_s);

}  // namespace antiphon::trainer::metrics

#endif  // ANTIPHON_TRAINER_METRICS_NOTE_MATCH_H_
