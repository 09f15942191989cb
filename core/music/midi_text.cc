#include "core/music/midi_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "core/music/text_encodings.h"

namespace antiphon::music {
namespace {

constexpr char32_t kByteOrderMark = 0xfeff;

enum class Script {
  kNone,  // spaces, digits, marks
  kLatin,
  kCyrillic,
  kJapanese,
};

bool Within(char32_t c, char32_t first, char32_t last) { return first <= c && c <= last; }

bool IsAccented(char32_t c) {
  return Within(c, 0xc0, 0x24f) && c != 0xd7 && c != 0xf7 && c != 0x192;
}

bool IsHalfwidthKatakana(char32_t c) { return Within(c, 0xff66, 0xff9f); }

Script ScriptOf(char32_t c) {
  if (Within(c, 'A', 'Z') || Within(c, 'a', 'z') || IsAccented(c)) return Script::kLatin;
  if (Within(c, 0x400, 0x4ff)) return Script::kCyrillic;
  if (Within(c, 0x3041, 0x30ff) || Within(c, 0x3400, 0x9fff) || IsHalfwidthKatakana(c) ||
      c == 0x3005) {
    return Script::kJapanese;
  }
  return Script::kNone;
}

bool IsUpper(char32_t c) {
  return Within(c, 'A', 'Z') || (Within(c, 0xc0, 0xde) && c != 0xd7) || c == 0x152 || c == 0x160 ||
         c == 0x178 || c == 0x17d || Within(c, 0x400, 0x42f);
}

// How unlikely a character is in a title, whatever stands beside it.
double OddityOf(char32_t c) {
  if (c < 0x20 || Within(c, 0x7f, 0x9f)) return 3;
  // Letters of Windows-1251 that Russian, Ukrainian and Belarusian don't have.
  if (Within(c, 0x402, 0x40f) && c != 0x404 && c != 0x406 && c != 0x407 && c != 0x40e) return 1;
  if (Within(c, 0x452, 0x45f) && c != 0x454 && c != 0x456 && c != 0x457 && c != 0x45e) return 1;
  if (IsHalfwidthKatakana(c)) return 1.5;
  // Many pairs of bytes are some kanji. The price is small: text in kanji, read in another
  // encoding, costs more.
  if (Within(c, 0x3400, 0x9fff)) return 0.25;
  switch (c) {
    case 0xa2:  // ¢ £ ¤ ¥ ¦ § ¨ ¬ ¯ ± ² ³ ´ µ ¶ ¸ ¹ ¼ ½ ¾ × ÷, ƒ ˆ ˜ † ‡ ‰ ‹ › ‚ „ €
    case 0xa3:
    case 0xa4:
    case 0xa5:
    case 0xa6:
    case 0xa7:
    case 0xa8:
    case 0xac:
    case 0xaf:
    case 0xb1:
    case 0xb2:
    case 0xb3:
    case 0xb4:
    case 0xb5:
    case 0xb6:
    case 0xb8:
    case 0xb9:
    case 0xbc:
    case 0xbd:
    case 0xbe:
    case 0xd7:
    case 0xf7:
    case 0x192:
    case 0x2c6:
    case 0x2dc:
    case 0x2020:
    case 0x2021:
    case 0x2030:
    case 0x2039:
    case 0x203a:
    case 0x201a:
    case 0x20ac:
      return 1;
    default:
      return 0;
  }
}

// How unlikely it is that a person wrote this: 0 for plain words of one script.
double Oddity(const std::u32string& text) {
  double oddity = 0;
  char32_t before = ' ';
  for (const char32_t c : text) {
    oddity += OddityOf(c);
    const Script script = ScriptOf(c);
    const Script last = ScriptOf(before);
    if (script != Script::kNone && last != Script::kNone) {
      if (script != last) {
        oddity += 2;
      } else if (script == Script::kLatin && IsAccented(c) && IsAccented(before)) {
        oddity += 1;
      } else if (script != Script::kJapanese && IsUpper(c) && !IsUpper(before)) {
        oddity += 1;
      }
    }
    before = c;
  }
  return oddity;
}

std::u32string Decode(std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) return DecodeWestern(bytes.substr(3));
  if (bytes.starts_with("\xff\xfe")) return DecodeUtf16(bytes.substr(2), /*big_endian=*/false);
  if (bytes.starts_with("\xfe\xff")) return DecodeUtf16(bytes.substr(2), /*big_endian=*/true);
  std::u32string best = DecodeWestern(bytes);
  if (IsUtf8(bytes)) return best;
  double least = Oddity(best);
  for (std::optional<std::u32string> other : {DecodeCyrillic(bytes), DecodeShiftJis(bytes)}) {
    if (!other) continue;
    const double oddity = Oddity(*other);
    if (oddity >= least) continue;
    least = oddity;
    best = *std::move(other);
  }
  return best;
}

}  // namespace

std::string CleanMidiText(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char32_t c : Decode(bytes)) {
    if (c == kByteOrderMark) continue;
    if (c < 0x20 || Within(c, 0x7f, 0x9f)) {
      text += ' ';
    } else {
      AppendUtf8(c, &text);
    }
  }
  return std::string(absl::StripAsciiWhitespace(text));
}

}  // namespace antiphon::music
