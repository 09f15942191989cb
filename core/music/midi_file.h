// Standard MIDI File reader and writer (MIDI 1.0 Detailed Specification, Standard MIDI Files 1.0,
// MMA 1996).
//
// The reader takes untrusted bytes: any input gives a Score or a status, in time and memory
// proportional to its length. Stateless functions; safe from any thread.
#ifndef ANTIPHON_CORE_MUSIC_MIDI_FILE_H_
#define ANTIPHON_CORE_MUSIC_MIDI_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/music/score.h"

namespace antiphon::music {

// Limits on what is accepted. Exceeding one is ResourceExhausted and names it.
struct MidiLimits {
  int64_t max_bytes = 8 << 20;       // size of the file
  int max_tracks = 1024;             // that are there, whatever the header says
  int64_t max_events = 4'000'000;    // over all tracks
  int64_t max_notes = 1'000'000;     // drums included
  double max_duration_s = 6 * 3600;  // seconds at nominal tempo
};

// Whether there is a MIDI file in the bytes as ReadMidi finds it: at their beginning, in an RMID
// (RIFF) or MacBinary file, or behind at most 1,024 other bytes, such as blank lines. The first
// 2,048 bytes of a file are enough to tell, but in an RMID file with long chunks before the music.
bool LooksLikeMidi(std::string_view bytes);

// Reads formats 0, 1 and 2 (the patterns of format 2 one after the other), running status, tempo
// map, time and key signatures, sustain pedal (controller 64), metrical and SMPTE division. Drums
// are left out and counted: channel 10 (counted from 1), and what a GS, XG or General MIDI 2 file
// makes a drum part. A note that is never ended ends with its track; a note struck again while held
// ends the earlier one, and a note-off at the tick of the new note is the end of the earlier one; a
// note with no length gets the shortest (1 tick). A pedal of 64 or more (half pedal included) lets
// the notes of its channel, of all tracks, sound until its release or the next strike of the pitch.
//
// Read with a warning in Score::warnings: a wrong number of tracks, tracks of a wrong length, a
// file that is cut off within a track, real-time bytes (F8 to FE) between events, and bytes before
// the header or between tracks. Forgiven: a track without End of Track, chunks of other kinds,
// bytes after the last track, and tempi and signatures without meaning (0 s per beat, 0/4, 9
// sharps), which are passed over. Score::title is a name of the first track or, of a karaoke file,
// its title; names of instruments, programs and the like are none. Score::parts has a part for each
// track and channel with notes: the track's first name, unless that is the title, and the program
// that holds at its first note.
//
// Fails with InvalidArgument (not a MIDI file, malformed: the message says what and at which byte;
// damaged so that no note is left), ResourceExhausted (a limit). A file with no notes is a Score
// with no notes.
[[nodiscard]] absl::StatusOr<Score> ReadMidi(std::string_view bytes, const MidiLimits& limits = {});

// As above, from a file. Adds NotFound and the path to the messages.
[[nodiscard]] absl::StatusOr<Score> ReadMidiFile(const std::string& path,
                                                 const MidiLimits& limits = {});

// Writes format 1, 480 ticks per quarter note: a conductor track with title, tempo, time and key
// signatures, and one track for each track number in use, with the names and programs of its parts.
// Of notation, the bars are written as the tempo map has them: nothing tells that they were
// repeated. Reading the result back gives the same notes within one tick; sounding_offset_s is
// written as the note's end (no pedal events), or the next strike of the same pitch on its track
// and channel where that comes first. Notes, tempi and gaps outside MIDI's ranges are an
// InvalidArgument.
[[nodiscard]] absl::StatusOr<std::string> WriteMidi(const Score& score);

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_MIDI_FILE_H_
