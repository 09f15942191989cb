#include "trainer/data/soundfonts.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace antiphon::trainer::data {
namespace {

namespace fs = std::filesystem;

std::string File(const std::string& name, const std::string& contents) {
  const std::string path = ::testing::TempDir() + name;
  fs::remove(path);
  std::ofstream(path) << contents;
  return path;
}

TEST(SoundfontsTest, AnotherSoundfontMayBeTrainedOn) {
  EXPECT_TRUE(CheckTrainingSoundfont(File("piano.sf2", "x")).ok());
}

TEST(SoundfontsTest, TheEvaluationSoundfontIsRefusedByNameAndThroughLinks) {
  const std::string reserved = File("MuseScore_General_Full.sf3", "x");
  EXPECT_EQ(CheckTrainingSoundfont(reserved).code(), absl::StatusCode::kFailedPrecondition);
  const std::string link = ::testing::TempDir() + "harmless.sf3";
  fs::remove(link);
  fs::create_symlink(reserved, link);
  EXPECT_EQ(CheckTrainingSoundfont(link).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(SoundfontsTest, ACopyUnderAnotherNameIsRefusedToo) {
  if (!fs::exists(kEvaluationSoundfont))
    GTEST_SKIP() << kEvaluationSoundfont << " is not installed";
  const std::string copy = ::testing::TempDir() + "copied.sf3";
  fs::copy_file(kEvaluationSoundfont, copy, fs::copy_options::overwrite_existing);
  EXPECT_EQ(CheckTrainingSoundfont(copy).code(), absl::StatusCode::kFailedPrecondition);
  fs::remove(copy);
}

TEST(SoundfontsTest, AMissingFileIsNotFound) {
  EXPECT_EQ(CheckTrainingSoundfont("/nonexistent.sf2").code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace antiphon::trainer::data
