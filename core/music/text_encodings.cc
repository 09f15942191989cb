#include "core/music/text_encodings.h"

#include <iconv.h>

#include <array>
#include <cstdint>
#include <vector>

namespace antiphon::music {
namespace {

// 0x80 to 0x9f of Windows-1252 and 0x80 to 0xbf of Windows-1251 (unicode.org, MAPPINGS/VENDORS/
// MICSFT). 0: left open.
constexpr std::array<uint16_t, 32> kWindows1252 = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};
constexpr std::array<uint16_t, 64> kWindows1251 = {
    0x0402, 0x0403, 0x201a, 0x0453, 0x201e, 0x2026, 0x2020, 0x2021, 0x20ac, 0x2030, 0x0409,
    0x2039, 0x040a, 0x040c, 0x040b, 0x040f, 0x0452, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0,      0x2122, 0x0459, 0x203a, 0x045a, 0x045c, 0x045b, 0x045f, 0x00a0,
    0x040e, 0x045e, 0x0408, 0x00a4, 0x0490, 0x00a6, 0x00a7, 0x0401, 0x00a9, 0x0404, 0x00ab,
    0x00ac, 0x00ad, 0x00ae, 0x0407, 0x00b0, 0x00b1, 0x0406, 0x0456, 0x0491, 0x00b5, 0x00b6,
    0x00b7, 0x0451, 0x2116, 0x0454, 0x00bb, 0x0458, 0x0405, 0x0455, 0x0457};

uint32_t Byte(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

}  // namespace

size_t DecodeUtf8(std::string_view bytes, uint32_t* code_point) {
  const uint32_t lead = Byte(bytes, 0);
  const size_t length = lead < 0x80   ? 1
                        : lead < 0xc2 ? 0
                        : lead < 0xe0 ? 2
                        : lead < 0xf0 ? 3
                        : lead < 0xf5 ? 4
                                      : 0;
  if (length == 0 || length > bytes.size()) return 0;
  *code_point = length == 1 ? lead : lead & (0x7fu >> length);
  for (size_t i = 1; i < length; ++i) {
    const uint32_t next = Byte(bytes, i);
    if ((next & 0xc0) != 0x80) return 0;
    *code_point = *code_point << 6 | (next & 0x3f);
  }
  const bool overlong =
      (length == 3 && *code_point < 0x800) || (length == 4 && *code_point < 0x10000);
  const bool surrogate = *code_point >= 0xd800 && *code_point < 0xe000;
  return overlong || surrogate || *code_point > 0x10ffff ? 0 : length;
}

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    uint32_t code_point = 0;
    const size_t length = DecodeUtf8(bytes, &code_point);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

void AppendUtf8(uint32_t code_point, std::string* text) {
  const auto tail = [&](int shift) {
    *text += static_cast<char>(0x80 | (code_point >> shift & 0x3f));
  };
  if (code_point < 0x80) {
    *text += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    *text += static_cast<char>(0xc0 | code_point >> 6);
    tail(0);
  } else if (code_point < 0x10000) {
    *text += static_cast<char>(0xe0 | code_point >> 12);
    tail(6), tail(0);
  } else {
    *text += static_cast<char>(0xf0 | code_point >> 18);
    tail(12), tail(6), tail(0);
  }
}

std::u32string DecodeWestern(std::string_view bytes) {
  std::u32string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    uint32_t code_point = 0;
    size_t length = DecodeUtf8(bytes, &code_point);
    if (length == 0) {
      length = 1;
      code_point = Byte(bytes, 0);
      if (code_point < 0xa0 && kWindows1252[code_point - 0x80] != 0)
        code_point = kWindows1252[code_point - 0x80];
    }
    text += static_cast<char32_t>(code_point);
    bytes.remove_prefix(length);
  }
  return text;
}

std::optional<std::u32string> DecodeCyrillic(std::string_view bytes) {
  std::u32string text;
  text.reserve(bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    uint32_t code_point = Byte(bytes, i);
    if (code_point >= 0xc0) {
      code_point += 0x0410 - 0xc0;
    } else if (code_point >= 0x80) {
      code_point = kWindows1251[code_point - 0x80];
      if (code_point == 0) return std::nullopt;
    }
    text += static_cast<char32_t>(code_point);
  }
  return text;
}

std::optional<std::u32string> DecodeShiftJis(std::string_view bytes) {
  const iconv_t converter = iconv_open("UTF-32LE", "CP932");
  if (reinterpret_cast<std::intptr_t>(converter) == -1) return std::nullopt;
  std::string in(bytes);
  std::vector<char> out(4 * in.size() + 4);
  char* from = in.data();
  char* to = out.data();
  size_t from_left = in.size();
  size_t to_left = out.size();
  const bool converted =
      iconv(converter, &from, &from_left, &to, &to_left) != static_cast<size_t>(-1);
  iconv_close(converter);
  if (!converted) return std::nullopt;
  std::u32string text;
  for (const char* at = out.data(); at != to; at += 4) {
    const std::string_view unit(at, 4);
    text += static_cast<char32_t>(Byte(unit, 0) | Byte(unit, 1) << 8 | Byte(unit, 2) << 16);
  }
  return text;
}

std::u32string DecodeUtf16(std::string_view bytes, bool big_endian) {
  std::u32string text;
  uint32_t high = 0;  // the first half of a pair
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const uint32_t unit = big_endian ? Byte(bytes, i) << 8 | Byte(bytes, i + 1)
                                     : Byte(bytes, i + 1) << 8 | Byte(bytes, i);
    const bool is_high = unit >= 0xd800 && unit < 0xdc00;
    const bool is_low = unit >= 0xdc00 && unit < 0xe000;
    if (is_low && high != 0)
      text += static_cast<char32_t>(0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
    if (!is_high && !is_low) text += static_cast<char32_t>(unit);
    high = is_high ? unit : 0;
  }
  return text;
}

}  // namespace antiphon::music
