// Whether two scores hold the same music at places that one query was found in: the same notes, up
// to tempo, octave doubling, ornaments, and repeats taken or not. Decided from the notes, never
// from names. Pure functions; safe from any thread.
#ifndef ANTIPHON_CORE_MUSIC_SAME_MUSIC_H_
#define ANTIPHON_CORE_MUSIC_SAME_MUSIC_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/music/score.h"

namespace antiphon::music {

// A moment of the query, and the moment of a score that is heard then.
struct HeardAt {
  double heard_s = 0;  // seconds of the query
  double score_s = 0;  // seconds of the score
};

// A stretch of a score as it is heard: at least two moments, both sides rising.
using HeardPassage = std::vector<HeardAt>;

// What is struck together, by pitch class (C is bit 0), in order of the query.
struct Onset {
  double heard_s = 0;   // about when, seconds of the query
  double played_s = 0;  // seconds of the score at the mean tempo of its passage
  int passage = 0;
  uint16_t pitch_classes = 0;
};

// The notes of a score, as the passages are heard one after the other. Onsets closer than 50 ms as
// heard are one.
std::vector<Onset> OnsetsHeard(const Score& score, std::span<const HeardPassage> passages);

// How much of each of two sequences of onsets is in the other, in order and at the same pace, over
// the part of the query in which both are heard. Shares are of pitch classes struck, in [0, 1].
struct Agreement {
  double first = 0, second = 0;  // shares of either
  // The greatest share of either that agrees when the second is transposed by 1 to 11 semitones:
  // what two pieces of such a texture have in common by chance.
  double first_by_chance = 0, second_by_chance = 0;
  int onsets = 0;      // of the shorter sequence
  double heard_s = 0;  // of the query, in which both are heard
};

// Alignment by dynamic programming: onsets that have a pitch class in common may be matched where
// they are heard within a second of one another, and the next pair must follow at the same pace.
// Takes time by the number of onsets.
Agreement CompareOnsets(std::span<const Onset> first, std::span<const Onset> second);

// Most of what is struck in the one is struck in the other, and far more than chance would have it.
// A part of the texture, such as one hand, is the same music when nearly all of it is there.
bool IsSameMusic(const Agreement& agreement);

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_SAME_MUSIC_H_
