// A score or a performance as notes in time: what a Standard MIDI File says, without its encoding.
//
// Plain values: copy, move and share them as any struct. Nothing here is synchronised.
#ifndef ANTIPHON_CORE_MUSIC_SCORE_H_
#define ANTIPHON_CORE_MUSIC_SCORE_H_

#include <span>
#include <string>
#include <vector>

#include "core/music/tempo_map.h"

namespace antiphon::music {

inline constexpr int kLowestPianoPitch = 21;    // A0
inline constexpr int kHighestPianoPitch = 108;  // C8
inline constexpr int kMaxScoreWarnings = 20;

struct Note {
  double onset_s = 0;   // seconds from the start, at the tempo written
  double offset_s = 0;  // seconds: the key is released; > onset_s
  // Seconds. When the note falls silent, sustain pedal included; >= offset_s.
  double sounding_offset_s = 0;
  int pitch = 60;     // MIDI note number, 0 to 127; 69 is A4, 440 Hz
  int velocity = 64;  // 1 to 127
  int channel = 0;    // 0 to 15, never 9 (drums)
  int track = 0;      // of the file it came from, from 0
};

struct Score {
  std::string title;        // the first sequence name, or empty; valid UTF-8
  std::vector<Note> notes;  // sorted by onset_s, then pitch
  TempoMap tempo_map;
  double duration_s = 0;  // end of the last sounding note or event, seconds
  // Notes on drum channels, which are not among `notes`.
  int drum_notes = 0;
  // What the reader passed over or repaired in the file, for people: sentences without a full stop,
  // valid UTF-8, at most kMaxScoreWarnings. Empty for a file that is as it should be, and in scores
  // made from others.
  std::vector<std::string> warnings = {};
};

// The notes that sound anywhere in [start_s, end_s), cut to it and shifted so that start_s becomes
// 0. Tempo and metre are kept: the result's tempo map starts with what holds at start_s, and a bar
// that start_s cuts leaves an upbeat, which is bar 0. A note that only the pedal holds at
// start_s becomes a held one. Requires start_s < end_s; end_s may be infinite.
Score Excerpt(const Score& score, double start_s, double end_s);

// The same music at `ratio` times the tempo: every time is divided by `ratio`. Requires ratio > 0.
Score AtTempoRatio(const Score& score, double ratio);

// The same music so many semitones higher (or lower). Notes that would leave 0 to 127 are left out;
// the key signatures stay.
Score Transposed(const Score& score, int semitones);

// Distinct onset times in seconds, ascending; onsets closer than `tolerance_s` to the last one kept
// are merged into it.
std::vector<double> DistinctOnsets(std::span<const Note> notes, double tolerance_s = 0.010);

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_SCORE_H_
