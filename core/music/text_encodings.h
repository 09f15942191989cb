// Bytes as characters, in the encodings that old MIDI files use.
//
// Internal to core/music, core/musicxml. Stateless; safe from any thread.
#ifndef ANTIPHON_CORE_MUSIC_TEXT_ENCODINGS_H_
#define ANTIPHON_CORE_MUSIC_TEXT_ENCODINGS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace antiphon::music {

// Length in bytes of the UTF-8 sequence that `bytes` begins with (RFC 3629), and its code point; 0
// if it is invalid. Requires a byte.
size_t DecodeUtf8(std::string_view bytes, uint32_t* code_point);
bool IsUtf8(std::string_view bytes);
void AppendUtf8(uint32_t code_point, std::string* text);

// All of the following give code points.

// Valid sequences of UTF-8 as such, other bytes as Windows-1252. Never fails: the five bytes that
// Windows-1252 leaves open are control characters.
std::u32string DecodeWestern(std::string_view bytes);

// Windows-1251. Nothing on the one byte that it leaves open.
std::optional<std::u32string> DecodeCyrillic(std::string_view bytes);

// Shift-JIS as Windows has it (code page 932), through iconv. Nothing on bytes that are none.
std::optional<std::u32string> DecodeShiftJis(std::string_view bytes);

// UTF-16; half of a pair and a last odd byte are left out.
std::u32string DecodeUtf16(std::string_view bytes, bool big_endian);

}  // namespace antiphon::music

#endif  // ANTIPHON_CORE_MUSIC_TEXT_ENCODINGS_H_
