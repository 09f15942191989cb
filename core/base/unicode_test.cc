#include "core/base/unicode.h"

#include <gtest/gtest.h>

namespace antiphon {
namespace {

TEST(ToNfcTest, ComposesWhatIsWrittenInParts) {
  EXPECT_EQ(ToNfc("Fu\xcc\x88r Elise"), "Für Elise");
  EXPECT_EQ(ToNfc("Dvor\xcc\x8c"
                  "a\xcc\x81k"),
            "Dvořák");
  EXPECT_EQ(ToNfc("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"), "\xed\x95\x9c");  // Hangul
  // Marks in another order are the same letter.
  EXPECT_EQ(ToNfc("a\xcc\xa3\xcc\x82"), ToNfc("a\xcc\x82\xcc\xa3"));
}

TEST(ToNfcTest, LeavesWhatIsComposedAlready) {
  for (const std::string text :
       {"", "plain", "Für Elise", "月光", "Менуэт", "ﬁ and ² stay: they are other characters"}) {
    EXPECT_EQ(ToNfc(text), text);
  }
  EXPECT_EQ(ToNfc(std::string("a\0\xc3\xbc", 4)), std::string("a\0\xc3\xbc", 4));
}

TEST(ToNfcTest, ReturnsInvalidBytesAsTheyAre) {
  for (const std::string text : {"b\xe9.mid", "cut\xcc", "\xed\xa0\x80", "u\xcc\x88\xff"}) {
    EXPECT_EQ(ToNfc(text), text);
  }
}

}  // namespace
}  // namespace antiphon
