// MusicXML as written scores: versions 1.0 to 4.0 (W3C Music Notation Community Group, Final Report
// of June 2021), partwise and timewise, as plain XML or in a container (.mxl).
//
// The reader takes untrusted bytes: any input gives a score or a status, in time and memory
// proportional to its length (of a container, to its limited length unpacked). Nothing outside the
// bytes is read, whatever the document type or an entity names. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_MUSICXML_MUSICXML_H_
#define ANTIPHON_CORE_MUSICXML_MUSICXML_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "core/notation/written_score.h"

namespace antiphon::notation {

// Whether bytes are MusicXML, by the beginning of them: 4,096 bytes are enough to tell, but of a
// file with a longer comment before its first element. True of a container whose first entry is
// that of MusicXML; what else is in it shows when it is read.
bool LooksLikeMusicXml(std::string_view head);

// Reads UTF-8, UTF-16 and, where the file declares it, Latin-1. Pitches are as heard: transposing
// instruments are moved, octave lines and octave clefs are in the file's pitches already. Tied
// notes are one, tremolos between two chords are written out, a measure repeat (the sign) has the
// notes of the measures that it repeats.
//
//  - A printed accidental that the pitch is without counts, for its measure.
//  - Left out and counted: unpitched percussion (midi-channel 10 and slash noteheads included) and
//    cue notes.
//  - Grace notes come before the note that follows them in their voice. Those that end a bar are
//    short notes before its end, taken from the time of the note before them.
//  - A bar is as long as what is in it; an empty one as its metre says.
//  - Tempo is that of `sound` elements, and of metronome marks without one. Words are no tempo.
//  - A note's velocity is its own, else that of the last dynamics of its part, `sound` elements
//    before marks. Accents (sf, fz, fp) hold for the notes at their place. Hairpins: see
//    core/notation/loudness.h.
//  - Jumps and signs are those of `sound` elements; where there are none, words that can only mean
//    one ("D.C. al Fine", "To Coda") and printed signs.
//  - Where the printed numbers begin again after a double bar, a new movement starts: a da capo
//    goes back no further.
//
// Read with a warning that names line, bar and part: what is repaired or passed over (a backup
// before the measure's beginning, a note without length, a metre without meaning, a part that the
// list doesn't name, repeats in the middle of a measure, notes of certain passes only).
//
// Fails with InvalidArgument (no MusicXML; malformed, with line and bar; an opus; an encrypted or
// damaged container), ResourceExhausted (a limit).
[[nodiscard]] absl::StatusOr<WrittenScore> ReadMusicXml(std::string_view bytes,
                                                        const NotationLimits& limits = {});

}  // namespace antiphon::notation

#endif  // ANTIPHON_CORE_MUSICXML_MUSICXML_H_
