// Aligned columns for a terminal: widths as displayed, not as stored. Used by one thread.
#ifndef ANTIPHON_CLIENT_OUTPUT_TABLE_H_
#define ANTIPHON_CLIENT_OUTPUT_TABLE_H_

#include <string>
#include <string_view>
#include <vector>

namespace antiphon::client {

// Columns that UTF-8 text takes in a terminal: 0 for combining marks, 2 for wide East Asian
// characters and emoji.
int DisplayWidth(std::string_view text);

// At most `width` columns, the last of which is "…" where something was cut off. Requires width
// >= 1.
std::string Shorten(std::string_view text, int width);

// Without what could confuse or command a terminal: control characters become spaces, bytes that
// are not UTF-8 become U+FFFD. Titles come from whoever made a MIDI file.
std::string Printable(std::string_view text);

enum class Align { kLeft, kRight };

class Table {
 public:
  struct Column {
    std::string header;
    Align align = Align::kLeft;
    int max_width = 48;
  };

  explicit Table(std::vector<Column> columns);

  // Requires one cell for each column.
  void AddRow(const std::vector<std::string>& cells);

  // Header and rows, a line each, two spaces between columns, none at the end of a line. A column
  // with nothing in any row is left out. Empty without a row.
  std::string Render() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace antiphon::client

#endif  // ANTIPHON_CLIENT_OUTPUT_TABLE_H_
