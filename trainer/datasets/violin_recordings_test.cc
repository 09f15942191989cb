#include "trainer/datasets/violin_recordings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/testing/temporary_folder.h"

namespace antiphon::trainer::datasets {
namespace {

using ::testing::HasSubstr;

TEST(ViolinRecordingsTest, TheMovementIsInTheName) {
  const testing::TemporaryFolder folder;
  for (const char* name : {"a-b_bwv1002_mov6.mp3", "c_bwv1003_mov3.opus", "README.md"})
    std::ofstream(folder.path() + "/" + name) << "x";
  const auto recordings = ReadViolinRecordings(folder.path());
  ASSERT_TRUE(recordings.ok()) << recordings.status();
  ASSERT_EQ(recordings->size(), 2u);
  EXPECT_EQ((*recordings)[0].name, "a-b_bwv1002_mov6");
  EXPECT_EQ((*recordings)[0].movement, "bwv1002_mov6");
  EXPECT_EQ((*recordings)[1].movement, "bwv1003_mov3");
  std::ofstream(folder.path() + "/bwv1003_mov3.mp3") << "x";
  EXPECT_THAT(std::string(ReadViolinRecordings(folder.path()).status().message()),
              HasSubstr("bwv1003_mov3.mp3 is not called player_work_movement"));
}

TEST(ViolinRecordingsTest, AFolderWithoutOneIsNamed) {
  const testing::TemporaryFolder folder;
  EXPECT_THAT(std::string(ReadViolinRecordings(folder.path()).status().message()),
              HasSubstr("has no recording"));
  EXPECT_THAT(std::string(ReadViolinRecordings(folder.path() + "/x").status().message()),
              HasSubstr("x is not a folder"));
}

TEST(ViolinRecordingsTest, WithAndWithoutRepeatsItIsTheSameMusic) {
  for (const char* score : {"bwv1002_mov6", "bwv1002_mov6_00", "bwv1002_mov6_10", "bwv1002"})
    EXPECT_TRUE(HoldsMovement(score, "bwv1002_mov6")) << score;
  for (const char* score : {"bwv1002_mov7", "bwv1002_mov61", "bwv1003", "bwv1002_mov", "bwv10", ""})
    EXPECT_FALSE(HoldsMovement(score, "bwv1002_mov6")) << score;
}

}  // namespace
}  // namespace antiphon::trainer::datasets
