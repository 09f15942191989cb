// Where a score has a line that someone plays: the notes of one instrument, or of several together.
// Settings of one tune share their lines, so that who hears a line alone cannot tell them apart.
// Pure functions; safe from any thread.
#ifndef ANTIPHON_TRAINER_DATASETS_LINES_H_
#define ANTIPHON_TRAINER_DATASETS_LINES_H_

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "core/matching/match.h"
#include "core/music/score.h"

namespace antiphon::trainer::datasets {

// The notes of each part (track and channel) that has any, sorted as those of the score.
std::vector<std::vector<music::Note>> NotesOfParts(const music::Score& score);

// The stretches of `notes`, seconds, that hold the line at one tempo between half and twice its
// own, in its key: the same music as music::IsSameMusic decides, so that an ornament more or less
// does not matter. A line too short for that, with fewer than six onsets or in less than two
// seconds, must be there with every note, and nothing else at its onsets and between them. Both are
// sorted as the notes of a score. Nothing for a line with fewer than two onsets. The search ends
// with the first `most` of them (at least one).
std::vector<matching::Span> FindLine(std::span<const music::Note> line,
                                     std::span<const music::Note> notes,
                                     size_t most = std::numeric_limits<size_t>::max());

}  // namespace antiphon::trainer::datasets

#endif  // ANTIPHON_TRAINER_DATASETS_LINES_H_
