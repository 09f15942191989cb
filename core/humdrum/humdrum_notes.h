// The notes of a Humdrum file as they are found: ties joined, grace notes led to their notes.
//
// Internal to core/humdrum. Not synchronised.
#ifndef ANTIPHON_CORE_HUMDRUM_HUMDRUM_NOTES_H_
#define ANTIPHON_CORE_HUMDRUM_HUMDRUM_NOTES_H_

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/humdrum/humdrum_parts.h"
#include "core/humdrum/humdrum_tokens.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

// Rounding of durations that have no whole number of ticks.
inline constexpr Ticks kTimeTolerance = 600;

class HumdrumNotes {
 public:
  // Where a note stands.
  struct Place {
    Ticks onset = 0;
    int track = 0;
    int group = 0;  // of tracks whose ties go across
    int voice = 0;
  };

  // A note that sounds, at its `pitch` as heard. A tie that ends makes the note before longer;
  // where there is none, the note goes on from somewhere else.
  // Returns whether it is a note of its own.
  bool Add(const KernNote& note, const Place& place, int pitch, int velocity);
  // A grace note, whose onset is not known yet; its index.
  size_t AddGrace(const KernNote& note, const Place& place, int pitch, int velocity);
  // They lead to what begins at `onset`: chords, as ranges of indices in the order of playing.
  void PlaceGraces(const std::vector<std::pair<size_t, size_t>>& chords, Ticks onset);

  // All notes in order, players for tracks; those without a velocity have that of their track's
  // `loudness`. Grace notes that lead nowhere are left out and counted.
  std::vector<WrittenNote> Take(const HumdrumParts::Players& players,
                                const std::vector<Loudness>& loudness, int* lost_graces);

 private:
  WrittenNote& Append(const KernNote& note, const Place& place, int pitch, int velocity);
  // The note that a tie goes on from; null if there is none.
  WrittenNote* Tied(const Place& place, int pitch, bool goes_on);

  std::vector<WrittenNote> notes_;  // `part` is the track
  // Indices of notes whose ties are open, by group and pitch; a few at most.
  std::unordered_map<int64_t, std::vector<size_t>> open_;
};

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_HUMDRUM_HUMDRUM_NOTES_H_
