#include "trainer/datasets/bach10.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/testing/temporary_folder.h"

namespace antiphon::trainer::datasets {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Bach10Test, ReadsNotesInOrderOfTheSound) {
  const auto notes = ParseAlignedNotes("2000\t1500\t72\t1\n500 250 48 4\r\n\n");
  ASSERT_TRUE(notes.ok()) << notes.status();
  ASSERT_EQ(notes->size(), 2u);
  EXPECT_DOUBLE_EQ((*notes)[0].sound_s, 0.5);
  EXPECT_DOUBLE_EQ((*notes)[0].score_s, 0.25);
  EXPECT_EQ((*notes)[0].pitch, 48);
  EXPECT_EQ((*notes)[0].voice, 4);
  EXPECT_EQ((*notes)[1].pitch, 72);
}

TEST(Bach10Test, ALineThatIsNoNoteIsNamed) {
  for (const char* line : {"1 2 60", "1 2 60 1 1", "1 2 x 1", "1 2 60 5", "1 2 60 0", "1 2 128 1",
                           "-1 2 60 1", "1.5 2 60 1"}) {
    EXPECT_THAT(std::string(ParseAlignedNotes(std::string("1 1 60 1\n") + line).status().message()),
                HasSubstr("line 2"))
        << line;
  }
}

class Bach10FolderTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text = "") {
    std::ofstream(folder_.path() + "/" + name) << text;
  }

  const testing::TemporaryFolder folder_;
};

TEST_F(Bach10FolderTest, APieceIsAMixAndFourInstruments) {
  for (const char* ending : {"", "-violin", "-clarinet", "-saxphone", "-bassoon"})
    Write(std::string("01-Chorale") + ending + ".flac");
  Write("01-Chorale.txt", "0 0 60 1\n");
  Write("06-NotRecorded.mid");
  Write("notes.txt", "of no recording");
  const auto pieces = ReadBach10(folder_.path());
  ASSERT_TRUE(pieces.ok()) << pieces.status();
  ASSERT_EQ(pieces->size(), 1u);
  EXPECT_EQ(pieces->front().name, "01-Chorale");
  EXPECT_EQ(pieces->front().notes.size(), 1u);
  std::vector<std::string> instruments;
  for (const Bach10Recording& recording : pieces->front().recordings) {
    EXPECT_EQ(recording.voice, static_cast<int>(instruments.size()));
    instruments.push_back(recording.instrument);
  }
  EXPECT_EQ(instruments, Bach10Instruments());
  EXPECT_THAT(pieces->front().recordings[3].path, HasSubstr("01-Chorale-saxphone.flac"));
}

TEST_F(Bach10FolderTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(std::string(ReadBach10(folder_.path() + "/none").status().message()),
              HasSubstr("none is not a folder"));
  EXPECT_THAT(std::string(ReadBach10(folder_.path()).status().message()),
              HasSubstr("has no recording"));
  Write("01-Chorale.txt", "0 0 60 1\n");
  Write("01-Chorale.flac");
  Write("01-Chorale-violin.flac");
  EXPECT_THAT(std::string(ReadBach10(folder_.path()).status().message()),
              HasSubstr("01-Chorale-clarinet.flac is not there"));
  Write("01-Chorale.txt", "0 0 60\n");
  EXPECT_THAT(std::string(ReadBach10(folder_.path()).status().message()),
              HasSubstr("01-Chorale.txt: line 1"));
}

TEST(Bach10Test, WhatIsWrittenWithinAStretchOfTheSound) {
  // The second bar is played slower than it is written.
  const std::vector<AlignedNote> notes = {{0, 0, 72, 1}, {0.1, 0, 48, 4}, {1, 1, 71, 1},
                                          {3, 2, 69, 1}, {3, 2, 45, 4},   {5, 3, 67, 1}};
  const auto all = WrittenWithin(notes, 0, 0.05, 3.5);
  std::vector<int> pitches;
  for (const music::Note& note : all) pitches.push_back(note.pitch);
  EXPECT_THAT(pitches, ElementsAre(48, 71, 45, 69));
  EXPECT_DOUBLE_EQ(all[3].onset_s, 2);
  const auto violin = WrittenWithin(notes, 1, 1, 4.5);
  ASSERT_EQ(violin.size(), 3u);
  EXPECT_DOUBLE_EQ(violin[0].onset_s, 0) << "from the first note on";
  EXPECT_DOUBLE_EQ(violin[2].onset_s, 2) << "as it is written";
  EXPECT_TRUE(WrittenWithin(notes, 1, 6, 4).empty());
}

}  // namespace
}  // namespace antiphon::trainer::datasets
