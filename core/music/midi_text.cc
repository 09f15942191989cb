#include "core/music/midi_text.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"

namespace antiphon::music {
namespace {

// Length in bytes of the UTF-8 sequence that `bytes` begins with (RFC 3629), and its code point; 0
// if it is invalid.
size_t DecodeUtf8(std::string_view bytes, uint32_t* code_point) {
  const uint8_t lead = static_cast<uint8_t>(bytes[0]);
  const size_t length = lead < 0x80   ? 1
                        : lead < 0xc2 ? 0
                        : lead < 0xe0 ? 2
                        : lead < 0xf0 ? 3
                        : lead < 0xf5 ? 4
                                      : 0;
  if (length == 0 || length > bytes.size()) return 0;
  *code_point = length == 1 ? lead : lead & (0x7fu >> length);
  for (size_t i = 1; i < length; ++i) {
    const uint8_t next = static_cast<uint8_t>(bytes[i]);
    if ((next & 0xc0) != 0x80) return 0;
    *code_point = *code_point << 6 | (next & 0x3f);
  }
  const bool overlong =
      (length == 3 && *code_point < 0x800) || (length == 4 && *code_point < 0x10000);
  const bool surrogate = *code_point >= 0xd800 && *code_point < 0xe000;
  return overlong || surrogate || *code_point > 0x10ffff ? 0 : length;
}

}  // namespace

std::string CleanMidiText(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    uint32_t code_point = 0;
    size_t length = DecodeUtf8(bytes, &code_point);
    const bool latin1 = length == 0;
    if (latin1) {
      code_point = static_cast<uint8_t>(bytes[0]);
      length = 1;
    }
    if (code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0)) {
      text += ' ';
    } else if (latin1) {
      text += static_cast<char>(0xc0 | code_point >> 6);
      text += static_cast<char>(0x80 | (code_point & 0x3f));
    } else {
      text += bytes.substr(0, length);
    }
    bytes.remove_prefix(length);
  }
  return std::string(absl::StripAsciiWhitespace(text));
}

}  // namespace antiphon::music
