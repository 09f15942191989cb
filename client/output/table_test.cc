#include "client/output/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"

namespace antiphon::client {
namespace {

using ::testing::Each;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

TEST(DisplayWidthTest, CountsColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth("Fuer"), 4);
  EXPECT_EQ(DisplayWidth("Für Elise"), 9);
  EXPECT_EQ(DisplayWidth("Fu\xCC\x88r"), 3) << "u with a combining diaeresis";
  EXPECT_EQ(DisplayWidth("さくら"), 6);
  EXPECT_EQ(DisplayWidth("Dvořák"), 6);
  EXPECT_EQ(DisplayWidth(""), 0);
}

TEST(DisplayWidthTest, CountsABrokenByteAsOneColumn) {
  EXPECT_EQ(DisplayWidth("a\xFF"
                         "b"),
            3);
  EXPECT_EQ(DisplayWidth("\xC3"), 1);
  EXPECT_EQ(DisplayWidth("\xC0\x80"), 2) << "an overlong form is no character";
}

TEST(ShortenTest, NeverExceedsTheWidthNorCutsACharacter) {
  const std::string title = "Dvořák: Größe さくら in f♯";
  for (int width = 1; width <= DisplayWidth(title) + 2; ++width) {
    const std::string cut = Shorten(title, width);
    EXPECT_LE(DisplayWidth(cut), width);
    EXPECT_EQ(Printable(cut), cut) << "still UTF-8";
    if (width >= DisplayWidth(title)) {
      EXPECT_EQ(cut, title);
    } else {
      EXPECT_THAT(cut, EndsWith("…"));
    }
  }
}

TEST(PrintableTest, TakesCommandsToTheTerminalOut) {
  EXPECT_EQ(Printable("a\x1B[31mred"), "a [31mred");
  EXPECT_EQ(Printable("two\nlines\ttab"), "two lines tab");
  EXPECT_EQ(Printable("\xC2\x9B"
                      "2J"),
            " 2J")
      << "a C1 control";
  EXPECT_EQ(Printable("\xE2\x80\xAE"
                      "desrever"),
            " desrever")
      << "right-to-left override";
  EXPECT_EQ(Printable("Für"), "Für");
  EXPECT_EQ(Printable("F\xFCr"), "F\xEF\xBF\xBDr") << "Latin-1";
}

TEST(PrintableTest, MakesUtf8OfAnyBytes) {
  std::mt19937 rng(7);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    for (int n = static_cast<int>(rng() % 12); n > 0; --n) bytes += static_cast<char>(rng());
    const std::string once = Printable(bytes);
    EXPECT_EQ(Printable(once), once);
    for (const unsigned char c : once) EXPECT_FALSE(c < 0x20 || c == 0x7F);
  }
}

TEST(TableTest, AlignsColumnsWhateverTheScript) {
  Table table({{"title"}, {"bar", Align::kRight}, {"id"}});
  table.AddRow({"Für Elise", "7:1", "a"});
  table.AddRow({"さくら", "12:3", "b"});
  table.AddRow({"Gymnopédie", "1:1", "c"});
  EXPECT_EQ(table.Render(),
            "title        bar  id\n"
            "Für Elise    7:1  a\n"
            "さくら      12:3  b\n"
            "Gymnopédie   1:1  c\n");
}

TEST(TableTest, LeavesOutAColumnWithNothingInIt) {
  Table table({{"title"}, {"composer"}, {"id"}});
  table.AddRow({"Scarborough Fair", "", "x"});
  EXPECT_THAT(table.Render(), Not(HasSubstr("composer")));
}

TEST(TableTest, CutsLongCellsAndEndsNoLineWithBlanks) {
  Table table({{"title", Align::kLeft, 10}, {"composer"}});
  table.AddRow({"A very long title indeed", "somebody"});
  table.AddRow({"Short", ""});
  EXPECT_THAT(table.Render(), HasSubstr("A very lo…  somebody\n"));
  EXPECT_THAT(Lines(table.Render()), Each(Not(EndsWith(" "))));
}

}  // namespace
}  // namespace antiphon::client
