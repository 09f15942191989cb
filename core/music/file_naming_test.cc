#include "core/music/file_naming.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace antiphon::music {
namespace {

using ::testing::HasSubstr;

TEST(FileNamingTest, ReadsMetadataByTheNamesOfItsColumns) {
  const auto metadata = ParseMetadata(
      "\xef\xbb\xbftitle\tfile\tyear\tcomposer\r\nNocturne\tchopin/"
      "n1.mid\t1832\tChopin\r\n\nWaltz\tw.mid\n");
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  ASSERT_EQ(metadata->size(), 2u);
  EXPECT_EQ(metadata->at("chopin/n1.mid").title, "Nocturne");
  EXPECT_EQ(metadata->at("chopin/n1.mid").composer, "Chopin");
  EXPECT_EQ(metadata->at("w.mid").title, "Waltz");
  EXPECT_EQ(metadata->at("w.mid").composer, "");
}

TEST(FileNamingTest, SaysWhichLineOfMetadataIsWrong) {
  EXPECT_THAT(ParseMetadata("title\tcomposer\n").status().message(), HasSubstr("line 1"));
  EXPECT_THAT(ParseMetadata("file\ttitle\na\tb\nc\td\te\n").status().message(),
              HasSubstr("line 3"));
  EXPECT_TRUE(ParseMetadata("")->empty());
}

TEST(FileNamingTest, AnIdJoinsFoldersAndDropsTheExtension) {
  EXPECT_EQ(IdOfPath("a.mid"), "a");
  EXPECT_EQ(IdOfPath("bach/wtc.1/prelude_1.midi"), "bach__wtc.1__prelude_1");
}

TEST(FileNamingTest, AFileWithoutTitleOrComposerIsCalledAsItLies) {
  EXPECT_EQ(TitleOfPath("bach/wtc.1/prelude_1.midi"), "prelude 1");
  EXPECT_EQ(TitleOfPath("Waltz.mid"), "Waltz");
  EXPECT_EQ(ComposerOfPath("johann_sebastian_bach/wtc.1/prelude_1.midi"), "johann sebastian bach");
  EXPECT_EQ(ComposerOfPath("Waltz.mid"), "");
}

}  // namespace
}  // namespace antiphon::music
