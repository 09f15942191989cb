// Text of MIDI meta events, whose encoding the format leaves open: UTF-8 in new files; Latin-1,
// Windows-1251 or Shift-JIS in old ones.
//
// Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_MUSIC_MIDI_TEXT_H_
#define ANTIPHON_CORE_MUSIC_MIDI_TEXT_H_

#include <string>
#include <string_view>

namespace antiphon::music {

// Valid UTF-8 for any bytes. A byte order mark (UTF-8 or UTF-16) decides and goes. Without one,
// valid UTF-8 stays, and other bytes are read in the most plausible of Windows-1252 (Latin-1 with
// typographic marks), Windows-1251 (Cyrillic) and Shift-JIS: that in which words stay within one
// script, and few characters are ones that titles don't have. In doubt it is Windows-1252, within
// which valid sequences of UTF-8 stay. Control characters (of terminals, too) become spaces, and
// spaces at both ends go.
std::string CleanMidiText(std::string_view bytes);

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_MIDI_TEXT_H_
