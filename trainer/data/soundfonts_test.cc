#include "trainer/data/soundfonts.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/testing/temporary_folder.h"

namespace antiphon::trainer::data {
namespace {

namespace fs = std::filesystem;

class SoundfontsTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string File(const std::string& name, const std::string& contents) const {
    std::ofstream(Path(name)) << contents;
    return Path(name);
  }

  const testing::TemporaryFolder folder_;
};

TEST_F(SoundfontsTest, AnotherSoundfontMayBeTrainedOn) {
  EXPECT_TRUE(CheckTrainingSoundfont(File("piano.sf2", "x")).ok());
}

TEST_F(SoundfontsTest, TheEvaluationSoundfontIsRefusedByNameAndThroughLinks) {
  const std::string reserved = File("MuseScore_General_Full.sf3", "x");
  EXPECT_EQ(CheckTrainingSoundfont(reserved).code(), absl::StatusCode::kFailedPrecondition);
  const std::string link = Path("harmless.sf3");
  fs::create_symlink(reserved, link);
  EXPECT_EQ(CheckTrainingSoundfont(link).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SoundfontsTest, ACopyUnderAnotherNameIsRefusedToo) {
  if (!fs::exists(kEvaluationSoundfont))
    GTEST_SKIP() << kEvaluationSoundfont << " is not installed";
  const std::string copy = Path("copied.sf3");
  fs::copy_file(kEvaluationSoundfont, copy);
  EXPECT_EQ(CheckTrainingSoundfont(copy).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SoundfontsTest, AMissingFileIsNotFound) {
  EXPECT_EQ(CheckTrainingSoundfont("/nonexistent.sf2").code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace antiphon::trainer::data
