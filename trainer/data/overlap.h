// Finds pieces of one corpus that are pieces of another in a different edition, so that nothing is
// trained on that quality is measured on. Pure functions; safe from any thread.
#ifndef ANTIPHON_TRAINER_DATA_OVERLAP_H_
#define ANTIPHON_TRAINER_DATA_OVERLAP_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/music/score.h"

namespace antiphon::trainer::data {

// What one piece has in common with another whatever its key, tempo and accompaniment: hashes of
// the runs of 10 successive intervals of its upper voice (the highest note of those struck within
// 50 ms). Runs of one interval repeated, as in trills and scales, tell nothing and are left out.
std::set<uint64_t> MelodyShingles(const music::Score& score);

struct OverlapPiece {
  std::string name;
  std::set<uint64_t> shingles;
};

struct Overlap {
  std::string trained, measured;  // names
  int shared = 0;                 // shingles
  double share = 0;               // of the shorter piece's shingles
};

// For each trained piece the measured piece that it shares most with, if those are at least
// `min_shared` shingles and `min_share` of the shorter piece. In order of the trained names.
std::vector<Overlap> FindOverlaps(const std::vector<OverlapPiece>& trained,
                                  const std::vector<OverlapPiece>& measured, int min_shared,
                                  double min_share);

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_OVERLAP_H_
