#include "core/music/midi_text.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/support/scores.h"

namespace antiphon::music {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

void ExpectReadAs(const Pairs& pairs) {
  for (const auto& [text, bytes] : pairs) {
    EXPECT_EQ(CleanMidiText(bytes), text);
    EXPECT_EQ(CleanMidiText(text), text) << "UTF-8 stays";
  }
}

TEST(CleanMidiTextTest, KeepsUtf8) {
  for (const char* text :
       {"Pr\xc3\xa9lude", "\xe2\x99\xad und \xe2\x99\xaf", "\xf0\x9d\x84\x9e", "plain", ""}) {
    EXPECT_EQ(CleanMidiText(text), text);
  }
}

TEST(CleanMidiTextTest, ReadsWindows1252) {
  ExpectReadAs({{"Für Elise ß", "F\xfcr Elise \xdf"},
                {"Étude Op. 10 n° 3", "\xc9tude Op. 10 n\xb0 3"},
                {"L’Arlésienne",
                 "L\x92"
                 "Arl\xe9sienne"},
                {"ÜBUNG",
                 "\xdc"
                 "BUNG"},
                {"Quatre à quatre", "Quatre \xe0 quatre"},
                {"Œuvres – “Noël”", "\x8cuvres \x96 \x93No\xebl\x94"},
                {"España ¡Viva!",
                 "Espa\xf1"
                 "a \xa1Viva!"}});
}

TEST(CleanMidiTextTest, ReadsWindows1251WhereWordsAreCyrillic) {
  ExpectReadAs(
      {{"Менуэт соль мажор", "\xcc\xe5\xed\xf3\xfd\xf2 \xf1\xee\xeb\xfc \xec\xe0\xe6\xee\xf0"},
       {"П.И. Чайковский - Осенняя песня",
        "\xcf.\xc8. \xd7\xe0\xe9\xea\xee\xe2\xf1\xea\xe8\xe9 - \xce\xf1\xe5\xed\xed\xff\xff "
        "\xef\xe5\xf1\xed\xff"},
       {"МЕНУЭТ", "\xcc\xc5\xcd\xd3\xdd\xd2"},
       {"Ёлочка", "\xa8\xeb\xee\xf7\xea\xe0"},
       {"Ноктюрн №2 op.9",
        "\xcd\xee\xea\xf2\xfe\xf0\xed \xb9"
        "2 op.9"},
       {"Ніч яка місячна", "\xcd\xb3\xf7 \xff\xea\xe0 \xec\xb3\xf1\xff\xf7\xed\xe0"},
       {"Chopin - Вальс", "Chopin - \xc2\xe0\xeb\xfc\xf1"}});
}

TEST(CleanMidiTextTest, ReadsShiftJisWhereWordsAreJapanese) {
  ExpectReadAs(
      {{"月光", "\x8c\x8e\x8c\xf5"},
       {"さくらさくら", "\x82\xb3\x82\xad\x82\xe7\x82\xb3\x82\xad\x82\xe7"},
       {"ピアノソナタ第14番「月光」",
        "\x83s\x83"
        "A\x83m\x83\x5c\x83i\x83^\x91\xe6"
        "14\x94\xd4\x81u\x8c\x8e\x8c\xf5\x81v"},
       {"夜想曲 変ホ長調 Op.9-2", "\x96\xe9\x91z\x8b\xc8 \x95\xcf\x83z\x92\xb7\x92\xb2 Op.9-2"},
       {"エリーゼのために", "\x83G\x83\x8a\x81[\x83[\x82\xcc\x82\xbd\x82\xdf\x82\xc9"},
       {"J.S.バッハ：G線上のアリア",
        "J.S.\x83o\x83"
        "b\x83n\x81"
        "FG\x90\xfc\x8f\xe3\x82\xcc\x83"
        "A\x83\x8a\x83"
        "A"}});
}

TEST(CleanMidiTextTest, AByteOrderMarkDecidesAndGoes) {
  EXPECT_EQ(CleanMidiText("\xef\xbb\xbfMenuet in G"), "Menuet in G");
  EXPECT_EQ(CleanMidiText("\xef\xbb\xbf\xef\xbb\xbf"), "");
  EXPECT_EQ(CleanMidiText(std::string("\xff\xfe"
                                      "F\0\xfc\0r\0",
                                      8)),
            "Für");
  EXPECT_EQ(CleanMidiText(std::string("\xfe\xff\0F\0\xfc\xd8\x34\xdd\x1e", 10)), "Fü𝄞");
  // Half of a pair, and an odd byte.
  EXPECT_EQ(CleanMidiText(std::string("\xfe\xff\xd8\x34\0F\xdd\x1e\0G\0", 11)), "FG");
}

TEST(CleanMidiTextTest, TakesWhatIsNoEncodingForWindows1252) {
  EXPECT_EQ(CleanMidiText("cut off \xe2\x99"), "cut off \xc3\xa2\xe2\x84\xa2");
  EXPECT_EQ(CleanMidiText("x\xc0\xafy"), "x\xc3\x80\xc2\xafy");          // an overlong slash
  EXPECT_EQ(CleanMidiText("\xed\xa0\xa1"), "\xc3\xad\xc2\xa0\xc2\xa1");  // a surrogate
  EXPECT_EQ(CleanMidiText("\xf5"), "\xc3\xb5");
  EXPECT_EQ(CleanMidiText("a\x81 b"), "a  b") << "a byte that it leaves open";
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
    EXPECT_LE(clean.size(), 3 * bytes.size());
  }
}

}  // namespace
}  // namespace antiphon::music
