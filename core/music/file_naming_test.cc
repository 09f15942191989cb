#include "core/music/file_naming.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace antiphon::music {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
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

TEST(FileNamingTest, ComparesNamesInOneNormalisationForm) {
  const auto metadata = ParseMetadata("file\twork_id\n./e\xCC\x81tude.mid\top10\n");
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  ASSERT_EQ(metadata->count("\xC3\xA9tude.mid"), 1u);
  EXPECT_EQ(metadata->at("\xC3\xA9tude.mid").work_id, "op10");
  EXPECT_EQ(CleanName("e\xCC\x81tude.mid"), "\xC3\xA9tude.mid");
  EXPECT_EQ(CleanName("\xE9tude.mid"), "\xC3\xA9tude.mid") << "bytes of Latin-1";
}

TEST(FileNamingTest, SaysWhichLineOfMetadataIsWrong) {
  EXPECT_THAT(ParseMetadata("title\tcomposer\n").status().message(), HasSubstr("line 1"));
  EXPECT_THAT(ParseMetadata("file\ttitle\na\tb\nc\td\te\n").status().message(),
              HasSubstr("line 3"));
  EXPECT_THAT(ParseMetadata("file\ttitle\na\tb\na\tc\n").status().message(),
              HasSubstr("line 3 is a second one about 'a'"));
  EXPECT_TRUE(ParseMetadata("")->empty());
}

TEST(FileNamingTest, ReadsWorksAndUpbeats) {
  const auto metadata =
      ParseMetadata("file\twork_id\tupbeat\na.mid\tWoO 59\t0.5\nb.mid\t\t\nc.mid\tx\t0\n");
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_EQ(metadata->at("a.mid").work_id, "WoO 59");
  EXPECT_EQ(metadata->at("a.mid").upbeat, 0.5);
  EXPECT_EQ(metadata->at("b.mid").upbeat, std::nullopt);
  EXPECT_EQ(metadata->at("c.mid").upbeat, 0.0);
  for (const std::string upbeat : {"one", "-1", "65", "nan", "1/2"}) {
    EXPECT_THAT(std::string(ParseMetadata("file\tupbeat\na\t" + upbeat).status().message()),
                AllOf(HasSubstr("line 2"), HasSubstr(upbeat)));
  }
}

TEST(FileNamingTest, TheIdOfARowComesBeforeThatOfThePath) {
  const auto metadata = ParseMetadata("file\tid\na/b.mid\tBWV 1/a\nc.mid\t\n");
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_EQ(IdOf(*metadata, "a/b.mid"), "BWV 1/a");
  EXPECT_EQ(IdOf(*metadata, "c.mid"), "c");
  EXPECT_EQ(IdOf(*metadata, "d/e.mid"), "d__e");
}

TEST(FileNamingTest, FindsFilesHoweverTheirAccentsAreWritten) {
  const std::string composed = "Für Elise.mid", parts = "Fu\xcc\x88r Elise.mid";
  for (const auto& [row, file] : {std::pair(composed, parts), std::pair(parts, composed)}) {
    const auto metadata = ParseMetadata("file\ttitle\n" + row + "\tBagatelle\nx.mid\tX\n");
    ASSERT_TRUE(metadata.ok()) << metadata.status();
    EXPECT_EQ(MetadataOf(*metadata, file).title, "Bagatelle");
    EXPECT_EQ(MetadataOf(*metadata, "other.mid").title, "");
    EXPECT_THAT(RowsWithoutFile(*metadata, {file}), ElementsAre("x.mid"));
    EXPECT_EQ(IdOfPath(file), "Für Elise");
    EXPECT_EQ(TitleOfPath(file), "Für Elise");
    EXPECT_EQ(ComposerOfPath("Dvor\xcc\x8c"
                             "a\xcc\x81k/a.mid"),
              "Dvořák");
  }
}

TEST(FileNamingTest, AnIdJoinsFoldersAndDropsTheExtension) {
  EXPECT_EQ(IdOfPath("a.mid"), "a");
  EXPECT_EQ(IdOfPath("bach/wtc.1/prelude_1.midi"), "bach__wtc.1__prelude_1");
}

TEST(FileNamingTest, AWorkInTwoFormatsIsTwoEditions) {
  const auto metadata =
      ParseMetadata("file\tid\twork_id\nd.krn\tof its own\t\ne.krn\t\tits work\n");
  const std::vector<std::string> paths = {"a.abc", "a.mid",  "a.musicxml", "a.mxl",
                                          "b.mid", "b.midi", "c/x.krn",    "d.krn",
                                          "d.mid", "e.krn",  "e.mid"};
  std::vector<std::string> names;
  for (const ScoreName& name : NamesOfScores(*metadata, paths))
    names.push_back(name.id + "/" + name.work_id);
  EXPECT_THAT(names, ElementsAre("a.abc/a", "a/a", "a.musicxml/a", "a.mxl/a", "b/", "b/", "c__x/",
                                 "of its own/", "d/", "e.krn/its work", "e/e"));
  EXPECT_EQ(NamesOfScores({}, {"a.krn", "a.xml"})[0].id, "a") << "without MIDI, the first";
}

TEST(FileNamingTest, NamesOfFilesAndPlaceholdersAreNoTitles) {
  for (const char* name : {"bwv255.mxl", "Air.MusicXML", "C:\\Songs\\air.mid", "Old Reel.abc",
                           "score.krn", "Untitled", "untitled score", "Sans titre", "無題"}) {
    EXPECT_EQ(StatedTitle(name), "") << name;
  }
  for (const char* title : {"Op. 27", "BWV 10.7", "Unknown Land", "Symphony No.8, Op.93", "Song",
                            "Piano", "mid", "The Abc"}) {
    EXPECT_EQ(StatedTitle(title), title);
  }
}

TEST(FileNamingTest, AFileWithoutTitleOrComposerIsCalledAsItLies) {
  EXPECT_EQ(TitleOfPath("bach/wtc.1/prelude_1.midi"), "prelude 1");
  EXPECT_EQ(TitleOfPath("Waltz.mid"), "Waltz");
  EXPECT_EQ(ComposerOfPath("johann_sebastian_bach/wtc.1/prelude_1.midi"), "johann sebastian bach");
  EXPECT_EQ(ComposerOfPath("Waltz.mid"), "");
}

}  // namespace
}  // namespace antiphon::music
