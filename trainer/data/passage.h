// What is played around a moment of a score, as a number, to tell repeats by. Stateless; safe from
// any thread.
#ifndef ANTIPHON_TRAINER_DATA_PASSAGE_H_
#define ANTIPHON_TRAINER_DATA_PASSAGE_H_

#include <cstdint>
#include <span>

#include "core/music/score.h"

namespace antiphon::trainer::data {

// A hash of the notes struck within `reach_s` of `centre_s`, relative to it and rounded to
// `grid_s`: equal for repeats of the same notes. Notes are sorted by onset; all times are seconds
// of the score, reach and grid positive.
uint64_t HashPassage(std::span<const music::Note> notes, double centre_s, double reach_s,
                     double grid_s);

}  // namespace antiphon::trainer::data

#endif  // ANTIPHON_TRAINER_DATA_PASSAGE_H_
