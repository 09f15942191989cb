#include "core/abc/abc_text.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "core/abc/abc_fields.h"
#include "core/base/unicode.h"
#include "core/music/midi_text.h"

namespace antiphon::notation {
namespace {

std::optional<std::string> Convert(std::string_view bytes, const char* from_charset) {
  const iconv_t converter = iconv_open("UTF-8", from_charset);
  if (reinterpret_cast<std::intptr_t>(converter) == -1) return std::nullopt;
  std::string in(bytes);
  std::string out(4 * in.size() + 4, '\0');
  char* from = in.data();
  char* to = out.data();
  size_t from_left = in.size();
  size_t to_left = out.size();
  const bool converted =
      iconv(converter, &from, &from_left, &to, &to_left) != static_cast<size_t>(-1);
  iconv_close(converter);
  if (!converted) return std::nullopt;
  out.resize(out.size() - to_left);
  return out;
}

// Encodings that %%abc-charset may name. UTF-8 is none of them: it is recognised.
bool IsKnownCharset(std::string_view name) {
  return StartsWithIgnoringCase(name, "iso-8859-") || StartsWithIgnoringCase(name, "windows-125");
}

struct Accent {
  std::string_view mnemonic;  // \'e
  std::string_view entity;    // &eacute;
  std::string_view combining;
};
constexpr Accent kAccents[] = {
    {"`", "grave", "\u0300"}, {"'", "acute", "\u0301"}, {"^", "circ", "\u0302"},
    {"~", "tilde", "\u0303"}, {"\"", "uml", "\u0308"},  {"o", "ring", "\u030a"},
    {"H", "", "\u030b"},      {"v", "caron", "\u030c"}, {"c", "cedil", "\u0327"},
    {",", "", "\u0327"},      {"u", "breve", "\u0306"}, {"=", "macr", "\u0304"},
    {".", "", "\u0307"},      {";", "", "\u0328"},
};

struct Letter {
  std::string_view mnemonic;  // \ss
  std::string_view entity;    // &szlig;
  std::string_view text;
};
constexpr Letter kLetters[] = {
    {"aa", "", "å"},       {"AA", "", "Å"},      {"ae", "aelig", "æ"}, {"AE", "AElig", "Æ"},
    {"oe", "oelig", "œ"},  {"OE", "OElig", "Œ"}, {"ss", "szlig", "ß"}, {"/o", "oslash", "ø"},
    {"/O", "Oslash", "Ø"}, {"/d", "", "đ"},      {"/D", "", "Đ"},      {"/l", "", "ł"},
    {"/L", "", "Ł"},       {"dh", "eth", "ð"},   {"DH", "ETH", "Ð"},   {"th", "thorn", "þ"},
    {"TH", "THORN", "Þ"},  {"\\", "", "\\"},     {"%", "", "%"},       {"&", "amp", "&"},
    {"", "lt", "<"},       {"", "gt", ">"},      {"", "quot", "\""},   {"", "apos", "'"},
    {"", "nbsp", " "},     {"", "copy", "©"},
};

void AppendCodePoint(uint32_t code_point, std::string* text) {
  // Through iconv, which refuses halves of pairs and what is beyond the range.
  const std::array<char, 4> bytes = {
      static_cast<char>(code_point >> 24), static_cast<char>(code_point >> 16),
      static_cast<char>(code_point >> 8), static_cast<char>(code_point)};
  const std::optional<std::string> utf8 =
      Convert(std::string_view(bytes.data(), bytes.size()), "UTF-32BE");
  *text += utf8.value_or("\uFFFD");
}

std::optional<uint32_t> CodePointOf(std::string_view digits, int base) {
  uint32_t code_point = 0;
  const char* const end = digits.data() + digits.size();
  const auto [behind, error] = std::from_chars(digits.data(), end, code_point, base);
  if (error != std::errc() || behind != end) return std::nullopt;
  return code_point;
}

// What stands behind a backslash; the number of bytes read, 0 where it is no mnemonic.
size_t TakeMnemonic(std::string_view rest, std::string* text) {
  if (rest.size() >= 5 && rest[0] == 'u') {
    if (const std::optional<uint32_t> code_point = CodePointOf(rest.substr(1, 4), 16)) {
      AppendCodePoint(*code_point, text);
      return 5;
    }
  }
  for (const Letter& letter : kLetters) {
    if (letter.mnemonic.empty() || !rest.starts_with(letter.mnemonic)) continue;
    *text += letter.text;
    return letter.mnemonic.size();
  }
  for (const Accent& accent : kAccents) {
    if (rest.size() < 2 || !rest.starts_with(accent.mnemonic) || !absl::ascii_isalpha(rest[1]))
      continue;
    *text += rest[1];
    *text += accent.combining;
    return 2;
  }
  return 0;
}

// What stands behind an ampersand.
size_t TakeEntity(std::string_view rest, std::string* text) {
  constexpr size_t kLongest = 10;
  const size_t end = rest.substr(0, kLongest).find(';');
  if (end == std::string_view::npos || end == 0) return 0;
  std::string_view name = rest.substr(0, end);
  if (name.starts_with('#')) {
    if (const std::optional<uint32_t> code_point = CodePointOf(name.substr(1), 10)) {
      AppendCodePoint(*code_point, text);
      return end + 1;
    }
  }
  for (const Letter& letter : kLetters) {
    if (letter.entity != name) continue;
    *text += letter.text;
    return end + 1;
  }
  for (const Accent& accent : kAccents) {
    if (accent.entity.empty() || name.substr(1) != accent.entity || !absl::ascii_isalpha(name[0]))
      continue;
    *text += name[0];
    *text += accent.combining;
    return end + 1;
  }
  return 0;
}

}  // namespace

std::optional<std::string> AbcFromUtf16(std::string_view bytes) {
  if (bytes.starts_with("\xff\xfe")) return Convert(bytes.substr(2), "UTF-16LE");
  if (bytes.starts_with("\xfe\xff")) return Convert(bytes.substr(2), "UTF-16BE");
  return std::nullopt;
}

std::string CleanAbcText(std::string_view bytes, std::string_view charset) {
  std::optional<std::string> converted;
  if (IsKnownCharset(charset)) converted = Convert(bytes, std::string(charset).c_str());
  std::string decoded = music::CleanMidiText(converted ? *converted : bytes);
  if (decoded.find_first_of("\\&") == std::string::npos) return decoded;
  std::string text;
  for (std::string_view rest = decoded; !rest.empty();) {
    const char c = rest.front();
    rest.remove_prefix(1);
    const size_t taken = c == '\\'  ? TakeMnemonic(rest, &text)
                         : c == '&' ? TakeEntity(rest, &text)
                                    : 0;
    if (taken == 0) text += c;
    rest.remove_prefix(taken);
  }
  return music::CleanMidiText(ToNfc(text));
}

std::string_view WithoutComment(std::string_view line) {
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '%' && (i == 0 || line[i - 1] != '\\')) return line.substr(0, i);
  }
  return line;
}

}  // namespace antiphon::notation
