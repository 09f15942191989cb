// A score or a performance as notes in time: what a Standard MIDI File says, or a score in notation
// as it is played (core/notation), without their encoding.
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

// A player, a singer or a hand: the notes of one track and channel.
struct Part {
  std::string name;  // as the file has it, or empty; valid UTF-8
  int track = 0;
  int channel = 0;  // as of its notes; where there are more parts than channels, they share them
  int program = 0;  // General MIDI, 0 to 127, of its first note; 0 is the grand piano
};

// A bar of the print, or what is played of it, at one of the times at which it is played.
struct PlayedBar {
  double beat = 0;          // quarter notes from the start, as it is played
  double length = 4;        // quarter notes, > 0
  double written_beat = 0;  // quarter notes from the start of the print, nothing repeated
  // Quarter notes that its metre has before it: 2 for an upbeat of one in 3/4; also for the second
  // half of a bar that a repeat sign divides.
  double missing = 0;
  int denominator = 4;  // of its metre: what beats are counted in
  int number = 1;       // counted along the print: 1 is the first complete bar, 0 an upbeat to it
  std::string label;    // as printed, "12a" for example; valid UTF-8; empty: not said
  int pass = 1;         // 2 when it is played for the second time
};

struct Score {
  std::string title;        // valid UTF-8, or empty; of a MIDI file the first sequence name
  std::vector<Note> notes;  // sorted by onset_s, then pitch
  TempoMap tempo_map;
  double duration_s = 0;  // end of the last sounding note or event, seconds
  // Notes on drum channels, which are not among `notes`.
  int drum_notes = 0;
  // What the reader passed over or repaired in the file, for people: sentences without a full stop,
  // valid UTF-8, at most kMaxScoreWarnings. Empty for a file that is as it should be, and in scores
  // made from others.
  std::vector<std::string> warnings = {};
  std::string composer = {};  // valid UTF-8, or empty: MIDI files have none
  std::string opus = {};      // ... opus, catalogue number or movement, as the file has it
  // In the order of the file; notes of a track and channel that no part has are of a nameless one.
  std::vector<Part> parts = {};
  // Of a score in notation, in the order of playing and without gaps. Empty: the bars are those of
  // the tempo map, and each is played once.
  std::vector<PlayedBar> bars = {};
};

// A place in a score, as musicians say it.
struct ScorePosition {
  double beats = 0;          // quarter notes from the start, as it is played
  double written_beats = 0;  // ... in print
  BarPosition bar;           // the number is that counted along the print
  std::string label;         // the bar's number as printed, or else as counted
  int pass = 1;              // 2 where the bar is played for the second time
};

// Everything that names a place goes through here. Times before 0 count as 0. The end of the last
// bar of notation is in that bar.
ScorePosition PositionAt(const Score& score, double seconds);

// The other way round: when a place in print is played, in seconds, as many times as it is, rising.
// Empty where it never is.
std::vector<double> TimesPlayed(const Score& score, double written_beats);

// The notes that sound anywhere in [start_s, end_s), cut to it and shifted so that start_s becomes
// 0. Tempo and metre are kept: the result's tempo map starts with what holds at start_s, and a bar
// that start_s cuts leaves an upbeat, which is bar 0. Bars of notation keep their numbers. A note
// that only the pedal holds at start_s becomes a held one. Requires start_s < end_s; end_s may be
// infinite.
Score Excerpt(const Score& score, double start_s, double end_s);

// The same music at `ratio` times the tempo: every time is divided by `ratio`. Requires ratio > 0.
Score AtTempoRatio(const Score& score, double ratio);

// The same music so many semitones higher (or lower). Notes that would leave 0 to 127 are left out;
// the key signatures stay.
Score Transposed(const Score& score, int semitones);

// Positions in `parts` of those that have notes.
std::vector<int> SoundingParts(const Score& score);

// One part alone: its notes, in the time of the whole. Requires a position in `parts`.
Score OnlyPart(const Score& score, int part);

// Distinct onset times in seconds, ascending; onsets closer than `tolerance_s` to the last one kept
// are merged into it.
std::vector<double> DistinctOnsets(std::span<const Note> notes, double tolerance_s = 0.010);

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_SCORE_H_
