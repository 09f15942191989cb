#include "core/musicxml/xml_text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/music/text_encodings.h"

namespace antiphon::notation {
namespace {

// What a tree takes in memory, so that "<a/>" over and over is refused: scores have 25 bytes and
// more for each element.
constexpr int64_t kBytesPerElement = 12;
constexpr unsigned kOptions = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol |
                              pugi::parse_wconv_attribute | pugi::parse_embed_pcdata;

std::string EncodeUtf8(const std::u32string& text) {
  std::string utf8;
  utf8.reserve(text.size());
  for (const char32_t c : text) music::AppendUtf8(static_cast<uint32_t>(c), &utf8);
  return utf8;
}

// What the declaration calls the encoding, in lower case; empty where it says nothing.
std::string DeclaredEncoding(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, 256);
  if (!head.starts_with("<?xml")) return "";
  const std::string_view declaration = head.substr(0, head.find("?>"));
  const size_t at = declaration.find("encoding");
  if (at == std::string_view::npos) return "";
  const size_t open = declaration.find_first_of("\"'", at);
  if (open == std::string_view::npos) return "";
  const size_t close = declaration.find(declaration[open], open + 1);
  if (close == std::string_view::npos) return "";
  return absl::AsciiStrToLower(absl::string_view(declaration.data() + open + 1, close - open - 1));
}

}  // namespace

std::string XmlToUtf8(std::string_view bytes) {
  const auto begins = [bytes](std::string_view with) {
    return bytes.substr(0, with.size()) == with;
  };
  if (begins("\xef\xbb\xbf")) return std::string(bytes.substr(3));
  if (begins("\xff\xfe")) return EncodeUtf8(music::DecodeUtf16(bytes.substr(2), false));
  if (begins("\xfe\xff")) return EncodeUtf8(music::DecodeUtf16(bytes.substr(2), true));
  if (begins(std::string_view("<\0", 2))) return EncodeUtf8(music::DecodeUtf16(bytes, false));
  if (begins(std::string_view("\0<", 2))) return EncodeUtf8(music::DecodeUtf16(bytes, true));
  const std::string encoding = DeclaredEncoding(bytes);
  if (encoding == "iso-8859-1" || encoding == "latin1" || encoding == "latin-1" ||
      encoding == "windows-1252") {
    // Byte by byte: as a whole, DecodeWestern would take pairs of bytes for UTF-8.
    std::string utf8;
    utf8.reserve(bytes.size());
    for (size_t i = 0; i < bytes.size(); ++i) {
      const auto byte = static_cast<unsigned char>(bytes[i]);
      if (byte < 0x80) {
        utf8 += bytes[i];
      } else {
        for (const char32_t c : music::DecodeWestern(bytes.substr(i, 1)))
          music::AppendUtf8(static_cast<uint32_t>(c), &utf8);
      }
    }
    return utf8;
  }
  return std::string(bytes);
}

absl::Status XmlText::Parse(std::string_view bytes, int64_t max_bytes) {
  if (static_cast<int64_t>(bytes.size()) > max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the MusicXML file has ", bytes.size(), " bytes, the limit is ", max_bytes));
  }
  text_ = XmlToUtf8(bytes);
  const int64_t elements =
      std::count(text_.begin(), text_.end(), '<') + std::count(text_.begin(), text_.end(), '=');
  if (elements > max_bytes / kBytesPerElement) {
    return absl::ResourceExhaustedError(absl::StrCat("the MusicXML file has ", elements,
                                                     " tags and attributes, the limit is ",
                                                     max_bytes / kBytesPerElement));
  }
  const pugi::xml_parse_result parsed =
      document_.load_buffer(text_.data(), text_.size(), kOptions, pugi::encoding_utf8);
  if (parsed.status == pugi::status_out_of_memory)
    return absl::ResourceExhaustedError("no memory for the MusicXML file");
  if (!parsed) {
    return absl::InvalidArgumentError(
        absl::StrCat("the MusicXML file is malformed XML, line ",
                     LineAt(static_cast<size_t>(std::max<ptrdiff_t>(parsed.offset, 0))), ": ",
                     parsed.description()));
  }
  return absl::OkStatus();
}

int XmlText::LineOf(pugi::xml_node node) const {
  const ptrdiff_t offset = node.offset_debug();
  return offset < 0 ? 0 : LineAt(static_cast<size_t>(offset));
}

int XmlText::LineAt(size_t offset) const {
  int line = 1;
  for (size_t i = 0; i < std::min(offset, text_.size()); ++i) {
    // Old programs end lines with a carriage return alone.
    if (text_[i] == '\n' || (text_[i] == '\r' && (i + 1 == text_.size() || text_[i + 1] != '\n')))
      ++line;
  }
  return line;
}

std::string_view TextOf(pugi::xml_node node) {
  const absl::string_view text = absl::StripAsciiWhitespace(node.child_value());
  return {text.data(), text.size()};
}

std::optional<double> NumberIn(std::string_view text) {
  double value = 0;
  if (!absl::SimpleAtod(absl::string_view(text.data(), text.size()), &value) ||
      !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::optional<int> WholeIn(std::string_view text) {
  int value = 0;
  if (text.size() > 10 || !absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &value) ||
      value > 999'999'999 || value < -999'999'999)
    return std::nullopt;
  return value;
}

}  // namespace antiphon::notation
