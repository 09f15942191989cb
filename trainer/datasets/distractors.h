// Pieces that fill a catalogue up: real ones that are no edition of a queried piece, then made
// ones. Pure functions; safe from any thread.
#ifndef ANTIPHON_TRAINER_DATASETS_DISTRACTORS_H_
#define ANTIPHON_TRAINER_DATASETS_DISTRACTORS_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/music/score.h"
#include "trainer/datasets/reference_collection.h"

namespace antiphon::trainer::datasets {

// By the melody that two pieces share (MelodyShingles): whether they are editions of one work.
bool AreEditions(const std::set<uint64_t>& a, const std::set<uint64_t>& b);

// For each of `pieces` a number that editions of one work share, and no others; editions of
// editions are editions.
std::vector<int> WorksOf(const std::vector<std::set<uint64_t>>& pieces);

// A piece of about a minute made of stretches of 10 s of several pieces, each transposed by up to 6
// semitones (never 0) and at 0.8 to 1.25 times its tempo: everything in it is music, and nothing in
// it is one of the pieces. Equal seeds give equal pieces. Requires scores with notes.
music::Score Recombine(const std::vector<music::Score>& scores, uint64_t seed);

// `count` of these as entries named "recombined-1" and so on.
[[nodiscard]] absl::StatusOr<std::vector<CollectionEntry>> MakeRecombined(
    const std::vector<CollectionEntry>& pieces, int count, uint64_t seed);

}  // namespace antiphon::trainer::datasets

#endif  // ANTIPHON_TRAINER_DATASETS_DISTRACTORS_H_
