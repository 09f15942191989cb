#include "core/music/midi_text.h"

#include <gtest/gtest.h>

#include "tests/support/scores.h"

namespace antiphon::music {
namespace {

TEST(CleanMidiTextTest, KeepsUtf8) {
  for (const char* text :
       {"Pr\xc3\xa9lude", "\xe2\x99\xad und \xe2\x99\xaf", "\xf0\x9d\x84\x9e", "plain", ""}) {
    EXPECT_EQ(CleanMidiText(text), text);
  }
}

TEST(CleanMidiTextTest, TakesOtherBytesForLatin1) {
  EXPECT_EQ(CleanMidiText("Pr\xe9lude"), "Pr\xc3\xa9lude");
  EXPECT_EQ(CleanMidiText("F\xfcr Elise \xdf"), "F\xc3\xbcr Elise \xc3\x9f");
  // 0x99 is a control character in Latin-1.
  EXPECT_EQ(CleanMidiText("cut off \xe2\x99"), "cut off \xc3\xa2");
  EXPECT_EQ(CleanMidiText("\xc0\xaf"), "\xc3\x80\xc2\xaf");              // an overlong slash
  EXPECT_EQ(CleanMidiText("\xed\xa0\xa1"), "\xc3\xad\xc2\xa0\xc2\xa1");  // a surrogate
  EXPECT_EQ(CleanMidiText("\xf5"), "\xc3\xb5");
}

TEST(CleanMidiTextTest, ControlCharactersBecomeSpaces) {
  EXPECT_EQ(CleanMidiText(std::string("a\0b\x1b[31mc\x7f\xc2\x9b", 12)), "a b [31mc");
  EXPECT_EQ(CleanMidiText(" \r\n Sonata \t\0"), "Sonata");
}

TEST(CleanMidiTextTest, IsIdempotentOnAnyBytes) {
  testing::Rng rng(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes;
    for (int n = testing::UniformInt(rng, 0, 12); n > 0; --n) {
      // Lead and continuation bytes more often than chance has them.
      bytes +=
          static_cast<char>(testing::UniformInt(rng, testing::UniformInt(rng, 0, 1) * 0x80, 0xff));
    }
    const std::string clean = CleanMidiText(bytes);
    EXPECT_EQ(CleanMidiText(clean), clean);
    EXPECT_LE(clean.size(), 2 * bytes.size());
  }
}

}  // namespace
}  // namespace antiphon::music
