// Telling a score where its bar lines are, for files that don't say it themselves.
//
// Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_MUSIC_UPBEAT_H_
#define ANTIPHON_CORE_MUSIC_UPBEAT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace antiphon::music {

// The same MIDI file with an upbeat of so many quarter notes, which are written as a first bar that
// its metre, stated again, ends early (see TimeSignature). Its notes stay as they are, byte by
// byte, where the file is in order; a damaged or wrapped one is written anew. 0, or the upbeat that
// the file has anyway, changes nothing.
//
// Of MIDI files only: notation says where its bar lines are.
//
// InvalidArgument unless 0 <= quarter_notes < a bar of the first metre; on a file that has another
// upbeat or a change of metre within that time; and as ReadMidi does, ResourceExhausted too.
[[nodiscard]] absl::StatusOr<std::string> WithUpbeat(std::string_view midi, double quarter_notes);

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_UPBEAT_H_
