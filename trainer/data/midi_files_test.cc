#include "trainer/data/midi_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/testing/temporary_folder.h"

namespace antiphon::trainer::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class MidiFilesTest : public ::testing::Test {
 protected:
  void Write(const std::string& relative) const {
    fs::create_directories((folder_ / relative).parent_path());
    std::ofstream(folder_ / relative) << "x";
  }
  std::vector<std::string> Found() const {
    const auto files = MidiFilesBelow(folder_.string());
    EXPECT_TRUE(files.ok()) << files.status();
    std::vector<std::string> names;
    if (files.ok()) {
      for (const SourceFile& file : *files) names.push_back(file.relative);
    }
    return names;
  }

  const testing::TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
};

TEST_F(MidiFilesTest, FindsFilesAtAnyDepthAndInAnyCaseInOrder) {
  for (const char* name : {"b.mid", "a/deep/c.MIDI", "a/z.Mid", "a/notes.txt", "mid"}) Write(name);
  EXPECT_THAT(Found(), ElementsAre("a/deep/c.MIDI", "a/z.Mid", "b.mid"));
}

TEST_F(MidiFilesTest, FindsScoresOfEveryKind) {
  for (const char* name : {"a.abc", "b.krn", "c.mxl", "d.musicxml", "e.xml"}) Write(name);
  std::ofstream(folder_ / "f.xml") << "<?xml version=\"1.0\"?>\n<score-partwise>";
  EXPECT_THAT(Found(), ElementsAre("a.abc", "b.krn", "c.mxl", "d.musicxml", "f.xml"));
  PassedOver passed_over;
  ASSERT_TRUE(MidiFilesBelow(folder_.string(), &passed_over).ok());
  EXPECT_EQ(passed_over[".xml"], 1);
}

TEST_F(MidiFilesTest, PassesOverFoldersNamedLikeFilesAndLinksToNowhere) {
  Write("album.mid/inside.mid");
  fs::create_symlink(folder_ / "gone", folder_ / "broken.mid");
  EXPECT_THAT(Found(), ElementsAre("album.mid/inside.mid"));
}

TEST_F(MidiFilesTest, PassesOverAFolderThatMustNotBeRead) {
  Write("open.mid");
  Write("closed/hidden.mid");
  fs::permissions(folder_ / "closed", fs::perms::none);
  std::error_code error;
  fs::directory_iterator probe(folder_ / "closed", error);
  const auto found = Found();
  fs::permissions(folder_ / "closed", fs::perms::owner_all);
  if (error) {
    EXPECT_THAT(found, ElementsAre("open.mid"));
  } else {  // whoever runs this may read everything
    EXPECT_THAT(found, ElementsAre("closed/hidden.mid", "open.mid"));
  }
}

TEST_F(MidiFilesTest, CountsWhatItPassesOverByItsKind) {
  for (const char* name : {"metadata.tsv", "a.kar", "b.RMI", "c.mid", "x.m4a", "deep/y.M4A",
                           "deep/metadata.tsv", "readme", "b\xe9.\xe9"}) {
    Write(name);
  }
  fs::create_symlink(folder_ / "gone", folder_ / "broken.mid");
  fs::create_directory_symlink(folder_ / "deep", folder_ / "link");
  PassedOver passed_over;
  const auto files = MidiFilesBelow(folder_.string(), &passed_over);
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(files->size(), 3u);
  EXPECT_EQ(ToText(passed_over),
            "2 .m4a, 1 .tsv, 1 .é, 1 link to a folder, 1 link to nowhere, 1 without an ending");
  EXPECT_EQ(ToText({}), "");
}

TEST_F(MidiFilesTest, NamesAreInOneNormalisationForm) {
  Write("Fu\xcc\x88r Elise.mid");
  EXPECT_THAT(Found(), ElementsAre("Für Elise.mid"));
}

TEST_F(MidiFilesTest, AFolderThatIsNotThereIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(MidiFilesBelow((folder_ / "nowhere").string()).status()));
}

TEST_F(MidiFilesTest, NameIsWithoutFolderAndExtension) {
  Write("a/mz_331.2.mid");
  const auto files = MidiFilesBelow(folder_.string());
  ASSERT_TRUE(files.ok());
  EXPECT_EQ((*files)[0].name(), "mz_331.2");
}

}  // namespace
}  // namespace antiphon::trainer::data
