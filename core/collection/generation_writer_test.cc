#include "core/collection/generation_writer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/testing/live_test_bundle.h"
#include "core/testing/temporary_folder.h"

namespace antiphon::collection {
namespace {

class AvailableMemoryTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.path() + "/" + name) << text;
  }
  std::optional<int64_t> Available() const {
    return AvailableMemory(folder_.path(), folder_.path());
  }

  const testing::TemporaryFolder folder_;
};

TEST_F(AvailableMemoryTest, IsWhatTheKernelSays) {
  EXPECT_EQ(Available(), std::nullopt);
  Write("meminfo",
        "MemTotal:       16000 kB\nMemFree:  10 kB\nMemAvailable:    5000 kB\nBuffers: 7 kB\n");
  EXPECT_EQ(Available(), 5000 * 1024);
}

TEST_F(AvailableMemoryTest, IsNoMoreThanTheControlGroupAllows) {
  Write("meminfo", "MemAvailable:    5000 kB\n");
  Write("memory.max", "max\n");
  Write("memory.current", "1000000\n");
  Write("memory.stat", "anon 5\nfile 300000\ninactive_file 200000\n");
  EXPECT_EQ(Available(), 5000 * 1024);
  Write("memory.max", "2000000\n");
  EXPECT_EQ(Available(), 1'200'000);
  Write("memory.current", "9000000\n");
  EXPECT_EQ(Available(), 0);
  std::filesystem::remove(folder_.path() + "/meminfo");
  Write("memory.current", "1500000\n");
  EXPECT_EQ(Available(), 700'000);
}

TEST_F(AvailableMemoryTest, IsToldOnThisMachine) { EXPECT_GT(AvailableMemory().value_or(0), 0); }

TEST(LoadedBytes, LeavesOutTheCatalogue) {
  bundle::Manifest manifest;
  manifest.files = {
      {bundle::kCatalogFile, 1'000'000, ""}, {bundle::kScoreIndexFile, 300, ""}, {"other", 20, ""}};
  EXPECT_EQ(LoadedBytes(manifest), 320);
  manifest.files.push_back({"huge", std::numeric_limits<int64_t>::max(), ""});
  EXPECT_EQ(LoadedBytes(manifest), std::numeric_limits<int64_t>::max());
}

TEST(CheckCopies, TellsWhatDiffers) {
  bundle::Manifest one;
  one.files = {{bundle::kAudioEncoderFile, 10, "aa"}, {bundle::kCatalogFile, 20, "bb"}};
  bundle::Manifest other = one;
  EXPECT_TRUE(CheckCopies(one, other, true).ok());
  other.files[1].sha256 = "cc";
  EXPECT_TRUE(CheckCopies(one, other, false).ok());  // a catalogue is written anew
  EXPECT_EQ(CheckCopies(one, other, true).code(), absl::StatusCode::kDataLoss);
  other.files[0].size = 11;
  EXPECT_EQ(CheckCopies(one, other, false).code(), absl::StatusCode::kDataLoss);
  other.files.clear();
  EXPECT_EQ(CheckCopies(one, other, false).code(), absl::StatusCode::kDataLoss);
}

TEST(WriteGeneration, NeedsNoDevice) {
  const testing::TemporaryFolder folder;
  const testing::LiveTestBundle bundle(folder.path());
  bundle.Index(1, 0);
  const auto opened = OpenCollection(bundle.root(), {});
  ASSERT_TRUE(opened.ok()) << opened.status();
  std::filesystem::create_directory(bundle.Path("written"));
  const auto manifest =
      WriteGeneration(*opened->loaded, bundle.root() + "/gen-000001", bundle.Path("written"),
                      {.device = "cuda:99"}, [] { return absl::OkStatus(); });
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->score_vectors, opened->loaded->manifest.score_vectors);
}

}  // namespace
}  // namespace antiphon::collection
