#include "core/files/music_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace antiphon::files {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MusicFolderTest : public ::testing::Test {
 protected:
  MusicFolderTest()
      : root_(fs::path(::testing::TempDir()) /
              ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~MusicFolderTest() override { fs::remove_all(root_); }

  void Write(const std::string& name, const std::string& bytes) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << bytes;
  }

  MusicFolder Read(Wanted wanted = Wanted::kScores) {
    auto folder = ReadMusicFolder(root_.string(), wanted);
    EXPECT_TRUE(folder.ok()) << folder.status();
    return *std::move(folder);
  }

  static std::vector<std::string> Names(const MusicFolder& folder) {
    std::vector<std::string> names;
    for (const FolderFile& file : folder.files) names.push_back(file.name);
    return names;
  }

  const fs::path root_;
};

TEST_F(MusicFolderTest, TakesFilesByTheirContentsAndCountsTheOthers) {
  Write("a.kar", "MThd");
  Write("b/c", "RIFF\1\1\1\1RMID");
  Write("damaged.MID", "words");
  Write("notes.txt", "words");
  Write("more.txt", "words");
  Write("score.xml", "<score-partwise>");
  Write("song.txt", "X:1\nK:C\n");
  Write("other.xml", "<mei>");
  Write("README", "words");
  Write(".DS_Store", "words");
  Write("metadata.tsv", "file\n");
  Write("b/metadata.tsv", "file\n");
  const MusicFolder folder = Read();
  EXPECT_THAT(Names(folder), ElementsAre("a.kar", "b/c", "damaged.MID", "score.xml", "song.txt"));
  EXPECT_EQ(PassedOverText(folder), "2 .txt, 1 .tsv, 1 .xml, 1 hidden, 1 without an ending");
  EXPECT_EQ(folder.found(), 11);
}

TEST_F(MusicFolderTest, TakesAudioOfAnyFormat) {
  Write("a.m4a", std::string("\0\0\0\x1C", 4) + "ftypM4A ");
  Write("b.dat", "fLaC");
  Write("c.mid", "MThd");
  const MusicFolder folder = Read(Wanted::kAudio);
  EXPECT_THAT(Names(folder), ElementsAre("a.m4a", "b.dat"));
  EXPECT_EQ(PassedOverText(folder), "1 .mid");
}

TEST_F(MusicFolderTest, NamesAreUtf8InOneNormalisationForm) {
  Write("a\xE9.mid", "MThd");
  Write("be\xCC\x81.mid", "MThd");
  const MusicFolder folder = Read();
  EXPECT_THAT(Names(folder), ElementsAre("a\xC3\xA9.mid", "b\xC3\xA9.mid"));
  EXPECT_TRUE(std::ifstream(folder.files[0].path).is_open()) << "by the bytes of its name";
}

TEST_F(MusicFolderTest, ALinkHasItsOwnName) {
  Write("elsewhere/real.mid", "MThd");
  fs::create_symlink(root_ / "elsewhere" / "real.mid", root_ / "link.mid");
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "again");
  fs::create_symlink(root_ / "gone", root_ / "nowhere.mid");
  const MusicFolder folder = Read();
  EXPECT_THAT(Names(folder), ElementsAre("elsewhere/real.mid", "link.mid"));
  EXPECT_EQ(PassedOverText(folder), "1 link to a folder, 1 link to nowhere");
}

TEST_F(MusicFolderTest, WhatIsNoFileIsPassedOver) {
  ASSERT_EQ(mkfifo((root_ / "pipe.mid").c_str(), 0600), 0);
  EXPECT_EQ(PassedOverText(Read()), "1 no file");
  EXPECT_TRUE(
      absl::IsNotFound(ReadMusicFolder((root_ / "nowhere").string(), Wanted::kScores).status()));
}

TEST_F(MusicFolderTest, RowsOfMetadataThatMatchNoFileAreNamed) {
  Write("e\xCC\x81tude.mid", "MThd");
  Write("score.mei", "<mei>");
  const auto metadata = music::ParseMetadata("file\n\xC3\xA9tude.mid\nmissing.mid\nscore.mei\n");
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_THAT(UnmatchedRows(*metadata, Read()),
              ElementsAre("metadata.tsv names 'missing.mid', which is not there",
                          "metadata.tsv names 'score.mei', which is passed over: it is MEI"));
  EXPECT_THAT(UnmatchedRows({}, Read()), IsEmpty());
}

}  // namespace
}  // namespace antiphon::files
