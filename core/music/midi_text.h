// Text of MIDI meta events, whose encoding the format leaves open: UTF-8 in new files, Latin-1 in
// most old ones.
//
// Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_MUSIC_MIDI_TEXT_H_
#define ANTIPHON_CORE_MUSIC_MIDI_TEXT_H_

#include <string>
#include <string_view>

namespace antiphon::music {

// Valid UTF-8 for any bytes: those that are not part of a valid UTF-8 sequence count as Latin-1.
// Control characters (of terminals, too) become spaces, and spaces at both ends go.
std::string CleanMidiText(std::string_view bytes);

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_MIDI_TEXT_H_
