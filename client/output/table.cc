#include "client/output/table.h"

#include <algorithm>
#include <cstdint>

namespace antiphon::client {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr char kReplacementUtf8[] = "\xEF\xBF\xBD";

struct CodePoint {
  char32_t value = 0;
  std::string_view bytes;  // as they stand in the text
};

// The code point at the start of `text`, which must not be empty; kReplacement and one byte where
// it is not UTF-8.
CodePoint NextCodePoint(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, text.substr(0, 1)};
  const int length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < static_cast<size_t>(length)) {
    return {kReplacement, text.substr(0, 1)};
  }
  char32_t value = lead & (0x7F >> length);
  for (int i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {kReplacement, text.substr(0, 1)};
    value = value << 6 | (byte(i) & 0x3F);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  if (overlong || (value >= 0xD800 && value <= 0xDFFF) || value > 0x10FFFF)
    return {kReplacement, text.substr(0, 1)};
  return {value, text.substr(0, length)};
}

struct Range {
  char32_t first, last;
};

bool In(char32_t value, const Range* begin, const Range* end) {
  return std::any_of(
      begin, end, [&](const Range& range) { return range.first <= value && value <= range.last; });
}

// Combining marks and format characters that titles of music have in practice (Unicode 15, general
// categories Mn, Me, Cf).
constexpr Range kZeroWidth[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F}, {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064}, {0x20D0, 0x20FF},
    {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}};
// East Asian Width W and F (Unicode Standard Annex 11), by block.
constexpr Range kWide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
    {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

int WidthOf(char32_t value) {
  if (In(value, std::begin(kZeroWidth), std::end(kZeroWidth))) return 0;
  return In(value, std::begin(kWide), std::end(kWide)) ? 2 : 1;
}

// Controls, and the marks that turn the direction of writing around for the rest of the line.
bool IsCommand(char32_t value) {
  return value < 0x20 || (value >= 0x7F && value < 0xA0) || value == 0x2028 || value == 0x2029 ||
         (value >= 0x202A && value <= 0x202E) || (value >= 0x2066 && value <= 0x2069);
}

}  // namespace

int DisplayWidth(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const CodePoint next = NextCodePoint(text);
    width += WidthOf(next.value);
    text.remove_prefix(next.bytes.size());
  }
  return width;
}

std::string Shorten(std::string_view text, int width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  std::string kept;
  int used = 0;
  while (!text.empty()) {
    const CodePoint next = NextCodePoint(text);
    used += WidthOf(next.value);
    if (used > width - 1) break;
    kept += next.bytes;
    text.remove_prefix(next.bytes.size());
  }
  while (!kept.empty() && kept.back() == ' ') kept.pop_back();
  return kept + "…";
}

std::string Printable(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const CodePoint next = NextCodePoint(text);
    if (IsCommand(next.value)) {
      clean += ' ';
    } else if (next.value == kReplacement) {
      clean += kReplacementUtf8;
    } else {
      clean += next.bytes;
    }
    text.remove_prefix(next.bytes.size());
  }
  return clean;
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::AddRow(const std::vector<std::string>& cells) {
  std::vector<std::string> row;
  for (size_t i = 0; i < columns_.size(); ++i)
    row.push_back(Shorten(Printable(cells.at(i)), columns_[i].max_width));
  rows_.push_back(std::move(row));
}

std::string Table::Render() const {
  if (rows_.empty()) return "";
  std::vector<int> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    int width = 0;
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[i]));
    widths.push_back(width == 0 ? 0 : std::max(width, DisplayWidth(columns_[i].header)));
  }
  std::string text;
  const auto add_line = [&](const auto& cell_of) {
    std::string line;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (widths[i] == 0) continue;
      const std::string& cell = cell_of(i);
      const std::string padding(widths[i] - DisplayWidth(cell), ' ');
      if (!line.empty()) line += "  ";
      line += columns_[i].align == Align::kRight ? padding + cell : cell + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_line([&](size_t i) -> const std::string& { return columns_[i].header; });
  for (const auto& row : rows_) add_line([&](size_t i) -> const std::string& { return row[i]; });
  return text;
}

}  // namespace antiphon::client
